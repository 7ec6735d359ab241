//! Blocks of a Prometheus data directory, or one block, as a history.
//!
//! The directory is only read, and a Prometheus may be running on it. Its newest samples are not in
//! blocks yet but in its head and write-ahead log, which are not read: a snapshot has them.
//! Every block's index is read through before anything is written, so that damage there is found
//! early; chunks are verified as they are read. Where blocks overlap, the newest block's sample
//! stands.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_model::{Histogram, Labels};
use masthead_ports::Columns;
use masthead_sysio::{FileBytes, Fs, OpenOptions, read_to_vec};
use masthead_wire::prometheus_block::{
    ChunkFile, ChunkPlace, Index, Meta, SampleVisitor, SeriesEntry, Tombstones,
};

use super::{History, add_windows};
use crate::{Error, Filter, Result, samples::Gathered};

/// Largest `meta.json`; one of a block of ten thousand sources is a megabyte.
const META_BYTES_MAX: u64 = 16 << 20;
/// Largest file of tombstones.
const TOMBSTONES_BYTES_MAX: u64 = 1 << 30;
/// Length of a ULID.
const ULID_LEN: usize = 26;

/// The blocks of a directory.
#[derive(Debug)]
pub struct Blocks {
    all: Vec<Block>,
    filter: Filter,
    /// What the user should know: parts of the directory that are not read, and why.
    pub notes: Vec<String>,
    /// Series in the indexes of all blocks together, each counted in each.
    pub series: u64,
}

#[derive(Debug)]
struct Block {
    dir: Utf8PathBuf,
    meta: Meta,
    index: Index<FileBytes>,
    chunks: Vec<FileBytes>,
    tombstones: Tombstones,
}

impl Blocks {
    /// Opens `dir`, a data directory or one block of one; `filter` says what is wanted of it.
    ///
    /// # Errors
    /// [`Error::Directory`] when it is neither, [`Error::File`] for damage.
    pub fn open(fs: &Arc<dyn Fs>, dir: &Utf8Path, filter: Filter) -> Result<Self> {
        let fs = &**fs;
        let mut notes = Vec::new();
        let exists = |path: &Utf8Path| fs.metadata(path).is_ok();
        let dirs = if exists(&dir.join("meta.json")) {
            vec![dir.to_owned()]
        } else {
            let names = fs.read_dir(dir).map_err(Error::Read)?;
            let block = |name: &&String| is_ulid(name) && exists(&dir.join(name).join("meta.json"));
            let dirs: Vec<_> = names.iter().filter(block).map(|name| dir.join(name)).collect();
            let wal = fs.read_dir(&dir.join("wal")).unwrap_or_default();
            if !wal.is_empty() {
                notes.push(format!(
                    "{dir}/wal is not read: the newest samples of that server are not in blocks yet. \
                     To have them too, start it with --web.enable-admin-api, run \
                     `curl -XPOST http://HOST:9090/api/v1/admin/tsdb/snapshot`, and import \
                     {dir}/snapshots/NAME"
                ));
            }
            if dirs.is_empty() {
                let why = "it holds no block of Prometheus (NAME/meta.json), and is none itself";
                let why = [why].into_iter().map(str::to_owned).chain(notes);
                let why = why.collect::<Vec<_>>().join("; ");
                return Err(Error::Directory { path: dir.to_owned(), why });
            }
            dirs
        };
        let mut blocks = Vec::new();
        for dir in dirs {
            blocks.push(Block::open(fs, &dir)?);
        }
        // What another block was made of is left from a compaction that was cut short.
        let replaced: HashSet<String> =
            blocks.iter().flat_map(|block| block.meta.parents.clone()).collect();
        blocks.retain(|block| {
            let stays = !replaced.contains(&block.meta.ulid);
            if !stays {
                notes.push(format!("{} is not read: another block replaces it", block.dir));
            }
            stays
        });
        // ULIDs rise with time.
        blocks.sort_by(|a, b| b.meta.ulid.cmp(&a.meta.ulid));
        let series = blocks.iter().map(|block| block.index.len() as u64).sum();
        Ok(Self { all: blocks, filter, notes, series })
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn is_ulid(name: &str) -> bool {
    name.len() == ULID_LEN && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Block {
    fn open(fs: &dyn Fs, dir: &Utf8Path) -> Result<Self> {
        let map = |path: &Utf8Path| {
            let file = fs.open(path, OpenOptions::READ).map_err(Error::Read)?;
            // An empty file cannot be mapped.
            if file.is_empty().map_err(Error::Read)? {
                return Ok(FileBytes::from(Vec::new()));
            }
            file.map().map_err(Error::Read)
        };
        let path = dir.join("meta.json");
        let bytes = read_to_vec(fs, &path, META_BYTES_MAX).map_err(Error::Read)?;
        let meta = Meta::decode(&bytes).map_err(in_file(&path))?;
        let path = dir.join("index");
        let index = Index::new(map(&path)?).map_err(in_file(&path))?;
        let mut chunks = Vec::new();
        let names = match fs.read_dir(&dir.join("chunks")) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            names => names.map_err(Error::Read)?,
        };
        for (number, name) in (1..).zip(&names) {
            let path = dir.join("chunks").join(name);
            if name.parse() != Ok(number) {
                let why = format!("a file of chunks number {number} should be in its place");
                return Err(Error::Directory { path, why });
            }
            let bytes = map(&path)?;
            ChunkFile::new(&bytes).map_err(in_file(&path))?;
            chunks.push(bytes);
        }
        let path = dir.join("tombstones");
        let tombstones = match read_to_vec(fs, &path, TOMBSTONES_BYTES_MAX) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Tombstones::default(),
            bytes => Tombstones::decode(&bytes.map_err(Error::Read)?).map_err(in_file(&path))?,
        };
        Ok(Self { dir: dir.to_owned(), meta, index, chunks, tombstones })
    }

    fn index_error(&self, error: masthead_wire::Error) -> Error {
        in_file(&self.dir.join("index"))(error)
    }

    /// Reads the samples of `entry` in `first..=last`.
    fn samples(
        &self,
        entry: &SeriesEntry,
        (first, last): (i64, i64),
        into: &mut Gathered,
    ) -> Result<()> {
        let deleted = self.tombstones.of(entry.reference);
        let mut visitor = Visitor { first, last, deleted, into };
        for place in entry.chunks.iter().filter(|place| overlaps(place, first, last)) {
            let path = || self.dir.join("chunks").join(format!("{:06}", place.file() + 1));
            let Some(bytes) = self.chunks.get(place.file()) else {
                let why = "the index refers to it, and it is missing".to_owned();
                return Err(Error::Directory { path: path(), why });
            };
            let visited = ChunkFile::new(bytes)
                .and_then(|file| file.chunk(place.offset()))
                .and_then(|chunk| chunk.visit(&mut visitor));
            visited.map_err(|error| in_file(&path())(error))?;
        }
        Ok(())
    }
}

fn overlaps(place: &ChunkPlace, first: i64, last: i64) -> bool {
    place.first <= last && first <= place.last
}

fn in_file(path: &Utf8Path) -> impl FnOnce(masthead_wire::Error) -> Error {
    let path = path.to_owned();
    move |problem| Error::File { path, problem }
}

/// Takes what is in the window and not deleted.
struct Visitor<'a> {
    first: i64,
    last: i64,
    deleted: &'a [(i64, i64)],
    into: &'a mut Gathered,
}

