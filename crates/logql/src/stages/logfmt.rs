//! `| logfmt`: every `key=value` of a line as a label.
//!
//! Pairs that are none are stepped over up to the next blank, or with `--strict` end the reading
//! with an error. Keys without a value are left out unless `--keep-empty`; the first of several
//! equal names wins. Splitting a line into pairs is `logfmt/decode.rs`; single keys are
//! `logfmt_expressions.rs`.

use super::{Keep, Line, Needed, Stage, extract};

pub(super) mod decode;

use decode::Decoder;

pub(super) const LOGFMT_ERROR: &str = "LogfmtParserErr";

/// What may stand behind `| logfmt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogfmtFlags {
    /// `--strict`: the first bad pair is an error.
    pub strict: bool,
    /// `--keep-empty`: keys without a value are labels too.
    pub keep_empty: bool,
}

/// `| logfmt`
#[derive(Debug, Clone, Copy, Default)]
pub struct Logfmt {
    flags: LogfmtFlags,
}

impl Logfmt {
    /// With these flags.
    pub fn new(flags: LogfmtFlags) -> Self {
        Self { flags }
    }
}

impl Stage for Logfmt {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        if line.needed().is_nothing() || line.has_all_needed() {
            return Keep::Yes;
        }
        let error = line.with_text(|line, text, buffer| {
            let mut name = std::mem::take(line.name_buffer());
            let mut decoder = Decoder::new(text);
            let mut error = None;
            while !decoder.is_at_end() {
                match decoder.next(buffer) {
                    Ok(Some(pair)) => {
                        let value = pair.value(buffer);
                        if value.is_empty() && !self.flags.keep_empty {
                            continue;
                        }
                        name.clear();
                        extract::push_name(&mut name, pair.key);
                        if extract::accept_first(line, &mut name) {
                            line.set_new_text(&name, value);
                            if line.has_all_needed() {
                                break;
                            }
                        }
                    }
                    Ok(None) => break,
                    Err(wrong) if self.flags.strict => {
                        error = Some(wrong);
                        break;
                    }
                    Err(_) => {}
                }
            }
            *line.name_buffer() = name;
            error
        });
        if let Some(error) = error {
            line.set_error(LOGFMT_ERROR, error.to_string());
        }
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}
