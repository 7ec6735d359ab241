//! Arguments about logs: the limits of `serve`, and the command `logs`.

use std::{net::SocketAddr, time::Duration};

use clap::{ArgAction, Args};

use super::{Listen, ServerArgs, address_or_off, byte_size, duration, moment, prometheus_duration};

/// What `serve` does with logs.
#[derive(Debug, Clone, Args)]
pub(crate) struct LogsArgs {
    /// Where to listen too, for whoever expects Loki at its usual port; `off` for nowhere.
    ///
    /// Without it, at 127.0.0.1:3100 if that is free.
    #[arg(long, value_name = "ADDR:PORT|off", env = "MASTHEAD_LOKI_LISTEN")]
    #[arg(value_parser = address_or_off)]
    pub loki_listen: Option<Listen>,

    /// Lines older than this go, such as `7d`; `0` keeps them for ever.
    #[arg(
        id = "logs_retention_time",
        long = "logs.retention.time",
        value_name = "DURATION",
        default_value = "7d"
    )]
    #[arg(env = "MASTHEAD_LOGS_RETENTION_TIME", value_parser = prometheus_duration)]
    pub retention_time: Duration,

    /// The oldest blocks go while logs take more than this, such as `10GB`.
    #[arg(id = "logs_retention_size", long = "logs.retention.size", value_name = "SIZE")]
    #[arg(env = "MASTHEAD_LOGS_RETENTION_SIZE", value_parser = byte_size)]
    pub retention_size: Option<u64>,

    /// How far behind the newest line of its stream a line may be and still be taken.
    #[arg(
        id = "logs_out_of_order_window",
        long = "logs.out-of-order-window",
        value_name = "DURATION",
        default_value = "1h"
    )]
    #[arg(env = "MASTHEAD_LOGS_OUT_OF_ORDER_WINDOW", value_parser = prometheus_duration)]
    pub out_of_order_window: Duration,

    /// Lines older than this are refused when they are pushed; `0` for none.
    #[arg(long = "logs.max-age", value_name = "DURATION", default_value = "7d")]
    #[arg(env = "MASTHEAD_LOGS_MAX_AGE", value_parser = prometheus_duration)]
    pub max_age: Duration,

    /// Lines further ahead of the clock are refused.
    #[arg(long = "logs.max-ahead", value_name = "DURATION", default_value = "10m")]
    #[arg(env = "MASTHEAD_LOGS_MAX_AHEAD", value_parser = prometheus_duration)]
    pub max_ahead: Duration,

    /// Most streams with lines in memory; lines of more are refused.
    #[arg(long = "logs.max-streams", value_name = "N", default_value_t = 1_000_000)]
    #[arg(env = "MASTHEAD_LOGS_MAX_STREAMS")]
    pub max_streams: usize,

    /// Most bytes of one pushed line; longer ones are refused.
    #[arg(long = "logs.max-line-size", value_name = "SIZE", default_value = "256KB")]
    #[arg(env = "MASTHEAD_LOGS_MAX_LINE_SIZE", value_parser = byte_size)]
    pub max_line_size: u64,

    /// Most labels of one stream, the name of its service aside.
    #[arg(long = "logs.max-label-names", value_name = "N", default_value_t = 15)]
    #[arg(env = "MASTHEAD_LOGS_MAX_LABEL_NAMES")]
    pub max_label_names: usize,

    /// Most bytes of a label's name.
    #[arg(long = "logs.max-label-name-size", value_name = "SIZE", default_value = "1KB")]
    #[arg(env = "MASTHEAD_LOGS_MAX_LABEL_NAME_SIZE", value_parser = byte_size)]
    pub max_label_name_size: u64,

    /// Most bytes of a label's value.
    #[arg(long = "logs.max-label-value-size", value_name = "SIZE", default_value = "2KB")]
    #[arg(env = "MASTHEAD_LOGS_MAX_LABEL_VALUE_SIZE", value_parser = byte_size)]
    pub max_label_value_size: u64,

    /// Most bytes of one line's structured metadata.
    #[arg(long = "logs.max-metadata-size", value_name = "SIZE", default_value = "64KB")]
    #[arg(env = "MASTHEAD_LOGS_MAX_METADATA_SIZE", value_parser = byte_size)]
    pub max_metadata_size: u64,

    /// Most names of one line's structured metadata.
    #[arg(long = "logs.max-metadata-pairs", value_name = "N", default_value_t = 128)]
    #[arg(env = "MASTHEAD_LOGS_MAX_METADATA_PAIRS")]
    pub max_metadata_pairs: usize,

    /// Labels that name a stream's service, the first that is there; without it, Loki's list.
    #[arg(long = "logs.discover-service-name", value_name = "LABEL,…", value_delimiter = ',')]
    #[arg(env = "MASTHEAD_LOGS_DISCOVER_SERVICE_NAME")]
    pub discover_service_name: Option<Vec<String>>,

    /// Whether the level of a pushed line is found and kept with it as `detected_level`.
    #[arg(long = "logs.discover-levels", value_name = "BOOL", default_value_t = true)]
    #[arg(env = "MASTHEAD_LOGS_DISCOVER_LEVELS", action = ArgAction::Set)]
    pub discover_levels: bool,

    /// Most lines of one answer.
    #[arg(long = "logs.max-entries", value_name = "N", default_value_t = 5000)]
    #[arg(env = "MASTHEAD_LOGS_MAX_ENTRIES")]
    pub max_entries: usize,

    /// Most series of one answer.
    #[arg(long = "logs.max-query-series", value_name = "N", default_value_t = 500)]
    #[arg(env = "MASTHEAD_LOGS_MAX_QUERY_SERIES")]
    pub max_query_series: usize,

    /// The longest range of one query; `0` for any.
    #[arg(long = "logs.max-query-length", value_name = "DURATION", default_value = "30d1h")]
    #[arg(env = "MASTHEAD_LOGS_MAX_QUERY_LENGTH", value_parser = prometheus_duration)]
    pub max_query_length: Duration,

    /// Most bytes of label sets into which the lines of one query may fall.
    #[arg(long = "logs.query.max-label-bytes", value_name = "SIZE", default_value = "256MB")]
    #[arg(env = "MASTHEAD_LOGS_QUERY_MAX_LABEL_BYTES", value_parser = byte_size)]
    pub query_max_label_bytes: u64,

    /// Most connections that follow lines at one time.
    #[arg(long = "logs.max-tails", value_name = "N", default_value_t = 10)]
    #[arg(env = "MASTHEAD_LOGS_MAX_TAILS")]
    pub max_tails: usize,

    /// Most lines that are read to find patterns in them.
    #[arg(long = "logs.max-pattern-lines", value_name = "N", default_value_t = 100_000)]
    #[arg(env = "MASTHEAD_LOGS_MAX_PATTERN_LINES")]
    pub max_pattern_lines: usize,
}

