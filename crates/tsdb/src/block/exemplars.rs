//! Exemplars of a block: a section of their own, by series, read through when somebody asks.
//!
//! ```text
//! first time z | last time z | count n | (series n, length n, count n, exemplars) × count
//! ```

use masthead_durable::{
    Result,
    bytes::{Bad, Reader, put_signed, put_slice, put_unsigned},
    table::Section,
};
use masthead_model::Millis;
use masthead_ports::Exemplar;

use crate::frame::{put_labels, read_labels};

/// Collects the exemplars of a block that is being written.
#[derive(Debug, Default)]
pub(super) struct ExemplarsWriter {
    bytes: Vec<u8>,
    count: u64,
    last: u64,
    bounds: Option<(i64, i64)>,
}

impl ExemplarsWriter {
    /// Adds those of series `id`, which must come after the one before.
    pub(super) fn push(&mut self, id: u64, exemplars: &[Exemplar]) {
        let mut some = Vec::new();
        let (mut count, mut before) = (0_u64, 0);
        for exemplar in exemplars {
            // The head gives each one a time.
            let Some(Millis(time)) = exemplar.timestamp else { continue };
            let (first, last) = self.bounds.unwrap_or((time, time));
            self.bounds = Some((first.min(time), last.max(time)));
            put_signed(&mut some, time.wrapping_sub(before));
            some.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
            put_labels(&mut some, &exemplar.labels);
            before = time;
            count += 1;
        }
        if count == 0 {
            return;
        }
        put_unsigned(&mut self.bytes, id - self.last);
        let mut counted = Vec::new();
        put_unsigned(&mut counted, count);
        counted.append(&mut some);
        put_slice(&mut self.bytes, &counted);
        self.last = id;
        self.count += 1;
    }

    /// The section; none if there is nothing in it.
    pub(super) fn finish(self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (first, last) = self.bounds?;
        let mut head = Vec::new();
        put_signed(&mut head, first);
        put_signed(&mut head, last);
        put_unsigned(&mut head, self.count);
        Some((head, self.bytes))
    }
}

/// Calls `visit` with each series that `wanted` says yes to and its exemplars in `first..=last`.
///
/// # Errors
/// Damage, with the file and the place.
pub(super) fn read(
    section: &Section,
    (first, last): (i64, i64),
    wanted: &dyn Fn(u32) -> bool,
    visit: &mut dyn FnMut(u32, Vec<Exemplar>),
) -> Result<()> {
    let mut reader = Reader::new(section.all()?);
    let mut parse = || -> Result<(), Bad> {
        let (oldest, newest) = (reader.signed("time")?, reader.signed("time")?);
        if oldest > last || newest < first {
            return Ok(());
        }
        let mut id = 0_u64;
        for _ in 0..reader.unsigned("count of series")? {
            let bad = reader.bad("series of exemplars");
            id = id.checked_add(reader.unsigned("series of exemplars")?).ok_or(bad)?;
            let series = u32::try_from(id).map_err(|_| bad)?;
            let exemplars = reader.slice("exemplars")?;
            if wanted(series) {
                let found = parse_one(exemplars, first, last)?;
                if !found.is_empty() {
                    visit(series, found);
                }
            }
        }
        reader.finish("end of exemplars")
    };
    parse().map_err(|bad| section.corrupt(bad.what, bad.offset))
}

fn parse_one(bytes: &[u8], first: i64, last: i64) -> Result<Vec<Exemplar>, Bad> {
    let mut reader = Reader::new(bytes);
    let (mut found, mut time) = (Vec::new(), 0_i64);
    for _ in 0..reader.count(reader.remaining(), "count of exemplars")? {
        time = time.wrapping_add(reader.signed("time")?);
        let value = f64::from_bits(reader.word64("exemplar")?);
        let labels = read_labels(&mut reader)?;
        if first <= time && time <= last {
            found.push(Exemplar { labels, value, timestamp: Some(Millis(time)) });
        }
    }
    reader.finish("end of exemplars")?;
    Ok(found)
}
