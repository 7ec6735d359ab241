//! `| json name="path"`: values at paths of a JSON text as labels.
//!
//! Every name gets a label; it is empty when its path leads nowhere. Objects and arrays are
//! returned as they are written. The line must start as JSON does; what is broken further on only
//! hides what stands behind it. All paths are followed in one pass; the first of several equal
//! keys counts (`jsonparser.EachKey`).

use super::json::scan::{self, Value};
use super::json::{JSON_ERROR, text};
use super::{DUPLICATE_SUFFIX, Keep, Line, Needed, Stage, StageError, extract};

mod path;

use path::Step;

/// Paths that are followed at once; more take another pass.
const PASS_MAX: usize = 64;
/// A path has at most this many steps, because following one takes a frame of the stack.
const STEPS_MAX: usize = 128;

/// `| json name="path", …`
#[derive(Debug, Clone)]
pub struct JsonExpressions {
    names: Vec<Box<str>>,
    paths: Vec<Box<[Step]>>,
}

impl JsonExpressions {
    /// Labels with the paths of their values.
    ///
    /// # Errors
    /// A name that is none, a path that is none, in Loki's words.
    pub fn new<'e>(
        expressions: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Result<Self, StageError> {
        let (mut names, mut paths) = (Vec::new(), Vec::new());
        for (name, path) in expressions {
            let steps = path::parse(path).map_err(|what| {
                StageError::new(format!("cannot parse expression [{path}]: {what}"))
            })?;
            if steps.len() > STEPS_MAX {
                let what = format!("path of more than {STEPS_MAX} steps");
                return Err(StageError::new(what));
            }
            if !extract::is_label_name(name) {
                return Err(StageError::new(format!("invalid extracted label name '{name}'")));
            }
            names.push(name.into());
            paths.push(steps.into());
        }
        Ok(Self { names, paths })
    }

    /// The member of the outermost object in which a path goes on; none where it is no path, or
    /// goes into an array.
    pub fn outermost(path: &str) -> Option<Box<str>> {
        match path::parse(path).ok()?.into_iter().next()? {
            Step::Field(name) => Some(name),
            Step::Index(_) => None,
        }
    }
}

impl Stage for JsonExpressions {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        if line.text().is_empty() || line.needed().is_nothing() || line.has_all_needed() {
            return Keep::Yes;
        }
        if !matches!(line.text().first(), Some(b'"' | b'{' | b'[')) {
            line.set_error(JSON_ERROR, "");
            return Keep::Yes;
        }
        line.with_text(|line, text, buffer| {
            let mut found = 0;
            for (names, paths) in self.names.chunks(PASS_MAX).zip(self.paths.chunks(PASS_MAX)) {
                let mut pass = Pass { line, names, paths, buffer, found: 0 };
                pass.follow(text, 0, u64::MAX >> (PASS_MAX - paths.len()));
                found += pass.found.count_ones() as usize;
            }
            if found < self.names.len() {
                for name in &self.names {
                    if line.get(name).is_none() {
                        line.set(name, b"");
                    }
                }
            }
        });
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}

struct Pass<'r, 'l> {
    line: &'r mut Line<'l>,
    names: &'r [Box<str>],
    paths: &'r [Box<[Step]>],
    buffer: &'r mut Vec<u8>,
    /// One bit for each path that was found.
    found: u64,
}

impl Pass<'_, '_> {
    /// Looks in the object or array that `text` starts with for the paths in `active`, of which
    /// `depth` steps are behind us. Nothing when all is found or the text is broken.
    fn follow(&mut self, text: &[u8], depth: usize, active: u64) -> Option<()> {
        let text = scan::skip_blanks(text);
        if text.first() == Some(&b'[') {
            return self.follow_array(text, depth, active);
        }
        let mut members = scan::Members::open(text).ok()?;
        while let Some((key, rest)) = members.next_key().ok()? {
            let here = if key.escaped {
                self.buffer.clear();
                let readable = text::unescape(key.raw, self.buffer);
                let key = std::mem::take(self.buffer);
                let here = if readable { self.matching(&key, depth, active) } else { 0 };
                *self.buffer = key;
                here
            } else {
                self.matching(key.raw, depth, active)
            };
            members.resume(self.take(rest, depth + 1, here)?);
        }
        Some(())
    }

    fn follow_array(&mut self, text: &[u8], depth: usize, active: u64) -> Option<()> {
        let mut rest = scan::skip_blanks(text.get(1..)?);
        for at in 0_usize.. {
            if rest.first() == Some(&b']') {
                return Some(());
            }
            let here = self.select(
                active,
                |path| matches!(path.get(depth), Some(Step::Index(index)) if *index == at),
            );
            rest = scan::skip_blanks(self.take(rest, depth + 1, here)?);
            rest = match rest {
                [b',', rest @ ..] => scan::skip_blanks(rest),
                _ => return Some(()),
            };
        }
        Some(())
    }

    fn matching(&self, key: &[u8], depth: usize, active: u64) -> u64 {
        self.select(
            active,
            |path| matches!(path.get(depth), Some(Step::Field(field)) if field.as_bytes() == key),
        )
    }

    fn select(&self, active: u64, mut is: impl FnMut(&[Step]) -> bool) -> u64 {
        let mut selected = 0;
        for (at, path) in self.paths.iter().enumerate() {
            if active & !self.found & (1 << at) != 0 && is(path) {
                selected |= 1 << at;
            }
        }
        selected
    }

    /// Steps over one value, to which the paths in `here` lead, and uses it for those that end
    /// there.
    fn take<'t>(&mut self, text: &'t [u8], depth: usize, here: u64) -> Option<&'t [u8]> {
        let (value, rest) = scan::value(text).ok()?;
        if here == 0 {
            return Some(rest);
        }
        let ending = self.select(here, |path| path.len() == depth);
        for (at, name) in self.names.iter().enumerate() {
            if ending & (1 << at) != 0 {
                set(self.line, name, &value, self.buffer);
                self.found |= 1 << at;
            }
        }
        if let (Value::Object(inside) | Value::Array(inside), true) = (&value, here != ending) {
            // A break inside does not keep us from going on behind it.
            self.follow(inside, depth, here & !ending);
        }
        (self.found.count_ones() as usize != self.names.len()).then_some(rest)
    }
}

fn set(line: &mut Line<'_>, name: &str, value: &Value<'_>, buffer: &mut Vec<u8>) {
    buffer.clear();
    match value {
        Value::Null => {}
        Value::Object(raw) => buffer.extend_from_slice(raw),
        Value::String(string) => text::push_string(string, buffer),
        Value::Array(raw) | Value::Number(raw) | Value::Boolean(raw) => {
            text::push_string(&scan::Key { raw, escaped: raw.contains(&b'\\') }, buffer);
        }
    }
    if line.came_with(name) {
        line.set(&format!("{name}{DUPLICATE_SUFFIX}"), buffer);
    } else {
        line.set(name, buffer);
    }
}
