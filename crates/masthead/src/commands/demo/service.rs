//! The items API as the demo runs it: where its program is, its settings, its addresses.
//!
//! The demo chooses every variable that the demo's promises rest on; others pass through from the
//! environment. The addresses come from the service's own log, so that port 0 works.

use std::{
    ffi::OsString,
    fmt::Write as _,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{net::TcpSocket, process::Command};

use super::log_line::LogLine;
use crate::{child, cli::UsageError, terminal};

/// Given to the service as `SHUTDOWN_GRACE`.
const GRACE: Duration = Duration::from_secs(10);
/// How long the service may take beyond its own grace before it is killed.
pub(super) const STOP_TIME_MAX: Duration = GRACE.saturating_add(Duration::from_secs(2));

/// Where the items are kept.
#[derive(Debug)]
pub(super) enum Data {
    Kept(PathBuf),
    /// Removed when dropped.
    Temporary(tempfile::TempDir),
}

/// Where the service is told to listen; port 0 is any free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    api: SocketAddr,
    metrics: SocketAddr,
}

/// Where the running service listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub api: SocketAddr,
    pub metrics: SocketAddr,
}

/// Collects [`Addresses`] from log lines.
#[derive(Debug, Default)]
pub(super) struct AddressFinder {
    api: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
}

impl Data {
    /// The directory `wanted`, made when missing; without it, a temporary one.
    ///
    /// # Errors
    /// A [`UsageError`] when it cannot be used as a directory or its path is not UTF-8.
    pub(super) async fn open(wanted: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(wanted) = wanted else {
            let directory = tempfile::Builder::new().prefix("masthead-demo-").tempdir();
            return Ok(Self::Temporary(directory.context("cannot make a temporary directory")?));
        };
        let usage = |why: &dyn std::fmt::Display| {
            UsageError(format!(
                "--data {}: {why}; give a directory that can be written to",
                wanted.display()
            ))
        };
        tokio::fs::create_dir_all(&wanted).await.map_err(|error| usage(&error))?;
        let path = tokio::fs::canonicalize(&wanted).await.map_err(|error| usage(&error))?;
        path.to_str().ok_or_else(|| usage(&"the path is not UTF-8"))?;
        Ok(Self::Kept(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }

    /// The address of the database inside, as sqlx reads it: the path is percent-decoded there.
    fn database_url(&self) -> String {
        let mut url = "sqlite://".to_owned();
        for byte in self.path().join("items.db").to_string_lossy().bytes() {
            if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
                url.push(byte.into());
            } else {
                // Writing to a String cannot fail.
                write!(url, "%{byte:02X}").ok();
            }
        }
        url + "?mode=rwc"
    }
}

/// The service's program: `wanted`, or `items-api` beside this program.
///
/// # Errors
/// A [`UsageError`] when there is no such file.
pub(super) fn find_program(wanted: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let program = match wanted {
        Some(path) => path,
        None => std::env::current_exe()
            .context("cannot tell where this program is")?
            .with_file_name(format!("items-api{}", std::env::consts::EXE_SUFFIX)),
    };
    if !program.is_file() {
        let text = format!(
            "no items API at {}: build it with `cargo build -p items-api` and the profile of this \
             program, or give its path with --items-api",
            program.display()
        );
        return Err(UsageError(text).into());
    }
    // A bare name would be looked for in PATH.
    std::path::absolute(&program).with_context(|| format!("cannot use {}", program.display()))
}

/// The command that starts the service on `data`, to listen on `ports`.
pub(super) fn command(program: &Path, data: &Data, ports: &Ports) -> Command {
    let mut command = child::tied(program.as_os_str());
    command.envs(variables(data, ports));
    command
}

fn variables(data: &Data, ports: &Ports) -> [(&'static str, OsString); 8] {
    [
        ("LISTEN_ADDR", ports.api.to_string().into()),
        ("METRICS_ADDR", ports.metrics.to_string().into()),
        ("DATABASE_URL", data.database_url().into()),
        ("DEMO_FAULTS", "1".into()),
        ("LOG_FORMAT", "json".into()),
        ("LOG_LEVEL", "info".into()),
        // Nothing balances load before the demo, so there is nobody to wait for.
        ("SHUTDOWN_DELAY", "0s".into()),
        ("SHUTDOWN_GRACE", format!("{}s", GRACE.as_secs()).into()),
    ]
}

impl Ports {
    /// These ports of loopback; nobody else is to reach a service with faults to order.
    pub(super) fn loopback(api: u16, metrics: u16) -> Self {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { api: at(api), metrics: at(metrics) }
    }

    /// Gives up, with a word to the user, what is taken by now; false when nothing was.
    ///
    /// Between this look and the service's start another process may take a port. Then the service
    /// ends early, and another call tells whether that was why.
    pub(super) fn give_way(&mut self) -> bool {
        let api = give_way(&mut self.api, "API");
        let metrics = give_way(&mut self.metrics, "metrics");
        api || metrics
    }
}

/// Gives up a port that is taken, with a word to the user about `what` was to be there.
pub(super) fn give_way(wanted: &mut SocketAddr, what: &str) -> bool {
    let Err(error) = look(*wanted) else { return false };
    let port = wanted.port();
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "is taken".to_owned(),
        _ => format!("cannot be used ({error})"),
    };
    // Port 0 is any free port. Where not even that can be bound, the service says why.
    wanted.set_port(0);
    if port != 0 {
        terminal::say(&format!("Port {port} {why}: the {what} will be on a free one instead."));
    }
    port != 0
}

/// Binds without listening: that fails on a port with a listener, and on no other; and unlike
/// listening for a moment, it keeps nobody else from the port meanwhile.
fn look(address: SocketAddr) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)
}

