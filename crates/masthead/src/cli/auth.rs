//! Arguments about who may come in: the flags of `serve`, and the commands that make secrets.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::prometheus_duration;

/// Who may come in to `serve`.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuthArgs {
    /// The administrator's name.
    #[arg(long = "auth.admin-user", value_name = "NAME", env = "MASTHEAD_AUTH_ADMIN_USER")]
    #[arg(default_value = "admin")]
    pub admin_user: String,

    /// The administrator's password or its argon2 hash; without any password or token, everybody
    /// may do everything.
    ///
    /// On the command line others on this machine can read it: prefer the variable or the file.
    #[arg(long = "auth.admin-password", value_name = "PASSWORD")]
    #[arg(env = "MASTHEAD_AUTH_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<SecretText>,

    /// A file that holds the administrator's password or its argon2 hash; seen when it changes.
    #[arg(long = "auth.admin-password-file", value_name = "FILE")]
    #[arg(env = "MASTHEAD_AUTH_ADMIN_PASSWORD_FILE", conflicts_with = "admin_password")]
    pub admin_password_file: Option<Utf8PathBuf>,

    /// A YAML file with more `users` and with `tokens`; seen when it changes.
    #[arg(id = "auth_file", long = "auth.file", value_name = "FILE", env = "MASTHEAD_AUTH_FILE")]
    pub file: Option<Utf8PathBuf>,

    /// How long a browser stays logged in.
    #[arg(long = "auth.session-lifetime", value_name = "DURATION", default_value = "24h")]
    #[arg(env = "MASTHEAD_AUTH_SESSION_LIFETIME", value_parser = prometheus_duration)]
    pub session_lifetime: Duration,

    /// Most wrong passwords a minute from one address; ten times as many from all together.
    #[arg(long = "auth.max-failures", value_name = "N", default_value_t = 10)]
    #[arg(env = "MASTHEAD_AUTH_MAX_FAILURES")]
    pub max_failures: u32,
}

/// A password: never printed.
#[derive(Clone)]
pub(crate) struct SecretText(String);

impl SecretText {
    /// The text; whoever calls this must not print it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

/// `masthead token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token: print it once, and its entry for the file of `--auth.file`.
    New(NewTokenArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NewTokenArgs {
    /// What it may do: `read` (ask), `write` (push), `admin` (everything); several by commas.
    #[arg(long, value_enum, required = true, value_delimiter = ',', value_name = "SCOPE,…")]
    #[arg(env = "MASTHEAD_TOKEN_SCOPE")]
    pub scope: Vec<ScopeName>,

    /// What it is for; shown in the log in place of a user.
    #[arg(long, value_name = "NAME", env = "MASTHEAD_TOKEN_NAME", default_value = "unnamed")]
    pub name: String,

    /// It is refused after this time, such as `90d`; without it, never.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_TOKEN_EXPIRES_IN")]
    #[arg(value_parser = prometheus_duration)]
    pub expires_in: Option<Duration>,
}

/// Scopes under their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeName {
    Read,
    Write,
    Admin,
}

/// How browsers and programs reach `serve`.
#[derive(Clone, Debug, Args)]
pub(crate) struct TlsArgs {
    /// Answer by TLS alone, with the certificate and its chain in this PEM file; seen when it
    /// changes.
    #[arg(
        id = "tls_cert",
        long = "tls.cert-file",
        value_name = "FILE",
        env = "MASTHEAD_TLS_CERT_FILE"
    )]
    pub cert: Option<Utf8PathBuf>,

    /// The PEM file with the private key of `--tls.cert-file`.
    #[arg(id = "tls_key", long = "tls.key-file", value_name = "FILE")]
    #[arg(env = "MASTHEAD_TLS_KEY_FILE")]
    pub key: Option<Utf8PathBuf>,

    /// Let in only who shows a certificate of one of the authorities in this PEM file.
    #[arg(
        id = "tls_client_ca",
        long = "tls.client-ca-file",
        value_name = "FILE",
        env = "MASTHEAD_TLS_CLIENT_CA_FILE"
    )]
    pub client_ca: Option<Utf8PathBuf>,
}
