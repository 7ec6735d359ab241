//! Regular expressions in Go's dialect (RE2), because that is what every selector, relabelling
//! rule and line filter of the originals is written in.
//!
//! The engine is the `regex` crate, which like RE2 never takes exponential time. Its syntax
//! differs in small ways that give other answers without an error (`\d` is Unicode, `[a&&b]` is an
//! intersection, `a**` is allowed), so a pattern is first rewritten: `regexp/translate.rs`.
//!
//! A label matcher must match the whole value. What a pattern can match is first reduced to a
//! list of values or a prefix (`regexp/analyze.rs`), so that an index can look values up
//! instead of trying each. What is searched for in a line, which may be any bytes, is a
//! [`RegexpSearch`] (`regexp/search.rs`).

use std::sync::Arc;

use regex_automata::{Input, meta};
use regex_syntax::hir::Hir;

mod analyze;
mod classes;
mod readable;
mod reference;
mod search;
mod translate;

pub use self::readable::{Readable, readable};
pub use self::reference::Reference;
pub use self::search::{Groups, RegexpSearch};

/// A compiled pattern takes at most this much memory; more is refused. Go's copies of a class share
/// it, so that Go takes `\pL{500}`, which would be 24 MB and half a second here.
const PROGRAM_BYTES_MAX: usize = 10 << 20;
/// The engine's cache of states takes at most this much memory for each thread.
const CACHE_BYTES_MAX: usize = 2 << 20;

/// Why a pattern was refused; texts are those of Go's `regexp/syntax`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {what}: `{at}`")]
pub struct RegexpError {
    what: &'static str,
    at: String,
}

impl RegexpError {
    fn new(what: &'static str, at: impl Into<String>) -> Self {
        Self { what, at: at.into() }
    }
}

/// The names of groups by their number.
type Names = Arc<[Option<Box<str>>]>;

/// A pattern that must match a whole text.
#[derive(Debug, Clone)]
pub struct Regexp {
    pattern: Arc<str>,
    reduced: Reduced,
    regex: meta::Regex,
    names: Names,
}

/// What a pattern was reduced to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reduced {
    /// `.*`
    Anything,
    /// `.+`
    AnythingButEmpty,
    /// Exactly these texts, sorted.
    Texts(Arc<[String]>),
    /// Something that starts with this text, if it is not empty.
    Prefix(Arc<str>),
}

impl Regexp {
    /// Compiles a pattern that must match the whole text; `.` matches newlines too, as in
    /// Prometheus 3 and Loki.
    ///
    /// # Errors
    /// [`RegexpError`] for a syntax error or a program of more than 10 MiB.
    pub fn new(pattern: &str) -> Result<Self, RegexpError> {
        let translated = translate::translate(pattern)?;
        let rewritten = &translated.pattern;
        let whole = parse(&format!(r"\A(?s:{rewritten})\z"), pattern)?;
        let regex = compile(&whole, pattern, PROGRAM_BYTES_MAX)?;
        // What was parsed in a group can be parsed alone.
        let reduced = analyze::reduce(rewritten).unwrap_or(Reduced::Prefix("".into()));
        Ok(Self { pattern: pattern.into(), reduced, regex, names: translated.names.into() })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole of `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.reduced {
            Reduced::Anything => true,
            Reduced::AnythingButEmpty => !text.is_empty(),
            Reduced::Texts(texts) => texts.binary_search_by(|t| t.as_str().cmp(text)).is_ok(),
            Reduced::Prefix(prefix) => {
                text.starts_with(prefix.as_ref()) && self.regex.is_match(text)
            }
        }
    }

    /// The groups of a match of the whole `text`, as relabelling rules use them.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Groups<'t>> {
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&Input::new(text), &mut captures);
        Groups::new(text.as_bytes(), None, captures, &self.names)
    }

    /// The only texts that can match, sorted and distinct, if they are few.
    pub fn texts(&self) -> Option<&[String]> {
        match &self.reduced {
            Reduced::Texts(texts) => Some(texts),
            Reduced::Anything | Reduced::AnythingButEmpty | Reduced::Prefix(_) => None,
        }
    }

    /// What every matching text starts with; often empty.
    pub fn prefix(&self) -> &str {
        match &self.reduced {
            Reduced::Prefix(prefix) => prefix,
            Reduced::Anything | Reduced::AnythingButEmpty | Reduced::Texts(_) => "",
        }
    }

    /// Whether every text matches.
    pub fn matches_everything(&self) -> bool {
        self.reduced == Reduced::Anything
    }

    /// Rewrites a pattern from Go's dialect into that of the `regex` crate, for callers that
    /// build an engine of their own or look at what it says. Groups have no names there.
    ///
    /// # Errors
    /// [`RegexpError`] where Go would refuse the pattern.
    pub fn translate(pattern: &str) -> Result<String, RegexpError> {
        Ok(translate::translate(pattern)?.pattern)
    }
}

/// Reads what `pattern` was rewritten to.
fn parse(rewritten: &str, pattern: &str) -> Result<Hir, RegexpError> {
    regex_syntax::parse(rewritten).map_err(|error| {
        let too_deep = matches!(&error, regex_syntax::Error::Parse(error)
            if matches!(error.kind(), regex_syntax::ast::ErrorKind::NestLimitExceeded(_)));
        let what =
            if too_deep { "expression nests too deeply" } else { "expression not supported" };
        RegexpError::new(what, pattern)
    })
}

fn compile(hir: &Hir, pattern: &str, bytes_max: usize) -> Result<meta::Regex, RegexpError> {
    let config =
        meta::Config::new().nfa_size_limit(Some(bytes_max)).hybrid_cache_capacity(CACHE_BYTES_MAX);
    meta::Builder::new().configure(config).build_from_hir(hir).map_err(|error| {
        let too_large = error.size_limit().is_some();
        let what = if too_large { "expression too large" } else { "expression not supported" };
        RegexpError::new(what, pattern)
    })
}

#[cfg(test)]
mod tests;
