//! `template`: what a Go template makes of the extracted values becomes one of them.
//!
//! `.NAME` is the extracted value or label of that name, `.Value` what the stage is about, `.Entry`
//! the line. A template that comes to nothing takes the value away; one that fails changes nothing.

use std::{borrow::Cow, fmt, sync::Arc};

use masthead_template::{Env, Object, Template as Engine, Value as Shown};
use serde::Deserialize;

use crate::{
    entry::{Entry, Value},
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made},
    },
};

#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) source: Arc<str>,
    pub(crate) template: Arc<Engine>,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Parses a template with the functions of Promtail's stages.
///
/// # Errors
/// What is wrong, in Go's words.
pub(crate) fn parse(text: &str) -> Result<Arc<Engine>, String> {
    let functions = &masthead_template::functions::PROMTAIL;
    Engine::parse("pipeline_template", text, functions).map(Arc::new).map_err(|error| {
        let what = error.to_string();
        let asks = SECRETIVE.iter().any(|name| what.contains(&format!("function {name:?} not")));
        let why = "; a template does not see the environment, which may hold secrets";
        if asks { what + why } else { what }
    })
}

/// Functions of sprig that are left out on purpose.
const SECRETIVE: [&str; 2] = ["env", "expandenv"];

/// What a template of a stage sees.
#[derive(Debug)]
pub(crate) struct Data<'e> {
    pub(crate) entry: &'e Entry,
    /// What `.Value` is.
    pub(crate) value: Option<&'e [u8]>,
    /// Whether a name without a value prints as `<no value>`, rather than as nothing.
    pub(crate) strict: bool,
    pub(crate) now: i64,
}

impl Object for Data<'_> {
    fn get(&self, key: &[u8]) -> Option<Shown<'_>> {
        let text = match key {
            b"Entry" if self.strict => Some(Cow::Borrowed(self.entry.line.as_slice())),
            b"Value" if self.value.is_some() => self.value.map(Cow::Borrowed),
            name => self.entry.text(str::from_utf8(name).ok()?),
        };
        text.map(Shown::Text)
    }

    fn zero(&self) -> Shown<'static> {
        if self.strict { Shown::Nil } else { Shown::text("") }
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Shown<'_>)> {
        let labels = self.entry.labels.base.iter().map(|label| label.name);
        let mut names: Vec<&str> =
            labels.chain(self.entry.extracted.iter().map(|(n, _)| n)).collect();
        names.extend(["Entry", "Value"]);
        names.sort_unstable();
        names.dedup();
        let pair =
            |name: &str| Some((Cow::Owned(name.as_bytes().to_vec()), self.get(name.as_bytes())?));
        names.into_iter().filter_map(pair).collect()
    }
}

impl Env for Data<'_> {
    fn line(&self) -> &[u8] {
        &self.entry.line
    }

    fn timestamp(&self) -> i64 {
        self.entry.timestamp.0
    }

    fn now(&self) -> i64 {
        self.now
    }
}

/// What the template makes of `data`; `None` if it fails.
pub(crate) fn run(template: &Engine, data: &Data<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    template.run(data, data, &mut out).is_ok().then_some(out)
}

impl Stage for Template {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let value = entry.text(&self.source).map(Cow::into_owned);
        let data = Data { entry, value: value.as_deref(), strict: true, now: cx.now.0 };
        match run(&self.template, &data) {
            Some(text) if text.is_empty() => entry.extracted.set(&self.source, Value::Removed),
            Some(text) => entry.extracted.set(&self.source, Value::Text(text)),
            None => cx.stats.unparsed("template"),
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
    template: String,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.ok_or("template stage config cannot be empty")?;
    if written.source.is_empty() {
        return Err("template source value is required".to_owned());
    }
    let template = parse(&written.template)?;
    Ok(Box::new(Template { source: written.source.into(), template }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{
        json::{Expression, JsonStage},
        testing::Runner,
    };

    #[test]
    fn values_are_rewritten_made_and_taken_away() {
        let f = |source: &str, template: &str, want: Option<&str>| {
            let expressions =
                ["level", "app"].map(|n| (Arc::from(n), Expression::parse(n).unwrap()));
            let json = JsonStage::new(expressions.into(), None, false);
            let stage = Template { source: source.into(), template: parse(template).unwrap() };
            let stages: Vec<Box<dyn Stage>> = vec![Box::new(json), Box::new(stage)];
            let mut runner = Runner::new(stages).with_labels(&[("job", "j")]);
            runner.line(r#"{"level":"WARN","app":"loki"}"#);
            assert_eq!(runner.extracted(source).as_deref(), want, "{template}");
        };
        f("level", "{{ ToLower .Value }}", Some("warn"));
        f("new", "{{ .app }}-{{ .job }}", Some("loki-j"));
        f(
            "app",
            r#"{{ if eq .Value "loki" }}{{ .Value }} yes{{ else }}no{{ end }}"#,
            Some("loki yes"),
        );
        f("app", "{{ if false }}x{{ end }}", None);
        f("new", "{{ len .Entry }}", Some("29"));
        f("new", "{{ .gone }}", Some("<no value>"));
        f("new", "{{ Sha2Hash `salt` .app | trunc 8 }}", Some("a0db2fdf"));
        f("new", "{{ splitList `o` .app | last | quote }}", Some("\"ki\""));
    }

    #[test]
    fn the_environment_stays_where_it_is() {
        let error = parse("{{ env `HOME` }}").unwrap_err();
        assert!(error.ends_with("\"env\" not defined; a template does not see the environment, which may hold secrets"), "{error}");
        assert!(!parse("{{ uuidv4 }}").unwrap_err().contains("secrets"));
    }
}
