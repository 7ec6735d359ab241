//! What the sections of several stages have in common, and what a stage is made with.

use std::sync::Arc;

use masthead_model::{ByteSize, RegexpSearch};

use super::{Stage, metrics::CustomMetrics, selector::regex};

/// What a stage is made with beside its own section.
pub(crate) struct Context<'m> {
    pub(crate) metrics: &'m CustomMetrics,
    /// Nothing comes after it.
    pub(crate) last: bool,
}

/// A stage, or what is wrong with its section.
pub(crate) type Made = Result<Box<dyn Stage>, String>;

pub(crate) fn source(written: Option<String>) -> Result<Option<Arc<str>>, String> {
    match written {
        Some(name) if name.is_empty() => Err("empty source".to_owned()),
        name => Ok(name.map(Arc::from)),
    }
}

pub(crate) fn expression(text: &str) -> Result<RegexpSearch, String> {
    if text.is_empty() {
        return Err("expression is required".to_owned());
    }
    regex(text).map_err(|error| format!("could not compile regular expression: {error}"))
}

pub(crate) fn byte_size(text: &str) -> Result<usize, String> {
    let size = ByteSize::parse_binary(text)
        .map(|size| size.0)
        .or_else(|_| text.parse())
        .map_err(|_| format!("{text:?} is no size; write it like 8kb"))?;
    usize::try_from(size).map_err(|_| format!("{text:?} is too large"))
}

pub(crate) fn reason(written: Option<String>, default: &str) -> Arc<str> {
    written.filter(|reason| !reason.is_empty()).as_deref().unwrap_or(default).into()
}
