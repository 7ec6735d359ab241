//! Where a section that has a format of its own stands: a section of masthead.yaml, or a whole file.
//!
//! Another owner of a section adds a function like [`Source::prometheus`], which reads its keys out
//! of the same text; the line of an error is then that of the whole file.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::{expand, yaml};
use masthead_forward::remote_write::{RemoteWriteConfig, WrittenSection};
use masthead_http_api::{AuthConfig, TokenConfig, UserConfig};
use masthead_rules::{RulesConfig, WrittenRulesConfig};
use masthead_scrape::{PromConfig, WrittenConfig};
use masthead_sysio::RealFs;
use masthead_tail::{PromtailConfig, WrittenConfig as WrittenCollecting};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{environment, text_of};
use crate::cli::ServeArgs;

/// The text of a configuration and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) path: Utf8PathBuf,
    pub(crate) text: String,
    part: Part,
    /// Whether `${NAME}` in a promtail.yaml is a variable of the environment.
    expands: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A file of its own.
    Whole,
    Metrics,
    Logs,
    Auth,
}

/// The section `auth`, but for its settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Access {
    users: Vec<UserConfig>,
    tokens: Vec<TokenConfig>,
    #[serde(rename = "admin_user")]
    _admin_user: IgnoredAny,
    #[serde(rename = "admin_password")]
    _admin_password: IgnoredAny,
    #[serde(rename = "admin_password_file")]
    _admin_password_file: IgnoredAny,
    #[serde(rename = "file")]
    _file: IgnoredAny,
    #[serde(rename = "session_lifetime")]
    _session_lifetime: IgnoredAny,
    #[serde(rename = "max_failures")]
    _max_failures: IgnoredAny,
}

#[derive(Deserialize)]
struct InAuth<T> {
    auth: Option<T>,
}

#[derive(Deserialize)]
struct InMetrics<T> {
    metrics: Option<T>,
}

#[derive(Deserialize)]
struct InLogs<T> {
    logs: Option<T>,
}

/// Where it is written what to scrape: `--prometheus-config`, or `metrics` of `--config`.
///
/// # Errors
/// A file cannot be read; both are given.
pub(crate) fn metrics(args: &ServeArgs) -> anyhow::Result<Option<Source>> {
    find(args, args.prometheus_config.as_deref(), "prometheus-config", Part::Metrics)
}

/// Where it is written which logs to collect: `--promtail-config`, or `logs` of `--config`.
///
/// # Errors
/// A file cannot be read; both are given.
pub(crate) fn logs(args: &ServeArgs) -> anyhow::Result<Option<Source>> {
    find(args, args.promtail_config.as_deref(), "promtail-config", Part::Logs)
}

/// The users and tokens in the section `auth` of our own file, which have no secret but hashes.
///
/// # Errors
/// What is wrong, with file, line and key.
pub(crate) fn auth(file: &Utf8Path) -> anyhow::Result<AuthConfig> {
    let source =
        Source { path: file.to_owned(), text: text_of(file)?, part: Part::Auth, expands: false };
    let Access { users, tokens, .. } = source.section()?.unwrap_or_default();
    if let Some(user) = users.iter().find(|user| !is_hash(user.password_hash.expose())) {
        bail!(
            "{file}: auth.users: the password_hash of {:?} is no hash; `masthead hash-password` \
             makes one",
            user.name
        );
    }
    Ok(AuthConfig { users, tokens, ..AuthConfig::default() })
}

/// Whether this is a hash, or nothing, where a file holds the password.
fn is_hash(text: &str) -> bool {
    text.is_empty() || text.starts_with("$argon2")
}

fn find(
    args: &ServeArgs,
    alone: Option<&Utf8Path>,
    flag: &str,
    part: Part,
) -> anyhow::Result<Option<Source>> {
    let ours = match &args.config {
        Some(file) => {
            let source = Source { path: file.clone(), text: text_of(file)?, part, expands: false };
            source.section::<serde_json::Value>()?.is_some().then_some(source)
        }
        None => None,
    };
    match (alone, ours) {
        (Some(file), Some(ours)) => bail!(
            "--{flag} {file} and the section {} of {} say the same; give one",
            part.name(),
            ours.path
        ),
        (Some(file), None) => {
            let what = || format!("--{flag}");
            let text = text_of(file).with_context(what)?;
            let expands = args.promtail_expand_env;
            Ok(Some(Source { path: file.to_owned(), text, part: Part::Whole, expands }))
        }
        (None, ours) => Ok(ours),
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
            Self::Auth => "auth",
        }
    }
}

impl Source {
    /// Whether it is a section of masthead.yaml.
    pub(crate) fn is_section(&self) -> bool {
        self.part != Part::Whole
    }

