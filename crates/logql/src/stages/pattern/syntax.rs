//! Patterns of literals and captures: `<ip> - <_> "<method> <path>"`.

use super::super::{StageError, extract};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Node<'p> {
    Literal(Vec<u8>),
    /// The name between `<` and `>`; `_` for what is not kept.
    Capture(&'p str),
}

impl Node<'_> {
    /// The name of a capture that is kept.
    pub(in super::super) fn name(&self) -> Option<&str> {
        match self {
            Self::Capture(name) if *name != "_" => Some(name),
            Self::Capture(_) | Self::Literal(_) => None,
        }
    }
}

/// Splits a pattern; neighbouring literals are one.
pub(in super::super) fn parse(pattern: &str) -> Result<Vec<Node<'_>>, StageError> {
    if pattern.is_empty() {
        return Err(StageError::new(
            "parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL",
        ));
    }
    let mut nodes = Vec::new();
    let mut literal = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('<') {
        let (before, after) = rest.split_at(at);
        literal.extend_from_slice(before.as_bytes());
        let capture = after.strip_prefix('<').and_then(|inside| inside.split_once('>'));
        if let Some((name, behind)) = capture
            && extract::is_label_name(name)
        {
            if !literal.is_empty() {
                nodes.push(Node::Literal(std::mem::take(&mut literal)));
            }
            nodes.push(Node::Capture(name));
            rest = behind;
        } else {
            literal.push(b'<');
            rest = after.get(1..).unwrap_or_default();
        }
    }
    literal.extend_from_slice(rest.as_bytes());
    if !literal.is_empty() {
        nodes.push(Node::Literal(literal));
    }
    Ok(nodes)
}

/// Nobody could say where one of two neighbouring captures ends.
pub(in super::super) fn refuse_neighbours(nodes: &[Node<'_>]) -> Result<(), StageError> {
    for two in nodes.windows(2) {
        if let [Node::Capture(a), Node::Capture(b)] = two {
            let what = format!("found consecutive capture '<{a}><{b}>': invalid expression");
            return Err(StageError::new(what));
        }
    }
    Ok(())
}
