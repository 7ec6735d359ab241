//! The index in a file: read where it lies, page by page, with nothing loaded beforehand.
//!
//! Texts, names and pairs are sorted, so everything is found by halving. `index/writer.rs` has the
//! layout.

use std::{borrow::Cow, ops::Range};

use masthead_model::{Label, Labels};
use roaring::RoaringBitmap;

use super::{
    Postings,
    writer::{HEADER_BYTES, RESTART, SINGLE},
};
use crate::{Error, Result, bytes::Reader, table::Section};

/// Most labels of one series.
const LABELS_MAX: usize = 100_000;

/// An index in a section of a table.
#[derive(Debug, Clone)]
pub struct DiskIndex {
    section: Section,
    series: u32,
    symbols: usize,
    names: usize,
    pairs: usize,
    /// Where each part starts.
    at_ends: usize,
    at_restarts: usize,
    at_names: usize,
    at_pairs: usize,
    at_labels: usize,
    at_postings: usize,
    at_texts: usize,
}

impl DiskIndex {
    /// Reads the header of the index in `section`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the parts do not fill the section.
    pub fn open(section: Section) -> Result<Self> {
        let bad = || section.corrupt("index header", 0);
        let header = section.read(0..HEADER_BYTES).map_err(|_| bad())?;
        let mut reader = Reader::new(header);
        let mut word = || reader.word32("index header").map_err(|_| bad());
        let (series, symbols, names, pairs) = (word()?, word()?, word()?, word()?);
        let (labels, postings, texts) = (word()?, word()?, word()?);
        let series_count = series as usize;
        let at_ends = HEADER_BYTES;
        let at_restarts = at_ends + 4 * symbols as usize;
        let at_names = at_restarts + 4 * series_count.div_ceil(RESTART);
        let at_pairs = at_names + 8 * names as usize;
        let at_labels = at_pairs + 8 * pairs as usize;
        let at_postings = at_labels + labels as usize;
        let at_texts = at_postings + postings as usize;
        if at_texts + texts as usize != section.len() {
            return Err(bad());
        }
        let (symbols, names, pairs) = (symbols as usize, names as usize, pairs as usize);
        Ok(Self {
            section,
            series,
            symbols,
            names,
            pairs,
            at_ends,
            at_restarts,
            at_names,
            at_pairs,
            at_labels,
            at_postings,
            at_texts,
        })
    }

    /// How many series there are.
    pub fn len(&self) -> u32 {
        self.series
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.series == 0
    }

