//! From what was pushed to a batch for the sink: rules for entries, levels, structured metadata,
//! and what is said about what was refused.
//!
//! Nothing is allocated for a line without structured metadata: its level is one of a few, and the
//! set of labels for each is made once a push and shared. A line whose metadata is that of the line
//! before shares its set too. It never holds more than [`TEXTS_MAX`] texts.
//!
//! Facts: `pkg/distributor/validator.go`, `pkg/distributor/distributor.go`, `pkg/ingester/stream.go`.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use masthead_logql::stages::level;
use masthead_model::{Labels, Nanos};
use masthead_ports::{LogBatch, LogRejectReason, LogReport, LogRow, LogStream};
use masthead_wire::loki::{NO_TIME, Pair, Push, PushStream, metadata_name};

use super::labels::{shown_labels, stream_labels};
use crate::limits::LogLimits;

/// Refusals that are told one by one.
const TEXTS_MAX: usize = 10;
/// Characters of one of them; a label's value can be long.
const TEXT_CHARS_MAX: usize = 4000;
/// Go's zero time, which is what an entry without a time has.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// What becomes of one push.
#[derive(Debug)]
pub(super) struct Intake<'l> {
    limits: &'l LogLimits,
    oldest: Option<Nanos>,
    newest: Nanos,
    /// Sets that hold a level and nothing else.
    levels: Vec<Labels>,
    texts: Vec<String>,
    /// Refusals beyond [`TEXTS_MAX`].
    more: usize,
    refused: BTreeMap<&'static str, u64>,
    over_streams: bool,
}

/// The structured metadata of the line before, so that lines that share it share its set.
#[derive(Debug, Default)]
struct Before {
    /// Where it stands, as it was sent.
    pairs: Option<Range<u32>>,
    /// The set without a level found in the line.
    plain: Labels,
    /// The set with the level of the last line.
    leveled: Option<Labels>,
}

impl<'l> Intake<'l> {
    pub(super) fn new(limits: &'l LogLimits, now: Nanos) -> Self {
        Self {
            limits,
            oldest: (limits.age_ns > 0).then(|| now.saturating_sub(limits.age_ns)),
            newest: now.saturating_add(limits.ahead_ns),
            levels: Vec::new(),
            texts: Vec::new(),
            more: 0,
            refused: BTreeMap::new(),
            over_streams: false,
        }
    }

