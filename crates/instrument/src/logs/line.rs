//! The bytes of one log line, in either format, built in a buffer that the thread reuses.
//!
//! Whatever a field holds, a line stays one line and, as JSON, one object without a repeated key.
//! A field of an event whose name is taken becomes `field_<name>`: nothing is lost, nothing forged.
//! A value is cut at [`VALUE_BYTES_MAX`]; `tracing` itself allows 32 fields, so a line is bounded.

use std::error::Error;
use std::fmt::{self, Write};

use smallvec::SmallVec;
use tracing::field::{Field, Visit};

use super::Format;

/// The longest value of a field in bytes; the rest is cut and `…[cut]` marks the place.
pub const VALUE_BYTES_MAX: usize = 16 * 1024;

/// The deepest source chain that is followed: one that is longer is a loop.
const SOURCES_MAX: usize = 32;

/// What is put before the name of a field whose name is taken.
const PREFIX: &str = "field_";

/// The names a line has, each as the number of its prefixes and the rest. Room for `tracing`'s
/// usual numbers; more are fine.
type Keys = SmallVec<[(u8, &'static str); 24]>;

/// A line being built at the end of `out`.
pub(super) struct Line<'a> {
    pub(super) out: &'a mut String,
    format: Format,
    keys: Keys,
}

impl<'a> Line<'a> {
    pub(super) fn new(out: &'a mut String, format: Format) -> Self {
        Self { out, format, keys: Keys::new() }
    }

    /// Claims `name`; false when the line already has it.
    pub(super) fn claim(&mut self, name: &'static str) -> bool {
        let key = split_prefixes(name);
        let free = !self.keys.contains(&key);
        if free {
            self.keys.push(key);
        }
        free
    }

    /// Writes the key, so that only its value is missing.
    fn key(&mut self, name: &'static str) {
        let (own, rest) = split_prefixes(name);
        let mut prefixes = own;
        while self.keys.contains(&(prefixes, rest)) {
            prefixes = prefixes.saturating_add(1);
        }
        self.keys.push((prefixes, rest));
        write_key(self.out, self.format, prefixes, rest);
    }

    pub(super) fn text(&mut self, value: &str) {
        write_text(self.out, self.format, format_args!("{value}"));
    }

    /// Adds a field that is already bytes of this format, unless its name is taken: the innermost
    /// span's value stands.
    pub(super) fn encoded(&mut self, name: &'static str, bytes: &str) {
        if self.claim(name) {
            self.out.push_str(bytes);
        }
    }
}

/// Writes a value as a quoted string; as text for a terminal, a plain word goes without quotes.
pub(super) fn write_text(out: &mut String, format: Format, value: fmt::Arguments<'_>) {
    let start = out.len();
    out.push('"');
    let mut escaper = Escaper { out, room: VALUE_BYTES_MAX, plain: true };
    // Only a broken `Display` fails here: what it wrote so far stays, and so does the line.
    let failed = escaper.write_fmt(value).is_err() && escaper.room > 0;
    let cut = escaper.room == 0;
    let plain = escaper.plain && !cut && !failed;
    if cut {
        out.push_str("\u{2026}[cut]");
    }
    if failed {
        out.push_str("[could not be shown]");
    }
    if format == Format::Pretty && plain && out.len() > start + 1 {
        out.remove(start);
    } else {
        out.push('"');
    }
}

fn split_prefixes(name: &'static str) -> (u8, &'static str) {
    let (mut count, mut rest) = (0_u8, name);
    while let Some(shorter) = rest.strip_prefix(PREFIX) {
        (count, rest) = (count.saturating_add(1), shorter);
    }
    (count, rest)
}

fn write_key(out: &mut String, format: Format, prefixes: u8, rest: &str) {
    out.push_str(if format == Format::Json { ",\"" } else { " " });
    for _ in 0..prefixes {
        out.push_str(PREFIX);
    }
    match format {
        Format::Json => {
            // A name comes from the code, but `"a\"b" = 1` is a name too. It is never cut: the
            // compiler has read it.
            let mut escaper = Escaper { out, room: usize::MAX, plain: true };
            escaper.write_str(rest).unwrap_or_default();
            out.push_str("\":");
        }
        Format::Pretty => {
            out.push_str(rest);
            out.push('=');
        }
    }
}

/// Escapes what RFC 8259 (section 7) wants escaped, and the other control characters (DEL and
/// U+0080 to U+009F), which terminals act upon.
struct Escaper<'a> {
    out: &'a mut String,
    /// Bytes of the value that may still be written; 0 once something was cut.
    room: usize,
    /// Whether a terminal can do without the quotes.
    plain: bool,
}

