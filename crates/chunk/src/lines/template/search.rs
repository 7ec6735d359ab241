//! Which lines can hold a text, told by their templates.
//!
//! A text stands in a line as a piece of its skeleton, or of one value, or across several. What
//! skeletons say is worked out once for each: most cannot hold the text at all, in some it stands
//! for sure, and of some only the values of a column can. So columns are read that can hold it, and
//! lines are put together that do. A line is left out only if it cannot hold the text.

use memchr::memmem::Finder;

use super::columns::Column;
use super::nodes::{Nodes, Piece};
use super::values::{HALF_BITS, Kind, Values, known_halves};
use super::{DEPTH_MAX, Mark};
use crate::bits;

/// Only so much of a longer text is looked for.
const BYTES_MAX: usize = 63;

/// A text that is looked for in lines.
#[derive(Debug)]
pub struct Needle {
    /// In small letters if case does not matter.
    text: Vec<u8>,
    folded: bool,
    finder: Finder<'static>,
    /// For each place at which the text can stand in a UUID, which bits it says something of, and
    /// what.
    uuids: Vec<(u128, u128)>,
    /// The same of UUIDs of version 4, as they are stored.
    random_uuids: Vec<[(u64, u64); 2]>,
    /// For each kind of variable and each place in the text, how far it goes on with bytes that
    /// such a variable can have.
    reach: [[usize; BYTES_MAX]; CLASSES.len()],
}

type HasByte = fn(u8) -> bool;

/// Bytes that the values of marks can have.
const CLASSES: [(Mark, HasByte); 5] = [
    (Mark::Number, |byte| byte.is_ascii_digit()),
    (Mark::Mixed, |byte| byte != b'\n'),
    (Mark::Uuid, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')),
    (Mark::Raw, |_| true),
    (Mark::Moment, |byte| byte.is_ascii_digit() || b"-/T :.,".contains(&byte)),
];

impl Needle {
    /// A text; with `folded` letters of ASCII stand for both their cases. None if it is empty.
    pub fn new(text: &[u8], folded: bool) -> Option<Self> {
        let mut text = text.get(..text.len().min(BYTES_MAX))?.to_vec();
        if text.is_empty() {
            return None;
        }
        if folded {
            text.make_ascii_lowercase();
        }
        let mut reach = [[0; BYTES_MAX]; CLASSES.len()];
        for ((_, has), reach) in CLASSES.iter().zip(&mut reach) {
            let mut end = text.len();
            for (at, byte) in text.iter().enumerate().rev() {
                if !(has(*byte) || folded && has(byte.to_ascii_uppercase())) {
                    end = at;
                }
                if let Some(reach) = reach.get_mut(at) {
                    *reach = end;
                }
            }
        }
        let finder = Finder::new(&text).into_owned();
        let uuids = in_uuid(&text);
        let random_uuids =
            uuids.iter().filter_map(|(mask, bits)| known_halves(*mask, *bits)).collect();
        Some(Self { text, folded, finder, uuids, random_uuids, reach })
    }

    fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether values of a kind can hold the text.
    pub(super) fn fits_kind(&self, kind: Kind) -> bool {
        let all = |has: fn(u8) -> bool| self.text.iter().all(|byte| has(*byte));
        match kind {
            Kind::Numbers | Kind::Differences => all(|byte| byte.is_ascii_digit()),
            Kind::Addresses | Kind::Fractions => all(|byte| byte.is_ascii_digit() || byte == b'.'),
            Kind::RandomUuids => !self.random_uuids.is_empty(),
            Kind::Hexadecimal => all(|byte| byte.is_ascii_hexdigit() || byte == b'-'),
            Kind::Same | Kind::Dictionary | Kind::Texts | Kind::Raw | Kind::Moments => true,
        }
    }

    /// Whether hexadecimal numbers of so many letters can hold the text.
    pub(super) fn fits_hexadecimal(&self, letters: usize) -> bool {
        if letters == crate::words::UUID_BYTES {
            return self.fits_kind(Kind::Hexadecimal);
        }
        self.len() <= letters && self.text.iter().all(u8::is_ascii_hexdigit)
    }

    pub(super) fn is_in(&self, text: &[u8], scratch: &mut Vec<u8>) -> bool {
        if !self.folded {
            return self.finder.find(text).is_some();
        }
        scratch.clear();
        scratch.extend(text.iter().map(u8::to_ascii_lowercase));
        self.finder.find(scratch).is_some()
    }

    /// Whether a UUID whose stored halves are these holds the text.
    #[inline]
    fn is_in_halves(&self, low: impl Fn() -> u64, high: impl Fn() -> u64) -> bool {
        self.random_uuids.iter().any(|[(low_mask, low_bits), (high_mask, high_bits)]| {
            high() & high_mask == *high_bits && low() & low_mask == *low_bits
        })
    }
}

/// The UUIDs that hold a text: for each place at which it can stand in one, which bits it says
/// something of, and what. Those of such columns have small letters alone.
fn in_uuid(text: &[u8]) -> Vec<(u128, u128)> {
    let places = (crate::words::UUID_BYTES + 1).saturating_sub(text.len());
    (0..places).filter_map(|start| in_uuid_at(text, start)).collect()
}

fn in_uuid_at(text: &[u8], start: usize) -> Option<(u128, u128)> {
    let (mut mask, mut bits) = (0_u128, 0_u128);
    for (at, byte) in (start..).zip(text) {
        let dashes = [8, 13, 18, 23].iter().filter(|dash| **dash < at).count();
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digit = char::from(*byte).to_digit(16).filter(|_| digit)?;
        let shift = 4 * (31 - (at - dashes));
        mask |= 15 << shift;
        bits |= u128::from(digit) << shift;
    }
    Some((mask, bits))
}

/// What skeletons say of a text.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Nodes that hold it wherever they occur, or may by what their values are together.
    nodes: Vec<bool>,
    /// Columns one of whose values can hold it alone.
    columns: Vec<bool>,
    /// Nodes of which columns or nodes below are to be looked at.
    open: Vec<bool>,
}

