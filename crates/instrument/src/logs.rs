//! Log lines: `tracing` events as one JSON object a line, or as text for a terminal.
//!
//! The binary reads its environment and passes the values in; this module never does. A line is
//! written with one `write`, so that lines of several threads never mix. Fields and their meaning:
//! docs/reference/log-format.md. The filter is in `filter.rs`, the bytes of a line in `line.rs`,
//! the bridge from `tracing` in `subscriber.rs`.

mod filter;
mod line;
mod subscriber;

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Dispatch;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt};

use crate::Error;

pub(crate) use line::Chain;
pub use line::VALUE_BYTES_MAX;

/// The target of the request span. The filter always lets it through, so that lines of a request
/// keep its id however quiet the level is.
pub(crate) const SPAN_TARGET: &str = "masthead_instrument::span";

/// Lines that could not be written; `log_lines_dropped_total` in the exposition.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line: for machines.
    Json,
    /// `key=value` text: for a terminal.
    Pretty,
}

/// What is logged and how it looks.
#[derive(Clone, Debug)]
pub struct Config {
    filter: Targets,
    format: Format,
}

impl Config {
    /// Reads the values of `LOG_LEVEL` and `LOG_FORMAT`; `None` stands for a variable that is not
    /// set, and means `info` and `json`.
    ///
    /// The level is a level (`off`, `error`, `warn`, `info`, `debug`, `trace`), directives for
    /// targets (`sqlx=warn`), or both, separated by commas.
    ///
    /// # Errors
    /// [`Error::Setting`], with the name of the variable, for anything else.
    pub fn parse(level: Option<&str>, format: Option<&str>) -> Result<Self, Error> {
        let filter = filter::parse(level.unwrap_or("info"))?;
        let format = match format.unwrap_or("json") {
            "json" => Format::Json,
            "pretty" => Format::Pretty,
            other => {
                return Err(Error::Setting {
                    variable: "LOG_FORMAT",
                    value: other.chars().take(128).collect(),
                    problem: "it must be json or pretty",
                    example: "json",
                });
            }
        };
        Ok(Self { filter, format })
    }

    /// The format of a line.
    pub fn format(&self) -> Format {
        self.format
    }

    /// A subscriber that writes lines to `writer`, for tests and for services with a place of their
    /// own for logs. Each line is one call of `write_all`.
    pub fn dispatch(&self, writer: impl Write + Send + 'static) -> Dispatch {
        let lines = subscriber::Lines::new(self.format, writer);
        Dispatch::new(tracing_subscriber::registry().with(self.filter.clone()).with(lines))
    }

    /// The same, and the lines that `copied` asks for, in its form, go to `copy` too: for a service
    /// that keeps its own log.
    ///
    /// `copy` is called where the line is logged, so it must not wait, and must not log.
    pub fn dispatch_with_copy(
        &self,
        writer: impl Write + Send + 'static,
        copied: &Self,
        copy: impl Write + Send + 'static,
    ) -> Dispatch {
        if copied.format == self.format && copied.filter == self.filter {
            return self.dispatch(subscriber::Both(writer, copy));
        }
        let lines = subscriber::Lines::new(self.format, writer);
        let copies = subscriber::Lines::new(copied.format, copy);
        Dispatch::new(
            tracing_subscriber::registry()
                .with(lines.with_filter(self.filter.clone()))
                .with(copies.with_filter(copied.filter.clone())),
        )
    }
}

/// Sends the log lines of the whole process to stdout.
///
/// # Errors
/// [`Error::SubscriberAlreadySet`] when the process has a subscriber.
pub fn init(config: &Config) -> Result<(), Error> {
    tracing::dispatcher::set_global_default(config.dispatch(io::stdout()))
        .map_err(|_| Error::SubscriberAlreadySet)
}

/// Shows an error with every source below it, as `outer: middle: inner`.
///
/// For a field that is not a `&dyn Error` already: `error!(error = %chain(&error), "Cannot …")`.
pub fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl fmt::Display + 'a {
    Chain(error)
}

/// Lines lost since the process began because they could not be written.
pub(crate) fn lines_dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

fn count_dropped_line() {
    DROPPED.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_format_is_an_error_that_names_the_variable_and_a_value_that_works() {
        assert_eq!(Config::parse(None, None).unwrap().format(), Format::Json);
        assert_eq!(Config::parse(None, Some("pretty")).unwrap().format(), Format::Pretty);
        let error = Config::parse(None, Some("xml\n")).unwrap_err().to_string();
        assert_eq!(
            error,
            r#"LOG_FORMAT="xml\n" is not valid: it must be json or pretty; for example LOG_FORMAT=json"#
        );
    }
}
