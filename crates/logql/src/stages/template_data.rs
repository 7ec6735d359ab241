//! A line as templates see it: a map of its labels, errors among them, and functions for the rest.

use std::borrow::Cow;

use masthead_template::{Env, Object, Template, Value};

use super::{ERROR_DETAILS_LABEL, ERROR_LABEL, Line, Needed};

#[derive(Debug)]
pub(super) struct LineLabels<'l, 'a>(pub(super) &'l Line<'a>);

impl Object for LineLabels<'_, '_> {
    fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        let name = std::str::from_utf8(key).ok()?;
        let error = match name {
            ERROR_LABEL => self.0.error().map(str::as_bytes),
            ERROR_DETAILS_LABEL => self.0.error_details(),
            _ => None,
        };
        error.or_else(|| self.0.get(name)).map(Value::bytes)
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)> {
        let labels = self.0.labels();
        let mut all: Vec<_> = labels
            .map(|label| (Cow::Borrowed(label.name.as_bytes()), Value::bytes(label.value)))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }
}

#[derive(Debug)]
pub(super) struct LineEnv<'l, 'a>(pub(super) &'l Line<'a>);

impl Env for LineEnv<'_, '_> {
    fn line(&self) -> &[u8] {
        self.0.text()
    }

    fn timestamp(&self) -> i64 {
        self.0.timestamp()
    }

    fn now(&self) -> i64 {
        self.0.now()
    }
}

/// Adds the labels that a template looks up.
pub(super) fn needs(template: &Template, needed: &mut Needed) {
    if template.fields(&mut |name| needed.add(name)) {
        needed.add_everything();
    }
}
