//! Text without the codes that colour it on a terminal, as Loki's `decolorize` takes them out; of a
//! line that is asked for (LogQL) and of one that is collected.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// What starts a code: ESC, or the one-character CSI, and the brackets behind it.
const INTRODUCER: &str = r"[\x1b\u{9b}][\[\]()#;?]*";
/// A title or a link, ended by BEL.
const STRING: &str = r"[a-zA-Z0-9;]*\x07";
/// Numbers and the letter that says what to do with them.
const CONTROL: &str = r"(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~]";

static CODE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("{INTRODUCER}(?:{STRING}|{CONTROL})")).ok());

/// Appends `text` without its codes to `out`; where it has none, nothing, and the answer is no.
pub fn decolorize(text: &[u8], out: &mut Vec<u8>) -> bool {
    // 0xc2 is the first byte of the one-character CSI.
    if memchr::memchr2(0x1b, 0xc2, text).is_none() {
        return false;
    }
    let Some(code) = &*CODE else { return false };
    let mut end = 0;
    for found in code.find_iter(text) {
        out.extend_from_slice(text.get(end..found.start()).unwrap_or_default());
        end = found.end();
    }
    if end == 0 {
        return false;
    }
    out.extend_from_slice(text.get(end..).unwrap_or_default());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_and_the_rest_stays() {
        let f = |text: &str, want: Option<&str>| {
            let mut out = Vec::new();
            let changed = decolorize(text.as_bytes(), &mut out);
            assert_eq!(changed.then(|| String::from_utf8_lossy(&out)).as_deref(), want, "{text:?}");
            assert!(changed || out.is_empty());
        };
        f("\x1b[31mred\x1b[0m plain", Some("red plain"));
        f("\x1b[38;5;196mx\x1b[m", Some("x"));
        f("\x1b[2Kcleared", Some("cleared"));
        f("\x1b]0;title\x07x", Some("x"));
        f("\x1b(Bsans", Some("sans"));
        f("\u{9b}31mc1", Some("c1"));
        f("\x1b[?25lhidden", Some("hidden"));
        f("\x1b7saved\x1b8", Some("saved"));
        f("\x1bMup", Some("up"));
        f("\x1b[3~tilde", Some("tilde"));
        f("\x1b=a\x1b>", Some("a"));
        f("no colour", None);
        f("\x1b \u{a0}", None);
        f("", None);
    }
}
