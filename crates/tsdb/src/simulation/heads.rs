//! The head's file with any bytes in its sections, for fuzzing: checksums are made right, so that
//! the bytes reach whoever reads them.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_durable::table::TableWriter;
use masthead_model::{Millis, TimeRange};
use masthead_ports::{Columns, QueryCtx, QueryLimits, SampleSource as _, SelectHints, Selection};
use masthead_sysio::{Fs as _, SimClock, SimFs, create_dir_all_synced};

use crate::{
    OpenReport, Options, Result, Tsdb,
    frame::{encode_head, encode_state},
    image,
};

const DIR: &str = "/data";

/// Opens a store whose head's file has `sections` as its sections 1, 2, …, reads all that it has,
/// and returns what was found, and how many samples were read.
///
/// # Errors
/// Those of a store; bad bytes are none, they are in the report.
pub fn open_head_file(sections: &[&[u8]]) -> Result<(OpenReport, usize)> {
    let fs = SimFs::new(1);
    let clock = Arc::new(SimClock::default());
    let head = Utf8Path::new(DIR).join("head");
    create_dir_all_synced(&fs, &head)?;
    let options = Options::default();
    {
        // A checkpoint of a store like any other names the file.
        let (store, _) = Tsdb::open(Arc::new(fs.clone()), clock.clone(), DIR.into(), options)?;
        store.journal()?.append(&encode_state(0, 1))?;
        let segment = store.journal()?.rotate();
        store.journal()?.checkpoint(segment, &mut |out| out.push(&encode_head(segment)))?;
        let path = head.join(image::name(segment));
        let mut table = TableWriter::create(&fs, &path, image::KIND, image::VERSION)?;
        for (number, section) in (1..).zip(sections) {
            table.section(number)?;
            table.write(section)?;
        }
        table.finish()?;
        fs.sync_dir(&head)?;
    }
    let (store, report) = Tsdb::open(Arc::new(fs.kill()), clock.clone(), DIR.into(), options)?;
    Ok((report, read_all(&store, clock)))
}

/// Opens a store whose journal has `payload` as a frame with a good checksum, and reads all of it.
///
/// # Errors
/// Those of a store.
pub fn open_frame(payload: &[u8]) -> Result<usize> {
    let fs = SimFs::new(1);
    let clock = Arc::new(SimClock::default());
    let options = Options::default();
    {
        let (store, _) = Tsdb::open(Arc::new(fs.clone()), clock.clone(), DIR.into(), options)?;
        store.journal()?.append(payload)?;
        store.sync()?;
    }
    let (store, _) = Tsdb::open(Arc::new(fs), clock.clone(), DIR.into(), options)?;
    Ok(read_all(&store, clock))
}

/// Reads every sample of a store that may be damaged; how many there are.
pub(super) fn read_all(store: &Tsdb, clock: Arc<SimClock>) -> usize {
    let ctx = QueryCtx::new(clock, QueryLimits::default());
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let selection = Selection { matchers: Vec::new(), range, hints: SelectHints::default() };
    let mut samples = 0;
    for selected in store.select(&ctx, &[selection]).unwrap_or_default() {
        let mut columns = Columns::default();
        for at in 0..selected.labels.len() {
            if selected.reader.read(&ctx, at, &mut columns).is_ok() {
                assert_eq!(columns.float_times.len(), columns.floats.len(), "BUG: columns differ");
                samples += columns.len();
            }
        }
    }
    samples
}
