//! The file of a block with any bytes in its sections, for fuzzing: checksums are made right, so that
//! the bytes reach whoever reads them.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_durable::{
    blocks::{self, DATA},
    table::{Table, TableWriter},
};
use masthead_model::{Millis, TimeRange};
use masthead_ports::{AppendBatch, QueryCtx, QueryLimits, SampleSink as _, SampleSource as _};
use masthead_sysio::{Fs as _, SimClock, SimFs, create_dir_all_synced};

use super::{heads::read_all, testdata};
use crate::{
    Options, Result, Tsdb,
    block::{KIND, VERSION},
};

const DIR: &str = "/data";
/// Sections of a block that has all of them.
const SECTIONS: u32 = 8;

/// Opens a store with one block that has `sections` as its sections 1, 2, …, reads all that it has,
/// and returns how many samples were read.
///
/// # Errors
/// Those of a store; bad bytes are none, such a block is set aside or read in part.
pub fn open_block_file(sections: &[&[u8]]) -> Result<usize> {
    let fs = SimFs::new(1);
    let parent = Utf8Path::new(DIR).join("blocks");
    let dir = parent.join(blocks::name(1));
    create_dir_all_synced(&fs, &dir)?;
    let mut table = TableWriter::create(&fs, &dir.join(DATA), KIND, VERSION)?;
    for (number, section) in (1..).zip(sections) {
        table.section(number)?;
        table.write(section)?;
    }
    table.finish()?;
    fs.sync_dir(&dir)?;
    let clock = Arc::new(SimClock::default());
    let (store, _) = Tsdb::open(Arc::new(fs), clock.clone(), DIR.into(), Options::default())?;
    let ctx = QueryCtx::new(clock.clone(), QueryLimits::default());
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    drop(store.exemplars(&ctx, &[Vec::new()], range));
    Ok(read_all(&store, clock))
}

/// The sections of a small block.
///
/// # Errors
/// Those of a store.
pub fn block_sections() -> Result<Vec<Vec<u8>>> {
    let fs = SimFs::new(1);
    let clock = Arc::new(SimClock::default());
    let options = Options::default();
    let (store, _) = Tsdb::open(Arc::new(fs.clone()), clock, DIR.into(), options)?;
    for minute in 0..20 {
        let rows = testdata::rows(minute);
        let mut batch = AppendBatch { group: 1, rows, ..AppendBatch::default() };
        store.append(&mut batch).map_err(std::io::Error::other)?;
    }
    store.flush_all()?;
    let path = Utf8Path::new(DIR).join("blocks").join(blocks::name(1)).join(DATA);
    let table = Table::open(&fs, &path, KIND, VERSION)?;
    let mut sections = Vec::new();
    for section in (1..=SECTIONS).filter_map(|id| table.section(id)) {
        sections.push(section.all()?.to_vec());
    }
    Ok(sections)
}
