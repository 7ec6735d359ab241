//! `| label_format`: labels renamed, or written by a template.
//!
//! Changes are made in order, so that a rename sees the ones before it. Templates see the labels
//! as they were when the first of them was reached. What comes of either is a parsed label, even
//! where the stream had one of that name.

use masthead_template::Template;
use masthead_template::functions::LOKI;

use super::line_format::TEMPLATE_ERROR;
use super::template_data::{LineEnv, LineLabels};
use super::{ERROR_LABEL, Keep, Line, Needed, Stage, StageError, template_data};

/// What becomes of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSource<'q> {
    /// `new=old`: the label `old`, which is gone then.
    Rename(&'q str),
    /// `new="…"`: what a template writes.
    Template(&'q str),
}

/// `| label_format …`
#[derive(Debug)]
pub struct LabelFormat(Vec<(Box<str>, Source)>);

#[derive(Debug)]
enum Source {
    Rename(Box<str>),
    Template(Template),
}

impl LabelFormat {
    /// Labels with what becomes of them.
    ///
    /// # Errors
    /// A name twice, `__error__`, or a text that is no template, in Loki's words.
    pub fn new<'q>(
        formats: impl IntoIterator<Item = (&'q str, LabelSource<'q>)>,
    ) -> Result<Self, StageError> {
        let mut made: Vec<(Box<str>, Source)> = Vec::new();
        let formats: Vec<_> = formats.into_iter().collect();
        for (at, (name, _)) in formats.iter().enumerate() {
            if *name == ERROR_LABEL {
                return Err(StageError::new(format!("{name} cannot be formatted")));
            }
            if formats.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(StageError::new(format!(
                    "multiple label name '{name}' not allowed in a single format operation"
                )));
            }
        }
        for (name, source) in formats {
            let source = match source {
                LabelSource::Rename(old) => Source::Rename(old.into()),
                LabelSource::Template(text) => {
                    let template = Template::parse("label", text, &LOKI).map_err(|e| {
                        StageError::new(format!("invalid template for label '{name}': {e}"))
                    })?;
                    Source::Template(template)
                }
            };
            made.push((name.into(), source));
        }
        Ok(Self(made))
    }
}

impl Stage for LabelFormat {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        let first = self.0.iter().position(|(_, source)| matches!(source, Source::Template(_)));
        let (before, rest) = self.0.split_at(first.unwrap_or(self.0.len()));
        for (name, source) in before {
            if let Source::Rename(old) = source {
                rename(line, name, old);
            }
        }
        if rest.is_empty() {
            return Keep::Yes;
        }
        // All templates run on one state before any of their results is set.
        line.with_scratch(|line, out| {
            let mut ends = Vec::new();
            let mut failed = None;
            for (_, source) in rest {
                if let Source::Template(template) = source {
                    let start = out.len();
                    match template.run(&LineLabels(line), &LineEnv(line), out) {
                        Ok(()) => ends.push(Some(out.len())),
                        Err(error) => {
                            out.truncate(start);
                            ends.push(None);
                            failed = Some(error);
                        }
                    }
                }
            }
            let mut ends = ends.into_iter();
            let mut start = 0;
            for (name, source) in rest {
                match source {
                    Source::Rename(old) => rename(line, name, old),
                    Source::Template(_) => {
                        if let Some(end) = ends.next().flatten() {
                            line.set(name, out.get(start..end).unwrap_or_default());
                            start = end;
                        }
                    }
                }
            }
            if let Some(error) = failed {
                line.set_error(TEMPLATE_ERROR, error.to_string());
            }
        });
        Keep::Yes
    }

    fn needs(&self, needed: &mut Needed) {
        for (_, source) in &self.0 {
            match source {
                Source::Rename(old) => needed.add(old),
                Source::Template(template) => template_data::needs(template, needed),
            }
        }
    }
}

fn rename(line: &mut Line<'_>, name: &str, old: &str) {
    if let Some(value) = line.get(old) {
        let value = value.to_vec();
        line.set(name, &value);
        line.remove(old);
    }
}