impl Visitor<'_> {
    fn takes(&self, time: i64) -> bool {
        let is_deleted = |(first, last): &(i64, i64)| (*first..=*last).contains(&time);
        (self.first..=self.last).contains(&time) && !self.deleted.iter().any(is_deleted)
    }
}

impl SampleVisitor for Visitor<'_> {
    fn float(&mut self, time: i64, start: i64, value: f64) {
        if self.takes(time) {
            self.into.float(time, start, value);
        }
    }

    fn histogram(&mut self, time: i64, histogram: Histogram) {
        if self.takes(time) {
            self.into.histogram(time, histogram);
        }
    }
}

/// A block that is gone through, standing on a series.
struct Cursor<'a> {
    block: &'a Block,
    next: usize,
    entry: SeriesEntry,
    /// None at the end.
    labels: Option<Labels>,
}

impl<'a> Cursor<'a> {
    fn new(block: &'a Block) -> Self {
        Self { block, next: 0, entry: SeriesEntry::default(), labels: None }
    }

    /// Goes to the next series that is wanted and may have samples in `first..=last`.
    fn advance(&mut self, filter: &Filter, first: i64, last: i64) -> Result<()> {
        let before = self.labels.take();
        let index = &self.block.index;
        while self.next < index.len() {
            let failed = |error| self.block.index_error(error);
            index.read(self.next, &mut self.entry).map_err(failed)?;
            self.next += 1;
            if !self.entry.chunks.iter().any(|place| overlaps(place, first, last)) {
                continue;
            }
            let labels = index.labels(&self.entry).map_err(failed)?;
            if before.as_ref().is_some_and(|before| *before >= labels) {
                let text = format!("series {labels} is not in order");
                return Err(failed(masthead_wire::Error::Content(text)));
            }
            if filter.wants(&labels) {
                self.labels = Some(labels);
                break;
            }
        }
        Ok(())
    }
}

impl History for Blocks {
    fn windows(&self, window_of: &dyn Fn(i64) -> (i64, i64)) -> Result<BTreeSet<i64>> {
        let mut windows = BTreeSet::new();
        let mut entry = SeriesEntry::default();
        for block in &self.all {
            // Most chunks are in the same window as the one before.
            let mut known = (1, 0);
            for at in 0..block.index.len() {
                block.index.read(at, &mut entry).map_err(|error| block.index_error(error))?;
                for place in &entry.chunks {
                    if known.0 <= place.first && place.last <= known.1 {
                        continue;
                    }
                    if let Some(part) = self.filter.part_of(place.first, place.last) {
                        add_windows(&mut windows, part, window_of)?;
                        known = window_of(place.last);
                    }
                }
            }
        }
        Ok(windows)
    }

    fn read(
        &mut self,
        first: i64,
        last: i64,
        visit: &mut dyn FnMut(&Labels, &mut Columns) -> Result<()>,
    ) -> Result<()> {
        let mut cursors: Vec<Cursor<'_>> = self.all.iter().map(Cursor::new).collect();
        for cursor in &mut cursors {
            cursor.advance(&self.filter, first, last)?;
        }
        let (mut gathered, mut columns) = (Gathered::default(), Columns::default());
        while let Some(labels) = cursors.iter().filter_map(|cursor| cursor.labels.as_ref()).min() {
            let labels = labels.clone();
            for cursor in cursors.iter_mut().filter(|c| c.labels.as_ref() == Some(&labels)) {
                cursor.block.samples(&cursor.entry, (first, last), &mut gathered)?;
                cursor.advance(&self.filter, first, last)?;
            }
            gathered.finish(&mut columns);
            if !columns.is_empty() {
                visit(&labels, &mut columns)?;
            }
        }
        Ok(())
    }
}
