//! The record of lines that were deleted by request, as a small file beside the store of logs.
//!
//! The lines are gone by what the store itself keeps; this is for whoever asks later what was
//! deleted and when. It holds the newest [`KEPT_MAX`] requests.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_http_api::{DeleteRequest, DeleteRequests};
use masthead_model::ErrorClass;
use masthead_ports::AdminError;
use masthead_sysio::{Fs, OpenOptions};

/// Requests that are kept.
const KEPT_MAX: usize = 1000;
/// A file longer than this is not ours.
const BYTES_MAX: u64 = 64 << 20;
const NAME: &str = "deletes.json";

/// The file.
#[derive(Debug)]
pub(super) struct DeletesFile {
    fs: Arc<dyn Fs>,
    directory: Utf8PathBuf,
    requests: Mutex<Vec<DeleteRequest>>,
}

impl DeletesFile {
    /// Reads the file in `directory`, which need not be there.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub(super) fn open(fs: Arc<dyn Fs>, directory: &Utf8Path) -> anyhow::Result<Self> {
        let path = directory.join(NAME);
        let requests = match read(&*fs, &path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{path} is not a record of deletions; move it away"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        };
        Ok(Self { fs, directory: directory.to_owned(), requests: Mutex::new(requests) })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<DeleteRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeleteRequests for DeletesFile {
    fn list(&self) -> Result<Vec<DeleteRequest>, AdminError> {
        Ok(self.lock().clone())
    }

    fn record(&self, request: &DeleteRequest) -> Result<(), AdminError> {
        let mut requests = self.lock();
        let mut next = requests.clone();
        next.push(request.clone());
        let spare = next.len().saturating_sub(KEPT_MAX);
        next.drain(..spare);
        write(&*self.fs, &self.directory, &next).map_err(|error| AdminError {
            class: ErrorClass::Unavailable,
            message: format!("the lines are deleted, but {NAME} cannot be written: {error}"),
        })?;
        *requests = next;
        Ok(())
    }
}

fn read(fs: &dyn Fs, path: &Utf8Path) -> io::Result<Vec<u8>> {
    let file = fs.open(path, OpenOptions::READ)?;
    let len = file.len()?.min(BYTES_MAX);
    let mut text = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(&mut text, 0)?;
    Ok(text)
}

/// The new file takes the place of the old one whole, whenever the power goes.
fn write(fs: &dyn Fs, directory: &Utf8Path, requests: &[DeleteRequest]) -> io::Result<()> {
    let temporary = directory.join(format!("{NAME}.tmp"));
    let text = serde_json::to_vec_pretty(requests)?;
    let file = fs.open(&temporary, OpenOptions::REPLACE)?;
    file.write_all_at(&text, 0)?;
    file.sync_all()?;
    fs.rename(&temporary, &directory.join(NAME))?;
    fs.sync_dir(directory)
}

#[cfg(test)]
mod tests {
    use masthead_sysio::RealFs;

    use super::*;

    #[test]
    fn requests_outlive_the_process_and_the_oldest_are_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(directory.path()).unwrap();
        let request = |at: i64| DeleteRequest {
            request_id: format!("{at:x}"),
            start_time: 1,
            end_time: 2,
            query: "{a=\"b\"}".to_owned(),
            status: "processed".to_owned(),
            created_at: at,
        };
        let open = || DeletesFile::open(Arc::new(RealFs), directory);
        let file = open().unwrap();
        assert_eq!(file.list().unwrap(), []);
        file.record(&request(1)).unwrap();
        file.record(&request(2)).unwrap();
        assert_eq!(open().unwrap().list().unwrap(), [request(1), request(2)]);
        let full = (0..1000).map(request).collect();
        let file = DeletesFile { requests: Mutex::new(full), ..file };
        file.record(&request(1000)).unwrap();
        let list = open().unwrap().list().unwrap();
        assert_eq!((list.len(), list.first()), (KEPT_MAX, Some(&request(1))));
        let broken = RealFs.open(&directory.join(NAME), OpenOptions::UPDATE).unwrap();
        broken.write_all_at(b"x", 0).unwrap();
        assert!(open().unwrap_err().to_string().contains("is not a record of deletions"));
    }
}
