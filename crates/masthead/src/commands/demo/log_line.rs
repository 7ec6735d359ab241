//! One line of the items API's log: a JSON object, shown as one line for people.
//!
//! The fields are those of `docs/reference/log-format.md`. Whatever is in them came from outside,
//! so all of it is escaped before it reaches a terminal.

use serde_json::{Map, Value};

use crate::terminal::{self, Output, one_line};

/// The longest rendered line, in characters; the rest is dropped and marked.
const SHOWN_CHARS_MAX: usize = 1000;

/// Fields that have their own place in the rendered line, or none: what the last three say is
/// either in the path or the same for all traffic of the demo.
const PLACED: [&str; 12] = [
    "timestamp",
    "level",
    "message",
    "target",
    "request_id",
    "method",
    "path",
    "status",
    "duration_ms",
    "client_ip",
    "handler",
    "response_bytes",
];

/// A parsed line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LogLine {
    fields: Map<String, Value>,
}

impl LogLine {
    /// # Errors
    /// Why `text` is not a JSON object.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self { fields }),
            Ok(_) => Err("is JSON, but not an object".to_owned()),
            Err(error) => Err(format!("is not JSON: {error}")),
        }
    }

    /// The field as text; empty when it is absent or not a string.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// True for the one line that a finished request writes.
    pub(super) fn is_request(&self) -> bool {
        self.fields.contains_key("status") && self.fields.contains_key("duration_ms")
    }

    /// The line for people: time, level, the request or the message, then all other fields.
    pub(super) fn render(&self, output: &Output) -> String {
        let level = self.text("level");
        let style = match level {
            "ERROR" => terminal::RED,
            "WARN" => terminal::YELLOW,
            "INFO" => terminal::GREEN,
            "DEBUG" | "TRACE" => terminal::BLUE,
            _ => terminal::DIM,
        };
        let words = clip(&one_line(&self.words()));
        let fields = clip(&one_line(&self.other_fields()));
        let time = output.paint(terminal::DIM, &one_line(&self.time()));
        let level = output.paint(style, &format!("{:5}", one_line(level)));
        if fields.is_empty() {
            return format!("{time} {level} {words}");
        }
        format!("{time} {level} {words} {}", output.paint(terminal::DIM, &fields))
    }

    /// `12:34:56.789`; the text as it is when it is not a timestamp.
    fn time(&self) -> String {
        let text = self.text("timestamp");
        text.parse::<jiff::Timestamp>()
            .map_or_else(|_| text.to_owned(), |time| time.strftime("%H:%M:%S.%3f").to_string())
    }

    fn words(&self) -> String {
        let message = self.text("message");
        if !self.is_request() {
            return message.to_owned();
        }
        let shown = |name: &str| self.fields.get(name).map(plain).unwrap_or_default();
        let milliseconds = self.fields.get("duration_ms").and_then(Value::as_f64);
        format!(
            "{} {} {} {:.1} ms",
            shown("method"),
            shown("path"),
            shown("status"),
            milliseconds.unwrap_or_default(),
        )
    }

    fn other_fields(&self) -> String {
        let id = self.fields.get_key_value("request_id");
        let rest = self.fields.iter().filter(|(name, _)| !PLACED.contains(&name.as_str()));
        let shown: Vec<_> =
            rest.chain(id).map(|(name, value)| format!("{name}={}", plain(value))).collect();
        shown.join(" ")
    }
}

/// A string without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> String {
        LogLine::parse(text).unwrap().render(&Output::plain())
    }

    #[test]
    fn a_request_is_one_readable_line() {
        let text = r#"{"timestamp":"2026-01-02T03:04:05.678901Z","level":"INFO",
            "message":"Request finished.","target":"t","request_id":"demo-1","method":"GET",
            "path":"/items","status":200,"duration_ms":1.25,"client_ip":"127.0.0.1",
            "handler":"/items","response_bytes":2}"#;
        assert!(LogLine::parse(text).unwrap().is_request());
        assert_eq!(render(text), "03:04:05.678 INFO  GET /items 200 1.2 ms request_id=demo-1");
    }

    #[test]
    fn an_event_shows_its_message_and_fields() {
        let text = r#"{"timestamp":"yesterday","level":"ERROR","message":"Query failed.",
            "query":"get_item","attempt":2,"method":"GET","path":"/items","request_id":"r"}"#;
        assert!(!LogLine::parse(text).unwrap().is_request());
        assert_eq!(
            render(text),
            "yesterday ERROR Query failed. attempt=2 query=get_item request_id=r"
        );
    }

    #[test]
    fn hostile_fields_stay_on_the_line() {
        let line = render(
            r#"{"level":"\u001b[2J","timestamp":"\r","message":"a\nb","k\n":"\u001b]0;x\u0007"}"#,
        );
        assert!(!line.contains(char::is_control), "{line:?}");
        let long = render(&format!(r#"{{"message":"{}"}}"#, "ü".repeat(5000)));
        assert!(long.chars().count() < SHOWN_CHARS_MAX + 20 && long.contains('…'));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let f = |text: &str, want: &str| {
            let error = LogLine::parse(text).unwrap_err();
            assert!(error.starts_with(want), "{text:?}: {error}");
        };
        f("", "is not JSON: ");
        f("plain words", "is not JSON: ");
        f("{\"a\":1", "is not JSON: ");
        f("{} {}", "is not JSON: ");
        f("[1]", "is JSON, but not an object");
        f(&"[".repeat(10_000), "is not JSON: ");
    }
}