    /// The entries that keep the rules, as a batch.
    ///
    /// # Errors
    /// A name of structured metadata of which nothing can be made; the whole push is refused then.
    pub(super) fn take<'a>(&mut self, push: Push<'a>) -> Result<LogBatch<'a>, String> {
        let mut batch = LogBatch::default();
        for mut stream in push.streams {
            // A stream without entries is nothing, whatever its labels.
            if stream.entries.is_empty() {
                continue;
            }
            let labels = match stream_labels(std::mem::take(&mut stream.labels), self.limits) {
                Ok(labels) => labels,
                Err((reason, why)) => {
                    self.refuse(reason, stream.entries.len() as u64, || why);
                    continue;
                }
            };
            let rows = self.rows(&labels, stream)?;
            if !rows.is_empty() {
                batch.streams.push(LogStream { labels, rows });
            }
        }
        Ok(batch)
    }

    fn rows<'a>(
        &mut self,
        labels: &Labels,
        mut stream: PushStream<'a>,
    ) -> Result<Vec<LogRow<'a>>, String> {
        let entries = std::mem::take(&mut stream.entries);
        let mut rows = Vec::with_capacity(entries.len());
        let of_stream = level_of_stream(labels);
        let mut before = Before::default();
        for entry in entries {
            let pairs = stream.metadata(&entry);
            if !self.passes(labels, entry.timestamp, entry.line.len(), pairs) {
                continue;
            }
            let structured_metadata = if !self.limits.discover_levels && pairs.is_empty() {
                Labels::default()
            } else if pairs.is_empty() {
                match &of_stream {
                    Some(level) => self.only_level(level),
                    None => self.only_level(level::in_line(&entry.line)),
                }
            } else {
                let same = |range: &Range<u32>| {
                    stream.pairs.get(range.start as usize..range.end as usize) == Some(pairs)
                };
                if !before.pairs.as_ref().is_some_and(same) {
                    before.plain = metadata_set(pairs)?;
                    before.pairs = Some(entry.metadata.clone());
                    before.leveled = None;
                }
                self.with_level(labels, &mut before, &entry.line)
            };
            rows.push(LogRow { timestamp: entry.timestamp, line: entry.line, structured_metadata });
        }
        Ok(rows)
    }

    /// The set that holds this level alone; there are few levels, so they are looked through.
    fn only_level(&mut self, level: &str) -> Labels {
        let is = |set: &&Labels| set.iter().next().is_some_and(|label| label.value == level);
        if let Some(set) = self.levels.iter().find(is) {
            return set.clone();
        }
        let set: Labels = [(level::LEVEL_LABEL, level)].into_iter().collect();
        self.levels.push(set.clone());
        set
    }

    /// The metadata in `before` with the level of this line.
    fn with_level(&mut self, stream: &Labels, before: &mut Before, line: &[u8]) -> Labels {
        let plain = &before.plain;
        if !self.limits.discover_levels {
            return plain.clone();
        }
        let level = level::detect(stream, plain, line);
        if plain.is_empty() {
            return self.only_level(&level);
        }
        if let Some(leveled) = &before.leveled
            && leveled.get(level::LEVEL_LABEL) == Some(&*level)
        {
            return leveled.clone();
        }
        let mut pairs: Vec<_> = plain
            .iter()
            .filter(|label| label.name != level::LEVEL_LABEL)
            .map(|label| (Cow::Borrowed(label.name), Cow::Borrowed(label.value)))
            .collect();
        let place = pairs.partition_point(|(name, _)| **name < *level::LEVEL_LABEL);
        pairs.insert(place, (Cow::Borrowed(level::LEVEL_LABEL), Cow::Borrowed(&*level)));
        let leveled = Labels::from_pairs(&mut pairs).unwrap_or_else(|_| plain.clone());
        before.leveled = Some(leveled.clone());
        leveled
    }

    /// Whether an entry keeps the rules; if not, it is told why.
    fn passes(&mut self, stream: &Labels, at: Nanos, line: usize, pairs: &[Pair<'_>]) -> bool {
        let limits = self.limits;
        if let Some(oldest) = self.oldest
            && (at < oldest || at == NO_TIME)
        {
            self.refuse("greater_than_max_sample_age", 1, || {
                let (stream, at, oldest) = (shown_labels(stream), shown(at), shown(oldest));
                format!("entry for stream '{stream}' has timestamp too old: {at}, oldest acceptable timestamp is: {oldest}")
            });
        } else if at > self.newest {
            self.refuse("too_far_in_future", 1, || {
                let (stream, at) = (shown_labels(stream), shown(at));
                format!("entry for stream '{stream}' has timestamp too new: {at}")
            });
        } else if line > limits.line_bytes {
            self.refuse("line_too_long", 1, || too_long(stream, line, limits.line_bytes));
        } else if pairs.len() > limits.metadata_pairs {
            self.refuse("structured_metadata_too_many", 1, || {
                let (stream, count, limit) =
                    (shown_labels(stream), pairs.len(), limits.metadata_pairs);
                format!("stream '{stream}' has too many structured metadata labels: '{count}', limit: '{limit}'. Please see `limits_config.max_structured_metadata_entries_count` or contact your Loki administrator to increase it")
            });
        } else {
            let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
            if bytes <= limits.metadata_bytes {
                return true;
            }
            self.refuse("structured_metadata_too_large", 1, || {
                let (stream, limit) = (shown_labels(stream), limits.metadata_bytes);
                format!("stream '{stream}' has structured metadata too large: '{bytes}' bytes, limit: '{limit}' bytes. Please see `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it")
            });
        }
        false
    }

    /// Tells what the sink refused.
    pub(super) fn refused_by_store(&mut self, batch: &LogBatch<'_>, report: &LogReport) {
        for rejected in &report.rejected {
            let stream = batch.streams.get(rejected.stream);
            let row = stream.and_then(|stream| stream.rows.get(rejected.row));
            let (Some(stream), Some(row)) = (stream, row) else { continue };
            self.over_streams |= matches!(rejected.reason, LogRejectReason::StreamLimit { .. });
            self.refuse(rejected.reason.as_label(), 1, || {
                let labels = shown_labels(&stream.labels);
                match rejected.reason {
                    LogRejectReason::TooFarBehind { oldest } => {
                        let (at, oldest) = (shown(row.timestamp), shown(oldest));
                        format!("entry for stream '{labels}' has timestamp too far behind, entry timestamp is: {at}, oldest acceptable timestamp is: {oldest}")
                    }
                    LogRejectReason::LineTooLong { limit } => {
                        too_long(&stream.labels, row.line.len(), limit)
                    }
                    LogRejectReason::StreamLimit { limit } => {
                        format!("maximum active stream limit exceeded when trying to create stream {labels}, reduce the number of active streams (reduce labels or reduce label values), or raise --logs.max-streams, which is {limit}")
                    }
                    reason => format!("entry for stream '{labels}' was refused: {reason}"),
                }
            });
        }
    }

    fn refuse(&mut self, reason: &'static str, entries: u64, why: impl FnOnce() -> String) {
        *self.refused.entry(reason).or_default() += entries;
        if self.texts.len() == TEXTS_MAX {
            self.more += 1;
            return;
        }
        let mut why = why();
        if let Some((end, _)) = why.char_indices().nth(TEXT_CHARS_MAX) {
            why.truncate(end);
            why.push('…');
        }
        self.texts.push(why);
    }

    /// How many entries were refused, by reason.
    pub(super) fn refused(&self) -> &BTreeMap<&'static str, u64> {
        &self.refused
    }

    /// Whether lines were refused that would have made a stream too many.
    pub(super) fn is_over_streams(&self) -> bool {
        self.over_streams
    }

    /// What to say, if anything was refused.
    pub(super) fn into_text(self) -> Option<String> {
        let Self { mut texts, more, .. } = self;
        if more > 0 {
            texts.push(format!("{more} more were refused"));
        }
        (!texts.is_empty()).then(|| texts.join("\n"))
    }
}

