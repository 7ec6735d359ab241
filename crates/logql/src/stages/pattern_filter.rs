//! The test of `|>`: whether the literals of a pattern stand in a line in order.
//!
//! Each `<_>` takes at least one character. The first literal may stand anywhere unless a capture
//! precedes it, the last must end the line unless a capture follows it. The nearest place of a
//! literal counts, so that nothing is tried twice (Loki's `pattern.Matcher.Test`).

use memchr::memmem;

use super::StageError;
use super::pattern::syntax::{self, Node};

#[derive(Debug, Clone)]
pub(super) struct PatternFilter {
    /// Literals; whether something must stand before each.
    literals: Vec<(memmem::Finder<'static>, bool)>,
    /// Whether something must stand behind the last.
    open_end: bool,
}

impl PatternFilter {
    pub(super) fn new(pattern: &str) -> Result<Self, StageError> {
        let nodes = if pattern.is_empty() { Vec::new() } else { syntax::parse(pattern)? };
        if let Some(name) = nodes.iter().find_map(Node::name) {
            let what = format!("named captures are not allowed: found '<{name}>'");
            return Err(StageError::new(what));
        }
        syntax::refuse_neighbours(&nodes)?;
        let open_end = matches!(nodes.last(), Some(Node::Capture(_)));
        let literals = nodes.iter().enumerate().filter_map(|(at, node)| match node {
            Node::Literal(literal) => Some((memmem::Finder::new(literal).into_owned(), at > 0)),
            Node::Capture(_) => None,
        });
        Ok(Self { literals: literals.collect(), open_end })
    }

    pub(super) fn matches(&self, line: &[u8]) -> bool {
        if line.is_empty() || (self.literals.is_empty() && !self.open_end) {
            return line.is_empty() && self.literals.is_empty() && !self.open_end;
        }
        let mut rest = line;
        for (literal, after_capture) in &self.literals {
            match literal.find(rest) {
                Some(0) if *after_capture => return false,
                Some(at) => rest = rest.get(at + literal.needle().len()..).unwrap_or_default(),
                None => return false,
            }
        }
        self.open_end != rest.is_empty()
    }
}
