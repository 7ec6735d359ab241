//! Writes the label sets of a block as an index, into the current section of a table.
//!
//! ```text
//! 0        4         8       12      16         20           24       28
//! +--------+---------+-------+-------+----------+------------+--------+--------+
//! | series | symbols | names | pairs | labels   | postings   | texts  | zero   |   counts, bytes
//! +--------+---------+-------+-------+----------+------------+--------+--------+
//! | symbol ends  u32 × symbols                                                 |
//! | restarts     u32 × ⌈series / 16⌉      offsets in labels                    |
//! | names        (symbol u32, first pair u32) × names                          |
//! | pairs        (symbol u32, place u32) × pairs                               |
//! | labels, postings, texts                                                    |
//! +----------------------------------------------------------------------------+
//! ```
//!
//! Byte layout in full: `docs/format/index.md`.

use std::collections::BTreeMap;

use masthead_model::Labels;
use roaring::RoaringBitmap;

use super::SERIES_MAX;
use crate::{Error, Result, bytes::put_unsigned, table::TableWriter};

/// Every so many series the labels start anew.
pub(super) const RESTART: usize = 16;
/// Marks a place that is the number of the only series instead of an offset.
pub(super) const SINGLE: u32 = 1 << 31;
pub(super) const HEADER_BYTES: usize = 32;

/// Writes the index of `series`, which must be sorted and distinct; their numbers are their places.
///
/// # Errors
/// [`Error::Limit`] above [`SERIES_MAX`] series or 2 GiB of labels, postings or texts, and those of
/// the file system.
pub fn write(series: &[Labels], table: &mut TableWriter) -> Result<()> {
    let count = small(series.len(), "series of one block", SERIES_MAX - 1)?;
    let symbols = symbols_of(series);
    let mut restarts = Vec::new();
    let mut labels = Vec::new();
    let mut pairs: BTreeMap<(u32, u32), RoaringBitmap> = BTreeMap::new();
    let mut before: Vec<(u32, u32)> = Vec::new();
    let mut now = Vec::new();
    for (id, set) in (0..).zip(series) {
        let number = |text: &str| symbols.get(text).copied().unwrap_or(0);
        now.clear();
        now.extend(set.iter().map(|label| (number(label.name), number(label.value))));
        if (id as usize).is_multiple_of(RESTART) {
            restarts.extend_from_slice(
                &small(labels.len(), "bytes of labels", SINGLE - 1)?.to_le_bytes(),
            );
            before.clear();
        }
        let shared = before.iter().zip(&now).take_while(|(a, b)| a == b).count();
        put_unsigned(&mut labels, shared as u64);
        put_unsigned(&mut labels, (now.len() - shared) as u64);
        for (name, value) in now.iter().skip(shared) {
            put_unsigned(&mut labels, u64::from(*name));
            put_unsigned(&mut labels, u64::from(*value));
        }
        for pair in &now {
            pairs.entry(*pair).or_default().insert(id);
        }
        std::mem::swap(&mut before, &mut now);
    }
    small(labels.len(), "bytes of labels", SINGLE - 1)?;

    let (mut names, mut places, mut postings) = (Vec::new(), Vec::new(), Vec::new());
    let (mut name_count, mut pair_count, mut last_name) = (0_u32, 0_u32, None);
    for ((name, value), mut ids) in pairs {
        if last_name != Some(name) {
            names.extend_from_slice(&name.to_le_bytes());
            names.extend_from_slice(&pair_count.to_le_bytes());
            last_name = Some(name);
            name_count += 1;
        }
        let place = match (ids.len(), ids.min()) {
            (1, Some(only)) => only | SINGLE,
            _ => {
                let place = small(postings.len(), "bytes of postings", SINGLE - 1)?;
                ids.optimize();
                // Writing to memory cannot fail.
                ids.serialize_into(&mut postings)?;
                place
            }
        };
        places.extend_from_slice(&value.to_le_bytes());
        places.extend_from_slice(&place.to_le_bytes());
        pair_count += 1;
    }

    let (mut ends, mut texts) = (Vec::new(), Vec::new());
    for symbol in symbols.keys() {
        texts.extend_from_slice(symbol.as_bytes());
        ends.extend_from_slice(
            &small(texts.len(), "bytes of label texts", SINGLE - 1)?.to_le_bytes(),
        );
    }
    let bytes = |part: &[u8], what| small(part.len(), what, SINGLE - 1);
    let header = [
        count,
        small(symbols.len(), "label texts", SINGLE - 1)?,
        name_count,
        pair_count,
        bytes(&labels, "bytes of labels")?,
        bytes(&postings, "bytes of postings")?,
        bytes(&texts, "bytes of label texts")?,
        0,
    ];
    for word in header {
        table.write(&word.to_le_bytes())?;
    }
    for part in [ends, restarts, names, places, labels, postings, texts] {
        table.write(&part)?;
    }
    Ok(())
}

fn symbols_of(series: &[Labels]) -> BTreeMap<&str, u32> {
    let mut symbols: BTreeMap<&str, u32> = BTreeMap::new();
    for label in series.iter().flatten() {
        symbols.insert(label.name, 0);
        symbols.insert(label.value, 0);
    }
    symbols.values_mut().zip(0..).for_each(|(number, at)| *number = at);
    symbols
}

fn small(value: usize, what: &'static str, limit: u32) -> Result<u32> {
    match u32::try_from(value) {
        Ok(small) if small <= limit => Ok(small),
        _ => Err(Error::Limit { what, found: value as u64, limit: u64::from(limit) }),
    }
}
