//! `output`: an extracted value becomes the line.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    entry::Entry,
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made},
    },
};

#[derive(Debug, Clone)]
pub(crate) struct Output(pub(crate) Arc<str>);

impl Stage for Output {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        if let Some(text) = entry.text(&self.0) {
            entry.line = text.into_owned();
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    source: String,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let source = written.unwrap_or_default().source;
    if source.is_empty() {
        return Err("output source value is required if output is specified".to_owned());
    }
    Ok(Box::new(Output(source.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::Runner;

    #[test]
    fn a_missing_source_leaves_the_line() {
        let f = |source: &str, want: &str| {
            let stage = Box::new(Output(source.into()));
            let mut runner = Runner::new(vec![stage]).with_labels(&[("app", "api")]);
            runner.line("text");
            assert_eq!(runner.shown(), [want]);
        };
        f("app", r#"0 {app="api"} api"#);
        f("gone", r#"0 {app="api"} text"#);
    }
}
