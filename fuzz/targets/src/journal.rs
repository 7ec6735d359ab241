//! A segment of the journal with any bytes: it opens, or says what is wrong.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_durable::journal::{Journal, JournalOptions};
use masthead_sysio::{Fs as _, OpenOptions, SimClock, SimFs};

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let fs = Arc::new(SimFs::new(1));
    let directory = Utf8Path::new("/journal");
    let clock = Arc::new(SimClock::default());
    // The first frame says how segments are called: before it there is none.
    let options = JournalOptions::default();
    let opened = Journal::open(fs.clone(), clock.clone(), directory, options, &mut |_| Ok(()));
    let written = opened.and_then(|(journal, _)| journal.append(b"frame"));
    let names = fs.read_dir(directory).unwrap_or_default();
    let name = names.first().filter(|_| written.is_ok()).expect("BUG: a frame without a file");
    let path = directory.join(name);
    if let Ok(file) = fs.open(&path, OpenOptions::REPLACE) {
        file.write_all_at(bytes, 0).unwrap_or_default();
    }
    drop(Journal::open(fs, clock, directory, options, &mut |_| Ok(())));
}
