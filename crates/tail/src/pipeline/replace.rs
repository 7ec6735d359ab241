//! `replace`: what the groups of an expression match becomes what a template makes of it.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use masthead_model::RegexpSearch;
use masthead_template::{OUTPUT_BYTES_MAX, Template as Engine};
use serde::Deserialize;

use crate::{
    entry::{Entry, Value},
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, expression, source},
        template::{Data, parse, run},
    },
};

#[derive(Clone)]
pub(crate) struct Replace {
    expression: RegexpSearch,
    /// Number and name of each named group.
    names: Arc<[(usize, Arc<str>)]>,
    source: Option<Arc<str>>,
    template: Arc<Engine>,
}

impl fmt::Debug for Replace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replace").field("expression", &self.expression).finish_non_exhaustive()
    }
}

impl Replace {
    pub(crate) fn new(
        expression: RegexpSearch,
        source: Option<Arc<str>>,
        template: Arc<Engine>,
    ) -> Self {
        let names = expression.group_names().enumerate();
        let names = names.filter_map(|(at, name)| Some((at, Arc::from(name?)))).collect();
        Self { expression, names, source, template }
    }

    /// The new text, and what each named group of the first match became. Nothing if all that takes
    /// more than one run of a template may write.
    fn replaced(&self, cx: &Cx<'_>, entry: &Entry, input: &[u8]) -> Option<Replaced> {
        let mut out = Vec::with_capacity(input.len());
        let mut copied = 0;
        let mut became: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        let mut first = None;
        let mut made = 0;
        let searched = self.expression.read(input);
        for found in self.expression.captures_iter(&searched) {
            for group in found.places() {
                let value = input.get(group.clone());
                let data = Data { entry, value, strict: false, now: cx.now.0 };
                let text = run(&self.template, &data)?;
                made += text.len();
                if made > OUTPUT_BYTES_MAX {
                    cx.stats.unparsed("replace");
                    return None;
                }
                // A group inside of one that was replaced is gone with it.
                if copied == 0 || copied < group.start {
                    out.extend_from_slice(input.get(copied..group.start)?);
                    out.extend_from_slice(&text);
                    copied = group.end;
                }
                became.insert(input.get(group)?.to_vec(), text);
            }
            first.get_or_insert(found);
        }
        let first = first?;
        out.extend_from_slice(input.get(copied..)?);
        let named = self.names.iter().filter_map(|(at, name)| {
            let group = first.get(*at).unwrap_or_default();
            Some((Arc::clone(name), became.get(group)?.clone()))
        });
        Some((out, named.collect()))
    }
}

type Replaced = (Vec<u8>, Vec<(Arc<str>, Vec<u8>)>);

impl Stage for Replace {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let Some(input) = entry.input(self.source.as_deref()).map(Cow::into_owned) else {
            return Verdict::Next;
        };
        let Some((text, named)) = self.replaced(cx, entry, &input) else { return Verdict::Next };
        match &self.source {
            Some(source) => entry.extracted.set(source, Value::Text(text)),
            None => entry.line = text,
        }
        for (name, text) in named {
            entry.extracted.set(&name, Value::Text(text));
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
    replace: String,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty replace stage configuration")?;
    let expression = expression(&written.expression)?;
    let template = parse(&written.replace)?;
    Ok(Box::new(Replace::new(expression, source(written.source)?, template)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{
        selector::regex,
        testing::{Runner, run as lines},
    };

    #[test]
    fn groups_are_replaced_wherever_they_match() {
        let f = |expression: &str, template: &str, line: &str, want: &str| {
            let stage = Replace::new(regex(expression).unwrap(), None, parse(template).unwrap());
            let runner = lines(stage, &[line]);
            assert_eq!(runner.shown(), [format!("0 {{}} {want}")], "{expression}");
        };
        let line = "11.11.11.11 - frank 12.12.12.12 - frank";
        f(r"(\d{2}\.\d{2}\.\d{2}\.\d{2})", "*IP*", line, "*IP* - frank *IP* - frank");
        f(r"\S+ - (\w+)", "{{ ToUpper .Value }}", line, "11.11.11.11 - FRANK 12.12.12.12 - FRANK");
        f("password (\\S+)", "****", "password x end", "password **** end");
        f("password (\\S+)", "", "password x end", "password  end");
        f("(nothing)", "x", line, line);
    }

    #[test]
    fn bytes_that_are_no_text_are_characters() {
        let expression = regex(r"GET (?P<path>\S+) (.*)").unwrap();
        let stage = Replace::new(expression, None, parse("<{{ .Value }}>").unwrap());
        let mut runner = Runner::new(vec![Box::new(stage)]);
        runner.bytes(b"\xff GET /caf\xe9 \xe2\x82!");
        assert_eq!(runner.out[0].line, b"\xff GET </caf\xe9> <\xe2\x82!>");
    }

    #[test]
    fn what_grows_too_long_stays_as_it_is() {
        let line = "x ".repeat(10_000);
        let stage =
            |template: &str| Replace::new(regex("(x)").unwrap(), None, parse(template).unwrap());
        let runner = lines(stage("{{ repeat 300 .Value }}"), &[&line]);
        assert_eq!(runner.out[0].line.len(), 3_010_000);
        let runner = lines(stage("{{ repeat 500 .Value }}"), &[&line]);
        assert_eq!(
            (runner.out[0].line.len(), runner.stats.unparsed_lines()),
            (20_000, vec![("replace", 1)])
        );
    }

    #[test]
    fn named_groups_are_extracted_as_they_became() {
        let expression = regex(r"^(?P<ip>\S+) - (?P<user>\w+)").unwrap();
        let stage = Replace::new(expression, None, parse("<{{ .Value }}>").unwrap());
        let runner = lines(stage, &["1.2.3.4 - frank"]);
        assert_eq!(runner.shown(), ["0 {} <1.2.3.4> - <frank>"]);
        assert_eq!(runner.extracted("user").as_deref(), Some("<frank>"));
    }
}
