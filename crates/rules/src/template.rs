//! Labels and annotations of alerts: Go templates over the labels and the value of one result.
//!
//! Facts: upstream's `rules/alerting.go: Eval` and `template/template.go: AlertTemplateData`. A
//! template that fails says so in the text itself, and the alert is raised all the same.

use std::{borrow::Cow, cell::OnceCell, rc::Rc};

use masthead_model::{Labels, Millis};
use masthead_template::{Env, Object, Template, Value, functions::PROMETHEUS};

use crate::Querier;

/// What every text may begin with; in front of it, so that places in messages are upstream's.
const DEFINITIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
                           {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A label or an annotation of an alerting rule.
#[derive(Debug)]
pub(crate) enum Text {
    /// Nothing to be filled in.
    Plain(String),
    /// A template, or why it is none.
    Template(Result<Template, String>),
}

/// What a template may ask about, beside the result that it is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) querier: &'a dyn Querier,
    pub(crate) external_labels: &'a Labels,
    pub(crate) external_url: &'a str,
    pub(crate) at: Millis,
}

/// Checks that a text is a template.
///
/// # Errors
/// Go's text for what is wrong.
pub(crate) fn check(alert: &str, text: &str) -> Result<(), String> {
    match Text::new(alert, text) {
        Text::Plain(_) | Text::Template(Ok(_)) => Ok(()),
        Text::Template(Err(what)) => Err(what),
    }
}

impl Text {
    pub(crate) fn new(alert: &str, text: &str) -> Self {
        if !text.contains("{{") {
            return Self::Plain(text.to_owned());
        }
        let name = format!("__alert_{alert}");
        let parsed = Template::parse(&name, &format!("{DEFINITIONS}{text}"), &PROMETHEUS);
        Self::Template(parsed.map_err(|error| error.to_string()))
    }

    /// What the text says about a result.
    pub(crate) fn expand(&self, labels: &Labels, value: f64, around: &Surroundings<'_>) -> String {
        let template = match self {
            Self::Plain(text) => return text.clone(),
            Self::Template(Ok(template)) => template,
            Self::Template(Err(what)) => return failed(what),
        };
        let data = Data {
            labels: Set(labels.clone()),
            external_labels: Set(around.external_labels.clone()),
            external_url: around.external_url,
            value,
        };
        let env = Asking { around: *around, answers: Answers::default() };
        let mut out = Vec::new();
        match template.run(&data, &env, &mut out) {
            Ok(()) => String::from_utf8_lossy(&out).into_owned(),
            Err(error) => failed(&error.to_string()),
        }
    }
}

fn failed(what: &str) -> String {
    format!("<error expanding template: {what}>")
}

/// What a template is about.
#[derive(Debug)]
struct Data<'a> {
    labels: Set,
    external_labels: Set,
    external_url: &'a str,
    value: f64,
}

impl Object for Data<'_> {
    fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        Some(match key {
            b"Labels" => Value::Object(&self.labels),
            b"ExternalLabels" => Value::Object(&self.external_labels),
            b"ExternalURL" => Value::text(self.external_url),
            b"Value" => Value::Float(self.value),
            _ => return None,
        })
    }

    fn zero(&self) -> Value<'static> {
        Value::Nil
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)> {
        Vec::new()
    }
}

/// Labels as a template sees them: a missing one is the empty text.
#[derive(Debug)]
struct Set(Labels);

impl Object for Set {
    fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        self.0.get(std::str::from_utf8(key).ok()?).map(Value::text)
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)> {
        let pair = |label: masthead_model::Label<'_>| {
            (Cow::Owned(label.name.as_bytes().to_vec()), Value::text(label.value.to_owned()))
        };
        self.0.iter().map(pair).collect()
    }
}

/// One of the values that `query` gave.
#[derive(Debug)]
struct Found {
    labels: Set,
    value: f64,
}

impl Object for Found {
    fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        match key {
            b"Labels" => Some(Value::Object(&self.labels)),
            b"Value" => Some(Value::Float(self.value)),
            _ => None,
        }
    }

    fn zero(&self) -> Value<'static> {
        Value::Nil
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)> {
        vec![]
    }

    fn type_name(&self) -> &'static str {
        "*template.sample"
    }
}

