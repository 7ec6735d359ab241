//! Which lines can pass tests of members of JSON objects, told by the columns of these members
//! alone.
//!
//! What a skeleton says is worked out once: in some a member is not there or always fails, in most
//! its value is one column, or one of the texts below one. So these columns are read, and of lines
//! that fail nothing else is. A line is left out only if it fails for sure: if it is an object for
//! sure (`members.rs`), and the first member that can become the label has exactly its name.

use masthead_model::{MemberTest, MemberValue};

use super::Mark;
use super::columns::{Column, Wanted};
use super::members::{self, Place};
use super::nodes::{Node, Nodes, Piece};
use super::search::{Held, each_text};
use super::values::Values;

/// What a skeleton says of one test.
#[derive(Debug, Clone, Copy)]
enum Told {
    Passes,
    Fails,
    /// What the value in this column says.
    Value(usize),
    /// What the text below this column says.
    Nested(usize),
}

/// What skeletons say of all tests.
#[derive(Debug)]
pub(super) struct Verdict<'t> {
    /// Of each node that is a line, what is not the same for all of its lines; none if they fail.
    roots: Vec<Option<Vec<(&'t MemberValue, Told)>>>,
}

impl<'t> Verdict<'t> {
    /// Looks at all lines, and says in `wanted` which columns are to be read; none if no line can be
    /// left out.
    pub(super) fn new(
        tests: &'t [MemberTest],
        nodes: &Nodes,
        skeletons: &[u8],
        wanted: &mut [Wanted],
    ) -> Option<Self> {
        let root = |number: &usize| {
            let node = nodes.list.get(*number)?;
            let mut open = Vec::new();
            for test in tests {
                match told(test, node, nodes, skeletons, wanted) {
                    Told::Passes => {}
                    Told::Fails => return None,
                    told => open.push((&test.value, told)),
                }
            }
            Some(open)
        };
        let roots: Vec<_> = nodes.below(0).iter().map(root).collect();
        for (_, told) in roots.iter().flatten().flatten() {
            if let Told::Value(column) | Told::Nested(column) = told
                && let Some(wanted) = wanted.get_mut(*column)
            {
                *wanted = Wanted::Yes;
            }
        }
        let helps = roots.iter().any(|open| open.as_ref().is_none_or(|open| !open.is_empty()));
        helps.then_some(Self { roots })
    }

    /// The places of lines that can pass, of `count` lines.
    pub(super) fn places(
        &self,
        nodes: &Nodes,
        skeletons: &[u8],
        columns: &[Column],
        count: usize,
    ) -> Vec<usize> {
        let held = |(value, told): &(&MemberValue, Told)| match *told {
            Told::Value(column) => match columns.get(column) {
                Some(Column::Values(values)) => passing(values, value),
                _ => Held::All,
            },
            Told::Nested(column) => {
                let may = |child: &usize| may_pass(value, *child, nodes, skeletons);
                let below: Vec<bool> = nodes.below(column).iter().map(may).collect();
                match columns.get(column) {
                    Some(Column::Nested(ordinals)) if !ordinals.is_empty() => {
                        let passes = |ordinal: &u64| {
                            usize::try_from(*ordinal).is_ok_and(|at| below.get(at) == Some(&true))
                        };
                        Held::Some(ordinals.iter().map(passes).collect())
                    }
                    Some(Column::Nested(_)) if below == [false] => Held::None,
                    _ => Held::All,
                }
            }
            Told::Passes | Told::Fails => Held::All,
        };
        let roots: Vec<Option<Vec<Held>>> = self
            .roots
            .iter()
            .map(|open| open.as_ref().map(|open| open.iter().map(held).collect()))
            .collect();
        let mut seen = vec![0_usize; roots.len()];
        let lines = columns.first();
        let passes = |line: &usize| {
            let ordinal = lines.map_or(0, |lines| lines.ordinal(*line));
            let Some(seen) = seen.get_mut(ordinal) else { return true };
            let at = std::mem::replace(seen, *seen + 1);
            let all = |held: &Vec<Held>| held.iter().all(|held| held.at(at));
            roots.get(ordinal).is_none_or(|root| root.as_ref().is_some_and(all))
        };
        (0..count).filter(passes).collect()
    }
}

