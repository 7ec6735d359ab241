//! The database: one pool, SQLite or PostgreSQL, brought to this version's schema at start.
//!
//! Both engines take the same statements (`$1` placeholders, UUIDs, 64-bit integers, text), so a
//! statement is written once and [`on_pool`] runs it on whichever pool there is. Only the
//! migrations differ. Every statement goes through [`Database::measured`], so that none is
//! missing from `db_query_duration_seconds`.

use crate::{
    error::Error,
    metrics::Metrics,
    settings::{DatabaseSettings, Engine},
};
use sqlx::{
    ConnectOptions, Connection, PgPool, SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{io, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// First and longest pause between attempts to reach a database that is not there at start; the
/// pause doubles each time.
const RETRY: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(4)];

/// Evaluates `$run` with `$pool` bound to the pool of either engine.
macro_rules! on_pool {
    ($database:expr, |$pool:ident| $run:expr) => {
        match $database.pool() {
            $crate::database::Pool::Sqlite($pool) => $run,
            $crate::database::Pool::Postgres($pool) => $run,
        }
    };
}
pub(crate) use on_pool;

/// Our short name of each statement: the values of the label `query`, and there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    Ping,
    ItemsCount,
    ItemsList,
    ItemGet,
    ItemInsert,
    ItemUpdate,
    ItemDelete,
}

impl Query {
    pub const ALL: [Self; 7] = [
        Self::Ping,
        Self::ItemsCount,
        Self::ItemsList,
        Self::ItemGet,
        Self::ItemInsert,
        Self::ItemUpdate,
        Self::ItemDelete,
    ];

    /// The value of the label `query`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::ItemsCount => "items_count",
            Self::ItemsList => "items_list",
            Self::ItemGet => "item_get",
            Self::ItemInsert => "item_insert",
            Self::ItemUpdate => "item_update",
            Self::ItemDelete => "item_delete",
        }
    }
}

/// A pool of connections to a database with the current schema. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    metrics: Arc<Metrics>,
}

/// The pool of the engine that `DATABASE_URL` names.
#[derive(Debug, Clone)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Database {
    /// Opens the pool, waits up to `settings.wait` for a database that does not answer, and runs
    /// the migrations that are missing.
    ///
    /// # Errors
    /// [`Error::Connect`] when it can't be opened, [`Error::Migrate`] when its schema is not ours.
    pub async fn open(settings: &DatabaseSettings, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let deadline = Instant::now() + settings.wait;
        let [mut pause, longest] = RETRY;
        loop {
            match Pool::open(settings).await {
                Ok(pool) => {
                    metrics.watch_pool(pool.clone(), settings.pool_size);
                    return Ok(Self { pool, metrics });
                }
                Err(error) if error.is_database_away() && Instant::now() + pause < deadline => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "Database does not answer yet."
                    );
                    sleep(pause).await;
                    pause = (pause * 2).min(longest);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks the database for nothing, to see whether it answers.
    ///
    /// # Errors
    /// [`Error::Query`] when it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        let run =
            async { on_pool!(self, |pool| sqlx::query("SELECT 1").execute(pool).await.map(drop)) };
        self.measured(Query::Ping, run).await
    }

    /// Closes every connection, once those in use are given back.
    pub async fn close(&self) {
        on_pool!(self, |pool| pool.close().await);
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs one statement under its name: its time (waiting for a connection included) and its
    /// failure are counted.
    pub(crate) async fn measured<T>(
        &self,
        query: Query,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let result = run.await;
        self.metrics.query_finished(query, start.elapsed(), result.is_ok());
        result.map_err(|source| Error::Query { query, source })
    }
}

impl Pool {
    /// Connections open now, and those of them that nobody uses.
    pub(crate) fn connections(&self) -> (u32, usize) {
        match self {
            Self::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Self::Postgres(pool) => (pool.size(), pool.num_idle()),
        }
    }

    async fn open(settings: &DatabaseSettings) -> Result<Self, Error> {
        let url = settings.url.to_string();
        let refused = |source| Error::Connect { url: url.clone(), source };
        let pool = match &settings.url.engine {
            Engine::Sqlite(options) => Self::Sqlite(
                pool_options(settings)
                    .connect_with(sqlite(options, settings.timeout))
                    .await
                    .map_err(refused)?,
            ),
            Engine::Postgres(options) => {
                // Alone first: a pool tries again until its timeout and then forgets the cause.
                let attempt = timeout(settings.timeout, options.connect()).await;
                let attempt = attempt.unwrap_or_else(|late| Err(io::Error::from(late).into()));
                attempt.map_err(refused)?.close().await.map_err(refused)?;
                let options = (**options).clone();
                Self::Postgres(pool_options(settings).connect_with(options).await.map_err(refused)?)
            }
        };
        let migrated = match &pool {
            Self::Sqlite(pool) => {
                migrator(include_str!("../migrations/sqlite/0001_items.sql")).run(pool).await
            }
            Self::Postgres(pool) => {
                migrator(include_str!("../migrations/postgres/0001_items.sql")).run(pool).await
            }
        };
        migrated.map_err(|source| Error::Migrate { url, source })?;
        Ok(pool)
    }
}

fn pool_options<DB: sqlx::Database>(settings: &DatabaseSettings) -> PoolOptions<DB> {
    PoolOptions::new().max_connections(settings.pool_size).acquire_timeout(settings.timeout)
}

/// Readers beside one writer (WAL), and an answer only after the bytes are on the disk (FULL).
fn sqlite(options: &SqliteConnectOptions, timeout: Duration) -> SqliteConnectOptions {
    options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(timeout)
}

fn migrator(items: &'static str) -> Migrator {
    Migrator::with_migrations(vec![Migration::new(
        1,
        "items".into(),
        MigrationType::Simple,
        items.into_sql_str(),
        false,
    )])
}
