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
        // A name given twice is refused by the engine too, in other words.
        if let Some(name) = repeated_name(pattern) {
            return Err(StageError::new(format!("duplicate extracted label name '{name}'")));
        }
        let regex = compile(pattern)?;
        let mut groups: Vec<(usize, Box<str>)> = Vec::new();
        for (number, name) in regex.group_names().enumerate() {
            let Some(name) = name else { continue };
            if !extract::is_label_name(name) {
                return Err(StageError::new(format!("invalid extracted label name '{name}'")));
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

/// A name of two groups of `pattern`, found without understanding it: brackets and escapes aside.
fn repeated_name(pattern: &str) -> Option<&str> {
    let mut names: Vec<&str> = Vec::new();
    let mut in_class = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let group =
            if in_class { None } else { rest.strip_prefix("(?P<").or(rest.strip_prefix("(?<")) };
        match (c, group) {
            (_, Some(group)) => {
                if let Some((name, _)) = group.split_once('>')
                    && extract::is_label_name(name)
                {
                    if names.contains(&name) {
                        return Some(name);
                    }
                    names.push(name);
                }
            }
            ('\\', None) => {
                rest = rest.get(1..)?;
                if rest.is_empty() {
                    return None;
                }
            }
            ('[', None) => in_class = true,
            (']', None) => in_class = false,
            _ => {}
        }
        let len = rest.chars().next().map_or(0, char::len_utf8);
        rest = rest.get(len..)?;
    }
    None
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
