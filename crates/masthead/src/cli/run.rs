//! Arguments of `masthead run`.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;
use url::Url;

use super::{AccessArgs, access::server_url};

/// `masthead run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scrape this, `9464` or `http://127.0.0.1:9464/metrics`; without it, what listens is asked.
    #[arg(long, value_name = "URL|PORT", env = "MASTHEAD_RUN_METRICS", value_parser = metrics_url)]
    pub metrics: Option<http::Uri>,

    /// The service's name: the label `app` of its lines, the job of its metrics; without it, the
    /// program's.
    #[arg(long, value_name = "NAME", env = "MASTHEAD_RUN_NAME")]
    pub name: Option<String>,

    /// The label `namespace` of both.
    #[arg(long, value_name = "NS", env = "MASTHEAD_RUN_NAMESPACE", default_value = "default")]
    pub namespace: String,

    /// Keep everything in this directory (made when missing); without it, it is gone at the end.
    /// With `--url`, what could not be sent waits there for the next time.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DATA")]
    pub data: Option<PathBuf>,

    /// The port of the dashboards on loopback; when it is taken, or 0, any free one.
    #[arg(long, value_name = "PORT", env = "MASTHEAD_RUN_PORT", default_value_t = 3000)]
    pub port: u16,

    /// Keep nothing here: send lines and samples to this Masthead, such as `http://db:3000`.
    #[arg(long, value_name = "URL", env = "MASTHEAD_RUN_URL", value_parser = server_url)]
    pub url: Option<Url>,

    /// In place of `--url`: push lines to this Loki, such as `http://loki:3100/loki/api/v1/push`.
    #[arg(long, value_name = "URL", env = "MASTHEAD_RUN_LOKI", value_parser = server_url)]
    #[arg(conflicts_with = "url", requires = "remote_write", hide_env_values = true)]
    pub loki: Option<Url>,

    /// In place of `--url`: write samples here, such as `http://mimir:9009/api/v1/push`.
    #[arg(long, value_name = "URL", env = "MASTHEAD_RUN_REMOTE_WRITE", value_parser = server_url)]
    #[arg(conflicts_with = "url", requires = "loki", hide_env_values = true)]
    pub remote_write: Option<Url>,

    #[command(flatten)]
    pub access: AccessArgs,

    /// The program and its arguments.
    #[arg(value_name = "COMMAND", env = "MASTHEAD_RUN_COMMAND", required = true, last = true)]
    pub command: Vec<OsString>,
}

fn metrics_url(text: &str) -> Result<http::Uri, String> {
    let example = "write it like 9464 or http://127.0.0.1:9464/metrics";
    let url = match text.parse::<u16>() {
        Ok(port) if port > 0 => format!("http://127.0.0.1:{port}/metrics"),
        Ok(_) => return Err(example.to_owned()),
        Err(_) => text.to_owned(),
    };
    let url: http::Uri = url.parse().map_err(|_| example.to_owned())?;
    let known = matches!(url.scheme_str(), Some("http" | "https"));
    if known && url.authority().is_some() { Ok(url) } else { Err(example.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_a_port_or_an_address() {
        let f = |text: &str, want: Option<&str>| {
            let got = metrics_url(text).ok().map(|url| url.to_string());
            assert_eq!(got.as_deref(), want, "{text:?}");
        };
        f("9464", Some("http://127.0.0.1:9464/metrics"));
        f("https://here:1/m?a=b", Some("https://here:1/m?a=b"));
        f("0", None);
        f("70000", None);
        f("here:1/m", None);
        f("ftp://here/", None);
    }
}
