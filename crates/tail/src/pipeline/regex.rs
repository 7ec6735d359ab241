//! `regex`: named groups become extracted values.

use std::sync::Arc;

use masthead_model::RegexpSearch;
use serde::Deserialize;

use crate::{
    entry::{Entry, Value},
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, expression, source},
    },
};

#[derive(Debug, Clone)]
pub(crate) struct Regex {
    expression: RegexpSearch,
    /// Number and name of each named group.
    names: Arc<[(usize, Arc<str>)]>,
    source: Option<Arc<str>>,
}

impl Regex {
    pub(crate) fn new(expression: RegexpSearch, source: Option<Arc<str>>) -> Self {
        let names = expression.group_names().enumerate();
        let names = names.filter_map(|(at, name)| Some((at, Arc::from(name?)))).collect();
        Self { expression, names, source }
    }
}

impl Stage for Regex {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let Some(input) = entry.input(self.source.as_deref()) else { return Verdict::Next };
        let text = self.expression.read(&input);
        let Some(found) = self.expression.captures(&text) else {
            cx.stats.unparsed("regex");
            return Verdict::Next;
        };
        let text = |at: usize| found.get(at).unwrap_or_default().to_vec();
        let values: Vec<_> = self.names.iter().map(|(at, name)| (name, text(*at))).collect();
        for (name, value) in values {
            // A group that took no part is there, and empty.
            entry.extracted.set(name, Value::Text(value));
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
    expression: String,
    source: Option<String>,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty regex stage configuration")?;
    // Without a named group it extracts nothing, which Promtail takes too.
    Ok(Box::new(Regex::new(expression(&written.expression)?, source(written.source)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::{Runner, run};

    #[test]
    fn named_groups_are_extracted() {
        let engine = RegexpSearch::new(r"^(?P<verb>\w+) (?P<path>\S+)( (?P<rest>.*))?$").unwrap();
        let runner = run(Regex::new(engine.clone(), None), &["GET /x"]);
        assert_eq!(runner.extracted("verb").as_deref(), Some("GET"));
        assert_eq!(runner.extracted("path").as_deref(), Some("/x"));
        assert_eq!(runner.extracted("rest").as_deref(), Some(""));
        let mut runner = Runner::new(vec![Box::new(Regex::new(engine.clone(), None))]);
        runner.bytes(b"GET /caf\xe9 \xff");
        assert_eq!(runner.out[0].text("path").as_deref(), Some(&b"/caf\xe9"[..]));
        let runner = run(Regex::new(engine, None), &["nothing-to-see"]);
        assert_eq!(runner.extracted("verb"), None);
        assert_eq!(runner.stats.unparsed_lines(), [("regex", 1)]);
    }
}