    /// The section, if it is there.
    ///
    /// # Errors
    /// What is wrong, with file, line and key.
    pub(crate) fn section<T: DeserializeOwned>(&self) -> anyhow::Result<Option<T>> {
        let text = &self.text;
        let parsed =
            match self.part {
                Part::Whole => yaml::parse::<Option<T>>(text),
                Part::Metrics => yaml::parse::<Option<InMetrics<T>>>(text)
                    .map(|file| file.and_then(|file| file.metrics)),
                Part::Logs => yaml::parse::<Option<InLogs<T>>>(text)
                    .map(|file| file.and_then(|file| file.logs)),
                Part::Auth => yaml::parse::<Option<InAuth<T>>>(text)
                    .map(|file| file.and_then(|file| file.auth)),
            };
        // The wrapper that knows a section's place shows up as a key that nobody wrote.
        let written = |key: String| key.replace("].value", "]").replace("global.value", "global");
        parsed.map_err(|error| self.placed(&written(error.to_string())))
    }

    /// What it says of scraping, and the texts of the files that it names.
    ///
    /// # Errors
    /// What is wrong, with file, line and key.
    pub(crate) fn prometheus(&self) -> anyhow::Result<(PromConfig, Vec<String>)> {
        let written: Option<WrittenConfig> = self.section()?;
        let mut config = PromConfig::check(written.unwrap_or_default(), &environment)
            .map_err(|error| self.placed(&self.below(&error.key, &error)))?;
        let directory = self.path.parent().unwrap_or(Utf8Path::new(""));
        config.set_directory(directory);
        let mut texts = Vec::new();
        for pattern in config.scrape_config_files.clone() {
            let pattern = directory.join(pattern);
            let what = || format!("{}: scrape_config_files {pattern}", self.path);
            let mut files = expand(&RealFs, &pattern).with_context(what)?;
            files.sort();
            for more in files {
                let what = || format!("{}: {more}", self.path);
                let text = text_of(&more).with_context(what)?;
                config.add_jobs(&text, more.parent()).with_context(what)?;
                texts.push(text);
            }
        }
        // Here these are settings.
        config.warnings.retain(|what| !(self.is_section() && what.contains(": storage (")));
        Ok((config, texts))
    }

    /// What it says of rules and alerts.
    ///
    /// # Errors
    /// What is wrong, with file, line and key.
    pub(crate) fn rules(&self) -> anyhow::Result<RulesConfig> {
        let written: Option<WrittenRulesConfig> = self.section()?;
        let mut config = RulesConfig::check(written.unwrap_or_default())
            .map_err(|error| self.placed(&self.below(&error.key, &error)))?;
        config.set_directory(self.path.parent().unwrap_or(Utf8Path::new("")));
        Ok(config)
    }

    /// Where it says that samples go.
    ///
    /// # Errors
    /// What is wrong, with file, line and key.
    pub(crate) fn remote_write(&self) -> anyhow::Result<Vec<RemoteWriteConfig>> {
        let written: Option<WrittenSection> = self.section()?;
        let mut configs = RemoteWriteConfig::check_section(written.unwrap_or_default())
            .map_err(|error| self.placed(&self.below(&error.key, &error)))?;
        let directory = self.path.parent().unwrap_or(Utf8Path::new(""));
        for config in &mut configs {
            config.set_directory(directory);
        }
        Ok(configs)
    }

    /// What it says of collecting.
    ///
    /// # Errors
    /// What is wrong, with file, line and key.
    pub(crate) fn promtail(&self) -> anyhow::Result<PromtailConfig> {
        if !self.is_section() {
            let parsed = if self.expands {
                PromtailConfig::parse_with(&self.text, &environment)
            } else {
                PromtailConfig::parse(&self.text)
            };
            let mut config = parsed.map_err(|error| self.placed(&error.to_string()))?;
            if !self.expands {
                let known = masthead_tail::variables(&self.text, &environment);
                config.warnings.extend(known.iter().map(|name| {
                    format!("not in force: ${{{name}}} (see --promtail-config.expand-env)")
                }));
            }
            return Ok(config);
        }
        let written: Option<WrittenCollecting> = self.section()?;
        let mut config = PromtailConfig::check(written.unwrap_or_default())
            .map_err(|error| self.placed(&self.below(&error.key, &error)))?;
        let settings = [": storage (", ": limits ("];
        config.warnings.retain(|what| !settings.iter().any(|setting| what.contains(setting)));
        Ok(config)
    }

    /// The text of an error of a check, which knows the key below the section only.
    fn below(&self, key: &str, error: &dyn std::fmt::Display) -> String {
        let text = error.to_string();
        match self.part {
            Part::Whole => text,
            _ if key.is_empty() => text,
            part => text.replacen(key, &format!("{}.{key}", part.name()), 1),
        }
    }

    fn placed(&self, text: &str) -> anyhow::Error {
        anyhow::anyhow!("{}: {text}", self.path)
    }
}
