//! The flags of `masthead collect`, most of which are those of `serve`.

use std::{ffi::OsString, net::SocketAddr};

use camino::Utf8PathBuf;
use clap::{Args, builder::BoolishValueParser};

use super::{ForwardArgs, kubernetes::http_url, values::address};

/// `masthead collect`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch")]
pub(crate) struct CollectArgs {
    /// Journals of what is not sent yet lie below this directory, made when missing.
    /// Without it, what the file says, else `data`.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DATA")]
    pub data: Option<Utf8PathBuf>,

    /// Where to listen: metrics, targets, readiness; samples may be pushed here too.
    ///
    /// Without it, what the file says, else 127.0.0.1:9080.
    #[arg(long, value_name = "ADDR:PORT", env = "MASTHEAD_LISTEN", value_parser = address)]
    pub listen: Option<SocketAddr>,

    /// Scrape, collect and forward what this masthead.yaml says; its storage is passed over.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_CONFIG")]
    pub config: Option<Utf8PathBuf>,

    /// Scrape what this prometheus.yml says, and forward to its `remote_write`.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_PROMETHEUS_CONFIG")]
    pub prometheus_config: Option<Utf8PathBuf>,

    /// Collect the log files that this configuration of Promtail's says, and push to its `clients`.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_PROMTAIL_CONFIG")]
    pub promtail_config: Option<Utf8PathBuf>,

    /// Replace `${NAME}` and `${NAME:default}` in `--promtail-config` by variables of the environment.
    #[arg(long = "promtail-config.expand-env", env = "MASTHEAD_PROMTAIL_CONFIG_EXPAND_ENV")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub promtail_expand_env: bool,

    /// Collect the logs of this node's containers from here, such as `/var/log/pods`.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_PODS_LOG_DIR")]
    pub pods_log_dir: Option<Utf8PathBuf>,

    /// Ask the API server of this cluster for the labels of the node's pods, for their lines.
    #[arg(long, env = "MASTHEAD_KUBERNETES", value_parser = BoolishValueParser::new())]
    pub kubernetes: bool,

    /// The API server; without it, that of the cluster that this process runs in.
    #[arg(long = "kubernetes.api-server", value_name = "URL")]
    #[arg(env = "MASTHEAD_KUBERNETES_API_SERVER", value_parser = http_url)]
    pub api_server: Option<String>,

    #[command(flatten)]
    pub forward: ForwardArgs,

    /// Leave out the metrics of this machine (job `node`).
    #[arg(long, env = "MASTHEAD_NO_HOST", value_parser = BoolishValueParser::new())]
    pub no_host: bool,

    /// Leave out the metrics of this collector (job `masthead`), and its log.
    #[arg(long, env = "MASTHEAD_NO_SELF", value_parser = BoolishValueParser::new())]
    pub no_self: bool,

    /// Leave out the log of this collector (`{app="masthead"}`), which goes to every Loki too.
    #[arg(long, env = "MASTHEAD_NO_SELF_LOGS", value_parser = BoolishValueParser::new())]
    pub no_self_logs: bool,

    /// Accept that anyone who reaches an address beyond loopback may read and write.
    #[arg(long, env = "MASTHEAD_INSECURE", value_parser = BoolishValueParser::new())]
    pub insecure: bool,

    /// Allow `POST /-/reload` and `POST /-/quit`.
    #[arg(long = "web.enable-lifecycle", env = "MASTHEAD_WEB_ENABLE_LIFECYCLE")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub enable_lifecycle: bool,

    /// `off`, `error`, `warn`, `info`, `debug`, `trace`, and directives such as `http=info`.
    ///
    /// Without it, what the file says, else `info,http=error`.
    #[arg(long = "log.level", value_name = "LEVEL", env = "MASTHEAD_LOG_LEVEL")]
    pub log_level: Option<String>,

    /// `json` or `pretty`; without it, pretty on a terminal.
    #[arg(long = "log.format", value_name = "FORMAT", env = "MASTHEAD_LOG_FORMAT")]
    pub log_format: Option<String>,
}

/// Where Promtail listens.
const LISTEN_DEFAULT: &str = "127.0.0.1:9080";

impl CollectArgs {
    /// The command line of a server that scrapes and collects the same, and listens at one address;
    /// `listens` if a file says where.
    pub(crate) fn as_serve(&self, listens: bool) -> Vec<OsString> {
        let mut words: Vec<OsString> = ["masthead", "serve"].map(Into::into).into();
        let mut flag = |name: &str, value: Option<&str>| {
            words.extend(value.map(|value| OsString::from(format!("--{name}={value}"))));
        };
        let listen = self.listen.map(|listen| listen.to_string());
        let listen = listen.or_else(|| (!listens).then(|| LISTEN_DEFAULT.to_owned()));
        let size = self.forward.journal_size.map(|size| size.to_string());
        let path = |path: &Option<Utf8PathBuf>| path.as_ref().map(|path| path.as_str().to_owned());
        flag("data", path(&self.data).as_deref());
        flag("listen", listen.as_deref());
        flag("prometheus-listen", Some("off"));
        flag("loki-listen", Some("off"));
        flag("config", path(&self.config).as_deref());
        flag("prometheus-config", path(&self.prometheus_config).as_deref());
        flag("promtail-config", path(&self.promtail_config).as_deref());
        flag("pods-log-dir", path(&self.pods_log_dir).as_deref());
        flag("kubernetes.api-server", self.api_server.as_deref());
        flag("forward.journal-size", size.as_deref());
        flag("log.level", self.log_level.as_deref());
        flag("log.format", self.log_format.as_deref());
        for url in &self.forward.remote_write {
            flag("remote-write", Some(url));
        }
        for url in &self.forward.loki {
            flag("loki", Some(url));
        }
        for (name, value) in &self.forward.external_labels {
            flag("external-label", Some(&format!("{name}={value}")));
        }
        let switches = [
            ("--no-host", self.no_host),
            ("--no-self", self.no_self),
            ("--no-self-logs", self.no_self_logs),
            ("--promtail-config.expand-env", self.promtail_expand_env),
            ("--kubernetes", self.kubernetes),
            ("--insecure", self.insecure),
            ("--web.enable-lifecycle", self.enable_lifecycle),
            // Whoever collects without a store means the clients of the file.
            ("--promtail-clients", self.promtail_config.is_some()),
        ];
        words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.into()));
        words
    }
}
