//! `| logfmt name="key"`: the values of single keys as labels.
//!
//! Every name gets a label, empty if its key is not there, and of several equal keys the last
//! counts. A key that is nobody's expression but bears a label's name is taken too, as in Loki.

use super::logfmt::{LOGFMT_ERROR, LogfmtFlags, decode::Decoder};
use super::{DUPLICATE_SUFFIX, Keep, Line, Needed, Stage, StageError, extract};

/// `| logfmt name="key", …`
#[derive(Debug, Clone)]
pub struct LogfmtExpressions {
    flags: LogfmtFlags,
    expressions: Vec<Expression>,
}

#[derive(Debug, Clone)]
struct Expression {
    name: Box<str>,
    key: Box<str>,
}

impl LogfmtExpressions {
    /// Labels with the keys of their values.
    ///
    /// # Errors
    /// A name that is none, a key that is none, in Loki's words.
    pub fn new<'e>(
        flags: LogfmtFlags,
        expressions: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Result<Self, StageError> {
        let expressions = expressions.into_iter().map(|(name, text)| {
            let key = parse_key(text).map_err(|what| {
                StageError::new(format!("cannot parse expression [{text}]: {what}"))
            })?;
            if !extract::is_label_name(name) {
                return Err(StageError::new(format!("invalid extracted label name '{name}'")));
            }
            Ok(Expression { name: name.into(), key: key.into() })
        });
        Ok(Self { flags, expressions: expressions.collect::<Result<_, _>>()? })
    }
}

impl Stage for LogfmtExpressions {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        if line.needed().is_nothing() || line.has_all_needed() {
            return Keep::Yes;
        }
        for expression in &self.expressions {
            if !line.came_with(&expression.name) {
                line.set(&expression.name, b"");
            }
        }
        let error = line.with_text(|line, text, buffer| {
            let mut cleaned = std::mem::take(line.name_buffer());
            let mut decoder = Decoder::new(text);
            let mut error = None;
            while !decoder.is_at_end() {
                match decoder.next(buffer) {
                    Ok(Some(pair)) => {
                        cleaned.clear();
                        extract::push_name(&mut cleaned, pair.key);
                        self.set(line, &cleaned, pair.value(buffer));
                    }
                    Ok(None) => break,
                    Err(wrong) if self.flags.strict => {
                        error = Some(wrong);
                        break;
                    }
                    Err(_) => {}
                }
            }
            *line.name_buffer() = cleaned;
            error
        });
        if let Some(error) = error {
            line.set_error(LOGFMT_ERROR, error.to_string());
        }
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}

impl LogfmtExpressions {
    fn set(&self, line: &mut Line<'_>, key: &str, value: &[u8]) {
        let by_key = self.expressions.iter().any(|e| *e.key == *key);
        for expression in &self.expressions {
            let is = if by_key { *expression.key == *key } else { *expression.name == *key };
            if !is {
                continue;
            }
            let readable = value.is_ascii()
                || std::str::from_utf8(value).is_ok_and(|v| !v.contains('\u{fffd}'));
            let value = if readable { value } else { b"" };
            if line.came_with(&expression.name) {
                line.set(&format!("{}{DUPLICATE_SUFFIX}", expression.name), value);
            } else {
                line.set(&expression.name, value);
            }
        }
    }
}

/// One bare or quoted key; the errors are those of Loki's generated parser.
fn parse_key(text: &str) -> Result<&str, String> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n');
    let text = text.trim_start_matches(blank);
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (key, rest) = if let Some(quoted) = text.strip_prefix('"') {
        quoted.split_once(['"', ']']).unwrap_or((quoted, ""))
    } else if text.starts_with(|c: char| bare(c) && !c.is_ascii_digit()) {
        text.split_at(text.find(|c| !bare(c)).unwrap_or(text.len()))
    } else {
        return Err("syntax error: unexpected $end, expecting STRING or KEY".to_owned());
    };
    match rest.trim_start_matches(blank).chars().next() {
        None => Ok(key),
        Some('"') => Err("syntax error: unexpected STRING".to_owned()),
        Some(c) if bare(c) && !c.is_ascii_digit() => Err("syntax error: unexpected KEY".to_owned()),
        Some(c) => Err(format!("unexpected char {c}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_refused_as_by_loki() {
        let f = |text: &str, want: Result<&str, &str>| {
            assert_eq!(parse_key(text), want.map_err(str::to_owned), "{text}");
        };
        f("a_1", Ok("a_1"));
        f("\"x y\"", Ok("x y"));
        f("not.there", Err("unexpected char ."));
        f("b c", Err("syntax error: unexpected KEY"));
        f("[0]", Err("syntax error: unexpected $end, expecting STRING or KEY"));
        f("", Err("syntax error: unexpected $end, expecting STRING or KEY"));
    }
}
