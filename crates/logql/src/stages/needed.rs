//! Which labels anything behind a parser looks at, so that the parser extracts these alone.
//!
//! A log query shows every label, so it needs everything. A metric query needs what its stages,
//! its grouping and its unwrapped label read; if that is nothing, parsers do not run at all and
//! cannot fail, as in Loki (`pkg/logql/log/parser_hints.go`).

use super::{DUPLICATE_SUFFIX, ERROR_LABEL};

/// Which labels parsers must extract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needed {
    everything: bool,
    /// Distinct; a name that ends in `_extracted` stands here without the suffix too, because a
    /// parser sees a key before it knows of the collision.
    names: Vec<Box<str>>,
}

impl Needed {
    /// All labels, as a log query does.
    pub fn everything() -> Self {
        Self { everything: true, names: Vec::new() }
    }

    /// No label, until some are added.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Adds one label.
    pub fn add(&mut self, name: &str) {
        for name in [Some(name), name.strip_suffix(DUPLICATE_SUFFIX)].into_iter().flatten() {
            if !name.is_empty() && !self.names.iter().any(|n| **n == *name) {
                self.names.push(name.into());
            }
        }
    }

    /// Adds all labels.
    pub fn add_everything(&mut self) {
        self.everything = true;
    }

    /// Whether all labels are needed.
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether no label is needed, so that parsers can be left out.
    pub fn is_nothing(&self) -> bool {
        !self.everything && self.names.is_empty()
    }

    /// Whether a label of this name must be extracted.
    pub fn wants(&self, name: &[u8]) -> bool {
        self.everything || self.names.iter().any(|n| n.as_bytes() == name)
    }

    /// Whether some label that starts so must be extracted.
    pub fn wants_prefix(&self, prefix: &[u8]) -> bool {
        self.everything || self.names.iter().any(|n| n.as_bytes().starts_with(prefix))
    }

    /// Whether somebody asks for the error itself, so that an error that costs nothing may not be
    /// left out either.
    pub fn wants_error(&self) -> bool {
        self.wants(ERROR_LABEL.as_bytes())
    }

    /// The names; not all there is to it when [`Needed::is_everything`].
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}
