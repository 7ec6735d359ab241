//! `| json`: every scalar of a JSON object as a label.
//!
//! Nested names are joined by `_`, arrays and nulls are left out, numbers stay as written, the
//! first of several equal names wins. The scanner is as lax as Loki's (`grafana/jsonparser`): it
//! checks no more than it must to find the end of a value, ignores what follows the object, and
//! keeps the labels read before the place at which it gave up. Labels that nobody needs are
//! stepped over, and reading stops when all needed ones are there.
//!
//! The scanner is `json/scan.rs`, escapes are `json/text.rs`; paths are `json_expressions.rs`.

use super::{Keep, Line, Needed, Stage, extract};

pub(super) mod scan;
pub(super) mod text;

use scan::{Malformed, Value};

/// Objects nested deeper are stepped over: reading one takes a frame of the stack.
const DEPTH_MAX: usize = 128;

pub(super) const JSON_ERROR: &str = "JSONParserErr";

/// `| json`
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Stage for Json {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        if line.needed().is_nothing() || line.has_all_needed() {
            return Keep::Yes;
        }
        let read = line.with_text(|line, text, value| {
            let mut reader = Reader { line, name: String::new(), value, depth: 0 };
            reader.name = std::mem::take(reader.line.name_buffer());
            reader.name.clear();
            let read = reader.object(text).map(|_| ());
            *reader.line.name_buffer() = reader.name;
            read
        });
        if let Err(Stop::Malformed(malformed)) = read {
            line.set_error(JSON_ERROR, malformed.text());
        }
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}

/// Why reading stopped before the end.
enum Stop {
    /// All that is needed was found.
    Satisfied,
    Malformed(Malformed),
}

struct Reader<'r, 'l> {
    line: &'r mut Line<'l>,
    /// The name so far: of the objects around, then of the value in hand.
    name: String,
    /// A free buffer for unescaped keys and values.
    value: &'r mut Vec<u8>,
    depth: usize,
}

impl Reader<'_, '_> {
    /// Reads the object that `text` starts with; what is left behind it.
    fn object<'t>(&mut self, text: &'t [u8]) -> Result<&'t [u8], Stop> {
        let mut members = scan::Members::open(text).map_err(Stop::Malformed)?;
        while let Some((key, rest)) = members.next_key().map_err(Stop::Malformed)? {
            let outer = self.name.len();
            self.push_key(key)?;
            // Nested objects are read in place; everything else is stepped over first.
            let rest = if rest.first() == Some(&b'{') {
                self.nested(rest, outer)?
            } else {
                let (value, rest) = scan::value(rest).map_err(Stop::Malformed)?;
                self.scalar(value)?;
                rest
            };
            self.name.truncate(outer);
            members.resume(rest);
        }
        Ok(members.rest())
    }

    fn push_key(&mut self, key: scan::Key<'_>) -> Result<(), Stop> {
        let outer = self.name.len();
        if outer > 0 {
            self.name.push('_');
        }
        let start = self.name.len();
        if key.escaped {
            self.value.clear();
            if !text::unescape(key.raw, self.value) {
                return Err(Stop::Malformed(Malformed::Escape));
            }
            extract::push_name(&mut self.name, self.value);
        } else {
            extract::push_name(&mut self.name, key.raw);
        }
        if self.name.len() == start {
            self.name.truncate(outer);
        }
        Ok(())
    }

    fn scalar(&mut self, value: Value<'_>) -> Result<(), Stop> {
        let text = match value {
            Value::Null | Value::Object(_) | Value::Array(_) => return Ok(()),
            Value::String(string) => {
                if !extract::accept_first(self.line, &mut self.name) {
                    return Ok(());
                }
                self.value.clear();
                text::push_string(&string, self.value);
                &**self.value
            }
            Value::Number(text) | Value::Boolean(text) => {
                if !extract::accept_first(self.line, &mut self.name) {
                    return Ok(());
                }
                text
            }
        };
        self.line.set_new(&self.name, text);
        if self.line.has_all_needed() { Err(Stop::Satisfied) } else { Ok(()) }
    }

    fn nested<'t>(&mut self, text: &'t [u8], outer: usize) -> Result<&'t [u8], Stop> {
        let blank = self.name.len() == outer;
        let unneeded = !blank && !self.line.needed().wants_prefix(self.name.as_bytes());
        if unneeded || self.depth == DEPTH_MAX {
            return scan::value(text).map(|(_, rest)| rest).map_err(Stop::Malformed);
        }
        let mark = self.line.mark();
        self.depth += 1;
        let read = self.object(text);
        self.depth -= 1;
        // Loki looks for the end of a nested object before it reads the inside.
        if self.depth == 0
            && matches!(read, Err(Stop::Malformed(_)))
            && let Err(malformed) = scan::value(text)
        {
            self.line.undo(mark);
            return Err(Stop::Malformed(malformed));
        }
        read
    }
}
