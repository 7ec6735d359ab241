//! The settings: every variable the service reads, with its default, its example and its check.
//!
//! All variables are read once, here, and all that is wrong is reported together. Nothing in this
//! file prints a password: a database address is shown from its parsed parts only, see
//! `settings/database_url.rs`. `--help` and the table in `README.md` come from [`VARIABLES`].

use crate::error::Error;
use std::{ffi::OsString, net::SocketAddr, num::NonZeroUsize, time::Duration};

mod database_url;
mod parse;

pub use database_url::{DatabaseUrl, Engine};

/// One variable of the environment.
#[derive(Debug)]
pub struct Variable {
    pub name: &'static str,
    /// What is used when the variable is absent or empty, in the variable's own syntax.
    pub default: &'static str,
    pub example: &'static str,
    pub help: &'static str,
}

/// Every variable, in the order that `--help` shows.
pub const VARIABLES: &[Variable] = &[
    var(
        "LISTEN_ADDR",
        "127.0.0.1:8000",
        "0.0.0.0:8000",
        "public listener, IP:PORT; port 0 picks a free one, which is logged",
    ),
    var(
        "METRICS_ADDR",
        "127.0.0.1:9464",
        "0.0.0.0:9464",
        "listener of GET /metrics, IP:PORT; never the public one",
    ),
    var(
        "DATABASE_URL",
        "sqlite://items.db?mode=rwc",
        "postgres://items@db:5432/items",
        "sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/NAME",
    ),
    var("DATABASE_POOL_SIZE", "10", "20", "most database connections, 1 to 1000"),
    var(
        "DATABASE_TIMEOUT",
        "2s",
        "500ms",
        "longest wait for a connection, or for SQLite's lock, before the answer is 503",
    ),
    var(
        "DATABASE_WAIT",
        "30s",
        "2m",
        "how long to wait at start for a database that does not answer",
    ),
    var(
        "BODY_LIMIT",
        "64KiB",
        "1MiB",
        "largest request body, 1KiB to 16MiB; above it the answer is 413",
    ),
    var(
        "REQUEST_TIMEOUT",
        "10s",
        "30s",
        "longest time for one request; above it the answer is 503, or 408 while the body was still arriving",
    ),
    var(
        "CONCURRENCY_LIMIT",
        "256",
        "1000",
        "most requests at once; above it the answer is 503 with Retry-After",
    ),
    var(
        "CONNECTION_LIMIT",
        "1024",
        "4096",
        "most connections per listener; above it new ones wait in the kernel's queue",
    ),
    var(
        "SHUTDOWN_DELAY",
        "1s",
        "5s",
        "after SIGTERM, how long /readyz says 503 while requests are still accepted",
    ),
    var(
        "SHUTDOWN_GRACE",
        "10s",
        "25s",
        "after SIGTERM, how long in-flight requests may take to finish, the delay included",
    ),
    var("LOG_LEVEL", "info", "info,sqlx=warn", "least severe level that is logged, or directives"),
    var("LOG_FORMAT", "json", "pretty", "json (one object a line) or pretty"),
    var("DEMO_FAULTS", "0", "1", "demo only: 1 adds GET /demo/fail and GET /demo/slow"),
];

const fn var(
    name: &'static str,
    default: &'static str,
    example: &'static str,
    help: &'static str,
) -> Variable {
    Variable { name, default, example, help }
}

/// The checked values of all variables.
#[derive(Debug, Clone)]
pub struct Settings {
    pub listen_addr: SocketAddr,
    pub metrics_addr: SocketAddr,
    pub database: DatabaseSettings,
    pub limits: Limits,
    pub shutdown_delay: Duration,
    pub shutdown_grace: Duration,
    pub logs: masthead_instrument::logs::Config,
    pub demo_faults: bool,
}

/// Where the items live, and what may be asked of it.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    pub url: DatabaseUrl,
    pub pool_size: u32,
    /// Longest wait for a connection of the pool.
    pub timeout: Duration,
    /// Longest wait, at start only, for a database that is not there yet.
    pub wait: Duration,
}

/// The bounds of one request and of all of them together.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes.
    pub body: usize,
    pub request_timeout: Duration,
    pub concurrency: NonZeroUsize,
    pub connections: NonZeroUsize,
}

impl Settings {
    /// Reads every variable of [`VARIABLES`] through `lookup`.
    ///
    /// # Errors
    /// [`Error::Settings`] with one line for each variable that is wrong: its name, its value and
    /// an example.
    pub fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let mut reader = Reader { lookup, wrong: Vec::new() };
        let settings = reader.settings();
        match settings {
            Some(settings) if reader.wrong.is_empty() => Ok(settings),
            _ => Err(Error::Settings { wrong: reader.wrong }),
        }
    }
}

