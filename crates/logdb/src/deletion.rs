//! What was deleted and may still stand in segments.
//!
//! A deletion has a number; it hides lines of segments that were frozen before it came, which is
//! told by the number of the last deletion at that time, kept in each segment. So a line that is
//! pushed again after it was deleted is there again.

use std::sync::Arc;

use masthead_durable::bytes::{Bad, Reader, put_signed, put_slice, put_unsigned};
use masthead_model::{Labels, MatchOp, Matcher, Nanos, TimeRange};
use masthead_ports::{LineFilter, LinePattern, LogColumns};

use crate::{filter::LineTest, segment::Info};

/// Most matchers, filters and patterns that a stored deletion may have.
const PARTS_MAX: usize = 10_000;

/// One deletion.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub(crate) number: u64,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) filters: Vec<LineFilter>,
    pub(crate) range: TimeRange<Nanos>,
    tests: Vec<LineTest>,
}

impl Deletion {
    /// None if an expression does not compile.
    pub(crate) fn new(
        number: u64,
        matchers: &[Matcher],
        filters: &[LineFilter],
        range: TimeRange<Nanos>,
    ) -> Option<Self> {
        let tests = filters.iter().map(LineTest::new).collect::<Option<Vec<_>>>()?;
        Some(Self { number, matchers: matchers.to_vec(), filters: filters.to_vec(), range, tests })
    }

    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches_labels(labels))
    }

    /// Whether lines of a segment of a stream that it matches may be hidden.
    pub(crate) fn touches(&self, info: &Info) -> bool {
        info.generation < self.number && info.overlaps(self.range.start.0, self.range.end.0)
    }

    /// Whether line number `at` of columns with text is hidden.
    pub(crate) fn hides(&self, columns: &LogColumns, at: usize) -> bool {
        let time = columns.times.get(at).copied().unwrap_or(0);
        self.range.contains(Nanos(time))
            && self.tests.iter().all(|test| test.passes(columns.line(at)))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.number);
        put_signed(out, self.range.start.0);
        put_signed(out, self.range.end.0);
        put_unsigned(out, self.matchers.len() as u64);
        for matcher in &self.matchers {
            out.push(match matcher.op() {
                MatchOp::Equal => 0,
                MatchOp::NotEqual => 1,
                MatchOp::Matches => 2,
                MatchOp::NotMatches => 3,
            });
            put_slice(out, matcher.name().as_bytes());
            put_slice(out, matcher.value().as_bytes());
        }
        put_unsigned(out, self.filters.len() as u64);
        for filter in &self.filters {
            out.push(u8::from(filter.negated));
            put_unsigned(out, filter.any.len() as u64);
            for pattern in &filter.any {
                match pattern {
                    LinePattern::Literal(bytes) => {
                        out.push(0);
                        put_slice(out, bytes);
                    }
                    LinePattern::Regexp(text) => {
                        out.push(1);
                        put_slice(out, text.as_bytes());
                    }
                }
            }
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        let number = reader.unsigned("number of a deletion")?;
        let range = TimeRange {
            start: Nanos(reader.signed("start of a deletion")?),
            end: Nanos(reader.signed("end of a deletion")?),
        };
        let mut matchers = Vec::new();
        for _ in 0..reader.count(PARTS_MAX, "count of matchers")? {
            let bad = reader.bad("matcher");
            let op = match reader.byte("matcher")? {
                0 => MatchOp::Equal,
                1 => MatchOp::NotEqual,
                2 => MatchOp::Matches,
                3 => MatchOp::NotMatches,
                _ => return Err(bad),
            };
            let (name, value) = (reader.text("name of a matcher")?, reader.text("matcher")?);
            matchers.push(Matcher::new(op, name, value).map_err(|_| bad)?);
        }
        let mut filters = Vec::new();
        for _ in 0..reader.count(PARTS_MAX, "count of filters")? {
            let negated = reader.byte("filter")? != 0;
            let mut any = Vec::new();
            for _ in 0..reader.count(PARTS_MAX, "count of patterns")? {
                let bad = reader.bad("pattern");
                any.push(match reader.byte("pattern")? {
                    0 => LinePattern::Literal(Arc::from(reader.slice("pattern")?)),
                    1 => LinePattern::Regexp(Arc::from(reader.text("pattern")?)),
                    _ => return Err(bad),
                });
            }
            filters.push(LineFilter { negated, any });
        }
        let bad = reader.bad("filter of a deletion");
        Self::new(number, &matchers, &filters, range).ok_or(bad)
    }
}

/// The deletions that may hide lines of a stream.
pub(crate) fn matching(deletions: &[Arc<Deletion>], labels: &Labels) -> Vec<Arc<Deletion>> {
    deletions.iter().filter(|deletion| deletion.matches(labels)).cloned().collect()
}
