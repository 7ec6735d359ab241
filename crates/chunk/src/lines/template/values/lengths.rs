//! How long the values of a column are, as far as possible without decompressing them.
//!
//! What all values have in common is told by the head of a column: hexadecimal numbers, UUIDs and
//! most moments are of one length, and numbers whose range has one count of digits. Of a dictionary
//! only the texts are read where all of them are alike.

use super::kinds::{self, Kind, Values};
use super::{Error, Mark, SHORT, Sources};
use crate::lines::template::clock;

/// The lengths of the values of a column.
#[derive(Debug)]
pub(in super::super) enum Lengths {
    /// All are of this length.
    All(usize),
    Each(Vec<u32>),
    /// Of moments that are counted from the times of their lines, and whose zeros at the end are
    /// left out.
    FromLines {
        shape: clock::Shape,
        base: i64,
        /// Added to the times; nothing where all are zero.
        numbers: Vec<u64>,
    },
}

/// Lengths of texts, each the sum of its pieces.
#[derive(Debug, Default)]
pub(in super::super) struct Sums {
    /// What all texts have.
    all: usize,
    /// What each has beside; nothing where none has.
    each: Vec<u32>,
}

impl Lengths {
    /// Whether they cannot be told without the times of the lines.
    pub(in super::super) fn need_times(&self) -> bool {
        matches!(self, Self::FromLines { .. })
    }
}

impl Sums {
    /// The length of the text at `at`.
    #[inline]
    pub(in super::super) fn at(&self, at: usize) -> usize {
        self.all + self.each.get(at).map_or(0, |each| *each as usize)
    }

    /// The length of all texts, if it is one.
    pub(in super::super) fn same(&self) -> Option<usize> {
        self.each.is_empty().then_some(self.all)
    }

    /// Adds a piece that all have.
    pub(in super::super) fn add(&mut self, length: usize) {
        self.all = self.all.saturating_add(length);
    }

    /// Adds a piece of each text.
    pub(in super::super) fn add_each(&mut self, lengths: impl Iterator<Item = u32>) {
        if self.each.is_empty() {
            self.each.extend(lengths);
            return;
        }
        for (sum, length) in self.each.iter_mut().zip(lengths) {
            *sum = sum.saturating_add(length);
        }
    }

    /// Adds a piece that is itself a sum.
    pub(in super::super) fn add_sums(&mut self, sums: &Self) {
        self.add(sums.all);
        self.add_each(sums.each.iter().copied());
    }

    /// Adds the values of a column; `times` are those of the lines in which they stand, asked for
    /// where they are needed.
    pub(in super::super) fn add_values(
        &mut self,
        values: &Lengths,
        times: impl FnOnce() -> Vec<i64>,
    ) {
        match values {
            Lengths::All(length) => self.add(*length),
            Lengths::Each(lengths) => self.add_each(lengths.iter().copied()),
            Lengths::FromLines { shape, base, numbers } => {
                let numbers = numbers.iter().copied().chain(std::iter::repeat(0));
                self.add_each(times().into_iter().zip(numbers).map(|(time, number)| {
                    let number = number.cast_signed().wrapping_add(*base);
                    saturated(shape.len_of(shape.floor(time).wrapping_add(number)))
                }));
            }
        }
    }
}

/// Reads how long the values of a column of `count` are, and is then behind them.
pub(in super::super) fn lengths(
    sources: &mut Sources<'_, '_>,
    mark: Mark,
    count: usize,
) -> Result<Lengths, Error> {
    if mark != Mark::Raw && count < SHORT {
        return Ok(of_values(&kinds::short(sources, count)?));
    }
    let kind = kinds::kind_of(sources)?;
    if let Some(length) = same(sources, kind)? {
        kinds::skip(sources, kind, count)?;
        return Ok(Lengths::All(length));
    }
    if kind == Kind::Raw {
        let width = usize::from(sources.kinds.byte("width of lengths")?);
        let mut numbers = Vec::new();
        sources.planes(count, width, &mut numbers)?;
        sources.skip_text()?;
        let length = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        return Ok(Lengths::Each(numbers.into_iter().map(length).collect()));
    }
    let values = kinds::read(sources, kind, count)?;
    if let Values::Moments { shape, from_line: true, base, numbers } = values {
        if numbers.is_empty() {
            // They come from nothing, and their lengths are made one by one all the same.
            sources.spend(count)?;
        }
        return Ok(Lengths::FromLines { shape, base, numbers });
    }
    Ok(of_values(&values))
}