impl Write for Escaper<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.room == 0 {
            return Err(fmt::Error);
        }
        let mut kept = text;
        // One byte is held back: room never reaches 0 unless something is cut.
        if text.len() >= self.room {
            let end = text.floor_char_boundary(self.room - 1);
            kept = text.get(..end).unwrap_or_default();
        }
        let mut rest = kept;
        while let Some(at) = first_to_escape(rest.as_bytes()) {
            let (clean, tail) = rest.split_at(at);
            self.out.push_str(clean);
            self.plain = false;
            let mut characters = tail.chars();
            match characters.next().unwrap_or_default() {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                control => write!(self.out, "\\u{:04x}", u32::from(control))?,
            }
            rest = characters.as_str();
        }
        self.plain = self.plain && !kept.bytes().any(|byte| matches!(byte, b' ' | b'='));
        self.out.push_str(rest);
        if kept.len() < text.len() {
            self.room = 0;
            return Err(fmt::Error);
        }
        self.room -= text.len();
        Ok(())
    }
}

/// The place of the first character that must not go out as it is.
fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    // U+0080 to U+009F are 0xC2 and a byte below 0xA0.
    let is_c1 = |at: usize| bytes.get(at + 1).is_some_and(|next| *next < 0xa0);
    bytes.iter().enumerate().position(|(at, byte)| match *byte {
        0..0x20 | b'"' | b'\\' | 0x7f => true,
        0xc2 => is_c1(at),
        _ => false,
    })
}

/// Writes every field but `message`, which has its own place in the line.
impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            self.key(field.name());
            write_text(self.out, self.format, format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() != "message" {
            self.key(field.name());
            self.text(value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.key(field.name());
        self.out.push_str(itoa::Buffer::new().format(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.key(field.name());
        self.out.push_str(itoa::Buffer::new().format(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.key(field.name());
        // JSON has no word for NaN and infinity.
        if value.is_finite() {
            write_number(self.out, value);
        } else {
            write_text(self.out, self.format, format_args!("{value}"));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.key(field.name());
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.key(field.name());
        write_text(self.out, self.format, format_args!("{}", Chain(value)));
    }
}

/// Finds the message of an event: `tracing` gives it a field like any other.
pub(super) struct Message<'a> {
    pub(super) out: &'a mut String,
    pub(super) format: Format,
    pub(super) found: bool,
}

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" && !self.found {
            self.found = true;
            write_message(self.out, self.format, format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" && !self.found {
            self.found = true;
            write_message(self.out, self.format, format_args!("{value}"));
        }
    }
}

/// On a terminal a message is prose: it goes without quotes, but never without escapes.
fn write_message(out: &mut String, format: Format, message: fmt::Arguments<'_>) {
    let start = out.len();
    write_text(out, Format::Json, message);
    if format == Format::Pretty {
        out.pop();
        out.remove(start);
    }
}

/// The shortest digits that read back as the same number.
fn write_number(out: &mut String, value: f64) {
    // A `String` takes whatever is written to it.
    write!(out, "{value}").unwrap_or_default();
}

/// An error and its sources: `outer: middle: inner`.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        for _ in 0..SOURCES_MAX {
            let Some(error) = source else { break };
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(format: Format, value: &str) -> String {
        let mut out = String::new();
        write_text(&mut out, format, format_args!("{value}"));
        out
    }

    #[test]
    fn every_control_character_survives_a_json_round_trip_and_none_is_written_raw() {
        for byte in 0..=0xff_u8 {
            let value = format!("a{}b", char::from(byte));
            let encoded = text(Format::Json, &value);
            assert!(!encoded.contains(char::is_control), "{encoded:?}");
            assert_eq!(serde_json::from_str::<String>(&encoded).unwrap(), value);
        }
    }

    #[test]
    fn a_terminal_gets_quotes_only_where_they_are_needed() {
        let f = |value: &str, want: &str| assert_eq!(text(Format::Pretty, value), want);
        f("plain", "plain");
        f("two words", "\"two words\"");
        f("a=b", "\"a=b\"");
        f("", "\"\"");
        f("\x1b[2J", "\"\\u001b[2J\"");
    }

    #[test]
    fn a_long_value_is_cut_at_a_character_and_marked() {
        let f = |value: &str, cut: bool| {
            let decoded: String = serde_json::from_str(&text(Format::Json, value)).unwrap();
            assert_eq!(decoded.ends_with("\u{2026}[cut]"), cut, "{}", value.len());
            assert!(decoded.len() < VALUE_BYTES_MAX + 16);
            assert!(cut || decoded == value);
        };
        f(&"x".repeat(VALUE_BYTES_MAX - 1), false);
        f(&"x".repeat(VALUE_BYTES_MAX), true);
        f(&"\u{e9}".repeat(VALUE_BYTES_MAX), true);
    }

    #[test]
    fn a_display_that_fails_leaves_a_valid_value() {
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let mut out = String::new();
        write_text(&mut out, Format::Json, format_args!("half {Broken}"));
        assert_eq!(out, "\"half [could not be shown]\"");
    }

    #[test]
    fn a_chain_shows_every_source_and_ends_even_when_it_loops() {
        #[derive(Debug)]
        struct Loop;
        impl fmt::Display for Loop {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("again")
            }
        }
        impl Error for Loop {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Loop)
            }
        }
        assert_eq!(Chain(&Loop).to_string().matches("again").count(), SOURCES_MAX + 1);
    }
}
