//! `| pattern`: what stands between the literals of a pattern as labels.
//!
//! `<name>` takes everything up to the next literal, `<_>` takes it and forgets it; what is not a
//! name between `<` and `>` is a literal. The pattern holds from the start of the line on. Where a
//! literal is not found, its capture takes the rest and reading ends. How a pattern is read is
//! `pattern/syntax.rs`; line filters `|>` share it.

use memchr::memmem;

use super::{Keep, Line, Needed, Stage, StageError, extract};

pub(super) mod syntax;

use syntax::Node;

/// `| pattern "…"`
#[derive(Debug, Clone)]
pub struct PatternParser {
    /// A literal that the line must start with; often empty.
    head: Box<[u8]>,
    captures: Vec<Capture>,
}

#[derive(Debug, Clone)]
struct Capture {
    /// `None` for `<_>`.
    name: Option<Box<str>>,
    /// The literal behind it; `None` for a capture that ends the pattern.
    until: Option<memmem::Finder<'static>>,
}

impl PatternParser {
    /// With a pattern such as `<method> <path> <_>`.
    ///
    /// # Errors
    /// No named capture, one name twice, or captures without a literal between them.
    pub fn new(pattern: &str) -> Result<Self, StageError> {
        let nodes = syntax::parse(pattern)?;
        let names: Vec<&str> = nodes.iter().filter_map(Node::name).collect();
        if names.is_empty() {
            return Err(StageError::new("at least one capture is required"));
        }
        syntax::refuse_neighbours(&nodes)?;
        for (at, name) in names.iter().enumerate() {
            if names.iter().take(at).any(|earlier| earlier == name) {
                let what = format!("duplicate capture name ({name}): invalid expression");
                return Err(StageError::new(what));
            }
        }
        let mut head: Box<[u8]> = Box::default();
        let mut captures: Vec<Capture> = Vec::new();
        for node in nodes {
            match (node, captures.last_mut()) {
                (Node::Literal(literal), None) => head = literal.into(),
                (Node::Literal(literal), Some(capture)) => {
                    capture.until = Some(memmem::Finder::new(&literal).into_owned());
                }
                (Node::Capture(name), _) => {
                    let name = (name != "_").then(|| name.into());
                    captures.push(Capture { name, until: None });
                }
            }
        }
        Ok(Self { head, captures })
    }
}

impl Stage for PatternParser {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        let needed = line.needed();
        let wanted = |c: &Capture| c.name.as_ref().is_some_and(|n| needed.wants(n.as_bytes()));
        // What stands behind the last wanted capture need not be looked for.
        let Some(last) = self.captures.iter().rposition(wanted) else { return Keep::Yes };
        line.with_text(|line, text, _| {
            let Some(mut rest) = text.strip_prefix(&*self.head) else { return };
            if text.is_empty() {
                return;
            }
            let mut name = std::mem::take(line.name_buffer());
            for capture in self.captures.iter().take(last + 1) {
                let found = capture.until.as_ref().map(|until| (until.find(rest), until));
                let (value, after) = match found {
                    Some((Some(at), until)) => {
                        let (value, after) = rest.split_at(at);
                        (value, after.get(until.needle().len()..))
                    }
                    Some((None, _)) | None => (rest, None),
                };
                if let Some(group) = &capture.name {
                    name.clear();
                    name.push_str(group);
                    if extract::accept_first(line, &mut name) {
                        line.set_new(&name, value);
                    }
                }
                match after {
                    Some(after) => rest = after,
                    None => break,
                }
            }
            *line.name_buffer() = name;
        });
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}
