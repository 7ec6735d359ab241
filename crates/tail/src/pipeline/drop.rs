//! `drop`: lines that meet every condition that is given go no further.

use std::{sync::Arc, time::Duration};

use masthead_model::RegexpSearch;
use serde::Deserialize;

use crate::{
    config::go_duration_or_zero,
    entry::Entry,
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, byte_size, expression, reason},
    },
};

/// The conditions; at least one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Names of extracted values; several are joined.
    pub(crate) source: Vec<String>,
    pub(crate) separator: String,
    /// The text that the source must have; without it and without an expression, any.
    pub(crate) value: Option<String>,
    /// Found in the source, or in the line if there is none.
    pub(crate) expression: Option<RegexpSearch>,
    pub(crate) older_than: Option<Duration>,
    /// Longer than so many bytes.
    pub(crate) longer_than: Option<usize>,
    /// Under which the lines are counted.
    pub(crate) reason: Arc<str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Drop(Arc<Settings>);

impl Drop {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    fn meets(&self, cx: &Cx<'_>, entry: &Entry) -> bool {
        let settings = &*self.0;
        if settings.longer_than.is_some_and(|max| entry.line.len() <= max) {
            return false;
        }
        if let Some(age) = settings.older_than {
            let age = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
            if entry.timestamp >= cx.now.saturating_sub(age) {
                return false;
            }
        }
        if settings.source.is_empty() {
            let line = |found: &RegexpSearch| found.is_match(&entry.line);
            return settings.expression.as_ref().is_none_or(line);
        }
        let mut joined = Vec::new();
        for (at, name) in settings.source.iter().enumerate() {
            let Some(text) = entry.text(name) else { return false };
            if at > 0 {
                joined.extend_from_slice(settings.separator.as_bytes());
            }
            joined.extend_from_slice(&text);
        }
        match (&settings.expression, &settings.value) {
            (Some(expression), _) => expression.is_match(&joined),
            (None, Some(value)) => joined == value.as_bytes(),
            (None, None) => true,
        }
    }
}

impl Stage for Drop {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        if !self.meets(cx, entry) {
            return Verdict::Next;
        }
        cx.stats.dropped(&self.0.reason);
        Verdict::Drop
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    source: Option<OneOrMany>,
    separator: Option<String>,
    value: Option<String>,
    expression: Option<String>,
    older_than: Option<String>,
    longer_than: Option<String>,
    drop_counter_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    let nothing = written.source.is_none()
        && written.expression.is_none()
        && written.older_than.is_none()
        && written.longer_than.is_none();
    if nothing {
        return Err("drop stage config must contain at least one of `source`, `expression`, \
                    `older_than` or `longer_than`"
            .to_owned());
    }
    if written.value.is_some() && written.expression.is_some() {
        return Err("drop stage config error, `value` and `expression` cannot both be defined at \
                    the same time."
            .to_owned());
    }
    if written.value.is_some() && written.source.is_none() {
        return Err("drop stage config must contain `source` if `value` is specified".to_owned());
    }
    Ok(Box::new(Drop::new(Settings {
        source: match written.source {
            None => Vec::new(),
            Some(OneOrMany::One(name)) => vec![name],
            Some(OneOrMany::Many(names)) => names,
        },
        separator: written.separator.unwrap_or_else(|| ";".to_owned()),
        value: written.value,
        expression: written.expression.map(|text| expression(&text)).transpose()?,
        older_than: written.older_than.map(|text| go_duration_or_zero(&text)).transpose()?,
        longer_than: written.longer_than.map(|text| byte_size(&text)).transpose()?,
        reason: reason(written.drop_counter_reason, "drop_stage"),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entry::Value,
        pipeline::testing::{Runner, run},
    };

    #[test]
    fn every_condition_must_be_met() {
        let f = |settings: Settings, line: &str, want: bool| {
            let shown = format!("{settings:?} {line}");
            let runner = run(Drop::new(settings), &[line]);
            assert_eq!(runner.out.is_empty(), want, "{shown}");
        };
        let expression = |text: &str| Some(RegexpSearch::new(text).unwrap());
        let empty = Settings::default;
        f(Settings { longer_than: Some(3), ..empty() }, "abcd", true);
        f(Settings { longer_than: Some(4), ..empty() }, "abcd", false);
        f(Settings { expression: expression("b."), ..empty() }, "abcd", true);
        f(Settings { expression: expression("x"), ..empty() }, "abcd", false);
        let both = || Settings { longer_than: Some(3), expression: expression("b"), ..empty() };
        f(both(), "abcd", true);
        f(both(), "abc", false);
        f(both(), "axcd", false);
        // The lines of the test are from 1970, where the clock is at one second.
        let second = Duration::from_secs(1);
        f(Settings { older_than: Some(second / 2), ..empty() }, "x", true);
        f(Settings { older_than: Some(second), ..empty() }, "x", false);
        f(Settings { source: vec!["gone".into()], ..empty() }, "x", false);
    }

    #[test]
    fn sources_are_extracted_values_or_labels() {
        #[derive(Debug, Clone)]
        struct Put;
        impl Stage for Put {
            fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
                entry.extracted.set(&"level".into(), Value::Text(entry.line.clone()));
                Verdict::Next
            }
            fn fresh(&self) -> Box<dyn Stage> {
                Box::new(self.clone())
            }
        }
        let settings = Settings {
            source: vec!["app".into(), "level".into()],
            separator: ";".into(),
            value: Some("api;debug".into()),
            reason: "noise".into(),
            ..Settings::default()
        };
        let stages: Vec<Box<dyn Stage>> = vec![Box::new(Put), Box::new(Drop::new(settings))];
        let mut runner = Runner::new(stages).with_labels(&[("app", "api")]);
        runner.line("debug");
        runner.line("info");
        assert_eq!(runner.shown(), [r#"0 {app="api"} info"#]);
        assert_eq!(runner.stats.dropped_lines(), [("noise".to_owned(), 1)]);
    }
}
