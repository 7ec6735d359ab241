//! `| line_format`: the line as a template writes it from the labels.
//!
//! A template that fails leaves the line as it is and marks it with `TemplateFormatErr`. What a
//! template sees is `template_data.rs`.

use masthead_template::Template;
use masthead_template::functions::LOKI;

use super::template_data::{LineEnv, LineLabels};
use super::{Keep, Line, Needed, Stage, StageError, template_data};

pub(super) const TEMPLATE_ERROR: &str = "TemplateFormatErr";

/// `| line_format "…"`
#[derive(Debug)]
pub struct LineFormat {
    template: Template,
    /// The one label of which the line is made, which needs no run.
    single: Option<Box<str>>,
}

impl LineFormat {
    /// With a template.
    ///
    /// # Errors
    /// A text that is no template, in Loki's words.
    pub fn new(template: &str) -> Result<Self, StageError> {
        let template = Template::parse("line", template, &LOKI)
            .map_err(|e| StageError::new(format!("invalid line template: {e}")))?;
        let single = template.single_field().map(Into::into);
        Ok(Self { template, single })
    }
}

impl Stage for LineFormat {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        let mut failed = None;
        line.rewrite(|line, out| {
            if let Some(name) = &self.single {
                out.extend_from_slice(line.get(name).unwrap_or_default());
                return true;
            }
            failed = self.template.run(&LineLabels(line), &LineEnv(line), out).err();
            failed.is_none()
        });
        if let Some(error) = failed {
            line.set_error(TEMPLATE_ERROR, error.to_string());
        }
        Keep::Yes
    }

    fn needs(&self, needed: &mut Needed) {
        template_data::needs(&self.template, needed);
    }
}
