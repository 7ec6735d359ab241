//! Columns that can hold a text that is looked for. What cannot is told by as little of a column
//! as possible, and stepped over: by its head, or by its texts without the places of each value.

use super::kinds::{self, Kind, Values, pad, places_width, split};
use super::{Error, Mark, SHORT, Sources};
use crate::lines::template::search::Needle;

/// Reads a column of `count` values if one of them can hold one of `needles`; steps over it
/// otherwise.
pub(in super::super) fn read_holding(
    sources: &mut Sources<'_, '_>,
    mark: Mark,
    count: usize,
    needles: &[Needle],
) -> Result<Option<Values>, Error> {
    if mark != Mark::Raw && count < SHORT {
        return kinds::short(sources, count).map(Some);
    }
    let kind = kinds::kind_of(sources)?;
    if matches!(kind, Kind::Dictionary | Kind::Texts) {
        let texts = Texts::read(sources, kind, count)?;
        let mut scratch = Vec::new();
        if needles.iter().any(|needle| needle.is_in(&texts.bytes, &mut scratch)) {
            return texts.values(sources).map(Some);
        }
        return texts.skip(sources).map(|()| None);
    }
    let fits = match kind {
        Kind::Hexadecimal => {
            let letters = sources.kinds.clone().count(1 << 20, "letters of a number")?;
            needles.iter().any(|needle| needle.fits_hexadecimal(letters))
        }
        kind => needles.iter().any(|needle| needle.fits_kind(kind)),
    };
    if fits {
        return kinds::read(sources, kind, count).map(Some);
    }
    kinds::skip(sources, kind, count).map(|()| None)
}

/// The texts of a column, before it is known which value is which.
pub(super) struct Texts {
    /// A newline behind each.
    bytes: Vec<u8>,
    /// Values of the column.
    count: usize,
    /// Texts, if values are places among them.
    different: Option<usize>,
}

impl Texts {
    /// Reads those of a column of texts or of a dictionary.
    pub(super) fn read(
        sources: &mut Sources<'_, '_>,
        kind: Kind,
        count: usize,
    ) -> Result<Self, Error> {
        let different = match kind {
            Kind::Dictionary => Some(sources.kinds.count(count, "count of texts")?),
            _ => None,
        };
        let mut bytes = Vec::new();
        sources.text(&mut bytes)?;
        Ok(Self { bytes, count, different })
    }

    /// The values, read to their end.
    pub(super) fn values(mut self, sources: &mut Sources<'_, '_>) -> Result<Values, Error> {
        let bad = sources.kinds.corrupt("values of a column");
        let ends = split(&self.bytes, self.different.unwrap_or(self.count)).ok_or(bad.clone())?;
        pad(&mut self.bytes);
        let Some(different) = self.different else {
            return Ok(Values::Texts { texts: self.bytes, ends, gap: 1 });
        };
        let mut places = Vec::new();
        sources.planes(self.count, places_width(different), &mut places)?;
        if places.iter().any(|place| *place >= different as u64) {
            return Err(bad);
        }
        Ok(Values::Dictionary { places, texts: self.bytes, ends })
    }

    /// Steps over the rest of the values.
    fn skip(self, sources: &mut Sources<'_, '_>) -> Result<(), Error> {
        let width = self.different.map(places_width);
        width.map_or(Ok(()), |width| sources.skip_planes(self.count, width))
    }
}