/// The length that all values of a column have for sure, by what stands before them.
fn same(sources: &Sources<'_, '_>, kind: Kind) -> Result<Option<usize>, Error> {
    let mut head = sources.kinds.clone();
    Ok(match kind {
        Kind::Numbers => {
            let digits = head.count(20, "digits")?;
            let base = head.unsigned("base")?;
            let width = head.count(8, "width of numbers")?;
            let reach = (1_u128 << (8 * width)) - 1;
            let last = u64::try_from(u128::from(base) + reach).ok();
            let alike = |last: u64| number_len(last, digits) == number_len(base, digits);
            last.is_some_and(alike).then(|| number_len(base, digits))
        }
        Kind::Hexadecimal => {
            Some(kinds::hexadecimal_len(head.count(1 << 20, "letters of a number")?))
        }
        Kind::RandomUuids => Some(crate::words::UUID_BYTES),
        Kind::Moments => kinds::moments_head(&mut head)?.0.len(),
        Kind::Same
        | Kind::Differences
        | Kind::Dictionary
        | Kind::Texts
        | Kind::Addresses
        | Kind::Fractions
        | Kind::Raw => None,
    })
}

/// The lengths of values that were read; not of moments that are counted from their lines.
fn of_values(values: &Values) -> Lengths {
    let of_texts = |ends: &[usize], gap| between(ends, gap).collect::<Vec<u32>>();
    let each =
        |lengths: &mut dyn Iterator<Item = usize>| Lengths::Each(lengths.map(saturated).collect());
    match values {
        Values::Same(_, end) => Lengths::All(*end),
        Values::Hexadecimal { len, .. } => Lengths::All(kinds::hexadecimal_len(*len)),
        Values::RandomUuids { .. } => Lengths::All(crate::words::UUID_BYTES),
        Values::Texts { ends, gap, .. } => Lengths::Each(of_texts(ends, *gap)),
        Values::Dictionary { places, ends, .. } => {
            let known = of_texts(ends, 1);
            let length = |place: &u64| known.get(usize::try_from(*place).ok()?).copied();
            Lengths::Each(places.iter().map(|place| length(place).unwrap_or(0)).collect())
        }
        Values::Numbers { numbers, digits } => {
            each(&mut numbers.iter().map(|number| number_len(*number, *digits)))
        }
        Values::Addresses(numbers) => each(&mut numbers.iter().map(|address| {
            let groups = address.to_be_bytes().into_iter().skip(4);
            3 + groups.map(|group| number_len(u64::from(group), 0)).sum::<usize>()
        })),
        Values::Fractions { numbers, digits, decimals } => {
            let scale = 10_u64.pow(u32::try_from(*decimals).unwrap_or(0));
            let behind = 1 + (*decimals).max(1);
            each(&mut numbers.iter().map(|number| number_len(number / scale, *digits) + behind))
        }
        Values::Moments { shape, base, numbers, .. } => each(
            &mut numbers.iter().map(|number| shape.len_of(base.wrapping_add(number.cast_signed()))),
        ),
    }
}

/// The lengths of texts that end there, with so many bytes between them.
fn between(ends: &[usize], gap: usize) -> impl Iterator<Item = u32> {
    let mut start = 0;
    ends.iter().map(move |end| {
        let length = end.saturating_sub(start);
        start = end + gap;
        saturated(length)
    })
}

/// The digits of a number that is written with at least so many.
fn number_len(number: u64, digits: usize) -> usize {
    digits.max(number.checked_ilog10().unwrap_or(0) as usize + 1)
}

fn saturated(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
