//! A file that is there when it is complete, and not before.

use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{File, Fs as _, OpenOptions, RealFs};

/// Written under a name of its own beside `path`; removed unless it is published.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: Utf8PathBuf,
    temporary: Utf8PathBuf,
    file: Box<dyn File>,
    offset: u64,
    published: bool,
}

impl OutputFile {
    pub(super) fn create(path: &Utf8Path) -> io::Result<Self> {
        let temporary = Utf8PathBuf::from(format!("{path}.tmp"));
        let file = RealFs.open(&temporary, OpenOptions::REPLACE)?;
        Ok(Self { path: path.to_owned(), temporary, file, offset: 0, published: false })
    }

    /// Gives the file its name.
    pub(super) fn publish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        RealFs.rename(&self.temporary, &self.path)?;
        self.published = true;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all_at(bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if !self.published {
            drop(RealFs.remove_file(&self.temporary));
        }
    }
}
