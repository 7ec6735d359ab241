//! prometheus.yml: the sections that say what to scrape, and by name those that are not read yet.
//!
//! Keys, defaults, checks and texts are upstream's (`config/config.go`). Unknown keys are errors. A
//! known key that is not supported is a warning where leaving it out means less (fewer targets), and
//! an error where it would change what is sent. What is about rules and alerts
//! (`rule_files`, `alerting`, `rule_query_offset`) is passed over: `masthead-rules` reads it.
//!
//! - `config/global.rs`: the defaults of all jobs; `config/job.rs`: one job, as written and as
//!   checked.

use std::{collections::BTreeSet, sync::Arc};

use camino::Utf8Path;
use masthead_discovery::yaml::{self, Refused, YamlError};
use masthead_http_client::WithClient;
use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;

mod global;
mod job;

pub use global::GlobalConfig;
pub use job::ScrapeConfig;

use job::WrittenJob;

/// A whole prometheus.yml.
#[derive(Debug, Clone, PartialEq)]
pub struct PromConfig {
    /// The defaults of all jobs.
    pub global: GlobalConfig,
    /// The jobs, checked, with the defaults filled in.
    pub scrape_configs: Vec<Arc<ScrapeConfig>>,
    /// What the file says and nobody reads, in words for the log and the status page.
    pub warnings: Vec<String>,
    /// Patterns of files with more jobs; whoever reads files gives each to
    /// [`PromConfig::add_jobs`].
    pub scrape_config_files: Vec<String>,
}

/// A prometheus.yml as it is written, for whoever has it as a part of a larger file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenConfig {
    global: Option<Spanned<global::WrittenGlobal>>,
    scrape_configs: Option<Vec<Option<Spanned<WithClient<WrittenJob>>>>>,
    runtime: Option<IgnoredAny>,
    #[serde(rename = "alerting")]
    _alerting: Option<IgnoredAny>,
    #[serde(rename = "rule_files")]
    _rule_files: Option<Vec<String>>,
    scrape_config_files: Option<Vec<String>>,
    storage: Option<IgnoredAny>,
    tracing: Option<IgnoredAny>,
    /// Read by whoever forwards.
    remote_write: Option<IgnoredAny>,
    remote_read: Option<IgnoredAny>,
    otlp: Option<IgnoredAny>,
}

/// A file that holds jobs alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenJobs {
    scrape_configs: Option<Vec<Option<Spanned<WithClient<WrittenJob>>>>>,
}

impl PromConfig {
    /// Reads and checks a file's text. `$NAME` in `external_labels` stays as it is.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        Self::parse_with(text, &|name| Some(format!("${{{name}}}")))
    }

    /// As [`PromConfig::parse`]; `$NAME` and `${NAME}` in `external_labels` become what
    /// `environment` says, or nothing.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse_with(
        text: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, YamlError> {
        let written: Option<WrittenConfig> =
            yaml::parse(text).map_err(YamlError::without_wrappers)?;
        Self::check(written.unwrap_or_default(), environment)
    }

    /// Checks what was read; places are those of the text that it was read from.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn check(
        mut written: WrittenConfig,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, YamlError> {
        let mut warnings = written.unsupported();
        let global = match written.global.take() {
            None => GlobalConfig::default(),
            Some(section) => {
                let at = section.referenced;
                let (global, mut ignored) = section
                    .value
                    .check(environment)
                    .map_err(|refused| refused.at(&at, "global"))?;
                warnings.append(&mut ignored);
                global
            }
        };
        let files = written.scrape_config_files.unwrap_or_default();
        for (index, file) in files.iter().enumerate() {
            // A star may stand in the last part only.
            let dirs = file.rsplit_once('/').map_or("", |(dirs, _)| dirs);
            if dirs.contains('*') {
                let key = format!("scrape_config_files[{index}]");
                let what = format!("invalid scrape config file path {file:?}");
                return Err(YamlError::somewhere(key, what));
            }
        }
        let mut config =
            Self { global, scrape_configs: Vec::new(), warnings, scrape_config_files: files };
        config.check_jobs(written.scrape_configs.unwrap_or_default())?;
        Ok(config)
    }

    /// Adds the jobs of a file that [`PromConfig::scrape_config_files`] names; relative file names
    /// in it are relative to `dir`, where it is.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place in that file.
    pub fn add_jobs(&mut self, text: &str, dir: Option<&Utf8Path>) -> Result<(), YamlError> {
        let written: Option<WrittenJobs> =
            yaml::parse(text).map_err(YamlError::without_wrappers)?;
        let before = self.scrape_configs.len();
        self.check_jobs(written.unwrap_or_default().scrape_configs.unwrap_or_default())?;
        if let Some(dir) = dir {
            for job in self.scrape_configs.iter_mut().skip(before) {
                Arc::make_mut(job).set_directory(dir);
            }
        }
        Ok(())
    }

    fn check_jobs(
        &mut self,
        sections: Vec<Option<Spanned<WithClient<WrittenJob>>>>,
    ) -> Result<(), YamlError> {
        let mut names: BTreeSet<String> =
            self.scrape_configs.iter().map(|job| job.job_name.clone()).collect();
        for (index, section) in sections.into_iter().enumerate() {
            let key = format!("scrape_configs[{index}]");
            let Some(section) = section else {
                let what = "empty or null scrape config section".to_owned();
                return Err(YamlError::somewhere(key, what));
            };
            let at = section.referenced;
            let place = |refused: Refused| refused.at(&at, &key);
            let (job, ignored) = {
                let WithClient { section: job, client } = section.value;
                job.check(client, &self.global).map_err(place)?
            };
            self.warnings.extend(
                ignored.into_iter().map(|what| {
                    format!("not supported yet: {key}.{what} (job {:?})", job.job_name)
                }),
            );
            if !names.insert(job.job_name.clone()) {
                let what =
                    format!("found multiple scrape configs with job name {:?}", job.job_name);
                return Err(place(Refused::new("job_name", what)));
            }
            self.scrape_configs.push(Arc::new(job));
        }
        Ok(())
    }

    /// Takes relative file names as relative to `dir`, the directory of the file.
    pub fn set_directory(&mut self, dir: &Utf8Path) {
        for job in &mut self.scrape_configs {
            Arc::make_mut(job).set_directory(dir);
        }
    }
}

impl WrittenConfig {
    fn unsupported(&self) -> Vec<String> {
        let sections: [(&str, bool, &str); 5] = [
            ("runtime", self.runtime.is_some(), "there is no Go runtime to tune"),
            ("storage", self.storage.is_some(), "set storage by flags"),
            ("tracing", self.tracing.is_some(), "no trace is sent"),
            ("remote_read", self.remote_read.is_some(), "only local samples are read"),
            ("otlp", self.otlp.is_some(), "OTLP names are translated by the defaults"),
        ];
        sections
            .into_iter()
            .filter(|(_, given, _)| *given)
            .map(|(name, _, meaning)| format!("not supported yet: {name} ({meaning})"))
            .collect()
    }
}

#[cfg(test)]
mod tests;
