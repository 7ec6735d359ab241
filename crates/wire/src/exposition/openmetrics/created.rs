//! Finding the `_created` line that belongs to a series.
//!
//! The specification lets it stand behind the other lines of the same member of a family, so the
//! parser looks ahead: past lines that are not `_created`, up to the end of the family. The first
//! one that it meets either is about the series or there is none for it, as upstream has it.
//! What was met is remembered: it answers for every series in front of it.

use masthead_model::Millis;

use super::{OpenMetrics, Place, SeriesPlaces, millis};
use crate::{MetricType, exposition::Entry};

/// What looking ahead has found.
#[derive(Debug, Default)]
pub(super) struct Created {
    /// Where the line that was found stands, or where the family ends.
    until: usize,
    found: Option<Millis>,
    /// Whose line it is.
    key: Vec<u8>,
    /// Whose line is looked for.
    wanted: Vec<u8>,
}

/// Whether series of this type have a start.
pub(super) fn has_start(metric_type: MetricType) -> bool {
    matches!(metric_type, MetricType::Counter | MetricType::Summary | MetricType::Histogram)
}

impl OpenMetrics<'_> {
    pub(in crate::exposition) fn start_timestamp(&mut self) -> Option<Millis> {
        if self.start.is_some() || !has_start(self.metric_type) {
            return self.start;
        }
        if self.lexer.entry >= self.created.until {
            self.look_ahead();
        }
        let found = self.created.found?;
        let family = self.lexer.slice(self.raw_family.from, self.raw_family.to);
        let name = self.places.name?;
        let suffix = self.lexer.slice(name.from, name.to).strip_prefix(family)?;
        let base = Place { from: name.from, to: name.to - suffix.len() };
        let mut wanted = std::mem::take(&mut self.created.wanted);
        self.push_key(&self.places, base, &mut wanted);
        let same = wanted == self.created.key;
        self.created.wanted = wanted;
        same.then_some(found)
    }

    fn look_ahead(&mut self) {
        let mut created = std::mem::take(&mut self.created);
        created.found = None;
        let mut at = self.lexer.at;
        loop {
            let rest = self.lexer.slice(at, usize::MAX);
            if rest.first().is_none_or(|byte| *byte == b'#') {
                break;
            }
            let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let line = rest.get(..len).unwrap_or(rest);
            if memchr::memmem::find(line, b"_created").is_some() {
                if let Some((next, found)) = self.probe(at, &mut created.key) {
                    created.found = found;
                    if created.found.is_some() {
                        break;
                    }
                    at = next;
                    continue;
                }
                // A line that does not parse ends the scrape anyway.
                break;
            }
            at += len;
        }
        created.until = at.max(self.lexer.entry + 1);
        self.created = created;
    }

    /// Parses the line at `at`; its start and key if it is a `_created` one, and where it ends.
    fn probe(&self, at: usize, key: &mut Vec<u8>) -> Option<(usize, Option<Millis>)> {
        let mut probe = OpenMetrics {
            lexer: self.lexer.clone(),
            places: SeriesPlaces::default(),
            exemplar_places: SeriesPlaces::default(),
            family: self.family.as_ref().into(),
            created: Created::default(),
            ..*self
        };
        probe.lexer.at = at;
        if !matches!(probe.entry(), Ok(Some(Entry::Sample))) {
            return None;
        }
        let name = probe.places.name?;
        if !probe.is_created() {
            return Some((probe.lexer.at, None));
        }
        let base = Place { from: name.from, to: name.to - b"_created".len() };
        probe.push_key(&probe.places, base, key);
        Some((probe.lexer.at, Some(millis(probe.value))))
    }

    /// What tells members of a family apart: all labels but those that tell their lines apart.
    fn push_key(&self, places: &SeriesPlaces, base: Place, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(self.lexer.slice(base.from, base.to));
        for (name, value) in &places.labels {
            let name = self.lexer.slice(name.from, name.to);
            let of_line = match self.metric_type {
                MetricType::Summary => name == b"quantile",
                MetricType::Histogram => name == b"le",
                _ => false,
            };
            if !of_line {
                for part in [name, self.lexer.slice(value.from, value.to)] {
                    // No text holds this byte.
                    key.push(0xff);
                    key.extend_from_slice(part);
                }
            }
        }
    }
}
