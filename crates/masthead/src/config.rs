//! masthead.yaml: one file for what is collected, and for every flag of `serve`.
//!
//! The command line is preferred to the environment, the environment to the file, the file to the
//! default. A section is either settings, each of which stands for a flag (`config/settings.rs`), or
//! the format that people have: `metrics` is a prometheus.yml, `logs` a promtail.yaml
//! (`config/source.rs`). Unknown keys are errors with line and key.
//!
//! The file is read as often as there are readers, so that each section's type is its owner's and
//! every error names the line of the whole file. Nothing here puts anything to work.

#[cfg(test)]
mod limits;
#[cfg(test)]
mod reference;
mod settings;
mod source;
mod tree;

use std::ffi::OsString;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, parser::ValueSource};
use masthead_discovery::yaml;
use masthead_sysio::{RealFs, read_to_vec};

use self::{
    settings::{Kind, SETTINGS},
    tree::Settings,
};
pub(crate) use self::{
    source::{Source, auth, logs, metrics},
    tree::Given,
};
use crate::{
    cli::{Cli, Command, ServeArgs, UsageError},
    stack::alerting,
};

/// A larger configuration file is refused.
pub(crate) const BYTES_MAX: u64 = 16 << 20;

/// The words of a command line of `masthead serve` with the settings of its `--config`, if it names
/// one, and without that its own.
///
/// # Errors
/// A [`UsageError`] that names the file and the place.
pub(crate) fn resolve(words: &[OsString]) -> anyhow::Result<ServeArgs> {
    let matches = Cli::command().try_get_matches_from(words)?;
    let Some(serve) = matches.subcommand_matches("serve") else {
        anyhow::bail!("BUG: not the words of a server");
    };
    let args = parsed(&matches)?;
    let Some(file) = args.config.clone() else { return Ok(args) };
    let given = settings(&file).map_err(|error| UsageError(format!("{error:#}")))?;
    let mut more = Vec::new();
    for one in &given {
        if let Some(word) = one.word(&file).filter(|_| !is_given(serve, one.flag())) {
            // Alone, so that what is wrong is known to be this one.
            let alone = ["masthead", "serve", &word];
            if let Err(error) = Cli::command().try_get_matches_from(alone) {
                let text = error.to_string();
                let text = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
                return Err(UsageError(format!("{file}: {}: {text}", one.place())).into());
            }
            more.push(OsString::from(word));
        }
    }
    let words = words.iter().cloned().chain(more);
    let together = Cli::command().try_get_matches_from(words);
    parsed(&together.map_err(|error| UsageError(format!("{file}: {error}")))?)
}

/// Reads a whole file of ours without putting anything to work; what is known and not in force.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(crate) fn check(file: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let words = ["masthead", "serve", "--config", file.as_str()].map(OsString::from);
    let args = resolve(&words)?;
    check_sections(&args)
}

/// Reads every file that `args` name; what is known in them and not in force.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(crate) fn check_sections(args: &ServeArgs) -> anyhow::Result<Vec<String>> {
    let mut warnings = Vec::new();
    if let Some(source) = metrics(args)? {
        warnings.extend(source.prometheus()?.0.warnings);
        source.remote_write()?;
    }
    alerting::check(args)?;
    if let Some(source) = logs(args)? {
        warnings.extend(source.promtail()?.warnings);
    }
    if let Some(file) = &args.config {
        auth(file)?;
    }
    Ok(warnings)
}

/// What the file says of flags now, to be compared after it was changed.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn settings(file: &Utf8Path) -> anyhow::Result<Vec<Given>> {
    let text = text_of(file)?;
    let found: Option<Settings> =
        yaml::parse(&text).map_err(anyhow::Error::from).with_context(|| file.to_string())?;
    let Settings { given, wrong } = found.unwrap_or_default();
    match wrong {
        Some(what) => anyhow::bail!("{file}: {what}"),
        None => Ok(given),
    }
}

/// The keys of settings that differ.
pub(crate) fn changed<'a>(before: &'a [Given], now: &'a [Given]) -> Vec<&'a str> {
    let differs = |one: &&Given, others: &[Given]| {
        !others.iter().any(|other| other.key == one.key && other.value == one.value)
    };
    let gone = before.iter().filter(|one| differs(one, now));
    let new = now.iter().filter(|one| differs(one, before));
    let mut keys: Vec<&str> = gone.chain(new).map(|given| given.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The text of a configuration file.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub(crate) fn text_of(file: &Utf8Path) -> anyhow::Result<String> {
    let read = || anyhow::Ok(String::from_utf8(read_to_vec(&RealFs, file, BYTES_MAX)?)?);
    read().with_context(|| format!("cannot read {file}"))
}

/// Files may name variables of the environment where the format has it so.
#[expect(clippy::disallowed_methods, reason = "the binary reads the environment for the file")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn parsed(matches: &ArgMatches) -> anyhow::Result<ServeArgs> {
    match Cli::from_arg_matches(matches)?.command {
        Command::Serve(args) => Ok(*args),
        other => anyhow::bail!("BUG: {other:?} is not a server"),
    }
}

/// Whether a flag was given on the command line or by its variable.
fn is_given(serve: &ArgMatches, flag: &str) -> bool {
    let command = Cli::command();
    let id = command.find_subcommand("serve").and_then(|command| {
        let argument = command.get_arguments().find(|other| other.get_long() == Some(flag))?;
        Some(argument.get_id().clone())
    });
    id.is_some_and(|id| {
        let source = serve.value_source(id.as_str());
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    })
}

impl Given {
    fn setting(&self) -> &'static settings::Setting {
        let known = SETTINGS.iter().find(|setting| setting.key == self.key);
        known.expect("BUG: the tree holds settings of the table alone")
    }

    /// The flag that it stands for.
    fn flag(&self) -> &'static str {
        self.setting().flag
    }

    /// `line 3, column 5: storage.metrics.retention_time`
    fn place(&self) -> String {
        format!("line {}, column {}: {}", self.line, self.column, self.key)
    }

    /// What would be written on the command line; nothing for a switch that stays off.
    fn word(&self, file: &Utf8Path) -> Option<String> {
        let Given { value, .. } = self;
        let flag = self.flag();
        match self.setting().kind {
            Kind::Value if value == "false" && flag.ends_with("listen") => {
                // A bare `off` is YAML's word for false.
                Some(format!("--{flag}=off"))
            }
            Kind::Value => Some(format!("--{flag}={value}")),
            Kind::Path => {
                let directory = file.parent().unwrap_or(Utf8Path::new(""));
                Some(format!("--{flag}={}", directory.join(Utf8PathBuf::from(value))))
            }
            Kind::Paths => {
                let directory = file.parent().unwrap_or(Utf8Path::new(""));
                let paths = value.split(',').map(|path| directory.join(path.trim()).into_string());
                Some(format!("--{flag}={}", paths.collect::<Vec<_>>().join(",")))
            }
            Kind::Switch => (value == "true").then(|| format!("--{flag}")),
            Kind::SwitchOff => (value == "false").then(|| format!("--{flag}")),
        }
    }
}

#[cfg(test)]
mod tests;
