//! `io.prometheus.write.v2.Request`: every text stands once, in a table of symbols.

use masthead_model::{Labels, METRIC_NAME, Millis};

use super::{FloatPoint, HistogramPoint, Metadata, Series, metric_type};
use crate::{
    Error, Exemplar, Limits,
    labels::{Pairs, to_labels},
    limits::shortened,
    native,
    proto::{Field, Reader},
};

/// A text of the table; none for one that is not UTF-8, which costs only the series that use it.
pub(super) type Symbol<'a> = Option<&'a str>;

/// Reads the table, which may stand anywhere in the request.
pub(super) fn symbols(body: &[u8]) -> Result<Vec<Symbol<'_>>, Error> {
    let mut top = Reader::new(body, "Request");
    let mut symbols = Vec::new();
    while let Some(field) = top.next()? {
        if field.number == 4 {
            symbols.push(std::str::from_utf8(field.bytes()?).ok());
            Limits::check_items(symbols.len())?;
        }
    }
    Ok(symbols)
}

pub(super) struct Symbols<'s, 'a> {
    pub(super) symbols: &'s [Symbol<'a>],
    pub(super) limits: &'s Limits,
}

impl<'a> Symbols<'_, 'a> {
    pub(super) fn read_series(
        &self,
        mut message: Reader<'a>,
        series: &mut Series<'a>,
        refs: &mut Vec<u32>,
        pairs: &mut Pairs<'a>,
    ) -> Result<(), Error> {
        refs.clear();
        let (mut created, mut metadata) = (0, None);
        // Kept apart, because the exemplars use the same buffer.
        let mut label_refs = std::mem::take(refs);
        while let Some(field) = message.next()? {
            Limits::check_items(series.points())?;
            match field.number {
                1 => read_refs(&field, &mut label_refs)?,
                2 => series.samples.push(read_sample(&field)?),
                3 => {
                    let (timestamp, start, histogram) = native::read(&field)?;
                    series.histograms.push(HistogramPoint { timestamp, start, histogram });
                }
                4 => match self.read_exemplar(&field, refs, pairs) {
                    Ok(exemplar) => series.exemplars.push(exemplar),
                    Err(error @ Error::Proto { .. }) => return Err(error),
                    Err(_) => series.refused_exemplars += 1,
                },
                5 => metadata = Some(read_metadata(&field)?),
                6 => created = field.signed()?,
                _ => {}
            }
        }
        if label_refs.len() / 2 > self.limits.labels {
            let mut start = Vec::new();
            let first = label_refs.get(..2 * self.limits.labels).unwrap_or(&[]);
            self.each_label(first, |name, value| start.push((name, value)))?;
            let name = start.iter().find(|(name, _)| *name == METRIC_NAME);
            return self.limits.check_label_count(label_refs.len() / 2, || {
                format!("series {}", shortened(name.map_or("", |(_, value)| value)))
            });
        }
        self.each_label(&label_refs, |name, value| series.pairs.push((name, value)))?;
        *refs = label_refs;
        if created != 0 {
            let start = Some(Millis(created));
            series.samples.iter_mut().for_each(|p| p.start = p.start.or(start));
            series.histograms.iter_mut().for_each(|p| p.start = p.start.or(start));
        }
        if let Some((number, help, unit)) = metadata {
            let family = series.pairs.iter().find(|(name, _)| *name == METRIC_NAME);
            series.metadata = Some(Metadata {
                family: family.map_or("", |(_, value)| value),
                metric_type: metric_type(number),
                help: self.get(help, "help")?,
                unit: self.get(unit, "unit")?,
            });
        }
        Ok(())
    }

    fn get(&self, symbol: u32, what: &str) -> Result<&'a str, Error> {
        let found = self.symbols.get(symbol as usize).ok_or_else(|| {
            Error::Content(format!(
                "{what}_ref = {symbol} outside of symbols table (size {})",
                self.symbols.len()
            ))
        })?;
        found.ok_or_else(|| Error::Content(format!("{what}_ref = {symbol} is not UTF-8")))
    }

    fn each_label(
        &self,
        refs: &[u32],
        mut take: impl FnMut(&'a str, &'a str),
    ) -> Result<(), Error> {
        let (two, rest) = refs.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Error::Content(format!("invalid labelRefs length {}", refs.len())));
        }
        for (at, [name, value]) in two.iter().enumerate() {
            let found = self.symbols.get(*name as usize).zip(self.symbols.get(*value as usize));
            let Some((name, value)) = found else {
                return Err(Error::Content(format!(
                    "labelRefs {} (name) = {name}, {} (value) = {value} outside of symbols table (size {})",
                    2 * at,
                    2 * at + 1,
                    self.symbols.len()
                )));
            };
            let (Some(name), Some(value)) = (name, value) else {
                return Err(Error::Content(format!(
                    "invalid metric name or labels, got a text that is not UTF-8 in {}",
                    self.lossy(two)
                )));
            };
            take(name, value);
        }
        Ok(())
    }

    /// Labels as far as they can be told, for an error.
    #[cold]
    fn lossy(&self, refs: &[[u32; 2]]) -> Labels {
        let get = |symbol: u32| self.symbols.get(symbol as usize).copied().flatten();
        let told = |symbol| get(symbol).unwrap_or("\u{fffd}");
        refs.iter().map(|[name, value]| (told(*name), told(*value))).collect()
    }

    fn read_exemplar(
        &self,
        field: &Field<'a>,
        refs: &mut Vec<u32>,
        pairs: &mut Pairs<'a>,
    ) -> Result<Exemplar, Error> {
        let mut message = field.message("Exemplar")?;
        let (mut value, mut timestamp) = (0.0, 0);
        refs.clear();
        while let Some(field) = message.next()? {
            match field.number {
                1 => read_refs(&field, refs)?,
                2 => value = field.double()?,
                3 => timestamp = field.signed()?,
                _ => {}
            }
        }
        pairs.clear();
        self.limits.check_label_count(refs.len() / 2, || "an exemplar".to_owned())?;
        self.each_label(refs, |name, value| pairs.push((name.into(), value.into())))?;
        let labels = to_labels(pairs, self.limits)?;
        Ok(Exemplar { labels, value, timestamp: (timestamp != 0).then_some(Millis(timestamp)) })
    }
}

fn read_refs(field: &Field<'_>, refs: &mut Vec<u32>) -> Result<(), Error> {
    // A number that is no reference points beyond every table.
    field.each_varint(|number| refs.push(u32::try_from(number).unwrap_or(u32::MAX)))
}

#[inline]
fn read_sample(field: &Field<'_>) -> Result<FloatPoint, Error> {
    let mut message = field.message("Sample")?;
    let (mut value, mut timestamp, mut start) = (0.0, 0, 0);
    while let Some(field) = message.next()? {
        match field.number {
            1 => value = field.double()?,
            2 => timestamp = field.signed()?,
            3 => start = field.signed()?,
            _ => {}
        }
    }
    let start = (start != 0).then_some(Millis(start));
    Ok(FloatPoint { timestamp: Millis(timestamp), start, value })
}

/// The type's number and the references of help and unit.
fn read_metadata(field: &Field<'_>) -> Result<(u64, u32, u32), Error> {
    let mut message = field.message("Metadata")?;
    let (mut number, mut help, mut unit) = (0, 0, 0);
    while let Some(field) = message.next()? {
        match field.number {
            1 => number = field.unsigned()?,
            3 => help = field.uint32()?,
            4 => unit = field.uint32()?,
            _ => {}
        }
    }
    Ok((number, help, unit))
}
