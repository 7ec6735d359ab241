//! The checks as lines for people, or as JSON for programs.

use super::{Check, State};
use crate::terminal::{self, DIM, GREEN, Output, RED, YELLOW};

/// Prints them.
pub(super) fn print(checks: &[Check], json: bool) -> anyhow::Result<()> {
    if json {
        let answer = serde_json::json!({"checks": checks});
        terminal::print(&serde_json::to_string_pretty(&answer)?)?;
        return Ok(());
    }
    let output = Output::stdout();
    for line in lines(checks, &output) {
        terminal::print(&line)?;
    }
    Ok(())
}

pub(super) fn lines(checks: &[Check], output: &Output) -> Vec<String> {
    let width = checks.iter().map(|check| check.what.chars().count()).max().unwrap_or(0).min(48);
    let line = |check: &Check| {
        let (style, word) = match check.state {
            State::Ok => (GREEN, "ok    "),
            State::Skipped => (DIM, "-     "),
            State::Warning => (YELLOW, "look  "),
            State::Broken => (RED, "broken"),
        };
        // Names and errors come from elsewhere.
        let (what, found) = (terminal::one_line(&check.what), terminal::one_line(&check.found));
        let mut line = format!("{} {what:width$}  {found}", output.paint(style, word));
        if !check.advice.is_empty() {
            line = format!("{line}; {}", check.advice);
        }
        line
    };
    checks.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_one_line() {
        let checks = [
            Check::ok("server", "ready"),
            Check::new("target x", State::Broken, "a\nb", "do this"),
        ];
        let want = ["ok     server    ready", "broken target x  a\\nb; do this"];
        assert_eq!(lines(&checks, &Output::plain()), want);
    }
}
