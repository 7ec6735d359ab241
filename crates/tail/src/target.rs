//! What to follow: label sets that name files, from lists, from discovery, from the kubelet's
//! directory.
//!
//! As Promtail has it: a target's labels pass the relabelling rules; `__path__` then says which
//! files, `__path_exclude__` which not, and every label that begins with two underscores goes.

use std::{fmt, time::Duration};

use masthead_discovery::{Discovery, TargetGroup};
use masthead_model::{Labels, LabelsBuilder};
use masthead_relabel::Rule;
use masthead_sysio::Fs;

use crate::{glob::Glob, pods::Pods};

const PATH_LABEL: &str = "__path__";
const EXCLUDE_LABEL: &str = "__path_exclude__";
/// Where a target is; it is followed on that machine alone.
const HOST_LABEL: &str = "__host__";

/// Files that have the same labels.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) labels: Labels,
    pub(crate) path: Glob,
    pub(crate) exclude: Option<Glob>,
}

/// Where targets come from.
pub(crate) enum Source {
    /// Lists in the configuration.
    Static(Vec<TargetGroup>),
    /// Files and servers that are asked again and again.
    Discovered(Box<Discovery>),
    /// The kubelet's directory of container logs.
    Pods(Pods),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static(_) => "Static",
            Self::Discovered(_) => "Discovered",
            Self::Pods(_) => "Pods",
        })
    }
}

impl Source {
    /// The label sets as they are found, before relabelling.
    fn found(&mut self, fs: &dyn Fs, now: Duration) -> Vec<Labels> {
        let of_groups = |groups: &[TargetGroup]| {
            let mut found = Vec::new();
            for group in groups {
                for target in &group.targets {
                    let mut labels = group.labels.to_builder();
                    for label in target {
                        labels.set(label.name, label.value);
                    }
                    found.push(labels.build());
                }
            }
            found
        };
        match self {
            Self::Static(groups) => of_groups(groups),
            Self::Discovered(discovery) => of_groups(&discovery.groups()),
            Self::Pods(pods) => pods.list(fs, now),
        }
    }

    /// Whether there may be other targets than [`Source::targets`] returned last. What is found on
    /// the disk gives no sign.
    pub(crate) fn has_news(&self) -> bool {
        match self {
            Self::Static(_) => false,
            Self::Discovered(discovery) => discovery.has_changed(),
            Self::Pods(pods) => pods.has_news(),
        }
    }

    /// The targets at this monotonic time that are on this machine, which is called `host`; what makes
    /// no target is told to `complain`.
    pub(crate) fn targets(
        &mut self,
        fs: &dyn Fs,
        now: Duration,
        rules: &[Rule],
        host: &str,
        complain: &mut dyn FnMut(String),
    ) -> Vec<Target> {
        let mut targets = Vec::new();
        for found in self.found(fs, now) {
            let mut labels = found.to_builder();
            if !masthead_relabel::process(&mut labels, rules) {
                continue;
            }
            if labels.get(HOST_LABEL).is_some_and(|of| of != host) {
                continue;
            }
            match target(&labels) {
                Ok(Some(target)) => targets.push(target),
                Ok(None) => complain(format!("a target without {PATH_LABEL} is left out: {found}")),
                Err(error) => complain(error),
            }
        }
        targets
    }
}

fn target(labels: &LabelsBuilder) -> Result<Option<Target>, String> {
    let Some(path) = labels.get(PATH_LABEL) else { return Ok(None) };
    let path = Glob::new(path)?;
    let exclude = labels.get(EXCLUDE_LABEL).map(Glob::new).transpose()?;
    let mut kept = labels.clone();
    kept.retain(|label| !label.name.starts_with("__"));
    Ok(Some(Target { labels: kept.build(), path, exclude }))
}
