//! `| decolorize`: the line without the codes that colour it on a terminal.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{Keep, Line, Needed, Stage};

/// What starts a code: ESC, or the one-character CSI, and the brackets behind it.
const INTRODUCER: &str = r"[\x1b\u{9b}][\[\]()#;?]*";
/// A title or a link, ended by BEL.
const STRING: &str = r"[a-zA-Z0-9;]*\x07";
/// Numbers and the letter that says what to do with them.
const CONTROL: &str = r"(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~]";

static CODE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("{INTRODUCER}(?:{STRING}|{CONTROL})")).ok());

/// `| decolorize`
#[derive(Debug, Clone, Copy, Default)]
pub struct Decolorize;

impl Stage for Decolorize {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        // 0xc2 is the first byte of the one-character CSI.
        if memchr::memchr2(0x1b, 0xc2, line.text()).is_none() {
            return Keep::Yes;
        }
        let Some(code) = &*CODE else { return Keep::Yes };
        line.rewrite(|line, out| {
            let text = line.text();
            let mut end = 0;
            for found in code.find_iter(text) {
                out.extend_from_slice(text.get(end..found.start()).unwrap_or_default());
                end = found.end();
            }
            out.extend_from_slice(text.get(end..).unwrap_or_default());
            end > 0
        });
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}
