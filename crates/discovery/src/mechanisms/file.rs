//! `file_sd_configs`: targets in JSON or YAML files that others write.
//!
//! The files are looked at every few seconds and read when a name, a length or a time of change
//! differs, and at every refresh interval in any case. A file that can't be read or parsed keeps the
//! groups it had; one that is gone takes its groups with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Fs, Metadata, read_to_vec};

use super::{Discoverer, Parts, Updates};
use crate::{
    Configs, Error, FileSdConfig, TargetGroup,
    group::{Entry, groups},
    yaml,
};

const LABEL: &str = "__meta_filepath";
/// A target file holds at most this; more is refused.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How long a change may go unseen.
const LOOK_EVERY: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Files {
    config: FileSdConfig,
    fs: Arc<dyn Fs>,
    /// What was found in each file, and what the file looked like then.
    known: BTreeMap<Utf8PathBuf, Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    seen: Option<Metadata>,
    groups: Vec<TargetGroup>,
}

#[expect(clippy::unnecessary_wraps, reason = "all mechanisms have one signature")]
pub(super) fn make(configs: &Configs, parts: &Parts) -> Result<Vec<Box<dyn Discoverer>>, Error> {
    Ok(configs
        .file_sd_configs
        .iter()
        .map(|config| {
            let (config, fs) = (config.clone(), Arc::clone(&parts.fs));
            Box::new(Files { config, fs, known: BTreeMap::new() }) as Box<dyn Discoverer>
        })
        .collect())
}

impl Discoverer for Files {
    fn mechanism(&self) -> &'static str {
        "file_sd_configs"
    }

    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(watch(*self, updates))
    }
}

async fn watch(mut files: Files, updates: Updates) {
    let interval = files.config.refresh_interval;
    let mut since_refresh = interval;
    let mut published = false;
    loop {
        let whole = since_refresh >= interval;
        // Reading belongs on a thread that may block; the state goes there and comes back.
        let done = tokio::task::spawn_blocking(move || {
            let (changed, errors) = files.look(whole);
            (files, changed, errors)
        })
        .await;
        let Ok((back, changed, errors)) = done else { return };
        files = back;
        for error in &errors {
            updates.failed(error);
        }
        if changed || !published {
            updates.replace(files.known.values().flat_map(|k| k.groups.clone()).collect());
            published = true;
        }
        if whole {
            since_refresh = Duration::ZERO;
        }
        let pause = LOOK_EVERY.min(interval);
        tokio::time::sleep(pause).await;
        since_refresh += pause;
    }
}

impl Files {
    /// Looks at every file, reads those that changed or, if `whole`, all of them. Returns whether
    /// the groups changed, and what failed.
    fn look(&mut self, whole: bool) -> (bool, Vec<Error>) {
        let mut errors = Vec::new();
        let mut changed = false;
        let mut found = BTreeSet::new();
        for pattern in &self.config.files {
            match expand(&*self.fs, Utf8Path::new(pattern)) {
                Ok(paths) => found.extend(paths),
                Err(error) => errors.push(error.into()),
            }
        }
        let known = self.known.len();
        self.known.retain(|path, _| found.contains(path));
        changed |= self.known.len() != known;
        for path in found {
            let seen = self.fs.metadata(&path).ok();
            let entry = self.known.entry(path.clone()).or_default();
            if !whole && seen.is_some() && entry.seen == seen {
                continue;
            }
            match read(&*self.fs, &path) {
                Ok(groups) => {
                    changed |= entry.groups != groups;
                    *entry = Known { seen, groups };
                }
                Err(error) => {
                    // Not again before it changes or the interval ends: the log would fill up.
                    entry.seen = seen;
                    errors.push(error);
                }
            }
        }
        (changed, errors)
    }
}

/// The files that a pattern names now; stars may stand in the last part. No file is no error.
///
/// # Errors
/// What keeps the directory from being read.
pub fn expand(fs: &dyn Fs, pattern: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let name = pattern.file_name().unwrap_or("");
    let Some((before, after)) = name.split_once('*') else {
        return match fs.metadata(pattern) {
            Ok(found) if found.is_file => Ok(vec![pattern.to_owned()]),
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
    };
    let dir = match pattern.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    let names = match fs.read_dir(dir) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(names
        .iter()
        .filter(|name| matches(name, before, after))
        .map(|name| dir.join(name))
        .collect())
}

/// Whether `name` is `before`, anything, and `after`, which may hold further stars.
fn matches(name: &str, before: &str, after: &str) -> bool {
    let Some(mut rest) = name.strip_prefix(before) else { return false };
    let mut parts = after.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// The groups of one file.
pub(crate) fn read(fs: &dyn Fs, path: &Utf8Path) -> Result<Vec<TargetGroup>, Error> {
    let bytes = read_to_vec(fs, path, FILE_BYTES_MAX)?;
    let malformed = |what: String| Error::Malformed { what: format!("{path}: {what}") };
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let entries: Vec<Option<Entry>> = if is_json {
        serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?
    } else {
        let text = std::str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
        yaml::parse(text).map_err(|error| malformed(error.to_string()))?
    };
    groups(path.as_str(), LABEL, entries).map_err(|error| malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_any_run_of_letters() {
        let f = |pattern: &str, name: &str, want: bool| {
            let (before, after) = pattern.split_once('*').expect("a star");
            assert_eq!(matches(name, before, after), want, "{pattern} {name}");
        };
        f("*.json", "a.json", true);
        f("*.json", "a.yml", false);
        f("web-*.json", "web-1.json", true);
        f("web-*.json", "db-1.json", false);
        f("a*b*.json", "a1b2.json", true);
        f("a*b*.json", "a1c2.json", false);
    }
}