    /// Reads label sets one after the other.
    pub fn cursor(&self) -> LabelsCursor<'_> {
        LabelsCursor { index: self, next: 0, rest: &[], pairs: Vec::new(), buffer: String::new() }
    }

    /// Names of labels, sorted.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn names(&self) -> Result<Vec<&str>> {
        (0..self.names).map(|at| self.symbol(self.name_at(at)?.0)).collect()
    }

    /// Values of a label on the series of `among`, or on any, sorted.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn values(&self, name: &str, among: Option<&RoaringBitmap>) -> Result<Vec<&str>> {
        let mut found = Vec::new();
        for at in self.pairs_of(name)? {
            let (symbol, place) = self.pair_at(at)?;
            let wanted = match among {
                None => true,
                Some(among) if place & SINGLE != 0 => among.contains(place & !SINGLE),
                Some(among) => !self.series_at(at, place)?.is_disjoint(among),
            };
            if wanted {
                found.push(self.symbol(symbol)?);
            }
        }
        Ok(found)
    }

    fn word(&self, at: usize) -> Result<u32> {
        let bytes = self.section.read(at..at + 4)?;
        Reader::new(bytes).word32("number").map_err(|_| self.section.corrupt("index", at))
    }

    fn two(&self, at: usize) -> Result<(u32, u32)> {
        let bytes = self.section.read(at..at + 8)?;
        let mut reader = Reader::new(bytes);
        let mut word = || reader.word32("number").map_err(|_| self.section.corrupt("index", at));
        Ok((word()?, word()?))
    }

    fn name_at(&self, at: usize) -> Result<(u32, u32)> {
        self.two(self.at_names + 8 * at)
    }

    fn pair_at(&self, at: usize) -> Result<(u32, u32)> {
        self.two(self.at_pairs + 8 * at)
    }

    fn symbol(&self, symbol: u32) -> Result<&str> {
        let at = symbol as usize;
        let bad = || self.section.corrupt("label text", self.at_ends);
        if at >= self.symbols {
            return Err(bad());
        }
        let (start, end) = match at.checked_sub(1) {
            None => (0, self.word(self.at_ends)?),
            Some(before) => self.two(self.at_ends + 4 * before)?,
        };
        let (start, end) = (start as usize, end as usize);
        let text = self.section.read(self.at_texts + start..self.at_texts + end)?;
        std::str::from_utf8(text).map_err(|_| bad())
    }

    fn find_symbol(&self, text: &str) -> Result<Option<u32>> {
        let at = self.first_symbol(0..self.symbols, |symbol| symbol < text, |at| at)?;
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        Ok((at < self.symbols && self.symbol(number)? == text).then_some(number))
    }

    /// The first place in `range` whose text is not `before`.
    fn first_symbol(
        &self,
        mut range: Range<usize>,
        before: impl Fn(&str) -> bool,
        symbol_of: impl Fn(usize) -> usize,
    ) -> Result<usize> {
        while range.start < range.end {
            let middle = usize::midpoint(range.start, range.end);
            let symbol = u32::try_from(symbol_of(middle)).unwrap_or(u32::MAX);
            if before(self.symbol(symbol)?) {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        Ok(range.start)
    }

    /// Places of the pairs of a label.
    fn pairs_of(&self, name: &str) -> Result<Range<usize>> {
        let Some(symbol) = self.find_symbol(name)? else { return Ok(0..0) };
        let mut range = 0..self.names;
        while range.start < range.end {
            let middle = usize::midpoint(range.start, range.end);
            if self.name_at(middle)?.0 < symbol {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        let at = range.start;
        if at >= self.names || self.name_at(at)?.0 != symbol {
            return Ok(0..0);
        }
        let start = self.name_at(at)?.1 as usize;
        let end = if at + 1 < self.names { self.name_at(at + 1)?.1 as usize } else { self.pairs };
        if start > end || end > self.pairs {
            return Err(self.section.corrupt("index names", self.at_names));
        }
        Ok(start..end)
    }

    /// The series of the pair number `at`, whose place is `place`.
    fn series_at(&self, at: usize, place: u32) -> Result<RoaringBitmap> {
        if place & SINGLE != 0 {
            return Ok(std::iter::once(place & !SINGLE).collect());
        }
        let mut end = self.at_texts - self.at_postings;
        for next in at + 1..self.pairs {
            let (_, place) = self.pair_at(next)?;
            if place & SINGLE == 0 {
                end = place as usize;
                break;
            }
        }
        let start = self.at_postings + place as usize;
        let bad = || self.section.corrupt("postings", start);
        let bytes =
            self.section.read(start..self.at_postings + end).map_err(|error| match error {
                Error::Corrupt { what: "page", .. } => error,
                _ => bad(),
            })?;
        let ids = RoaringBitmap::deserialize_from(bytes).map_err(|_| bad())?;
        if ids.max().is_some_and(|max| max >= self.series) { Err(bad()) } else { Ok(ids) }
    }
}

impl Postings for DiskIndex {
    fn all(&self) -> Result<RoaringBitmap> {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..self.series);
        Ok(all)
    }

    fn with_value(&self, name: &str, value: &str) -> Result<Option<Cow<'_, RoaringBitmap>>> {
        let range = self.pairs_of(name)?;
        let Some(symbol) = self.find_symbol(value)? else { return Ok(None) };
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.pair_at(middle)?.0 < symbol {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low >= range.end {
            return Ok(None);
        }
        let (found, place) = self.pair_at(low)?;
        if found == symbol { Ok(Some(Cow::Owned(self.series_at(low, place)?))) } else { Ok(None) }
    }

    fn value_count(&self, name: &str) -> Result<usize> {
        self.pairs_of(name).map(|range| range.len())
    }

    fn union_values(
        &self,
        name: &str,
        prefix: &str,
        into: &mut RoaringBitmap,
        visit: &mut dyn FnMut(&str) -> Result<bool>,
    ) -> Result<()> {
        let mut range = self.pairs_of(name)?;
        let (mut low, mut high) = (range.start, range.end);
        while low < high && !prefix.is_empty() {
            // Halve to the first value that is not before the prefix.
            let middle = usize::midpoint(low, high);
            if self.symbol(self.pair_at(middle)?.0)? < prefix {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        range.start = low;
        for at in range {
            let (symbol, place) = self.pair_at(at)?;
            let value = self.symbol(symbol)?;
            if !value.starts_with(prefix) {
                break;
            }
            if !visit(value)? {
                continue;
            }
            if place & SINGLE == 0 {
                *into |= self.series_at(at, place)?;
            } else {
                into.insert(place & !SINGLE);
            }
        }
        Ok(())
    }

    fn for_each_value(
        &self,
        name: &str,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &str) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = self.cursor();
        for id in ids {
            visit(id, cursor.labels(id)?.get(name).unwrap_or_default())?;
        }
        Ok(())
    }

    fn for_each_labels(
        &self,
        ids: &RoaringBitmap,
        visit: &mut dyn FnMut(u32, &Labels),
    ) -> Result<()> {
        let mut cursor = self.cursor();
        for id in ids {
            visit(id, &cursor.labels(id)?);
        }
        Ok(())
    }
}

/// Reads label sets; cheapest in rising order.
#[derive(Debug)]
pub struct LabelsCursor<'a> {
    index: &'a DiskIndex,
    next: u32,
    /// What is left of the sixteen series that `next` belongs to.
    rest: &'a [u8],
    /// The labels of the series before `next`.
    pairs: Vec<(u32, u32)>,
    buffer: String,
}

impl LabelsCursor<'_> {
    /// The labels of a series.
    ///
    /// # Errors
    /// [`Error::Corrupt`], also when there is no such series.
    pub fn labels(&mut self, id: u32) -> Result<Labels> {
        let index = self.index;
        let bad = || index.section.corrupt("labels", index.at_labels);
        if id >= index.series {
            return Err(bad());
        }
        let restart = id as usize / RESTART;
        if id < self.next || restart > self.next as usize / RESTART || self.next == 0 {
            self.next = id - id % u32::try_from(RESTART).unwrap_or(1);
        }
        while self.next <= id {
            self.step()?;
        }
        let mut damage = None;
        let labels = self.pairs.iter().map_while(|(name, value)| {
            match index.symbol(*name).and_then(|name| Ok((name, index.symbol(*value)?))) {
                Ok((name, value)) => Some(Label { name, value }),
                Err(error) => {
                    damage = Some(error);
                    None
                }
            }
        });
        let labels = Labels::from_sorted(labels, &mut self.buffer);
        match damage {
            Some(error) => Err(error),
            None => labels.ok_or_else(bad),
        }
    }

    fn step(&mut self) -> Result<()> {
        let index = self.index;
        let bad = |_| index.section.corrupt("labels", index.at_labels);
        if (self.next as usize).is_multiple_of(RESTART) {
            self.pairs.clear();
            let restart = self.next as usize / RESTART;
            let start = index.word(index.at_restarts + 4 * restart)? as usize;
            let after = index.at_restarts + 4 * (restart + 1);
            let all = index.at_postings - index.at_labels;
            let end = if after < index.at_names { index.word(after)? as usize } else { all };
            if start > end || end > all {
                return Err(index.section.corrupt("index restarts", index.at_restarts));
            }
            self.rest = index.section.read(index.at_labels + start..index.at_labels + end)?;
        }
        let mut reader = Reader::new(self.rest);
        let shared = reader.count(self.pairs.len(), "shared labels").map_err(bad)?;
        let more = reader.count(LABELS_MAX, "labels").map_err(bad)?;
        self.pairs.truncate(shared);
        for _ in 0..more {
            let mut number = || {
                let value = reader.count(index.symbols, "label").map_err(bad)?;
                u32::try_from(value).map_err(|_| index.section.corrupt("labels", index.at_labels))
            };
            let pair = (number()?, number()?);
            self.pairs.push(pair);
        }
        self.rest = reader.rest();
        self.next += 1;
        Ok(())
    }
}