impl Verdict {
    /// Looks at all nodes, whose pieces are places in `skeletons`.
    pub(super) fn new(needle: &Needle, nodes: &Nodes, skeletons: &[u8]) -> Self {
        let (list, marks) = (nodes.list.len(), nodes.marks.len());
        let mut verdict =
            Self { nodes: vec![false; list], columns: vec![false; marks], open: vec![false; list] };
        let scratch = Vec::new();
        let mut text = Match { needle, nodes, skeletons, verdict: &mut verdict, scratch };
        for root in nodes.below(0) {
            text.node(*root, 0, 0);
        }
        // Nodes come before those below them.
        for (number, node) in nodes.list.iter().enumerate().rev() {
            let is_open = node.columns.clone().any(|column| {
                verdict.columns.get(column) == Some(&true)
                    || nodes.below(column).iter().any(|child| verdict.may(*child))
            });
            if let Some(open) = verdict.open.get_mut(number) {
                *open = is_open;
            }
        }
        verdict
    }

    fn may(&self, node: usize) -> bool {
        self.nodes.get(node) == Some(&true) || self.open.get(node) == Some(&true)
    }

    /// Whether no line can hold it.
    pub(super) fn is_never(&self, nodes: &Nodes) -> bool {
        !nodes.below(0).iter().any(|root| self.may(*root))
    }

    /// Whether every line may, whatever its values are.
    pub(super) fn is_always(&self, nodes: &Nodes) -> bool {
        nodes.below(0).iter().all(|root| self.nodes.get(*root) == Some(&true))
    }

    /// Whether a column is to be read.
    pub(super) fn wants(&self, nodes: &Nodes, column: usize) -> bool {
        self.columns.get(column) == Some(&true)
            || nodes.below(column).iter().any(|child| self.may(*child))
    }
}

/// How a text goes on over the pieces of skeletons.
struct Match<'a> {
    needle: &'a Needle,
    nodes: &'a Nodes,
    skeletons: &'a [u8],
    verdict: &'a mut Verdict,
    scratch: Vec<u8>,
}

