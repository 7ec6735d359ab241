//! What can go wrong in this crate, and whose fault a failed query is.
//!
//! Text here is for the operator. What a client is told is in `problem.rs`.

use crate::database::Query;
use std::net::SocketAddr;

/// A failure of the service, as opposed to one of a request's sender.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// One line for each variable that is wrong.
    #[error("bad configuration:\n  {}", wrong.join("\n  "))]
    Settings { wrong: Vec<String> },
    #[error("cannot listen on {addr} ({variable})")]
    Listen {
        variable: &'static str,
        addr: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot open the database {url} (DATABASE_URL)")]
    Connect {
        url: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("cannot bring the database {url} (DATABASE_URL) to this version's schema")]
    Migrate {
        url: String,
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    #[error("query {} failed", query.name())]
    Query {
        query: Query,
        #[source]
        source: sqlx::Error,
    },
}

impl Error {
    /// True when the database could not be asked, so that asking again later may succeed.
    pub fn is_database_away(&self) -> bool {
        match self {
            Self::Connect { source, .. } | Self::Query { source, .. } => is_away(source),
            Self::Settings { .. } | Self::Listen { .. } | Self::Migrate { .. } => false,
        }
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => match error.code().as_deref() {
            // SQLSTATE classes of PostgreSQL, appendix A of its manual: connection, authorization,
            // unknown database, resources, operator intervention, system error.
            Some(code) if code.len() == 5 => {
                ["08", "28", "3D", "53", "57", "58"].iter().any(|class| code.starts_with(class))
            }
            // Result codes of SQLite (the low byte of an extended one): busy, locked, read-only,
            // I/O error, full, cannot open.
            Some(code) => code
                .parse::<u32>()
                .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)),
            None => false,
        },
        _ => false,
    }
}
