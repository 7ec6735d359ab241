//! The dashboards that the server shows: those that ship, and the files below `--dashboards`.
//!
//! A folder is read again when asked, at most once in a short while, so that a file that was
//! changed, added or removed is seen without a restart. Folders below it become folders in the
//! list. A file that cannot be read is left out and named in the log once, and never hides others.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_ports::{DashboardInfo, DashboardsView};
use masthead_sysio::{Clock, Fs, OpenOptions};
use serde::Deserialize;

/// How long what was read counts as fresh.
const FRESH: Duration = Duration::from_secs(2);
/// A file larger than this is no dashboard (`--dashboards`).
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Files past this many are left out (`--dashboards`).
const FILES_MAX: usize = 2_000;
/// Folders below folders, at most so deep.
const DEPTH_MAX: usize = 4;

/// Dashboards that ship and dashboards in a folder.
#[derive(Debug)]
pub(super) struct Dashboards {
    fs: Arc<dyn Fs>,
    clock: Arc<dyn Clock>,
    folder: Option<Utf8PathBuf>,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    at: Option<Duration>,
    found: BTreeMap<String, (DashboardInfo, Arc<str>)>,
    told: BTreeSet<String>,
}

/// What is looked at in a file; the rest is the browser's business.
#[derive(Debug, Deserialize)]
struct Head {
    #[serde(default)]
    uid: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

impl Dashboards {
    pub(super) fn new(fs: Arc<dyn Fs>, clock: Arc<dyn Clock>, folder: Option<Utf8PathBuf>) -> Self {
        Self { fs, clock, folder, read: Mutex::default() }
    }

    /// Runs `work` over what there is now.
    fn with<T>(&self, work: impl FnOnce(&BTreeMap<String, (DashboardInfo, Arc<str>)>) -> T) -> T {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        if read.at.is_none_or(|at| now.saturating_sub(at) > FRESH) {
            read.at = Some(now);
            let mut faults = Vec::new();
            let found = self.load(&mut faults);
            read.found = found;
            for fault in faults {
                if !read.told.contains(&fault) && read.told.len() < FILES_MAX {
                    tracing::warn!(fault, "A dashboard was left out.");
                    read.told.insert(fault);
                }
            }
        }
        work(&read.found)
    }

    fn load(&self, faults: &mut Vec<String>) -> BTreeMap<String, (DashboardInfo, Arc<str>)> {
        let mut found = BTreeMap::new();
        for (name, text) in masthead_web_assets::dashboards() {
            take(&mut found, faults, "", name, text.into());
        }
        if let Some(folder) = &self.folder {
            let mut files = Vec::new();
            self.walk(folder, 0, &mut files, faults);
            for path in files {
                let within = path.strip_prefix(folder).unwrap_or(&path);
                let shown = within.parent().map_or("", Utf8Path::as_str);
                match self.text(&path) {
                    Ok(text) => take(&mut found, faults, shown, path.to_string(), text.into()),
                    Err(error) => faults.push(format!("{path}: {error}")),
                }
            }
        }
        found
    }

    fn walk(
        &self,
        folder: &Utf8Path,
        depth: usize,
        files: &mut Vec<Utf8PathBuf>,
        faults: &mut Vec<String>,
    ) {
        let entries = match self.fs.read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return faults.push(format!("{folder}: {error}")),
        };
        for name in entries {
            let path = folder.join(&name);
            // What Kubernetes mounts has its real files behind names that begin with dots.
            if name.starts_with('.') {
                continue;
            }
            if path.extension() == Some("json") {
                if files.len() == FILES_MAX {
                    return faults.push(format!("{folder}: more than {FILES_MAX} dashboards"));
                }
                files.push(path);
            } else if depth < DEPTH_MAX && path.extension().is_none() {
                self.walk(&path, depth + 1, files, faults);
            }
        }
    }

    fn text(&self, path: &Utf8Path) -> Result<String, String> {
        let file = self.fs.open(path, OpenOptions::READ).map_err(|error| error.to_string())?;
        let length = file.len().map_err(|error| error.to_string())?;
        if length > FILE_BYTES_MAX {
            return Err(format!("{length} bytes, more than the {FILE_BYTES_MAX} of a dashboard"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, 0).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
    }
}

/// Adds one file under its uid, or under its name if it has none; the first of one uid stays.
fn take(
    found: &mut BTreeMap<String, (DashboardInfo, Arc<str>)>,
    faults: &mut Vec<String>,
    folder: &str,
    origin: String,
    text: Arc<str>,
) {
    // A list would be taken for the fields of the head in their order.
    if !text.trim_start().starts_with('{') {
        return faults.push(format!("{origin}: not a JSON object"));
    }
    let head: Head = match serde_json::from_str(&text) {
        Ok(head) => head,
        Err(error) => return faults.push(format!("{origin}: {error}")),
    };
    let stem = Utf8Path::new(&origin).file_stem().unwrap_or(&origin).to_owned();
    let uid = head.uid.filter(|uid| !uid.is_empty()).unwrap_or_else(|| stem.clone());
    if let Some((other, _)) = found.get(&uid) {
        return faults.push(format!("{origin}: the uid {uid:?} is that of {} too", other.origin));
    }
    let title = head.title.filter(|title| !title.is_empty()).unwrap_or(stem);
    let info = DashboardInfo {
        folder: folder.to_owned(),
        title,
        uid: uid.clone(),
        tags: head.tags,
        origin,
    };
    found.insert(uid, (info, text));
}

impl DashboardsView for Dashboards {
    fn list(&self) -> Vec<DashboardInfo> {
        let mut all: Vec<_> =
            self.with(|found| found.values().map(|(info, _)| info.clone()).collect());
        all.sort();
        all
    }

    fn get(&self, uid: &str) -> Option<(DashboardInfo, Arc<str>)> {
        self.with(|found| found.get(uid).cloned())
    }
}

#[cfg(test)]
mod tests;
