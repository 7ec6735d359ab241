//! Stages over labels: `labels`, `static_labels`, `labeldrop`, `labelallow`, `structured_metadata`.

use std::sync::Arc;

use crate::{
    entry::Entry,
    pipeline::{Cx, Stage, Verdict},
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