struct Reader<L> {
    lookup: L,
    wrong: Vec<String>,
}

impl<L: Fn(&str) -> Option<OsString>> Reader<L> {
    /// `None` when a variable was wrong; every variable is looked at all the same.
    fn settings(&mut self) -> Option<Settings> {
        let listen_addr = self.get("LISTEN_ADDR", parse::address);
        let metrics_addr = self.get("METRICS_ADDR", parse::address);
        let url = self.get("DATABASE_URL", DatabaseUrl::parse);
        let pool_size = self.get("DATABASE_POOL_SIZE", |text| parse::count(text, 1000));
        let timeout = self.get("DATABASE_TIMEOUT", parse::duration);
        let wait = self.get("DATABASE_WAIT", parse::duration_or_zero);
        let body = self.get("BODY_LIMIT", |text| parse::bytes(text, 1 << 10, 16 << 20));
        let request_timeout = self.get("REQUEST_TIMEOUT", parse::duration);
        let concurrency = self.get("CONCURRENCY_LIMIT", |text| parse::count(text, 100_000));
        let connections = self.get("CONNECTION_LIMIT", |text| parse::count(text, 100_000));
        let shutdown_delay = self.get("SHUTDOWN_DELAY", parse::duration_or_zero);
        let shutdown_grace = self.get("SHUTDOWN_GRACE", parse::duration);
        let logs = self.logs();
        let demo_faults = self.get("DEMO_FAULTS", parse::switch);

        if let (Some(public), Some(metrics)) = (listen_addr, metrics_addr)
            && public == metrics
            && public.port() != 0
        {
            self.refuse("METRICS_ADDR", &metrics.to_string(), "must differ from LISTEN_ADDR");
        }
        if let (Some(delay), Some(grace)) = (shutdown_delay, shutdown_grace)
            && delay >= grace
        {
            self.refuse(
                "SHUTDOWN_DELAY",
                &format!("{delay:?}"),
                &format!("must be shorter than SHUTDOWN_GRACE ({grace:?})"),
            );
        }
        Some(Settings {
            listen_addr: listen_addr?,
            metrics_addr: metrics_addr?,
            database: DatabaseSettings {
                url: url?,
                pool_size: u32::try_from(pool_size?.get()).ok()?,
                timeout: timeout?,
                wait: wait?,
            },
            limits: Limits {
                body: body?,
                request_timeout: request_timeout?,
                concurrency: concurrency?,
                connections: connections?,
            },
            shutdown_delay: shutdown_delay?,
            shutdown_grace: shutdown_grace?,
            logs: logs?,
            demo_faults: demo_faults?,
        })
    }

    fn get<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        let text = self.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(Refusal { shown, why }) => {
                self.refuse(name, shown.as_deref().unwrap_or(&text), &why);
                None
            }
        }
    }

    /// The value as text; the default when it is absent or empty.
    fn text(&mut self, name: &'static str) -> Option<String> {
        let raw = (self.lookup)(name).unwrap_or_default();
        match raw.into_string() {
            Ok(text) if text.is_empty() => Some(variable(name).default.to_owned()),
            Ok(text) => Some(text),
            Err(_) => {
                self.refuse(name, "(bytes)", "is not UTF-8");
                None
            }
        }
    }

    fn logs(&mut self) -> Option<masthead_instrument::logs::Config> {
        let (level, format) = (self.text("LOG_LEVEL")?, self.text("LOG_FORMAT")?);
        // One at a time, so that two wrong values are both reported; the error names its variable.
        for (level, format) in [(Some(level.as_str()), None), (None, Some(format.as_str()))] {
            if let Err(error) = masthead_instrument::logs::Config::parse(level, format) {
                self.wrong.push(error.to_string());
            }
        }
        masthead_instrument::logs::Config::parse(Some(&level), Some(&format)).ok()
    }

    fn refuse(&mut self, name: &'static str, value: &str, why: &str) {
        let example = variable(name).example;
        self.wrong.push(format!("{name}={value:?} {why}; for example {name}={example}"));
    }
}

/// Why a value is refused, and what may be shown of it (all of it unless said otherwise).
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    shown: Option<String>,
    why: String,
}

impl Refusal {
    fn new(why: impl Into<String>) -> Self {
        Self { shown: None, why: why.into() }
    }
}

fn variable(name: &str) -> &'static Variable {
    VARIABLES
        .iter()
        .find(|variable| variable.name == name)
        .unwrap_or_else(|| unreachable!("BUG: {name} is not in VARIABLES"))
}

#[cfg(test)]
mod tests;
