//! Lines as templates and variables (the idea of CLP, OSDI 2021), each variable in a column of its
//! own kind.
//!
//! `template/scan.rs` splits a line into what stays, its skeleton, and what varies. Where something
//! varies the skeleton has a mark: a number, a mixture, a UUID, or a text that is split again in
//! the same way (a value in quotes or after `=`), so that a value which is one of many texts does
//! not make as many skeletons of its line. A skeleton below a mark is another node than the same
//! skeleton below another one: so each column holds the values of one field.
//!
//! ```text
//! {"path":"/items/42","status":200}      skeleton {"path":"S","status":I}
//!           └── skeleton /items/I   ── column of 42…      └── column of 200…
//! ```
//!
//! A date with a time of day is a variable of its own (`template/clock.rs`), because it mostly says
//! again when the line was written.
//!
//! `template/write.rs` collects nodes and columns, `template/values.rs` writes and reads one column,
//! `template/read.rs` puts lines together again (`template/out.rs`) from nodes (`template/nodes.rs`)
//! and columns (`template/columns.rs`): all of them, what of them is needed (`template/members.rs`),
//! those that can hold a text (`template/search.rs`) or pass a test (`template/passing.rs`), or only
//! how long they are (`template/lengths.rs`). What is compressed together, in this order:
//!
//! ```text
//! text bytes | nodes | kinds of columns | short columns | numbers | texts | large columns …
//! ```
//!
//! Byte layout: `docs/format/chunk.md`.

mod clock;
mod columns;
mod lengths;
mod members;
mod nodes;
mod out;
mod passing;
mod read;
mod scan;
mod search;
mod values;
mod write;

pub use read::Choice;
pub(super) use read::{Part, Reader, Request};
pub use search::Needle;
pub(super) use write::Writer;

/// What a mark in a skeleton stands for; the bytes are the format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Mark {
    /// Up to 18 decimal digits.
    Number = 1,
    /// Anything without a newline.
    Mixed = 2,
    /// A UUID in small letters.
    Uuid = 3,
    /// A text that is split again.
    Nested = 4,
    /// The whole line or nested text, any bytes: what has bytes that are marks.
    Raw = 5,
    /// A date with a time of day.
    Moment = 6,
}

/// Bytes below this are marks, so nothing with one of them has a skeleton.
const MARKS_END: u8 = 8;
/// Columns of fewer values are not worth a kind of their own.
const SHORT: usize = 8;
/// What a column adds to a stream of its own from this many bytes on.
const LARGE: usize = 1024;
/// Nested texts are not split into nested texts.
const DEPTH_MAX: usize = 2;

impl Mark {
    fn of(byte: u8) -> Option<Self> {
        [Self::Number, Self::Mixed, Self::Uuid, Self::Nested, Self::Raw, Self::Moment]
            .into_iter()
            .find(|mark| *mark as u8 == byte)
    }
}