impl Match<'_> {
    /// Goes over a node. Bits of `begun` are lengths of the text that can stand right before it;
    /// those returned can stand right before what comes behind it.
    fn node(&mut self, number: usize, mut begun: u64, depth: usize) -> u64 {
        let nodes = self.nodes;
        let Some(node) = nodes.list.get(number).filter(|_| depth <= DEPTH_MAX) else {
            return begun;
        };
        let mut found = false;
        for piece in nodes.pieces_of(node) {
            begun = match *piece {
                Piece::Fixed(start, end) => {
                    let text = self.skeletons.get(start..end).unwrap_or_default();
                    self.fixed(text, begun, &mut found)
                }
                Piece::Value(column) => self.value(column, begun, &mut found),
                Piece::Nested(column) => {
                    let below = nodes.below(column).iter();
                    below.fold(0, |all, child| all | self.node(*child, begun, depth + 1))
                }
            };
        }
        if found && let Some(node) = self.verdict.nodes.get_mut(number) {
            *node = true;
        }
        begun
    }

    fn fixed(&mut self, text: &[u8], begun: u64, found: &mut bool) -> u64 {
        let mut after = 0;
        let mut go_on = |from: usize, text: &[u8]| {
            let rest = self.needle.text.get(from..).unwrap_or_default();
            let len = rest.len().min(text.len());
            let same = text.iter().zip(rest).all(|(byte, want)| {
                byte == want || (self.needle.folded && byte.eq_ignore_ascii_case(want))
            });
            if same && len == rest.len() {
                *found = true;
            } else if same {
                after |= 1 << (from + len);
            }
        };
        for from in bits_of(begun) {
            go_on(from, text);
        }
        // What is not all in it can begin only near its end.
        for at in text.len().saturating_sub(self.needle.len() - 1)..text.len() {
            go_on(0, text.get(at..).unwrap_or_default());
        }
        *found = *found || self.needle.is_in(text, &mut self.scratch);
        after
    }

    fn value(&mut self, column: usize, begun: u64, found: &mut bool) -> u64 {
        let mark = self.nodes.marks.get(column);
        let class = CLASSES.iter().position(|(class, _)| Some(class) == mark).unwrap_or(0);
        let reach = |from: usize| {
            self.needle.reach.get(class).and_then(|all| all.get(from)).copied().unwrap_or(from)
        };
        let len = self.needle.len();
        // A value can end before the text goes on, or begin in the middle of it.
        let mut after = begun;
        for from in bits_of(begun) {
            let end = reach(from);
            *found |= end == len;
            after |= lengths(from, end);
        }
        let end = reach(0);
        after |= lengths(0, end);
        if end == len
            && let Some(column) = self.verdict.columns.get_mut(column)
        {
            *column = true;
        }
        after & !(1 | 1 << len)
    }
}

/// The bits from one behind `from` to `to`.
fn lengths(from: usize, to: usize) -> u64 {
    (from + 1..=to).fold(0, |all, at| all | 1 << at)
}

fn bits_of(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (at < 64).then_some(at)
    })
}

/// Tells line by line, in order, which can hold a text.
pub(super) struct Sieve<'a> {
    nodes: &'a Nodes,
    verdict: &'a Verdict,
    columns: &'a [Column],
    /// Of columns that were looked into: which values hold the text.
    holds: Vec<Held>,
    /// The columns of each node that are asked, in which some value holds the text or some node
    /// below may.
    asked: Vec<Vec<usize>>,
    /// How often each node occurred.
    seen: Vec<usize>,
}

/// Which values of a column hold a text, or pass a test.
#[derive(Debug)]
pub(super) enum Held {
    None,
    All,
    Some(Vec<bool>),
}

impl Held {
    pub(super) fn at(&self, at: usize) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some(held) => held.get(at) == Some(&true),
        }
    }
}

