//! What is deleted of a block and still stands in its data.
//!
//! The file is small and replaced whole:
//!
//! ```text
//! magic 8 | crc u32 of the rest | version u32 | count | (first, last, length, roaring bitmap) × count
//! ```

use camino::Utf8Path;
use masthead_durable::{
    Error, Result,
    bytes::{Bad, Reader, put_signed, put_slice, put_unsigned},
};
use masthead_sysio::{Fs, atomic_write, read_to_vec};
use roaring::RoaringBitmap;

const NAME: &str = "tombstones";
const MAGIC: &[u8; 8] = b"MHTOMBST";
const VERSION: u32 = 1;
/// Most bytes of the file.
const BYTES_MAX: u64 = 256 << 20;

/// Series and times that are deleted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tombstones {
    deleted: Vec<(RoaringBitmap, i64, i64)>,
}

impl Tombstones {
    /// Reads the file of a block; none if nothing was deleted. Returns its bytes too.
    pub(crate) fn load(fs: &dyn Fs, dir: &Utf8Path) -> Result<(Self, u64)> {
        let path = dir.join(NAME);
        let bytes = match read_to_vec(fs, &path, BYTES_MAX) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok((Self::default(), 0));
            }
            bytes => bytes?,
        };
        let parsed = Self::parse(&bytes).map_err(|bad| bad.in_file(&path, 0))?;
        match parsed {
            Ok(tombstones) => Ok((tombstones, bytes.len() as u64)),
            Err(found) => Err(Error::Version { path, found, known: VERSION }),
        }
    }

    /// Replaces the file of a block.
    pub(crate) fn store(&self, fs: &dyn Fs, dir: &Utf8Path) -> Result<()> {
        let mut body = VERSION.to_le_bytes().to_vec();
        put_unsigned(&mut body, self.deleted.len() as u64);
        for (series, first, last) in &self.deleted {
            put_signed(&mut body, *first);
            put_signed(&mut body, *last);
            let mut bitmap = Vec::new();
            series.serialize_into(&mut bitmap)?;
            put_slice(&mut body, &bitmap);
        }
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        out.extend_from_slice(&body);
        Ok(atomic_write(fs, &dir.join(NAME), &out)?)
    }

    /// Adds a deletion.
    pub(crate) fn add(&mut self, series: RoaringBitmap, first: i64, last: i64) {
        let same = self.deleted.iter_mut().find(|(_, f, l)| (*f, *l) == (first, last));
        match same {
            Some((known, ..)) => *known |= series,
            None => self.deleted.push((series, first, last)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deleted.is_empty()
    }

    /// What is deleted of a series.
    pub(crate) fn of(&self, id: u32) -> impl Iterator<Item = (i64, i64)> {
        self.deleted
            .iter()
            .filter(move |(series, ..)| series.contains(id))
            .map(|(_, first, last)| (*first, *last))
    }

    /// Tombstones, or the later version that the file has.
    fn parse(bytes: &[u8]) -> Result<Result<Self, u32>, Bad> {
        let mut reader = Reader::new(bytes);
        let bad = reader.bad("magic of tombstones");
        if reader.take(8, "magic of tombstones")? != MAGIC {
            return Err(bad);
        }
        let bad = reader.bad("checksum of tombstones");
        let crc = reader.word32("checksum")?;
        if crc32c::crc32c(bytes.get(reader.offset()..).unwrap_or_default()) != crc {
            return Err(bad);
        }
        let version = reader.word32("version")?;
        if version > VERSION {
            return Ok(Err(version));
        }
        let count = reader.count(reader.remaining(), "count of tombstones")?;
        let mut deleted = Vec::new();
        for _ in 0..count {
            let (first, last) = (reader.signed("time")?, reader.signed("time")?);
            let bad = reader.bad("deleted series");
            let bitmap = reader.slice("deleted series")?;
            let series = RoaringBitmap::deserialize_from(bitmap).map_err(|_| bad)?;
            deleted.push((series, first, last));
        }
        reader.finish("tombstones")?;
        Ok(Ok(Self { deleted }))
    }
}
