//! `LOG_LEVEL`: a level, directives for targets, or both.
//!
//! Stricter than the filters of `tracing-subscriber`, which take a misspelt level for the name of a
//! target and then log next to nothing.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::SPAN_TARGET;
use crate::Error;

/// More directives than anyone writes by hand.
const DIRECTIVES_MAX: usize = 64;

pub(super) fn parse(text: &str) -> Result<Targets, Error> {
    let bad = |problem| Error::Setting {
        variable: "LOG_LEVEL",
        value: text.chars().take(128).collect(),
        problem,
        example: "info,sqlx=warn",
    };
    let mut targets = Targets::new();
    let mut default = None;
    for (count, directive) in text.split(',').map(str::trim).enumerate() {
        if count == DIRECTIVES_MAX {
            return Err(bad("it has more than 64 directives"));
        }
        if let Some((target, name)) = directive.split_once('=') {
            let level = level(name)
                .ok_or_else(|| bad("a level is off, error, warn, info, debug or trace"))?;
            if target.is_empty() || !target.bytes().all(is_target_byte) {
                return Err(bad("a target is a Rust path like sqlx::query"));
            }
            targets = targets.with_target(target, level);
        } else {
            let level = level(directive)
                .ok_or_else(|| bad("a level is off, error, warn, info, debug or trace"))?;
            if default.replace(level).is_some() {
                return Err(bad("it has more than one level without a target"));
            }
        }
    }
    // A list of targets alone leaves the rest at `info`: naming a noisy crate must not silence the
    // service itself.
    let default = default.unwrap_or(LevelFilter::INFO);
    Ok(targets.with_default(default).with_target(SPAN_TARGET, LevelFilter::ERROR))
}

fn level(name: &str) -> Option<LevelFilter> {
    Some(match name.to_ascii_lowercase().as_str() {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => return None,
    })
}

fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn levels_and_directives() {
        let f = |text: &str, target: &str, level: Level, want: bool| {
            assert_eq!(parse(text).unwrap().would_enable(target, &level), want, "{text} {target}");
        };
        f("info", "api", Level::INFO, true);
        f("info", "api", Level::DEBUG, false);
        f("DEBUG", "api", Level::DEBUG, true);
        f("off", "api", Level::ERROR, false);
        f("info,sqlx=warn", "sqlx::query", Level::INFO, false);
        f("info, sqlx=warn", "sqlx::query", Level::WARN, true);
        f("info,sqlx=warn", "api", Level::INFO, true);
        f("sqlx=warn", "api", Level::INFO, true);
        f("error", SPAN_TARGET, Level::ERROR, true);
        f("info,masthead_instrument=off", SPAN_TARGET, Level::ERROR, true);
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_variable() {
        let f = |text: &str, part: &str| {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("LOG_LEVEL=") && error.contains(part), "{error}");
        };
        f("verbose", "a level is");
        f("", "a level is");
        f("info,", "a level is");
        f("sqlx=loud", "a level is");
        f("=info", "a target is");
        f("sq lx=info", "a target is");
        f("info,warn", "more than one level");
        f(&vec!["a=info"; 65].join(","), "more than 64");
        assert!(parse(&"x".repeat(100_000)).unwrap_err().to_string().len() < 400);
    }
}