/// What a line of this skeleton says of a test. Columns that must be numbers if it says anything
/// are wanted in `wanted` for that.
fn told(
    test: &MemberTest,
    node: &Node,
    nodes: &Nodes,
    skeletons: &[u8],
    wanted: &mut [Wanted],
) -> Told {
    let skeleton = skeletons.get(node.skeleton.clone()).unwrap_or_default();
    let Some((place, numbers)) = members::find(skeleton, &test.name) else { return Told::Passes };
    let told = match place {
        Place::Nowhere => Told::Fails,
        Place::Unknown => Told::Passes,
        Place::At(at) => {
            let marks = |text: &[u8]| text.iter().filter(|byte| Mark::of(**byte).is_some()).count();
            let column = node.columns.start + marks(skeleton.get(..at.start).unwrap_or_default());
            let value = skeleton.get(at).unwrap_or_default();
            let string = value.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
            match (string.unwrap_or(value), nodes.marks.get(column)) {
                ([_], Some(Mark::Nested)) if marks(value) == 1 => Told::Nested(column),
                ([_], Some(Mark::Number | Mark::Mixed)) if marks(value) == 1 => Told::Value(column),
                (text, _) if marks(text) > 0 => Told::Passes,
                // Of what is no number and no string, it is not said here what label it becomes.
                (text, _) if string.is_none() && !text.iter().all(u8::is_ascii_digit) => {
                    Told::Passes
                }
                (text, _) if test.value.fails_text(text) => Told::Fails,
                _ => Told::Passes,
            }
        }
    };
    if !matches!(told, Told::Passes) {
        for number in numbers {
            if let Some(wanted) = wanted.get_mut(node.columns.start + number)
                && *wanted == Wanted::No
            {
                *wanted = Wanted::Digits;
            }
        }
    }
    told
}

/// Whether a string can pass that is this nested text.
fn may_pass(value: &MemberValue, number: usize, nodes: &Nodes, skeletons: &[u8]) -> bool {
    let Some(node) = nodes.list.get(number) else { return true };
    if node.columns.is_empty() {
        return !value.fails_text(skeletons.get(node.skeleton.clone()).unwrap_or_default());
    }
    let fixed = |piece: Option<&Piece>| match piece {
        Some(Piece::Fixed(start, end)) => skeletons.get(*start..*end).unwrap_or_default(),
        _ => &[],
    };
    let pieces = nodes.pieces_of(node);
    !value.fails_between(fixed(pieces.first()), fixed(pieces.last()))
}

/// Which values can pass.
fn passing(values: &Values, value: &MemberValue) -> Held {
    let all = |passes: bool| if passes { Held::All } else { Held::None };
    match values {
        Values::Same(text, end) => all(!value.fails_text(text.get(..*end).unwrap_or_default())),
        Values::Numbers { numbers, .. } => exact(numbers, value, 1.0),
        Values::Fractions { numbers, decimals, .. } => {
            let scale = u32::try_from(*decimals).ok().and_then(|at| 10_u64.checked_pow(at));
            scale.map_or(Held::All, |scale| exact(numbers, value, as_float(scale)))
        }
        Values::Dictionary { places, texts, ends } => {
            let known = each_text(texts, ends, 1, |text| !value.fails_text(text));
            let passes = |place: &u64| {
                usize::try_from(*place).ok().and_then(|at| known.get(at)) != Some(&false)
            };
            Held::Some(places.iter().map(passes).collect())
        }
        Values::Texts { texts, ends, gap } => {
            Held::Some(each_text(texts, ends, *gap, |text| !value.fails_text(text)))
        }
        Values::Hexadecimal { .. }
        | Values::RandomUuids { .. }
        | Values::Addresses(_)
        | Values::Moments { .. } => Held::All,
    }
}

/// Which of these numbers, divided by `scale`, can pass. A quotient of two floats that are exact is
/// the float nearest to it, as it is when its digits are read.
fn exact(numbers: &[u64], value: &MemberValue, scale: f64) -> Held {
    const EXACT_MAX: u64 = 1 << 53;
    let passes =
        |number: &u64| *number > EXACT_MAX || !value.fails_number(as_float(*number) / scale);
    Held::Some(numbers.iter().map(passes).collect())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "larger numbers are not judged; ten to the 18th is exact"
)]
fn as_float(number: u64) -> f64 {
    number as f64
}
