//! `tenant`: for whom the line is, where a client pushes to a Loki of many tenants.

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
pub(crate) enum Tenant {
    /// The name.
    Value(Arc<str>),
    /// The extracted value that is the name.
    Source(Arc<str>),
    /// The label that is the name.
    Label(Arc<str>),
}

impl Stage for Tenant {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let name = match self {
            Self::Value(name) => Some((**name).to_owned()),
            Self::Source(name) => {
                entry.text(name).and_then(|text| String::from_utf8(text.into_owned()).ok())
            }
            Self::Label(name) => entry.labels.get(name).map(str::to_owned),
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            entry.tenant = Some(name);
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
    value: String,
    label: String,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let Written { source, value, label } = written.unwrap_or_default();
    let given = [&source, &value, &label].iter().filter(|text| !text.is_empty()).count();
    match given {
        0 => Err("label, source or value config are required".to_owned()),
        1 if !value.is_empty() => Ok(Box::new(Tenant::Value(value.into()))),
        1 if !source.is_empty() => Ok(Box::new(Tenant::Source(source.into()))),
        1 => Ok(Box::new(Tenant::Label(label.into()))),
        _ => Err("label, source and value are mutually exclusive: you should set source, value \
                  or label but not all"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::Runner;

    #[test]
    fn by_value_by_extracted_value_and_by_label() {
        let f = |stage: Tenant, want: &str| {
            let mut runner = Runner::new(vec![Box::new(stage)]).with_labels(&[("team", "red")]);
            runner.line("x");
            assert_eq!(runner.shown(), [want]);
        };
        f(Tenant::Value("blue".into()), r#"0 {team="red"} x for blue"#);
        f(Tenant::Source("team".into()), r#"0 {team="red"} x for red"#);
        f(Tenant::Label("team".into()), r#"0 {team="red"} x for red"#);
        f(Tenant::Label("gone".into()), r#"0 {team="red"} x"#);
    }
}
