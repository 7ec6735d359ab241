//! Stages over labels: `labels`, `static_labels`, `labeldrop`, `labelallow`, `structured_metadata`.

use std::{collections::BTreeMap, sync::Arc};

use masthead_model::is_legacy_label_name;

use crate::{
    entry::Entry,
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made},
    },
    text::Text,
};

/// A name and the extracted value that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) value: Arc<str>,
}

/// `labels`: labels from extracted values; one that is not there leaves the label as it is.
#[derive(Debug, Clone)]
pub(crate) struct Labels(pub(crate) Arc<[Source]>);

impl Stage for Labels {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        for source in &*self.0 {
            if let Some(value) = utf8(entry, &source.value) {
                entry.labels.set(Text::from(&source.name), Some(value.into()));
            }
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// `structured_metadata`: the same, for the line rather than its stream.
#[derive(Debug, Clone)]
pub(crate) struct Metadata(pub(crate) Arc<[Source]>);

impl Stage for Metadata {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        for source in &*self.0 {
            if let Some(value) = utf8(entry, &source.value) {
                entry.metadata.push((Text::from(&source.name), value));
            }
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// `static_labels`: labels with the same value for every line.
#[derive(Debug, Clone)]
pub(crate) struct StaticLabels(pub(crate) Arc<[(Arc<str>, Arc<str>)]>);

impl Stage for StaticLabels {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        for (name, value) in &*self.0 {
            entry.labels.set(Text::from(name), Some(Text::from(value)));
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// `labeldrop`: these labels go.
#[derive(Debug, Clone)]
pub(crate) struct LabelDrop(pub(crate) Arc<[Arc<str>]>);

impl Stage for LabelDrop {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        for name in &*self.0 {
            entry.labels.set(Text::from(name), None);
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// `labelallow`: all but these go.
#[derive(Debug, Clone)]
pub(crate) struct LabelAllow(pub(crate) Arc<[Arc<str>]>);

impl Stage for LabelAllow {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        for name in entry.labels.names() {
            if self.0.iter().all(|allowed| **allowed != *name) {
                entry.labels.set(name.into(), None);
            }
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

fn utf8(entry: &Entry, name: &str) -> Option<String> {
    String::from_utf8(entry.text(name)?.into_owned()).ok()
}

/// A section of `labels` or `structured_metadata`: names, and where their values are from.
pub(crate) type Written = BTreeMap<String, Option<String>>;

/// Checks a section of `labels`.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    Ok(Box::new(Labels(sources(written)?)))
}

/// Checks a section of `structured_metadata`.
pub(crate) fn make_metadata(written: Option<Written>, _: &Context<'_>) -> Made {
    Ok(Box::new(Metadata(sources(written)?)))
}

/// Checks a section of `labeldrop`.
pub(crate) fn make_drop(written: Option<Vec<String>>, _: &Context<'_>) -> Made {
    Ok(Box::new(LabelDrop(names(written)?)))
}

/// Checks a section of `labelallow`.
pub(crate) fn make_allow(written: Option<Vec<String>>, _: &Context<'_>) -> Made {
    Ok(Box::new(LabelAllow(names(written)?)))
}

/// Checks a section of `static_labels`.
pub(crate) fn make_static(written: Option<Written>, _: &Context<'_>) -> Made {
    let mut labels = Vec::new();
    for (name, value) in written.ok_or("static_labels stage config cannot be empty")? {
        check_label(&name)?;
        // An empty value is no label.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            labels.push((Arc::from(name), Arc::from(value)));
        }
    }
    Ok(Box::new(StaticLabels(labels.into())))
}

fn sources(written: Option<BTreeMap<String, Option<String>>>) -> Result<Arc<[Source]>, String> {
    let mut sources = Vec::new();
    for (name, value) in written.ok_or("label stage config cannot be empty")? {
        check_label(&name)?;
        let value = value.filter(|value| !value.is_empty()).unwrap_or_else(|| name.clone());
        sources.push(Source { name: name.into(), value: value.into() });
    }
    Ok(sources.into())
}

fn names(written: Option<Vec<String>>) -> Result<Arc<[Arc<str>]>, String> {
    let names = written.filter(|names| !names.is_empty());
    let names = names.ok_or("stage config must contain at least one label")?;
    Ok(names.into_iter().map(Arc::from).collect())
}

fn check_label(name: &str) -> Result<(), String> {
    if is_legacy_label_name(name) { Ok(()) } else { Err(format!("invalid label name: {name}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entry::Value, pipeline::testing::Runner};

    fn names(names: &[&str]) -> Arc<[Arc<str>]> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn sources(pairs: &[(&str, &str)]) -> Arc<[Source]> {
        let source = |(name, value): &(&str, &str)| Source {
            name: Arc::from(*name),
            value: Arc::from(*value),
        };
        pairs.iter().map(source).collect()
    }

    fn shown(stage: impl Stage + 'static) -> String {
        #[derive(Debug, Clone)]
        struct Put;
        impl Stage for Put {
            fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
                entry.extracted.set(&"code".into(), Value::Number(200.0));
                entry.extracted.set(&"bad".into(), Value::Text(vec![0xff]));
                entry.extracted.set(&"null".into(), Value::Null);
                Verdict::Next
            }
            fn fresh(&self) -> Box<dyn Stage> {
                Box::new(self.clone())
            }
        }
        let stages: Vec<Box<dyn Stage>> = vec![Box::new(Put), Box::new(stage)];
        let mut runner = Runner::new(stages).with_labels(&[("app", "api"), ("job", "x")]);
        runner.line("l");
        runner.shown().join("\n")
    }

    #[test]
    fn each_stage() {
        let all = [("status", "code"), ("app", "job"), ("a", "bad"), ("b", "null"), ("c", "no")];
        assert_eq!(shown(Labels(sources(&all))), r#"0 {app="x", job="x", status="200"} l"#);
        let metadata = Metadata(sources(&[("status", "code"), ("j", "job"), ("c", "no")]));
        assert_eq!(shown(metadata), r#"0 {app="api", job="x"} l [status=200] [j=x]"#);
        let pair = (Arc::from("env"), Arc::from("dev"));
        let fixed = StaticLabels([pair].into());
        assert_eq!(shown(fixed), r#"0 {app="api", env="dev", job="x"} l"#);
        assert_eq!(shown(LabelDrop(names(&["job", "no"]))), r#"0 {app="api"} l"#);
        assert_eq!(shown(LabelAllow(names(&["job", "no"]))), r#"0 {job="x"} l"#);
    }
}
