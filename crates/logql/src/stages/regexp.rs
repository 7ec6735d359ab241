//! `| regexp`: the named groups of a regular expression as labels.
//!
//! A group that takes no part in a match is an empty label; a line that does not match is left
//! alone.

use masthead_model::RegexpSearch;

use super::line_filter::compile;
use super::{Keep, Line, Needed, Stage, StageError, extract};

/// `| regexp "…"`
#[derive(Debug, Clone)]
pub struct RegexpParser {
    regex: RegexpSearch,
    /// Numbers of the named groups with their names.
    groups: Vec<(usize, Box<str>)>,
}

impl RegexpParser {
    /// With a pattern in Go's dialect.
    ///
    /// # Errors
    /// No named group, or the same name twice, or no regular expression.
    pub fn new(pattern: &str) -> Result<Self, StageError> {
        let regex = compile(pattern)?;
        let mut groups: Vec<(usize, Box<str>)> = Vec::new();
        for (number, name) in regex.group_names().enumerate() {
            let Some(name) = name else { continue };
            if !extract::is_label_name(name) {
                return Err(StageError::new(format!("invalid extracted label name '{name}'")));
            }
            if groups.iter().any(|(_, other)| &**other == name) {
                return Err(StageError::new(format!("duplicate extracted label name '{name}'")));
            }
            groups.push((number, name.into()));
        }
        if groups.is_empty() {
            return Err(StageError::new("at least one named capture must be supplied"));
        }
        Ok(Self { regex, groups })
    }

    fn wanted(&self, needed: &Needed) -> bool {
        self.groups.iter().any(|(_, name)| needed.wants(name.as_bytes()))
    }
}

impl Stage for RegexpParser {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        if !self.wanted(line.needed()) {
            return Keep::Yes;
        }
        line.with_text(|line, text, _| {
            let text = self.regex.read(text);
            let Some(found) = self.regex.captures(&text) else { return };
            let mut name = std::mem::take(line.name_buffer());
            for (number, group) in &self.groups {
                name.clear();
                name.push_str(group);
                if extract::accept_first(line, &mut name) {
                    line.set_new(&name, found.get(*number).unwrap_or_default());
                }
            }
            *line.name_buffer() = name;
        });
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}
