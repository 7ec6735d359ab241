//! The command line: every command, flag, environment variable and exit code.
//!
//! It only describes and parses; it never looks at the file system or the network. Every flag has
//! an environment variable that starts with `MASTHEAD_`; a flag given on the command line wins.

use std::{collections::BTreeSet, ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use camino::Utf8PathBuf;
use clap::{Args, CommandFactory as _, Parser, Subcommand, builder::BoolishValueParser};

mod access;
mod auth;
mod backfill;
mod check;
mod collect;
mod doctor;
mod forward;
mod kubernetes;
mod logs;
mod rules;
mod run;
mod values;

pub(crate) use access::{AccessArgs, ServerArgs};
pub(crate) use auth::{
    AuthArgs, NewTokenArgs, ScopeName, SecretText, TlsArgs, TokenArgs, TokenCommand,
};
pub(crate) use backfill::{
    ExportArgs, ExportFormat, ImportArgs, ImportFormat, SelectionArgs, Source,
};
pub(crate) use check::{CheckArgs, CheckCommand, CheckConfigArgs, CheckDashboardsArgs, ConfigKind};
pub(crate) use collect::CollectArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use forward::ForwardArgs;
pub(crate) use kubernetes::KubernetesArgs;
pub(crate) use logs::{LOKI_DEFAULT, LogsArgs, LogsCommandArgs, LogsFormat};
pub(crate) use rules::{CheckRulesArgs, RulesArgs, TestArgs, TestCommand, TestRulesArgs};
pub(crate) use run::RunArgs;
pub(crate) use values::Listen;

use values::{address, address_or_off, byte_size, duration, moment, prometheus_duration, rate};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or ended by Ctrl-C or SIGTERM
  1  failed: what and why is on stderr
  2  wrong usage or configuration: nothing was started";

/// The observability stack of an application in one binary.
#[derive(Debug, Parser)]
#[command(name = "masthead", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// One variant per file of `commands/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole stack and, for it to watch, the items API under light traffic.
    #[command(after_help = EXIT_CODES)]
    Demo(DemoArgs),
    /// Run a command with the stack around it: its output is collected, its metrics are scraped.
    ///
    /// Its exit code is ours: 126 and 127 when it cannot be executed or is not found, 128 and the
    /// signal's number when a signal ended it.
    Run(Box<RunArgs>),
    /// Keep metrics and logs, and answer PromQL and LogQL over the APIs of Prometheus and Loki.
    #[command(after_help = EXIT_CODES)]
    Serve(Box<ServeArgs>),
    /// Say what is wrong with a file, without starting anything.
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Scrape and collect, and keep nothing: samples go by remote write, lines to a Loki.
    #[command(after_help = EXIT_CODES)]
    Collect(Box<CollectArgs>),
    /// Ask a server that speaks Prometheus' HTTP API a PromQL question.
    #[command(after_help = EXIT_CODES)]
    Query(QueryArgs),
    /// Bring history into a store that no server has open: OpenMetrics text, Prometheus blocks.
    #[command(after_help = EXIT_CODES)]
    Import(ImportArgs),
    /// Write what a store or a server has as OpenMetrics text or Parquet.
    #[command(after_help = EXIT_CODES)]
    Export(ExportArgs),
    /// Walk the whole chain of a running server: what is broken, and what to change.
    #[command(after_help = EXIT_CODES)]
    Doctor(DoctorArgs),
    /// Ask a server that speaks Loki's HTTP API a LogQL question, or follow its lines.
    #[command(after_help = EXIT_CODES)]
    Logs(LogsCommandArgs),
    /// Run tests of what a server would do.
    #[command(after_help = EXIT_CODES)]
    Test(TestArgs),
    /// Make tokens for programs that ask or push.
    #[command(after_help = EXIT_CODES)]
    Token(TokenArgs),
    /// Print the argon2 hash of the password on stdin, for `password_hash` and `admin_password`.
    #[command(after_help = EXIT_CODES)]
    HashPassword,
    /// Become another program that ends when its parent does (see `child.rs`).
    #[command(name = crate::child::TIED_COMMAND, hide = true)]
    ExecTied(ExecTiedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Keep everything in this directory (made when missing); without it, it is gone at the end.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DATA")]
    pub data: Option<PathBuf>,

    /// End after this time, such as `20s` or `1h 30m`; without it the demo runs until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", env = "MASTHEAD_DEMO_FOR", value_parser = duration)]
    pub run_for: Option<Duration>,

    /// At the end, compare traffic, metrics and logs, and what the stores have of them, and let the
    /// doctor look; exit 1 when they disagree or something is broken.
    ///
    /// Send no requests of your own meanwhile: they would be counted too.
    #[arg(long, env = "MASTHEAD_DEMO_CHECK", value_parser = BoolishValueParser::new())]
    pub check: bool,

    /// Mean request rate, such as `5` or `0.5/s`; above 0, at most 1000.
    #[arg(long, value_name = "N/s", env = "MASTHEAD_DEMO_RATE", default_value = "5/s")]
    #[arg(value_parser = rate)]
    pub rate: f64,

    /// Between two summaries of the metrics.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_DEMO_SUMMARY_EVERY")]
    #[arg(default_value = "10s", value_parser = duration)]
    pub summary_every: Duration,

    /// Seed of the traffic, printed at start: the same seed gives the same choices again.
    #[arg(long, value_name = "N", env = "MASTHEAD_DEMO_SEED")]
    pub seed: Option<u32>,

    /// The API's port on loopback; when it is taken, or 0, any free one.
    #[arg(long, value_name = "PORT", env = "MASTHEAD_DEMO_API_PORT", default_value_t = 8000)]
    pub api_port: u16,

    /// The port of the API's metrics on loopback; when it is taken, or 0, any free one.
    #[arg(long, value_name = "PORT", env = "MASTHEAD_DEMO_METRICS_PORT", default_value_t = 9464)]
    pub metrics_port: u16,

    /// The port of the dashboards on loopback; when it is taken, or 0, any free one.
    #[arg(long, value_name = "PORT", env = "MASTHEAD_DEMO_PORT", default_value_t = 3000)]
    pub port: u16,

    /// Between two scrapes of the API.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_DEMO_SCRAPE_EVERY")]
    #[arg(default_value = "5s", value_parser = duration)]
    pub scrape_every: Duration,

    /// The items API's program; without it, `items-api` beside this program.
    #[arg(long, value_name = "PATH", env = "MASTHEAD_ITEMS_API")]
    pub items_api: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch")]
pub(crate) struct ServeArgs {
    /// Read settings, what to scrape and what to collect from this masthead.yaml.
    ///
    /// What it says of scraping and collecting is read again on SIGHUP and `POST /-/reload`.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_CONFIG")]
    pub config: Option<Utf8PathBuf>,

    /// Read all configuration, say what is wrong with it, and end: 0 when nothing is, else 2.
    #[arg(long, env = "MASTHEAD_CHECK_CONFIG", value_parser = BoolishValueParser::new())]
    pub check_config: bool,

    /// Everything that is kept lies below this directory, made when missing.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DATA", default_value = "data")]
    #[arg(alias = "storage.tsdb.path")]
    pub data: Utf8PathBuf,

    /// Where to listen; `:3000` is every address of this machine.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3000")]
    #[arg(env = "MASTHEAD_LISTEN", alias = "web.listen-address", value_parser = address)]
    pub listen: SocketAddr,

    /// Where to listen too, for whoever expects Prometheus at its usual port; `off` for nowhere.
    ///
    /// Without it, at 127.0.0.1:9090 if that is free.
    #[arg(long, value_name = "ADDR:PORT|off", env = "MASTHEAD_PROMETHEUS_LISTEN")]
    #[arg(value_parser = address_or_off)]
    pub prometheus_listen: Option<Listen>,

    /// Scrape what this prometheus.yml says; read again on SIGHUP and `POST /-/reload`.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_PROMETHEUS_CONFIG", alias = "config.file")]
    pub prometheus_config: Option<Utf8PathBuf>,

    /// Collect the log files that this promtail.yaml says; read again as the other.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_PROMTAIL_CONFIG")]
    pub promtail_config: Option<Utf8PathBuf>,

    /// Replace `${NAME}` and `${NAME:default}` in `--promtail-config` by variables of the environment.
    #[arg(long = "promtail-config.expand-env", env = "MASTHEAD_PROMTAIL_CONFIG_EXPAND_ENV")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub promtail_expand_env: bool,

    /// Push what is collected to the `clients` of `--promtail-config` too.
    #[arg(long, env = "MASTHEAD_PROMTAIL_CLIENTS", value_parser = BoolishValueParser::new())]
    pub promtail_clients: bool,

    /// Collect the logs of this node's containers from here, such as `/var/log/pods`.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_PODS_LOG_DIR")]
    pub pods_log_dir: Option<Utf8PathBuf>,

    #[command(flatten)]
    pub forward: ForwardArgs,

    /// Show the dashboards (Grafana's JSON) in this folder and the folders below it; changed files
    /// are seen without a restart.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DASHBOARDS")]
    pub dashboards: Option<Utf8PathBuf>,

    /// Leave out the metrics of this machine (job `node`).
    #[arg(long, env = "MASTHEAD_NO_HOST", value_parser = BoolishValueParser::new())]
    pub no_host: bool,

    /// Leave out the metrics of this server (job `masthead`), and its log.
    #[arg(long, env = "MASTHEAD_NO_SELF", value_parser = BoolishValueParser::new())]
    pub no_self: bool,

    /// Leave out the log of this server (`{app="masthead"}`), which its store keeps too.
    #[arg(long, env = "MASTHEAD_NO_SELF_LOGS", value_parser = BoolishValueParser::new())]
    pub no_self_logs: bool,

    #[command(flatten)]
    pub auth: AuthArgs,

    #[command(flatten)]
    pub tls: TlsArgs,

    /// Accept that, without any password, anyone who reaches an address beyond loopback may read,
    /// write and delete.
    #[arg(long, env = "MASTHEAD_INSECURE", value_parser = BoolishValueParser::new())]
    pub insecure: bool,

    /// Samples older than this go, such as `15d`; `0` keeps them for ever.
    #[arg(long = "storage.retention.time", value_name = "DURATION", default_value = "15d")]
    #[arg(env = "MASTHEAD_STORAGE_RETENTION_TIME", value_parser = prometheus_duration)]
    #[arg(alias = "storage.tsdb.retention.time")]
    pub retention_time: Duration,

    /// The oldest blocks go while metrics take more than this, such as `10GB`.
    #[arg(long = "storage.retention.size", value_name = "SIZE")]
    #[arg(env = "MASTHEAD_STORAGE_RETENTION_SIZE", value_parser = byte_size)]
    #[arg(alias = "storage.tsdb.retention.size")]
    pub retention_size: Option<u64>,

    /// How much older than the newest a sample may be and still be taken; `0` for not at all.
    #[arg(long = "storage.out-of-order-window", value_name = "DURATION", default_value = "30m")]
    #[arg(env = "MASTHEAD_STORAGE_OUT_OF_ORDER_WINDOW", value_parser = prometheus_duration)]
    pub out_of_order_window: Duration,

    /// What a loss of power may cost: the journal is synced this often; `0` before every answer.
    #[arg(long = "storage.sync-interval", value_name = "DURATION", default_value = "200ms")]
    #[arg(env = "MASTHEAD_STORAGE_SYNC_INTERVAL", value_parser = prometheus_duration)]
    pub sync_interval: Duration,

    /// Most series that may be written to at one time; more are refused.
    #[arg(long = "storage.max-series", value_name = "N", default_value_t = 20_000_000)]
    #[arg(env = "MASTHEAD_STORAGE_MAX_SERIES")]
    pub max_series: usize,

    #[command(flatten)]
    pub kubernetes: KubernetesArgs,

    #[command(flatten)]
    pub logs: LogsArgs,

    #[command(flatten)]
    pub rules: RulesArgs,

    /// How far back an instant selector looks for a sample.
    #[arg(long = "query.lookback-delta", value_name = "DURATION", default_value = "5m")]
    #[arg(env = "MASTHEAD_QUERY_LOOKBACK_DELTA", value_parser = prometheus_duration)]
    pub lookback_delta: Duration,

    /// The longest that a query may take, waiting included.
    #[arg(long = "query.timeout", value_name = "DURATION", default_value = "2m")]
    #[arg(env = "MASTHEAD_QUERY_TIMEOUT", value_parser = prometheus_duration)]
    pub query_timeout: Duration,

    /// Most samples that one query may touch.
    #[arg(long = "query.max-samples", value_name = "N", default_value_t = 50_000_000)]
    #[arg(env = "MASTHEAD_QUERY_MAX_SAMPLES")]
    pub query_max_samples: u64,

    /// Most queries that run at one time.
    #[arg(long = "query.max-concurrency", value_name = "N", default_value_t = 20)]
    #[arg(env = "MASTHEAD_QUERY_MAX_CONCURRENCY")]
    pub query_max_concurrency: usize,

    /// Most queries that wait for a place; more are refused.
    #[arg(long = "query.max-queue", value_name = "N", default_value_t = 200)]
    #[arg(env = "MASTHEAD_QUERY_MAX_QUEUE")]
    pub query_max_queue: usize,

    /// Most bytes of a pushed body as it is sent.
    #[arg(long = "web.max-body-size", value_name = "SIZE", default_value = "16MB")]
    #[arg(env = "MASTHEAD_WEB_MAX_BODY_SIZE", value_parser = byte_size)]
    pub max_body_size: u64,

    /// Most bytes of a pushed body once it is decompressed.
    #[arg(long = "web.max-decompressed-size", value_name = "SIZE", default_value = "64MB")]
    #[arg(env = "MASTHEAD_WEB_MAX_DECOMPRESSED_SIZE", value_parser = byte_size)]
    pub max_decompressed_size: u64,

    /// Most bytes of all pushed bodies that are held at one time.
    #[arg(long = "web.max-inflight-bytes", value_name = "SIZE", default_value = "128MB")]
    #[arg(env = "MASTHEAD_WEB_MAX_INFLIGHT_BYTES", value_parser = byte_size)]
    pub max_inflight_bytes: u64,

    /// Most bytes of a form, which queries are sent in.
    #[arg(long = "web.max-form-size", value_name = "SIZE", default_value = "10MB")]
    #[arg(env = "MASTHEAD_WEB_MAX_FORM_SIZE", value_parser = byte_size)]
    pub max_form_size: u64,

    /// Most pushed bodies that are decoded and stored at one time.
    #[arg(long = "web.max-concurrent-writes", value_name = "N", default_value_t = 8)]
    #[arg(env = "MASTHEAD_WEB_MAX_CONCURRENT_WRITES")]
    pub max_concurrent_writes: usize,

    /// The longest that a client may take for one piece of a body or of an answer.
    #[arg(long = "web.stall-timeout", value_name = "DURATION", default_value = "30s")]
    #[arg(env = "MASTHEAD_WEB_STALL_TIMEOUT", value_parser = prometheus_duration)]
    pub stall_timeout: Duration,

    /// Most connections that are open at one time; more are refused.
    #[arg(long = "web.max-connections", value_name = "N", default_value_t = 512)]
    #[arg(env = "MASTHEAD_WEB_MAX_CONNECTIONS")]
    pub max_connections: usize,

    /// The longest that a client may take for the head of a request, and be silent between two.
    #[arg(long = "web.header-timeout", value_name = "DURATION", default_value = "30s")]
    #[arg(env = "MASTHEAD_WEB_HEADER_TIMEOUT", value_parser = duration)]
    pub header_timeout: Duration,

    /// Origins whose scripts may call the API, as a regular expression.
    #[arg(long = "web.cors.origin", value_name = "REGEX", default_value = CORS_ORIGIN_DEFAULT)]
    #[arg(env = "MASTHEAD_WEB_CORS_ORIGIN")]
    pub cors_origin: String,

    /// Allow `/api/v1/admin/…` and `/loki/api/v1/delete`: deleting series and lines, snapshots.
    #[arg(long = "web.enable-admin-api", env = "MASTHEAD_WEB_ENABLE_ADMIN_API")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub enable_admin_api: bool,

    /// Allow `POST /-/reload`.
    #[arg(long = "web.enable-lifecycle", env = "MASTHEAD_WEB_ENABLE_LIFECYCLE")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub enable_lifecycle: bool,

    /// Experimental parts of PromQL, separated by commas.
    #[arg(long = "enable-feature", value_name = "NAME,…", env = "MASTHEAD_ENABLE_FEATURE")]
    #[arg(value_enum, value_delimiter = ',')]
    pub enable_feature: Vec<Feature>,

    /// `off`, `error`, `warn`, `info`, `debug`, `trace`, and directives such as `http=info`.
    #[arg(long = "log.level", value_name = "LEVEL", env = "MASTHEAD_LOG_LEVEL")]
    #[arg(default_value = "info,http=error")]
    pub log_level: String,

    /// `json` or `pretty`; without it, pretty on a terminal.
    #[arg(long = "log.format", value_name = "FORMAT", env = "MASTHEAD_LOG_FORMAT")]
    pub log_format: Option<String>,
}

/// Every origin, as upstream has it.
pub(crate) const CORS_ORIGIN_DEFAULT: &str = ".*";

/// Experimental parts of PromQL, under upstream's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Feature {
    PromqlExperimentalFunctions,
    PromqlDurationExpr,
    PromqlExtendedRangeSelectors,
    PromqlBinopFillModifiers,
    PromqlDelayedNameRemoval,
    TypeAndUnitLabels,
    UseStartTimestamps,
}

/// An expression may begin with a sign, but two are more likely a flag that is written wrong.
fn expression(text: &str) -> Result<String, String> {
    if text.starts_with("--") {
        return Err(format!(
            "there is no flag {text}; an expression with two signs goes into brackets"
        ));
    }
    Ok(text.to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The PromQL expression.
    #[arg(env = "MASTHEAD_QUERY", value_name = "EXPR")]
    #[arg(allow_hyphen_values = true, value_parser = expression)]
    pub expr: String,

    /// Over this long until `--time`, such as `1h`; without it, one value at that moment.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_QUERY_RANGE", value_parser = duration)]
    pub range: Option<Duration>,

    /// Between two values of a range; without it, so that there are some 250 of them.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_QUERY_STEP", value_parser = duration)]
    #[arg(requires = "range")]
    pub step: Option<Duration>,

    /// The moment, as RFC 3339 or seconds since 1970; without it, now.
    #[arg(long, value_name = "TIME", env = "MASTHEAD_QUERY_TIME", value_parser = moment)]
    pub time: Option<f64>,

    /// The form of the answer; without it, a graph for a range on a terminal, else a table.
    #[arg(long, value_enum, env = "MASTHEAD_QUERY_FORMAT")]
    pub format: Option<QueryFormat>,

    #[command(flatten)]
    pub server: ServerArgs,
}

/// The forms of an answer to `masthead query`; one file each below `commands/query/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum QueryFormat {
    /// Aligned columns, one series or one sample a line.
    Table,
    /// The server's answer as it is.
    Json,
    /// One sample a line, one column for each label.
    Csv,
    /// Lines drawn in the terminal.
    Graph,
}

#[derive(Debug, Args)]
pub(crate) struct ExecTiedArgs {
    /// Process id of the parent to end with.
    #[arg(long)]
    pub parent: i32,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<OsString>,
}

/// The variables of flags that hold secrets: those whose values help does not show either.
pub(crate) fn secret_variables() -> BTreeSet<OsString> {
    let mut found = BTreeSet::new();
    let mut left = vec![Cli::command()];
    while let Some(command) = left.pop() {
        let secret = command.get_arguments().filter(|flag| flag.is_hide_env_values_set());
        found.extend(secret.filter_map(|flag| flag.get_env().map(OsString::from)));
        left.extend(command.get_subcommands().cloned());
    }
    found
}

/// What the user asked for cannot be started as it stands; `main` turns it into exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

#[cfg(test)]
mod tests;