impl<'a> Sieve<'a> {
    /// `columns` are those that the verdict wants.
    pub(super) fn new(
        needle: &Needle,
        nodes: &'a Nodes,
        verdict: &'a Verdict,
        columns: &'a [Column],
    ) -> Self {
        let holds: Vec<Held> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| match column {
                Column::Values(values) if verdict.columns.get(at) == Some(&true) => {
                    held(values, needle)
                }
                _ => Held::None,
            })
            .collect();
        let mut asked: Vec<Vec<usize>> = vec![Vec::new(); nodes.list.len()];
        // Nodes come before those below them.
        for (number, node) in nodes.list.iter().enumerate().rev() {
            let may = |child: &usize| {
                verdict.nodes.get(*child) == Some(&true)
                    || asked.get(*child).is_some_and(|columns| !columns.is_empty())
            };
            let asks = |column: &usize| {
                holds.get(*column).is_some_and(|held| !matches!(held, Held::None))
                    || nodes.below(*column).iter().any(may)
            };
            let columns = node.columns.clone().filter(asks).collect();
            if let Some(asked) = asked.get_mut(number) {
                *asked = columns;
            }
        }
        Self { nodes, verdict, columns, holds, asked, seen: vec![0; nodes.list.len()] }
    }

    /// Whether no line can hold the text.
    pub(super) fn is_never(&self) -> bool {
        self.nodes.below(0).iter().all(|root| {
            self.verdict.nodes.get(*root) != Some(&true)
                && self.asked.get(*root).is_none_or(Vec::is_empty)
        })
    }

    /// Whether the next line, which stands at `line`, can hold the text.
    pub(super) fn passes(&mut self, line: usize) -> bool {
        self.nested(0, line)
    }

    fn nested(&mut self, column: usize, at: usize) -> bool {
        let nodes = self.nodes;
        let ordinal = self.columns.get(column).map_or(0, |column| column.ordinal(at));
        let Some(number) = nodes.below(column).get(ordinal).copied() else { return false };
        let Some(seen) = self.seen.get_mut(number) else { return false };
        let at = std::mem::replace(seen, *seen + 1);
        let mut passes = self.verdict.nodes.get(number) == Some(&true);
        let asked = self.asked.get_mut(number).map(std::mem::take).unwrap_or_default();
        for column in &asked {
            passes |= if nodes.marks.get(*column) == Some(&Mark::Nested) {
                // Also where it passes already: what is below must be counted.
                self.nested(*column, at)
            } else {
                self.holds.get(*column).is_some_and(|held| held.at(at))
            };
        }
        if let Some(place) = self.asked.get_mut(number) {
            *place = asked;
        }
        passes
    }
}

/// Which values hold the text.
fn held(values: &Values, needle: &Needle) -> Held {
    let mut scratch = Vec::new();
    let any = |held: Vec<bool>| if held.contains(&true) { Held::Some(held) } else { Held::None };
    let all = |holds: bool| if holds { Held::All } else { Held::None };
    match values {
        Values::Same(value, end) => {
            all(needle.is_in(value.get(..*end).unwrap_or_default(), &mut scratch))
        }
        Values::Dictionary { places, texts, ends } => {
            let known = each_text(texts, ends, 1, |text| needle.is_in(text, &mut scratch));
            if !known.contains(&true) {
                return Held::None;
            }
            let holds = |place: &u64| {
                usize::try_from(*place).ok().and_then(|place| known.get(place)) == Some(&true)
            };
            Held::Some(places.iter().map(holds).collect())
        }
        Values::Texts { texts, ends, gap } => {
            // One search over all of them mostly says that none has it.
            if !needle.is_in(texts, &mut scratch) {
                return Held::None;
            }
            any(each_text(texts, ends, *gap, |text| needle.is_in(text, &mut scratch)))
        }
        Values::Hexadecimal { bytes, len: crate::words::UUID_BYTES, upper: false } => {
            let (all, _) = bytes.as_chunks::<16>();
            let holds = |uuid: &[u8; 16]| {
                let uuid = u128::from_be_bytes(*uuid);
                needle.uuids.iter().any(|(mask, bits)| uuid & mask == *bits)
            };
            any(all.iter().map(holds).collect())
        }
        Values::RandomUuids { packed, count } => {
            let half = |at| move || bits::get(packed, at, HALF_BITS);
            let holds = |at: usize| needle.is_in_halves(half(2 * at), half(2 * at + 1));
            // Mostly none does, which is told without writing down of each that it does not.
            if !(0..*count).any(holds) {
                return Held::None;
            }
            Held::Some((0..*count).map(holds).collect())
        }
        // Times of day are in nearly every line, and rarely looked for.
        Values::Moments { .. } => Held::All,
        Values::Numbers { .. }
        | Values::Hexadecimal { .. }
        | Values::Addresses(_)
        | Values::Fractions { .. } => {
            let mut text = [0; VALUE_BYTES];
            any((0..values.len())
                .map(|at| {
                    let mut out = super::out::Out::new(&mut text);
                    values.put(at, 0, &mut out);
                    let end = out.len();
                    // What found no room may hold it.
                    text.get(..end).is_none_or(|text| needle.is_in(text, &mut scratch))
                })
                .collect())
        }
    }
}

/// Room for a number, an address or a fraction.
const VALUE_BYTES: usize = 128;

pub(super) fn each_text(
    texts: &[u8],
    ends: &[usize],
    gap: usize,
    mut holds: impl FnMut(&[u8]) -> bool,
) -> Vec<bool> {
    let mut start = 0;
    ends.iter()
        .map(|end| {
            let text = texts.get(start..*end).unwrap_or_default();
            start = end + gap;
            holds(text)
        })
        .collect()
}
