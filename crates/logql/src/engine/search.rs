//! Which lines of a part can pass, found by one search over the text of all of them.
//!
//! Two things are known of a line before it is looked at. A filter `|= "text"` that stands first
//! must find its text. And where labels are parsed from the line and one of them must have a
//! certain value, the value stands in the line as it is, unless a backslash spells it.

use masthead_ports::LogColumns;
use memchr::{memchr, memmem::Finder};

use super::pipeline::reordered;
use crate::ast::{LabelFilterExpr, LineOp, LogExpr, StageExpr};
use masthead_model::{Labels, MatchOp};

/// What lines must hold.
#[derive(Debug, Default)]
pub(super) struct Search {
    text: Option<Finder<'static>>,
    values: Vec<ParsedValue>,
}

/// A label that must be parsed from the line with this value.
#[derive(Debug)]
struct ParsedValue {
    name: Box<str>,
    value: Finder<'static>,
}

impl Search {
    pub(super) fn new(log: &LogExpr) -> Self {
        let mut search = Self::default();
        let mut parsed = false;
        for stage in reordered(&log.stages).into_iter().flatten() {
            match stage {
                StageExpr::LineFilter(filter) => {
                    if let (LineOp::Contains, [one], None) =
                        (filter.op, filter.any.as_slice(), &search.text)
                        && !one.ip
                        && !one.text.is_empty()
                    {
                        search.text = Some(Finder::new(&*one.text).into_owned());
                    }
                }
                // With expressions the label's name says nothing about where its value is, but
                // still the value is a piece of the line; of objects and arrays, it is copied.
                StageExpr::Json(_) | StageExpr::Logfmt { .. } => parsed = true,
                StageExpr::LabelFilter(filter) if parsed => search.require(filter),
                StageExpr::LabelFilter(_) | StageExpr::Keep(_) | StageExpr::Drop(_) => {}
                // Whatever else changes lines or makes labels ends what is known.
                _ => break,
            }
        }
        search
    }

    fn require(&mut self, filter: &LabelFilterExpr) {
        match filter {
            LabelFilterExpr::And(left, right) => {
                self.require(left);
                self.require(right);
            }
            LabelFilterExpr::Text(matcher)
                if matcher.op() == MatchOp::Equal
                    && !matcher.name().starts_with("__")
                    && is_plain(matcher.value()) =>
            {
                self.values.push(ParsedValue {
                    name: matcher.name().into(),
                    value: Finder::new(matcher.value()).into_owned(),
                });
            }
            _ => {}
        }
    }

    /// Whether nothing is known, so that every line is a candidate.
    pub(super) fn is_nothing(&self) -> bool {
        self.text.is_none() && self.values.is_empty()
    }

    /// The places of lines that can pass, rising.
    pub(super) fn candidates<'s>(
        &'s self,
        columns: &'s LogColumns,
        stream: &Labels,
    ) -> Candidates<'s> {
        let came_with = |name: &str| {
            let has = |labels: &Labels| {
                labels.iter().any(|label| {
                    label.name == name
                        // Metadata of a stream label's name is seen with a suffix.
                        || name.strip_suffix("_extracted") == Some(label.name)
                })
            };
            has(stream) || columns.metadata_sets.iter().any(has)
        };
        let values =
            self.values.iter().filter(|value| !came_with(&value.name)).map(|v| &v.value).collect();
        Candidates { columns, text: self.text.as_ref(), values, next: 0, searched: 0 }
    }
}

/// Whether a value stands in a line as it is, if no backslash does: parsers turn what is no text
/// into blanks or U+FFFD, and quotes need an escape.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

/// The places of lines that can pass.
#[derive(Debug)]
pub(super) struct Candidates<'s> {
    columns: &'s LogColumns,
    text: Option<&'s Finder<'static>>,
    values: Vec<&'s Finder<'static>>,
    next: usize,
    /// Up to where the text was searched.
    searched: usize,
}

