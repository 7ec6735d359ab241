//! `DATABASE_URL`: which engine, and how to reach it.
//!
//! Never shows a password: what is displayed is put together from the parsed parts that hold
//! none, and text that could not be parsed is cut after its scheme if it may hold one.

use super::Refusal;
use sqlx::{
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::SqliteConnectOptions,
};
use std::{fmt, str::FromStr};

/// A parsed `DATABASE_URL`.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub engine: Engine,
    shown: String,
}

/// How to open a connection of the engine that the scheme chose.
#[derive(Debug, Clone)]
pub enum Engine {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.starts_with("sqlite:") {
            sqlite(text)
        } else if let Some(address) =
            text.strip_prefix("postgres://").or(text.strip_prefix("postgresql://"))
        {
            // What follows an unescaped `#`, `?` or `/` of a password is no longer the password, and
            // what precedes it would be shown as host and port.
            let host_end = address.find(['/', '?', '#']).unwrap_or(address.len());
            if address[host_end..].contains('@') {
                let why = "has an @ behind the host: write special characters as %XX";
                return Err(refuse(text, why));
            }
            postgres(text)
        } else {
            Err(refuse(text, "starts with neither sqlite:// nor postgres://"))
        }
    }
}

fn sqlite(text: &str) -> Result<DatabaseUrl, Refusal> {
    let options = SqliteConnectOptions::from_str(text)
        .map_err(|error| refuse(text, &format!("is not a SQLite address ({error})")))?;
    // Each connection would have a database of its own, and a closed one would lose it.
    if text.contains(":memory:") || text.contains("mode=memory") {
        return Err(refuse(text, "keeps nothing: name a file"));
    }
    if options.get_filename().as_os_str().is_empty() {
        return Err(refuse(text, "names no file"));
    }
    Ok(DatabaseUrl { engine: Engine::Sqlite(Box::new(options)), shown: text.to_owned() })
}

fn postgres(text: &str) -> Result<DatabaseUrl, Refusal> {
    let options = PgConnectOptions::from_str(text)
        .map_err(|error| refuse(text, &format!("is not a PostgreSQL address ({error})")))?;
    if !matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer)
    {
        return Err(refuse(text, "asks for TLS by sslmode, and this build has none"));
    }
    let shown = format!(
        "postgres://{}:***@{}:{}/{}",
        options.get_username(),
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default(),
    );
    Ok(DatabaseUrl { engine: Engine::Postgres(Box::new(options)), shown })
}

fn refuse(text: &str, why: &str) -> Refusal {
    let may_hold_a_password =
        text.contains('@') || text.to_ascii_lowercase().contains("pass") || text.len() > 200;
    let shown = may_hold_a_password.then(|| match text.split_once("://") {
        Some((scheme, _)) if scheme.len() < 20 && !scheme.contains('@') => {
            format!("{scheme}://***")
        }
        _ => "***".to_owned(),
    });
    Refusal { shown, why: why.to_owned() }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let f = |text: &str, want: &str| {
            let shown = match DatabaseUrl::parse(text) {
                Ok(url) => format!("{url} {url:?}"),
                Err(Refusal { shown, why }) => {
                    format!("{} {why}", shown.as_deref().unwrap_or(text))
                }
            };
            assert!(shown.contains(want), "{text:?} shown as {shown:?}");
            assert!(!shown.contains("s3cret"), "{text:?} shown as {shown:?}");
        };
        f("sqlite://items.db?mode=rwc", "sqlite://items.db?mode=rwc");
        f("postgres://me:s3cret@db:5433/items", "postgres://me:***@db:5433/items");
        f("postgresql://db/items?password=s3cret&user=me", "postgres://me:***@db:5432/items");
        f("postgres://me:s3cret@db:notaport/items", "postgres://***");
        f("postgres:me:s3cret@db", "***");
        f("postgres://me:1s3cret#x@db/items", "postgres://***");
        f("postgres://me:1?s3cret@db/items", "postgres://***");
        f("postgres://me:1/s3cret@db/items", "postgres://***");
        f("postgres://me:s3cret%23x@db/items", "postgres://me:***@db:5432/items");
        f("mysql://me:s3cret@db/items", "mysql://***");
        f("me:s3cret@db", "***");
        f("mysql://db?PASSWORD=s3cret", "mysql://***");
        f("mysql://db/items", "mysql://db/items");
    }

    #[test]
    fn an_address_that_asks_for_tls_is_refused_rather_than_used_without() {
        for (mode, accepted) in [("require", false), ("verify-full", false), ("prefer", true)] {
            let text = format!("postgres://me@db/items?sslmode={mode}");
            assert_eq!(DatabaseUrl::parse(&text).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn an_address_that_would_keep_nothing_is_refused() {
        for text in ["sqlite::memory:", "sqlite://:memory:", "sqlite://x?mode=memory", "", "sqlite"]
        {
            assert!(DatabaseUrl::parse(text).is_err(), "{text:?}");
        }
    }
}
