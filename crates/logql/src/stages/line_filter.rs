//! `|=`, `!=`, `|~`, `!~`, `|>` and `!>`: lines that hold a text, match an expression or look
//! like a pattern.
//!
//! Several right-hand sides joined by `or` pass a line when one does; a negated operator passes
//! it when none does. An expression that is a text, or a choice of texts, is searched as such:
//! `.*` at either end of an unanchored expression says nothing. `.` does not match a newline here,
//! `^` and `$` are the ends of the whole line.

use aho_corasick::AhoCorasick;
use masthead_model::{Regexp, RegexpSearch};
use memchr::memmem;
use regex_syntax::hir::{Hir, HirKind};

use super::ip::IpPattern;
use super::pattern_filter::PatternFilter;
use super::{Keep, Line, Needed, Stage, StageError};

/// U+FFFD.
const REPLACEMENT: &[u8] = b"\xef\xbf\xbd";
/// Up to this many texts are searched one by one, each at the speed of memory.
const SINGLE_SEARCHES_MAX: usize = 3;

/// How a line filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineOp {
    /// `|=`
    Contains,
    /// `!=`
    NotContains,
    /// `|~`
    Matches,
    /// `!~`
    NotMatches,
    /// `|>`
    LooksLike,
    /// `!>`
    NotLooksLike,
}

impl LineOp {
    /// Whether a line must not pass the test.
    pub fn is_negated(self) -> bool {
        matches!(self, Self::NotContains | Self::NotMatches | Self::NotLooksLike)
    }
}

/// One right-hand side of a line filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOperand<'q> {
    /// A string.
    Text(&'q str),
    /// A string that need not be UTF-8, because escapes in a query can spell any byte.
    Bytes(&'q [u8]),
    /// `ip("…")`
    Ip(&'q str),
}

/// A line filter.
#[derive(Debug, Clone)]
pub struct LineFilter {
    negated: bool,
    tests: Vec<Test>,
}

#[derive(Debug, Clone)]
enum Test {
    /// Every line passes.
    Always,
    Text(Box<memmem::Finder<'static>>),
    Texts(AhoCorasick),
    Regex(RegexpSearch),
    Pattern(PatternFilter),
    Ip(IpPattern),
}

impl LineFilter {
    /// A filter with one right-hand side or several joined by `or`.
    ///
    /// # Errors
    /// A pattern that is none, in Loki's words.
    pub fn new<'q>(
        op: LineOp,
        operands: impl IntoIterator<Item = LineOperand<'q>>,
    ) -> Result<Self, StageError> {
        let (mut tests, mut texts) = (Vec::new(), Vec::new());
        for operand in operands {
            let operand = match operand {
                LineOperand::Bytes(text) => {
                    std::str::from_utf8(text).map_or(operand, LineOperand::Text)
                }
                other => other,
            };
            match (operand, op) {
                (LineOperand::Ip(text), LineOp::Contains | LineOp::NotContains) => {
                    tests.push(Test::Ip(IpPattern::new(text)?));
                }
                (LineOperand::Bytes(text), LineOp::Contains | LineOp::NotContains) => {
                    texts.push(text.to_vec());
                }
                (LineOperand::Bytes(_), _) => return Err(StageError::new("invalid UTF-8")),
                (LineOperand::Ip(_), _) => {
                    return Err(StageError::new("ip: invalid operation"));
                }
                (LineOperand::Text(text), LineOp::Contains | LineOp::NotContains) => {
                    texts.push(text.as_bytes().to_vec());
                }
                (LineOperand::Text(text), LineOp::Matches | LineOp::NotMatches) => {
                    let regex = compile(text)?;
                    match reduce(text) {
                        Some(reduced) => texts.extend(reduced),
                        None => tests.push(Test::Regex(regex)),
                    }
                }
                (LineOperand::Text(text), LineOp::LooksLike | LineOp::NotLooksLike) => {
                    tests.push(Test::Pattern(PatternFilter::new(text)?));
                }
            }
        }
        let cheap = search_for(&mut texts);
        // What is cheap is tried first.
        tests.splice(..0, cheap);
        Ok(Self { negated: op.is_negated(), tests })
    }

    /// Whether a line passes. This needs no [`Line`], so that a filter that stands first can be
    /// asked before one is made.
    pub fn matches(&self, line: &[u8]) -> bool {
        self.tests.iter().any(|test| test.passes(line)) != self.negated
    }

    /// Whether every line passes, so that the filter can be left out.
    pub fn is_always(&self) -> bool {
        !self.negated && self.tests.iter().any(|test| matches!(test, Test::Always))
    }
}

impl Test {
    fn passes(&self, line: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::Text(finder) => finder.find(line).is_some(),
            Self::Texts(finder) => finder.is_match(line),
            Self::Regex(regex) => regex.is_match(line),
            Self::Pattern(pattern) => pattern.matches(line),
            Self::Ip(pattern) => pattern.is_in(line),
        }
    }
}

impl Stage for LineFilter {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        self.matches(line.text()).into()
    }

    fn needs(&self, _: &mut Needed) {}
}

/// An unanchored expression over bytes, in Go's dialect.
pub(super) fn compile(pattern: &str) -> Result<RegexpSearch, StageError> {
    RegexpSearch::new(pattern).map_err(|error| StageError::new(error.to_string()))
}

fn search_for(texts: &mut Vec<Vec<u8>>) -> Vec<Test> {
    // Whatever holds a text holds its parts.
    if texts.iter().any(Vec::is_empty) {
        return vec![Test::Always];
    }
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > SINGLE_SEARCHES_MAX
        && let Ok(finder) = AhoCorasick::new(&*texts)
    {
        return vec![Test::Texts(finder)];
    }
    texts.iter().map(|text| Test::Text(Box::new(memmem::Finder::new(text).into_owned()))).collect()
}

/// The texts of which one must be in a line for the pattern to match somewhere in it, if that is
/// all the pattern says.
fn reduce(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let translated = Regexp::translate(pattern).ok()?;
    let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(&translated).ok()?;
    let mut texts = Vec::new();
    let found = collect_texts(&hir, &mut texts);
    // U+FFFD is any byte that is no text too, so that it is no text to search for.
    (found && !texts.iter().any(|text| memmem::find(text, REPLACEMENT).is_some())).then_some(texts)
}

fn collect_texts(hir: &Hir, texts: &mut Vec<Vec<u8>>) -> bool {
    match hir.kind() {
        HirKind::Empty => texts.push(Vec::new()),
        HirKind::Literal(literal) => texts.push(literal.0.to_vec()),
        HirKind::Capture(capture) => return collect_texts(&capture.sub, texts),
        HirKind::Repetition(repetition) if repetition.min == 0 => texts.push(Vec::new()),
        HirKind::Alternation(parts) => {
            return parts.iter().all(|part| collect_texts(part, texts));
        }
        HirKind::Concat(parts) => {
            let mut parts = parts.iter().filter(|part| !may_be_empty_at_end(part));
            return match (parts.next(), parts.next()) {
                // Nothing but `.*` may stand on either side, or its place would matter.
                (Some(part), None) => collect_texts(part, texts),
                _ => false,
            };
        }
        HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => return false,
    }
    true
}

/// Something such as `.*`, which beside the only other part of an expression adds nothing.
fn may_be_empty_at_end(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Repetition(repetition) if repetition.min == 0)
}
