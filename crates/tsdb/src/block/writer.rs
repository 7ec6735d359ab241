//! Writes a block, series by series in label order.
//!
//! Columns go to the file at once, equal ones once (`recent.rs`); what is kept in memory is the
//! label sets, some bytes of references a series, the shared times, and exemplars.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_chunk::{floats, histograms, ints};
use masthead_durable::{
    Error, Result, blocks::DATA, bytes::put_unsigned, index, table::TableWriter,
};
use masthead_model::{Histogram, Labels};
use masthead_ports::Exemplar;
use masthead_sysio::Fs;

use super::{
    HISTOGRAMS, KIND, Meta, Origin, STARTS, VERSION, exemplars::ExemplarsWriter, recent::Recent,
    section, times_writer::TimesWriter,
};
use crate::columns::Part;

/// Floats of one chunk at most: a quarter of a day every 10 s. Longer columns are hardly smaller,
/// and a query for minutes must decode a whole one.
const CHUNK_FLOATS: usize = 2048;
/// Histograms of one chunk at most; they decode to some KiB each.
const CHUNK_HISTOGRAMS: usize = 512;

/// A block that is being written.
#[derive(Debug)]
pub(crate) struct BlockWriter {
    table: TableWriter,
    labels: Vec<Labels>,
    references: Vec<u8>,
    reference_ends: Vec<usize>,
    times: TimesWriter,
    exemplars: ExemplarsWriter,
    /// Encoded chunks of one series.
    chunks: Vec<u8>,
    recent: Recent,
    min_time: i64,
    max_time: i64,
    samples: u64,
}

impl BlockWriter {
    /// Starts the data file in `dir`, which must be empty.
    pub(crate) fn create(fs: &dyn Fs, dir: &Utf8Path) -> Result<Self> {
        let mut table = TableWriter::create(fs, &dir.join(DATA), KIND, VERSION)?;
        table.section(section::DATA)?;
        Ok(Self {
            table,
            labels: Vec::new(),
            references: Vec::new(),
            reference_ends: Vec::new(),
            times: TimesWriter::default(),
            exemplars: ExemplarsWriter::default(),
            chunks: Vec::new(),
            recent: Recent::default(),
            min_time: i64::MAX,
            max_time: i64::MIN,
            samples: 0,
        })
    }

    /// Adds a series, which must come after the one before in label order; one without samples is
    /// left out.
    pub(crate) fn push(&mut self, labels: &Labels, part: &Part) -> Result<()> {
        let Some((first, last)) = part.bounds() else { return Ok(()) };
        self.min_time = self.min_time.min(first);
        self.max_time = self.max_time.max(last);
        self.samples += part.len() as u64;
        let mut references = Vec::new();
        self.chunks.clear();
        let columns = &part.columns;
        let mut count = 0;
        let starts = &columns.float_starts;
        let groups =
            columns.float_times.chunks(CHUNK_FLOATS).zip(columns.floats.chunks(CHUNK_FLOATS));
        for (at, (times, values)) in groups.enumerate() {
            let begin = self.chunks.len();
            floats::encode(values, &mut self.chunks).map_err(|error| self.error(error))?;
            let low = at * CHUNK_FLOATS;
            let starts = starts.get(low..low + times.len()).unwrap_or_default();
            self.finish_chunk(begin, 0, times, starts, &mut references)?;
            count += 1;
        }
        let mut low = 0;
        let plain: Vec<Histogram> =
            columns.histograms.iter().map(|h| Arc::unwrap_or_clone(Arc::clone(h))).collect();
        while low < plain.len() {
            let begin = self.chunks.len();
            let len = self.encode_histograms(plain.get(low..).unwrap_or_default())?;
            let range = low..low + len;
            let starts = columns.histogram_starts.get(range.clone()).unwrap_or_default();
            let times = columns.histogram_times.get(range).unwrap_or_default();
            self.finish_chunk(begin, HISTOGRAMS, times, starts, &mut references)?;
            count += 1;
            low += len;
        }
        let offset = self.place_chunks()?;
        put_unsigned(&mut self.references, offset as u64);
        put_unsigned(&mut self.references, count);
        self.references.append(&mut references);
        self.reference_ends.push(self.references.len());
        self.labels.push(labels.clone());
        Ok(())
    }

