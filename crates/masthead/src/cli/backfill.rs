//! Flags of `masthead import` and `masthead export`.

use camino::Utf8PathBuf;
use clap::{
    ArgMatches, Args, Command, FromArgMatches, ValueEnum, error::ErrorKind, parser::ValueSource,
};
use masthead_model::{Matcher, Millis};

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// What is imported.
    #[arg(value_name = "FORMAT", env = "MASTHEAD_IMPORT_FORMAT", value_enum)]
    pub format: ImportFormat,

    /// A file or `-` for stdin; for `prometheus`, a data directory or one block of it.
    #[arg(value_name = "FILE|DIR", env = "MASTHEAD_IMPORT_SOURCE")]
    pub source: Utf8PathBuf,

    /// The data directory of the server, made when missing; no server may have it open.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DATA")]
    pub data: Utf8PathBuf,

    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Memory in which OpenMetrics text is sorted; more than that goes over the disk.
    #[arg(long, value_name = "SIZE", env = "MASTHEAD_IMPORT_SORT_MEMORY", default_value = "256MB")]
    #[arg(value_parser = super::byte_size)]
    pub sort_memory: u64,
}

/// The formats of `masthead import`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// OpenMetrics text with a timestamp on every sample and `# EOF` at its end.
    Openmetrics,
    /// Blocks of Prometheus.
    Prometheus,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What is written.
    #[arg(value_name = "FORMAT", env = "MASTHEAD_EXPORT_FORMAT", value_enum)]
    pub format: ExportFormat,

    #[command(flatten)]
    pub source: Source,

    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Write to this file, which appears when it is complete; without it, to stdout.
    #[arg(long, short, value_name = "FILE", env = "MASTHEAD_EXPORT_OUTPUT")]
    pub output: Option<Utf8PathBuf>,

    #[command(flatten)]
    pub access: super::AccessArgs,
}

/// Where samples are taken from.
#[derive(Debug)]
pub(crate) enum Source {
    Directory(Utf8PathBuf),
    Server(url::Url),
}

#[derive(Debug, Args)]
struct SourceArgs {
    /// The data directory of a server that does not run.
    #[arg(long, value_name = "DIR", env = "MASTHEAD_DATA", required_unless_present = "url")]
    data: Option<Utf8PathBuf>,

    /// A running server, Masthead or Prometheus, instead of a directory; needs `--from`.
    #[arg(long, value_name = "URL", env = "MASTHEAD_URL", value_parser = super::access::server_url)]
    url: Option<url::Url>,
}

impl FromArgMatches for Source {
    /// The server, unless a directory is typed and the server is only in the environment.
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let refuse = |what: &str| clap::Error::raw(ErrorKind::MissingRequiredArgument, what);
        let SourceArgs { data, url } = SourceArgs::from_arg_matches(matches)?;
        if typed("data") && typed("url") {
            let what = "--data <DIR> and --url <URL> are two sources; name one\n";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, what));
        }
        let directory_alone = typed("data");
        match (data, url.filter(|_| !directory_alone)) {
            (_, Some(url)) if matches.contains_id("from") => Ok(Self::Server(url)),
            (_, Some(_)) => Err(refuse("--url <URL> needs --from <TIME>\n")),
            (Some(directory), None) => Ok(Self::Directory(directory)),
            (None, None) => Err(refuse("BUG: neither --data <DIR> nor --url <URL>\n")),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Source {
    fn augment_args(command: Command) -> Command {
        SourceArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        SourceArgs::augment_args_for_update(command)
    }
}

/// The formats of `masthead export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// OpenMetrics 1.0 with a timestamp on every sample.
    Openmetrics,
    /// Parquet, one row a sample.
    Parquet,
}

/// Which series and times.
#[derive(Debug, Args)]
pub(crate) struct SelectionArgs {
    /// Only series that match this selector, such as `up{job="api"}`; with several, any of them.
    #[arg(long = "match", value_name = "SELECTOR", env = "MASTHEAD_MATCH", value_parser = selector)]
    pub selectors: Vec<Selector>,

    /// Only samples from this moment on, as RFC 3339 or seconds since 1970.
    #[arg(long, value_name = "TIME", env = "MASTHEAD_FROM", value_parser = millis)]
    pub from: Option<Millis>,

    /// Only samples up to this moment.
    #[arg(long, value_name = "TIME", env = "MASTHEAD_TO", value_parser = millis)]
    pub to: Option<Millis>,
}

/// Conditions of one selector; a type of its own, because a flag with a `Vec` is a list to clap.
#[derive(Clone, Debug)]
pub(crate) struct Selector(pub Vec<Matcher>);

fn selector(text: &str) -> Result<Selector, String> {
    masthead_promql::parse_selector(text).map(Selector).map_err(|error| error.to_string())
}

fn millis(text: &str) -> Result<Millis, String> {
    Millis::from_seconds(super::moment(text)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_moments() {
        assert_eq!(selector(r#"up{job="api"}"#).map(|s| s.0.len()), Ok(2));
        assert!(selector("up{").is_err() && selector("1 + 1").is_err());
        assert_eq!(millis("2026-11-22T10:00:00.5Z"), Ok(Millis(1_795_341_600_500)));
        assert!(millis("soon").is_err());
    }
}