impl Candidates<'_> {
    /// The next line that holds the text.
    fn next_with_text(&mut self) -> Option<usize> {
        let Some(finder) = self.text else {
            let at = self.next;
            self.next += 1;
            return (at < self.columns.len()).then_some(at);
        };
        loop {
            let rest = self.columns.text.get(self.searched..)?;
            let found = self.searched + finder.find(rest)?;
            let ends = self.columns.ends.get(self.next..)?;
            self.next += gallop(ends, found);
            let end = *self.columns.ends.get(self.next)?;
            if found + finder.needle().len() <= end {
                let at = self.next;
                self.next += 1;
                self.searched = end;
                return Some(at);
            }
            // It lies over the end of a line.
            self.searched = found + 1;
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let at = self.next_with_text()?;
            let line = self.columns.line(at);
            let can = |value: &&Finder<'_>| value.find(line).is_some();
            if self.values.iter().all(can)
                || (!self.values.is_empty() && memchr(b'\\', line).is_some())
            {
                return Some(at);
            }
        }
    }
}

/// How many of the rising `ends` are at most `limit`, in steps that double.
fn gallop(ends: &[usize], limit: usize) -> usize {
    let mut reach = 1;
    while ends.get(reach - 1).is_some_and(|end| *end <= limit) {
        reach *= 2;
    }
    let from = reach / 2;
    let rest = ends.get(from..reach.min(ends.len())).unwrap_or_default();
    from + rest.partition_point(|end| *end <= limit)
}

#[cfg(test)]
mod tests {
    use masthead_ports::LogColumns;
    use proptest::prelude::*;

    use super::*;
    use crate::ast::Expr;

    fn search(query: &str) -> Search {
        match crate::parse(query) {
            Ok(Expr::Log(log)) => Search::new(&log),
            other => panic!("{other:?}"),
        }
    }

    fn columns(lines: &[String]) -> LogColumns {
        let mut columns = LogColumns::default();
        for line in lines {
            columns.times.push(0);
            columns.text.extend_from_slice(line.as_bytes());
            columns.ends.push(columns.text.len());
        }
        columns
    }

    #[test]
    fn a_value_that_may_come_from_elsewhere_is_not_searched() {
        let f = |query: &str, stream: &str, want: &[usize]| {
            let lines =
                [r#"{"a":"x1"}"#, r#"{"a":"y"}"#, r#"{"a":"\u0078"}"#, ""].map(str::to_owned);
            let columns = columns(&lines);
            let search = search(query);
            let stream: Labels = stream.parse().expect("labels");
            assert_eq!(search.candidates(&columns, &stream).collect::<Vec<_>>(), want, "{query}");
        };
        f(r#"{s="s"} | json | a="x""#, "{}", &[0, 2]);
        f(r#"{s="s"} | json | a="x""#, r#"{a="x"}"#, &[0, 1, 2, 3]);
        f(r#"{s="s"} | json | a_extracted="x""#, r#"{a="z"}"#, &[0, 1, 2, 3]);
        f(r#"{s="s"} | json | a="x" or b="c""#, "{}", &[0, 1, 2, 3]);
        f(r#"{s="s"} | json | a="x" and b="c""#, "{}", &[2]);
        f(r#"{s="s"} | json | label_format a=b | a="x""#, "{}", &[0, 1, 2, 3]);
        f(r#"{s="s"} | json | a="""#, "{}", &[0, 1, 2, 3]);
        f(r#"{s="s"} | json | a="x y""#, "{}", &[0, 1, 2, 3]);
        f(r#"{s="s"} | a="x""#, "{}", &[0, 1, 2, 3]);
        f(r#"{s="s"} | json |= "y""#, "{}", &[1]);
    }

    proptest! {
        #[test]
        fn one_search_finds_what_a_search_in_each_line_finds(
            lines in proptest::collection::vec("[ab]{0,6}", 0..20), needle in "[ab]{1,3}",
        ) {
            let columns = columns(&lines);
            let search = search(&format!("{{s=\"s\"}} |= \"{needle}\""));
            let got: Vec<_> = search.candidates(&columns, &Labels::default()).collect();
            let want: Vec<_> = (0..lines.len()).filter(|at| lines[*at].contains(&needle)).collect();
            prop_assert_eq!(got, want);
        }
    }
}