/// The level that the stream's labels tell for all its lines: the one that no line changes.
fn level_of_stream(labels: &Labels) -> Option<String> {
    let none = Labels::default();
    let [one, other] = [&b"error"[..], b"debug"].map(|line| level::detect(labels, &none, line));
    (one == other).then(|| one.into_owned())
}

fn too_long(stream: &Labels, line: usize, limit: usize) -> String {
    let stream = shown_labels(stream);
    format!(
        "max entry size '{limit}' bytes exceeded for stream '{stream}' while adding an entry with length '{line}' bytes"
    )
}

/// Names made to fit, empty values left out; of names that become the same the first counts.
fn metadata_set(pairs: &[Pair<'_>]) -> Result<Labels, String> {
    let mut fit: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let name = metadata_name(name)?;
        if !fit.iter().any(|(other, _)| *other == name) {
            fit.push((name, Cow::Borrowed(value)));
        }
    }
    Labels::from_pairs(&mut fit).map_err(|error| error.to_string())
}

/// RFC 3339 to the second.
fn shown(at: Nanos) -> String {
    if at == NO_TIME {
        return ZERO_TIME.to_owned();
    }
    let seconds = jiff::Timestamp::from_second(at.0.div_euclid(1_000_000_000));
    seconds.map_or_else(|_| at.to_string(), |at| at.to_string())
}
