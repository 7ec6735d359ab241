//! Go templates with the functions of Loki and Promtail: whatever parses runs to its end or its limit.

use std::borrow::Cow;

use masthead_template::{Env, OUTPUT_BYTES_MAX, Object, Template, Value, functions::PROMTAIL};

use crate::text_and_rest;

#[derive(Debug)]
struct Labels<'a>(&'a [u8]);

impl Object for Labels<'_> {
    fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        (key == b"a").then(|| Value::bytes(self.0))
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)> {
        vec![(Cow::Borrowed(b"a"), Value::bytes(self.0))]
    }
}

impl Env for Labels<'_> {
    fn line(&self) -> &[u8] {
        self.0
    }
}

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some((text, value)) = text_and_rest(bytes) else { return };
    if let Ok(template) = Template::parse("fuzz", text, &PROMTAIL) {
        let labels = Labels(value);
        let mut out = Vec::new();
        drop(template.run(&labels, &labels, &mut out));
        assert!(out.len() <= OUTPUT_BYTES_MAX);
    }
}