/// The usual port of Loki.
pub(crate) const LOKI_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3100);

/// `masthead logs`
#[derive(Debug, Args)]
pub(crate) struct LogsCommandArgs {
    /// The LogQL expression.
    #[arg(env = "MASTHEAD_LOGS", value_name = "LOGQL")]
    pub query: String,

    /// From this long before `--to`, such as `1h`.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_LOGS_SINCE", default_value = "1h")]
    #[arg(value_parser = duration)]
    pub since: Duration,

    /// From this moment, as RFC 3339 or seconds since 1970; it wins over `--since`.
    #[arg(long, value_name = "TIME", env = "MASTHEAD_LOGS_FROM", value_parser = moment)]
    pub from: Option<f64>,

    /// Until this moment, as RFC 3339 or seconds since 1970; without it, now.
    #[arg(long, value_name = "TIME", env = "MASTHEAD_LOGS_TO", value_parser = moment)]
    pub to: Option<f64>,

    /// Most lines; the newest of them unless `--forward` is given.
    #[arg(long, value_name = "N", env = "MASTHEAD_LOGS_LIMIT", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,

    /// Begin with the oldest line of the range.
    #[arg(long, env = "MASTHEAD_LOGS_FORWARD")]
    #[arg(value_parser = clap::builder::BoolishValueParser::new())]
    pub forward: bool,

    /// Between two values of a query for numbers; without it, so that there are some 250 of them.
    #[arg(long, value_name = "DURATION", env = "MASTHEAD_LOGS_STEP", value_parser = duration)]
    pub step: Option<Duration>,

    /// Show new lines as they come, until Ctrl-C.
    #[arg(long, short, env = "MASTHEAD_LOGS_FOLLOW", conflicts_with_all = ["to", "forward"])]
    #[arg(value_parser = clap::builder::BoolishValueParser::new())]
    pub follow: bool,

    /// The form of the answer.
    #[arg(long, value_enum, env = "MASTHEAD_LOGS_FORMAT", default_value_t = LogsFormat::Pretty)]
    pub format: LogsFormat,

    #[command(flatten)]
    pub server: ServerArgs,
}

/// The forms of an answer to `masthead logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogsFormat {
    /// Time, level, labels and line, with colours on a terminal.
    Pretty,
    /// One JSON object a line: `timestamp`, `labels`, `line`.
    Json,
    /// The lines alone.
    Raw,
}
