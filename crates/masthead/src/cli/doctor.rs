//! Arguments of `masthead doctor`.

use std::time::Duration;

use clap::{Args, builder::BoolishValueParser};

use super::{AccessArgs, access::server_url, prometheus_duration};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The server to look at.
    #[arg(value_name = "URL", env = "MASTHEAD_URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url)]
    pub url: url::Url,

    /// A server that follows no cluster is wrong too.
    #[arg(long = "kubernetes", env = "MASTHEAD_DOCTOR_KUBERNETES")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub kubernetes: bool,

    /// Print everything as JSON.
    #[arg(long = "json", env = "MASTHEAD_DOCTOR_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,

    /// What samples and lines may be old and still count as fresh, such as `5m`.
    #[arg(long = "fresh", value_name = "DURATION", env = "MASTHEAD_DOCTOR_FRESH")]
    #[arg(default_value = "5m", value_parser = prometheus_duration)]
    pub fresh: Duration,

    #[command(flatten)]
    pub access: AccessArgs,
}