/// Asks on behalf of one run, and holds what was answered until its end.
#[derive(Debug)]
struct Asking<'a> {
    around: Surroundings<'a>,
    answers: Answers,
}

/// Answers, each where it was put: templates hold references into all of them.
#[derive(Debug, Default)]
struct Answers(OnceCell<Box<(Vec<Found>, Answers)>>);

impl Answers {
    fn keep(&self, found: Vec<Found>) -> &[Found] {
        let mut last = self;
        while let Some(next) = last.0.get() {
            last = &next.1;
        }
        &last.0.get_or_init(|| Box::new((found, Self::default()))).0
    }
}

/// A template may ask this often: each question costs a query.
const QUESTIONS_MAX: usize = 100;

impl Env for Asking<'_> {
    fn now(&self) -> i64 {
        self.around.at.to_nanos().map_or(0, |nanos| nanos.0)
    }

    fn query(&self, expression: &str) -> Result<Value<'_>, String> {
        let asked = std::iter::successors(self.answers.0.get(), |kept| kept.1.0.get()).count();
        if asked >= QUESTIONS_MAX {
            return Err(format!("more than {QUESTIONS_MAX} queries in one template"));
        }
        let found = self.around.querier.instant(expression, self.around.at)?;
        let found = found.into_iter().filter_map(|sample| match sample.value {
            masthead_model::Value::Float(value) => {
                Some(Found { labels: Set(sample.labels), value })
            }
            // A template knows one number for each result.
            masthead_model::Value::Histogram(_) => None,
        });
        let kept = self.answers.keep(found.collect());
        let objects: Rc<[Value<'_>]> = kept.iter().map(|found| Value::Object(found)).collect();
        Ok(Value::List(objects))
    }

    fn external_url(&self) -> &str {
        self.around.external_url
    }
}

#[cfg(test)]
mod tests {
    use masthead_promql::InstantSample;

    use super::*;

    #[derive(Debug)]
    struct Two;

    impl Querier for Two {
        fn instant(&self, expr: &str, at: Millis) -> Result<Vec<InstantSample>, String> {
            if expr == "bad" {
                return Err("cannot".to_owned());
            }
            let sample = |job: &str, value: f64| InstantSample {
                labels: [("job", job)].into_iter().collect(),
                timestamp: at,
                value: masthead_model::Value::Float(value),
            };
            Ok(vec![sample("b", 2.0), sample("a", 1.0)])
        }

        fn last(
            &self,
            _: &[masthead_model::Matcher],
            _: masthead_model::TimeRange<Millis>,
        ) -> Result<Vec<(Labels, Millis, f64)>, String> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn texts_are_filled_in_as_by_upstream() {
        let labels: Labels = [("instance", "h:1"), ("job", "api")].into_iter().collect();
        let external: Labels = [("zone", "eu")].into_iter().collect();
        let around = Surroundings {
            querier: &Two,
            external_labels: &external,
            external_url: "http://me",
            at: Millis(90_000),
        };
        let f = |text: &str, want: &str| {
            assert_eq!(Text::new("A", text).expand(&labels, 0.25, &around), want, "{text}");
        };
        f("plain", "plain");
        f("{{ $labels.instance }} of {{ .Labels.job }}: {{ $value }}", "h:1 of api: 0.25");
        f("{{ $labels.none }}|{{ $externalLabels.zone }}|{{ $externalURL }}", "|eu|http://me");
        f("{{ $value | humanizePercentage }}", "25%");
        f(
            r#"{{ range query "up" | sortByLabel "job" }}{{ .Labels.job }}={{ .Value }} {{ end }}"#,
            "a=1 b=2 ",
        );
        f(r#"{{ query "a" | first | label "job" }}{{ query "b" | first | value }}"#, "b2");
        f(
            r#"{{ query "bad" }}"#,
            "<error expanding template: template: __alert_A:1:115: executing \"__alert_A\" at \
             <query \"bad\">: error calling query: cannot>",
        );
        let endless = r#"{{ range $i := 101 }}{{ $x := query "up" }}{{ end }}"#;
        let shown = Text::new("A", endless).expand(&labels, 0.0, &around);
        assert!(shown.contains("more than 100 queries"), "{shown}");
        assert!(check("A", "{{ nope }}").unwrap_err().contains("function \"nope\" not defined"));
    }
}
