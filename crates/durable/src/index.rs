//! From label sets to numbers, and from matchers to sets of numbers.
//!
//! Two forms answer the same questions: [`HeadIndex`] in memory, which grows, and [`DiskIndex`] in
//! a section of a table, which is read where it lies. A series is a number below 2^31; on disk
//! numbers rise in label order. What a matcher selects is a roaring bitmap; how matchers are
//! combined is the same for both and stands in `index/matching.rs`.
//!
//! Neither knows what a series holds: metrics and logs use the same code.

use std::borrow::Cow;

use masthead_model::Labels;
use roaring::RoaringBitmap;

mod disk;
mod head;
mod matching;
mod together;
mod writer;

#[cfg(test)]
mod tests;

pub use disk::{DiskIndex, LabelsCursor};
pub use head::{HeadIndex, HeadPostings, HeadSets, Pair, Unsorted};
pub use matching::{select, select_while};
pub use together::{Found, Together};
pub use writer::write;

use crate::Result;

/// Most series of one index.
pub const SERIES_MAX: u32 = 1 << 31;

/// What [`select`] asks an index. What is visited can end a visit by an error of its own.
pub trait Postings {
    /// All series.
    ///
    /// # Errors
    /// Those of reading.
    fn all(&self) -> Result<RoaringBitmap>;

    /// Series whose label `name` is `value`.
    ///
    /// # Errors
    /// Those of reading.
    fn with_value(&self, name: &str, value: &str) -> Result<Option<Cow<'_, RoaringBitmap>>>;

    /// How many values the label `name` has.
    ///
    /// # Errors
    /// Those of reading.
    fn value_count(&self, name: &str) -> Result<usize>;

    /// Calls `visit` with every value of the label `name` that starts with `prefix`, in any order,
    /// and with a function's leave adds its series to `into`: `visit` returns whether to.
    ///
    /// # Errors
    /// Those of reading.
    fn union_values(
        &self,
        name: &str,
        prefix: &str,
        into: &mut RoaringBitmap,
        visit: &mut dyn FnMut(&str) -> Result<bool>,
    ) -> Result<()>;

    /// The value of the label `name` of each series of `ids`, rising; empty where it has none.
    ///
    /// # Errors
    /// Those of reading.
    fn for_each_value(
        &self,
        name: &str,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &str) -> Result<()>,
    ) -> Result<()>;

    /// The labels of each series of `ids`, rising.
    ///
    /// # Errors
    /// Those of reading.
    fn for_each_labels(
        &self,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &Labels),
    ) -> Result<()>;
}
