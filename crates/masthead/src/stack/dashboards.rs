//! The dashboards that the server shows: those that ship, the files below `--dashboards`, and those
//! that were saved in the browser, which lie below `--data` and alone can be changed there. With
//! `--kubernetes` those in ConfigMaps of the cluster too.
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
use masthead_model::ErrorClass;
use masthead_ports::{AdminError, DashboardInfo, DashboardsView};
use masthead_sysio::{Clock, Fs, OpenOptions, atomic_write, create_dir_all_synced};
use serde::Deserialize;

use super::kubernetes::Kubernetes;

/// How long what was read counts as fresh.
const FRESH: Duration = Duration::from_secs(2);
/// A file larger than this is no dashboard (`--dashboards`).
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Files past this many are left out (`--dashboards`).
const FILES_MAX: usize = 2_000;
/// Dashboards that may be saved, and their bytes in all: every one is read into memory.
const KEPT_MAX: usize = 500;
const KEPT_BYTES_MAX: usize = 64 << 20;
/// Bytes of a uid, as Grafana has it.
const UID_BYTES_MAX: usize = 40;
/// Folders below folders, at most so deep.
const DEPTH_MAX: usize = 4;

/// Dashboards that ship and dashboards in a folder.
#[derive(Debug)]
pub(super) struct Dashboards {
    fs: Arc<dyn Fs>,
    clock: Arc<dyn Clock>,
    folder: Option<Utf8PathBuf>,
    /// Where saved ones lie.
    kept: Utf8PathBuf,
    /// Whose ConfigMaps hold more of them.
    cluster: Arc<Kubernetes>,
    /// Held while one is saved or deleted.
    saving: Mutex<()>,
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
    pub(super) fn new(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        folder: Option<Utf8PathBuf>,
        kept: Utf8PathBuf,
    ) -> Self {
        let (cluster, saving, read) = (Arc::default(), Mutex::default(), Mutex::default());
        Self { fs, clock, folder, kept, cluster, saving, read }
    }

    /// Shows those of a cluster too.
    pub(super) fn of_cluster(self, cluster: Arc<Kubernetes>) -> Self {
        Self { cluster, ..self }
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
            take(&mut found, faults, "", name, text.into(), false);
        }
        if let Some(folder) = &self.folder {
            self.take_folder(&mut found, faults, folder, false);
        }
        for (folder, origin, text) in self.cluster.dashboards().iter().take(FILES_MAX) {
            take(&mut found, faults, folder, origin.clone(), Arc::clone(text), false);
        }
        // Last, so that what is provisioned comes first where two have one uid.
        if self.fs.metadata(&self.kept).is_ok() {
            self.take_folder(&mut found, faults, &self.kept, true);
        }
        found
    }

    fn take_folder(
        &self,
        found: &mut BTreeMap<String, (DashboardInfo, Arc<str>)>,
        faults: &mut Vec<String>,
        folder: &Utf8Path,
        kept: bool,
    ) {
        let mut files = Vec::new();
        self.walk(folder, 0, &mut files, faults);
        for path in files {
            let within = path.strip_prefix(folder).unwrap_or(&path);
            let shown = within.parent().map_or("", Utf8Path::as_str);
            match self.text(&path) {
                Ok(text) => {
                    let text = self.cluster.resolved(&text);
                    take(found, faults, shown, path.to_string(), text, kept);
                }
                Err(error) => faults.push(format!("{path}: {error}")),
            }
        }
    }

    /// What was read is old from now on.
    fn forget(&self) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).at = None;
    }

    /// Where the dashboard of this uid is kept.
    fn file(&self, uid: &str) -> Result<Utf8PathBuf, AdminError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if uid.is_empty() || uid.len() > UID_BYTES_MAX || !uid.chars().all(plain) {
            let why = "a uid has 1 to 40 letters, digits, - and _";
            return Err(refuse(ErrorClass::BadInput, why));
        }
        Ok(self.kept.join(format!("{uid}.json")))
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

fn refuse(class: ErrorClass, message: impl Into<String>) -> AdminError {
    AdminError { class, message: message.into() }
}

/// Adds one file under its uid, or under its name if it has none; the first of one uid stays.
fn take(
    found: &mut BTreeMap<String, (DashboardInfo, Arc<str>)>,
    faults: &mut Vec<String>,
    folder: &str,
    origin: String,
    text: Arc<str>,
    kept: bool,
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
        kept,
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

    fn save(&self, uid: &str, json: &str) -> Result<(), AdminError> {
        let path = self.file(uid)?;
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget();
        let (count, bytes) = self.with(|found| {
            if let Some((other, _)) = found.get(uid).filter(|(info, _)| !info.kept) {
                let message = format!(
                    "{:?} is provisioned from {} and cannot be changed here; save a copy with another uid",
                    other.title, other.origin
                );
                return Err(refuse(ErrorClass::BadInput, message));
            }
            let others = found.values().filter(|(info, _)| info.kept && info.uid != uid);
            Ok(others.fold((0, 0), |(count, bytes), (_, text)| (count + 1, bytes + text.len())))
        })?;
        if count >= KEPT_MAX || bytes + json.len() > KEPT_BYTES_MAX {
            let message = format!(
                "{count} dashboards of {bytes} bytes are saved, and the limits are {KEPT_MAX} and {KEPT_BYTES_MAX} bytes; delete some, or put them into the folder of --dashboards"
            );
            return Err(refuse(ErrorClass::TooLarge, message));
        }
        let write = || {
            create_dir_all_synced(&*self.fs, &self.kept)?;
            atomic_write(&*self.fs, &path, json.as_bytes())
        };
        let written = write();
        self.forget();
        written.map_err(|error| {
            refuse(ErrorClass::Unavailable, format!("the dashboard could not be kept: {error}"))
        })
    }

    fn delete(&self, uid: &str) -> Result<DashboardInfo, AdminError> {
        let path = self.file(uid)?;
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget();
        let Some((info, _)) = self.get(uid) else {
            return Err(refuse(ErrorClass::NotFound, "Dashboard not found"));
        };
        if !info.kept {
            let message = format!(
                "{:?} is provisioned from {} and cannot be deleted here",
                info.title, info.origin
            );
            return Err(refuse(ErrorClass::BadInput, message));
        }
        let removed = self.fs.remove_file(&path).and_then(|()| self.fs.sync_dir(&self.kept));
        self.forget();
        removed.map(|()| info).map_err(|error| {
            refuse(ErrorClass::Unavailable, format!("the dashboard could not be deleted: {error}"))
        })
    }
}

#[cfg(test)]
mod tests;
