//! A PostgreSQL server for the tests: the one at `TEST_POSTGRES_URL`, else a private one.
//!
//! The private server lives in a temporary directory, on a loopback port, without disk syncs. A shell
//! holds it: when this process ends, however it ends, the shell reads the end of its input,
//! stops the server by its pid and removes the directory.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    sync::OnceCell,
    time::{sleep, timeout},
};
use uuid::Uuid;

/// Longest wait for a server to answer.
const START: Duration = Duration::from_secs(30);

const HOLD: &str = r#"
set -eu
dir=$(mktemp -d)
"$1/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1
"$1/postgres" -D "$dir/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off -c shared_buffers=16MB >>"$dir/log" 2>&1 &
pid=$!
echo "$pid"
read -r _ || :
kill -INT "$pid"
wait "$pid" || :
rm -rf "$dir"
"#;

/// An empty database.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    server: String,
    name: String,
}

struct Server {
    /// Without a database's name; ends in `/`.
    url: String,
    _holder: Option<Child>,
}

static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();

/// A new database; `None` when there is no server, which is said once on stderr.
pub(crate) async fn fresh_database() -> Option<TestDatabase> {
    let server = SERVER.get_or_init(find).await.as_ref()?;
    let name = format!("items_test_{}", Uuid::now_v7().simple());
    let url = format!("{}{name}", server.url);
    let database = TestDatabase { url, server: server.url.clone(), name };
    database.create().await;
    Some(database)
}

impl TestDatabase {
    pub(crate) async fn create(&self) {
        run(&self.server, format!("CREATE DATABASE {}", self.name)).await;
    }

    /// Ends every session in the database and removes it.
    pub(crate) async fn drop(&self) {
        run(&self.server, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
    }
}

async fn run(server: &str, statement: String) {
    let mut connection = PgConnection::connect(&format!("{server}postgres")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn find() -> Option<Server> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        let url = format!("{}/", url.trim_end_matches('/'));
        if answers(&url, Duration::from_secs(3)).await {
            return Some(Server { url, _holder: None });
        }
        say("nothing answers at TEST_POSTGRES_URL (postgres://USER:PASSWORD@HOST:PORT).");
    }
    let Some(bin) = programs() else {
        say("PostgreSQL tests are SKIPPED: no TEST_POSTGRES_URL, no initdb and postgres found.");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = as_user_of_postgres();
    let mut holder = command
        .args(["sh", "-c", HOLD, "sh", bin.to_str()?, &port.to_string()])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut pid = String::new();
    BufReader::new(holder.stdout.take()?).read_line(&mut pid).ok()?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/");
    let started = !pid.is_empty() && answers(&url, START).await;
    assert!(started, "PostgreSQL in {} did not start", bin.display());
    Some(Server { url, _holder: Some(holder) })
}

async fn answers(url: &str, within: Duration) -> bool {
    let connect = async {
        while PgConnection::connect(&format!("{url}postgres")).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(within, connect).await.is_ok()
}

/// The directory that holds both `initdb` and `postgres`; of several the last, the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::path::Path::new("/usr/lib/postgresql");
    #[expect(clippy::disallowed_methods, reason = "a test looks for a program")]
    let listed = std::fs::read_dir(versions).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = listed.map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.reverse();
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    found.into_iter().find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())
}

/// PostgreSQL refuses to run as root.
fn as_user_of_postgres() -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        command
    } else {
        Command::new("env")
    }
}

/// To the real stderr: what goes through `eprintln!` is hidden when tests pass.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
