//! Which series belong together: groups of an aggregation, pairs of a binary operation.
//!
//! A group is known by a 64-bit signature of the labels that count, computed without making a
//! label set. Signatures may collide: who groups by them compares with [`LabelSet::same_group`]
//! on the first of each group, as the map of [`Grouping`] users does anyway to build its labels.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use masthead_model::{Label, Labels, METRIC_NAME};

/// Which labels count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelSet {
    /// Only these: `by (…)` and `on (…)`. Sorted.
    Only(Vec<Box<str>>),
    /// All but these and the metric's name: `without (…)` and `ignoring (…)`. Sorted.
    AllBut(Vec<Box<str>>),
}

/// The signature of the labels that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub u64);

/// A [`LabelSet`] with the way to compute signatures and the labels of results.
#[derive(Debug, Clone)]
pub struct Grouping {
    labels: LabelSet,
}

impl LabelSet {
    /// Only the labels `names`.
    pub fn only<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Only(sorted(names))
    }

    /// All labels but `names` and the metric's name.
    pub fn all_but<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut names = sorted(names);
        if let Err(at) = names.binary_search_by(|name| (**name).cmp(METRIC_NAME)) {
            names.insert(at, METRIC_NAME.into());
        }
        Self::AllBut(names)
    }

    /// The labels of `labels` that count, in order.
    pub fn pick<'a>(&'a self, labels: &'a Labels) -> impl Iterator<Item = Label<'a>> + 'a {
        let (names, keep) = match self {
            Self::Only(names) => (names, true),
            Self::AllBut(names) => (names, false),
        };
        // Both are sorted, so one walk does.
        let mut names = names.iter().map(|name| &**name).peekable();
        let mut labels = labels.iter();
        std::iter::from_fn(move || {
            // Where the last name is behind, no more can count.
            while !keep || names.peek().is_some() {
                let label = labels.next()?;
                while names.next_if(|name| *name < label.name).is_some() {}
                let named = names.peek() == Some(&label.name);
                if named {
                    names.next();
                }
                if named == keep {
                    return Some(label);
                }
            }
            None
        })
    }

    /// Whether both series have the same labels that count.
    pub fn same_group(&self, a: &Labels, b: &Labels) -> bool {
        self.pick(a).eq(self.pick(b))
    }
}

impl Grouping {
    /// A grouping by `labels`.
    pub fn new(labels: LabelSet) -> Self {
        Self { labels }
    }

    /// Which labels count.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// The signature of a series; equal for series of one group. The same in every run.
    pub fn signature(&self, labels: &Labels) -> Signature {
        let mut hasher = BuildHasherDefault::<Fold>::default().build_hasher();
        for label in self.labels.pick(labels) {
            label.name.hash(&mut hasher);
            label.value.hash(&mut hasher);
        }
        Signature(hasher.finish())
    }

    /// The labels of a group's result.
    pub fn result(&self, labels: &Labels) -> Labels {
        let mut buffer = String::with_capacity(labels.byte_len());
        // A series of logs may have a label without a name, by which nobody can group.
        let named = self.labels.pick(labels).filter(|label| !label.name.is_empty());
        Labels::from_sorted(named, &mut buffer).unwrap_or_default()
    }
}

fn sorted<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A hash of eight bytes at a time: multiply in 128 bits and fold. Not against attackers: who
/// groups compares labels, and the number of series is limited before.
struct Fold(u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Default for Fold {
    fn default() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }
}

impl Fold {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(MULTIPLIER);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are folded together")]
        let folded = (product as u64) ^ ((product >> 64) as u64);
        self.0 = folded.rotate_left(23).wrapping_add(word);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        let mut tail = [0; 8];
        for (to, from) in tail.iter_mut().zip(chunks.remainder()) {
            *to = *from;
        }
        self.mix(u64::from_le_bytes(tail) ^ (bytes.len() as u64).rotate_left(56));
    }

    fn finish(&self) -> u64 {
        let mut last = Self(self.0);
        last.mix(MULTIPLIER);
        last.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn labels(text: &str) -> Labels {
        text.parse().expect("labels")
    }

    #[test]
    fn only_the_labels_that_count_decide() {
        let series = labels(r#"up{a="1", b="2", c="3"}"#);
        let f = |set: LabelSet, want: &str| {
            let grouping = Grouping::new(set);
            assert_eq!(grouping.result(&series), labels(want));
            assert_eq!(
                grouping.signature(&series),
                Grouping::new(LabelSet::all_but::<&str>([])).signature(&labels(want))
            );
        };
        f(LabelSet::only(["c", "a", "a", "x"]), r#"{a="1", c="3"}"#);
        f(LabelSet::only::<&str>([]), "{}");
        f(LabelSet::all_but(["b"]), r#"{a="1", c="3"}"#);
        f(LabelSet::all_but::<&str>([]), r#"{a="1", b="2", c="3"}"#);
        let by_name = Grouping::new(LabelSet::only(["__name__"]));
        assert_eq!(by_name.result(&series), labels("up"));
        assert_eq!(by_name.labels(), &LabelSet::Only(vec!["__name__".into()]));
    }

    #[test]
    fn signatures_of_many_series_differ() {
        let grouping = Grouping::new(LabelSet::all_but::<&str>([]));
        let mut seen = HashMap::new();
        for n in 0..20_000 {
            let series: Labels =
                [("instance", format!("host-{n}:9100")), ("job", "node".to_owned())]
                    .into_iter()
                    .collect();
            assert_eq!(seen.insert(grouping.signature(&series), n), None);
        }
    }

    proptest! {
        #[test]
        fn a_group_has_one_signature(
            a in proptest::collection::btree_map("[a-c]", "[xy]{1,9}", 0..4),
            b in proptest::collection::btree_map("[a-c]", "[xy]{1,9}", 0..4),
            names in proptest::collection::vec("[a-c]", 0..3), only: bool,
        ) {
            let (a, b): (Labels, Labels) = (a.iter().collect(), b.iter().collect());
            let set = if only { LabelSet::only(names) } else { LabelSet::all_but(names) };
            let same = set.same_group(&a, &b);
            let grouping = Grouping::new(set);
            prop_assert_eq!(grouping.signature(&a) == grouping.signature(&b), same);
            prop_assert_eq!(grouping.result(&a) == grouping.result(&b), same);
        }
    }
}
