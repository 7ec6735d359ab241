//! Words for the user: results on stdout, talk on stderr, colour only on a terminal.
//!
//! Foreign text (a child's log) goes through [`one_line`] first: it never moves the cursor, sets a
//! colour or starts a second line.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const BLUE: Style = AnsiColor::Blue.on_default();

/// How text for standard output looks.
#[derive(Debug)]
pub(crate) struct Output {
    colour: bool,
}

impl Output {
    /// Colours when stdout is a terminal, unless `NO_COLOR` and its kin say otherwise.
    pub(crate) fn stdout() -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        Self { colour: choice != anstream::ColorChoice::Never }
    }

    /// Without colours, whatever stdout is.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { colour: false }
    }

    /// `text` in `style`, or as it is where there are no colours.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Columns and rows of the terminal that stdout is; nothing when it is none.
pub(crate) fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then(|| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

/// Writes one line of results to stdout, at once.
///
/// # Errors
/// That of stdout; `BrokenPipe` when its reader has gone.
pub(crate) fn print(text: &str) -> io::Result<()> {
    // Stdout's own buffer ends at newlines, so this is one write for a text that fits in it.
    writeln!(io::stdout().lock(), "{text}")
}

/// Writes one line of talk to stderr; when nobody listens there, there is nobody to tell.
pub(crate) fn say(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// `text` with every control character and every character that reorders text escaped.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // U+2028/9 break lines; U+202A..E and U+2066..9 make text read in another order.
        let misleads = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || misleads {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// As [`one_line`], for a text that may have several: its own newlines stay.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_on_its_line() {
        let f = |text: &str, want: &str| assert_eq!(one_line(text), want, "{text:?}");
        f("plain ünïcode", "plain ünïcode");
        f("a\nb\tc\r", "a\\nb\\tc\\r");
        f("\u{1b}[31mred", "\\u{1b}[31mred");
        f("\u{9b}31m", "\\u{9b}31m");
        f("ab\u{202e}dc", "ab\\u{202e}dc");
    }

    #[test]
    fn lines_of_a_foreign_text_stay_lines() {
        assert_eq!(lines("at:\n\t\x1b[31mx\r\nhere\n"), "at:\n\\t\\u{1b}[31mx\nhere");
    }

    #[test]
    fn colour_only_where_it_is_shown() {
        assert_eq!(Output { colour: false }.paint(RED, "x"), "x");
        assert_eq!(Output { colour: true }.paint(RED, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