impl AddressFinder {
    /// Looks at the next line of the log; says the addresses once both are known.
    pub(super) fn look(&mut self, line: &LogLine) -> Option<Addresses> {
        let address = |field: &str| line.text(field).parse::<SocketAddr>().ok();
        self.api = self.api.or(address("listen_addr"));
        self.metrics = self.metrics.or(address("metrics_addr"));
        Some(Addresses { api: self.api?, metrics: self.metrics? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_database_is_addressed_whatever_its_directory_is_called() {
        let f = |directory: &str, want: &str| {
            let data = Data::Kept(PathBuf::from(directory));
            assert_eq!(data.database_url(), want);
        };
        f("/a/b-c", "sqlite:///a/b-c/items.db?mode=rwc");
        f("/a b/c?d#e%", "sqlite:///a%20b/c%3Fd%23e%25/items.db?mode=rwc");
        f("/:memory:/ü", "sqlite:///%3Amemory%3A/%C3%BC/items.db?mode=rwc");
    }

    #[tokio::test]
    async fn a_directory_is_made_and_kept_or_made_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let wanted = root.path().join("a/b");
        drop(Data::open(Some(wanted.clone())).await.unwrap());
        assert!(wanted.is_dir());

        let data = Data::open(None).await.unwrap();
        let path = data.path().to_owned();
        assert!(path.is_dir());
        drop(data);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_is_no_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Data::open(Some(file.path().to_owned())).await.unwrap_err();
        assert!(error.is::<UsageError>(), "{error:?}");
        assert!(error.to_string().starts_with("--data "), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_a_usage_error() {
        let error = find_program(Some("/nowhere/items-api".into())).unwrap_err();
        assert!(error.is::<UsageError>(), "{error:?}");
        assert!(error.to_string().contains("/nowhere/items-api"), "{error}");
        assert!(find_program(Some("Cargo.toml".into())).unwrap().is_absolute());
    }

    #[test]
    fn a_taken_port_gives_way_to_any_and_does_so_once() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ports = Ports::loopback(taken.local_addr().unwrap().port(), 0);
        assert!(ports.give_way());
        assert_eq!(ports.api.to_string(), "127.0.0.1:0");
        assert!(!ports.give_way());

        let free = taken.local_addr().unwrap();
        drop(taken);
        ports.metrics = free;
        assert!(!ports.give_way());
        assert_eq!(ports.metrics, free);
    }

    #[test]
    fn addresses_are_known_once_both_were_logged() {
        let mut finder = AddressFinder::default();
        let mut look = |text: &str| finder.look(&LogLine::parse(text).unwrap());
        assert_eq!(look(r#"{"message":"x","listen_addr":"nonsense"}"#), None);
        assert_eq!(look(r#"{"message":"x","listen_addr":"127.0.0.1:41"}"#), None);
        let addresses = look(r#"{"message":"x","metrics_addr":"127.0.0.1:42"}"#).unwrap();
        assert_eq!((addresses.api.port(), addresses.metrics.port()), (41, 42));
    }
}