    /// Where the chunks of the series stand in the section; they are written unless they are there.
    fn place_chunks(&mut self) -> Result<usize> {
        if let Some(place) = self.recent.find(&self.chunks) {
            return Ok(place);
        }
        let place = self.table.section_len();
        self.table.write(&self.chunks)?;
        self.recent.push(&self.chunks);
        Ok(place)
    }

    /// Adds exemplars to the series that was added last, if it is the one with these labels.
    pub(crate) fn push_exemplars(&mut self, labels: &Labels, exemplars: &[Exemplar]) {
        if let Some(id) = self.labels.len().checked_sub(1)
            && self.labels.last() == Some(labels)
        {
            self.exemplars.push(id as u64, exemplars);
        }
    }

    /// Whether no series with samples was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Writes the rest and syncs the file. Returns its bytes.
    pub(crate) fn finish(mut self, origin: Origin, floor: i64, sources: Vec<u64>) -> Result<u64> {
        let (min_time, max_time) = (self.min_time, self.max_time);
        let (series, samples) = (self.labels.len() as u64, self.samples);
        let meta = Meta { origin, min_time, max_time, floor, series, samples, sources };
        let table = &mut self.table;
        table.section(section::REFERENCES)?;
        table.write(&self.references)?;
        table.section(section::REFERENCE_ENDS)?;
        table.write(&words(&self.reference_ends)?)?;
        table.section(section::TIMES)?;
        table.write(&self.times.bytes)?;
        table.section(section::TIME_ENDS)?;
        table.write(&words(&self.times.ends)?)?;
        table.section(section::INDEX)?;
        index::write(&self.labels, table)?;
        table.section(section::META)?;
        table.write(&meta.encode())?;
        if let Some((head, rest)) = self.exemplars.finish() {
            table.section(section::EXEMPLARS)?;
            table.write(&head)?;
            table.write(&rest)?;
        }
        self.table.finish()
    }

    /// Encodes as many histograms as go into one chunk, and returns how many.
    fn encode_histograms(&mut self, rest: &[Histogram]) -> Result<usize> {
        let mut len = rest.len().min(CHUNK_HISTOGRAMS);
        let begin = self.chunks.len();
        loop {
            self.chunks.truncate(begin);
            match histograms::encode(rest.get(..len).unwrap_or_default(), &mut self.chunks) {
                Ok(()) => return Ok(len),
                Err(masthead_chunk::Error::TooMany { .. }) if len > 1 => len /= 2,
                Err(error) => return Err(self.error(error)),
            }
        }
    }

    /// Adds the start times to the chunk that begins at `begin`, and a reference to it.
    fn finish_chunk(
        &mut self,
        begin: usize,
        kind: u8,
        times: &[i64],
        starts: &[i64],
        references: &mut Vec<u8>,
    ) -> Result<()> {
        let with_starts = starts.iter().any(|start| *start != 0);
        if with_starts {
            ints::encode(starts, &mut self.chunks).map_err(|error| self.error(error))?;
        }
        let place = self.times.place(times);
        let (column, first) = place.map_err(|error| self.error(error))?;
        references.push(kind | if with_starts { STARTS } else { 0 });
        for number in [column, first, times.len(), self.chunks.len() - begin] {
            put_unsigned(references, number as u64);
        }
        Ok(())
    }

    fn error(&self, error: masthead_chunk::Error) -> Error {
        Error::column(self.table.path(), error)
    }
}

fn words(ends: &[usize]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(4 * ends.len());
    for end in ends {
        let word = u32::try_from(*end).map_err(|_| Error::Limit {
            what: "bytes of references or times of one block",
            found: *end as u64,
            limit: u64::from(u32::MAX),
        })?;
        out.extend_from_slice(&word.to_le_bytes());
    }
    Ok(out)
}
