//! Aggregations that keep some rows of each group, step by step: topk, bottomk, limitk and
//! `limit_ratio`.

use std::cmp::Ordering;

use masthead_model::{Labels, format_shortest};
use masthead_vecmath::StepGrid;
use twox_hash::XxHash64;

use super::Group;
use crate::{
    annotations::{Note, Notes},
    ast::{Aggregate, AggregateOp},
    engine::{Cell, Error, Evaluation, Made, Row, is_absent},
};

/// Floats from here on are not in the range of upstream's 64-bit counts.
const COUNT_OVERFLOW: f64 = 9_223_372_036_854_774_784.0;
const COUNT_UNDERFLOW: f64 = -9_223_372_036_854_775_808.0;

impl Evaluation<'_> {
    pub(super) fn pick(
        &self,
        node: &Aggregate,
        rows: &[Row],
        groups: &[Group],
        param: &[f64],
        grid: &StepGrid,
    ) -> Result<Vec<Row>, Error> {
        let mut notes = Notes::default();
        if !check_param(node, param, &mut notes)? {
            return Ok(Vec::new());
        }
        let ranked = matches!(node.op, AggregateOp::Topk | AggregateOp::Bottomk);
        if ranked && rows.iter().any(|row| row.histograms.is_some()) {
            notes.add(Note::histogram_ignored(node.op.as_str(), node.pos));
        }
        self.note(notes);
        let offsets: Vec<f64> = match node.op {
            AggregateOp::LimitRatio => {
                rows.iter().map(|row| sampling_offset(&row.labels)).collect()
            }
            _ => Vec::new(),
        };
        let mut picked: Vec<Row> = Vec::new();
        // For each input row its place in `picked`, once it is there.
        let mut places: Vec<Option<usize>> = vec![None; rows.len()];
        let mut chosen = Vec::new();
        for step in 0..grid.len() {
            self.ctx.check()?;
            let param = param.get(step).copied().unwrap_or(f64::NAN);
            for group in groups {
                choose(node.op, rows, &group.members, step, param, &offsets, &mut chosen);
                for at in &chosen {
                    let (Some(row), Some(place)) = (rows.get(*at), places.get_mut(*at)) else {
                        continue;
                    };
                    let place = *place.get_or_insert_with(|| {
                        let mut kept = Row::empty(row.labels.clone(), grid.len());
                        kept.drop_name = row.drop_name;
                        picked.push(kept);
                        picked.len() - 1
                    });
                    let made = match row.cell(step) {
                        Cell::Absent => continue,
                        Cell::Float(value) => Made::Float(value),
                        Cell::Histogram(histogram) => Made::Histogram(histogram.clone()),
                    };
                    if let Some(kept) = picked.get_mut(place) {
                        kept.set(step, made);
                    }
                }
            }
        }
        Ok(picked)
    }
}

/// Fills `chosen` with the rows that stay at `step`, the best first.
fn choose(
    op: AggregateOp,
    rows: &[Row],
    members: &[usize],
    step: usize,
    param: f64,
    offsets: &[f64],
    chosen: &mut Vec<usize>,
) {
    chosen.clear();
    match op {
        AggregateOp::LimitRatio => {
            let ratio = param.clamp(-1.0, 1.0);
            let inside = |at: &usize| {
                let offset = offsets.get(*at).copied().unwrap_or(0.0);
                if ratio >= 0.0 { offset < ratio } else { offset >= 1.0 + ratio }
            };
            chosen.extend(present(rows, members, step).filter(inside));
        }
        AggregateOp::Limitk => {
            chosen.extend(present(rows, members, step).take(count(param, rows.len())));
        }
        _ => {
            let value = |at: &usize| rows.get(*at).and_then(|row| row.floats.get(step)).copied();
            let floats =
                members.iter().copied().filter(|at| value(at).is_some_and(|v| !is_absent(v)));
            chosen.extend(floats);
            let worse_first = |a: &usize, b: &usize| {
                let (a, b) = (value(a).unwrap_or(f64::NAN), value(b).unwrap_or(f64::NAN));
                let order =
                    if op == AggregateOp::Topk { b.partial_cmp(&a) } else { a.partial_cmp(&b) };
                // NaN is the worst for both.
                order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            };
            let keep = count(param, rows.len());
            // Equal values stay in the order of the input.
            let order =
                |a: &usize, b: &usize| -> Ordering { worse_first(a, b).then_with(|| a.cmp(b)) };
            if keep > 0 && keep < chosen.len() {
                chosen.select_nth_unstable_by(keep - 1, order);
            }
            chosen.truncate(keep);
            chosen.sort_unstable_by(order);
        }
    }
}

fn present<'a>(
    rows: &'a [Row],
    members: &'a [usize],
    step: usize,
) -> impl Iterator<Item = usize> + 'a {
    members.iter().copied().filter(move |at| rows.get(*at).is_some_and(|row| row.has(step)))
}

/// How many rows a parameter allows; it was checked to be in range.
fn count(param: f64, rows: usize) -> usize {
    if param < 1.0 {
        return 0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut to whole numbers as upstream does; saturating is right here"
    )]
    let count = param as usize;
    count.min(rows)
}

/// Refuses parameters that count nothing; `false` if no step keeps anything.
fn check_param(node: &Aggregate, param: &[f64], notes: &mut Notes) -> Result<bool, Error> {
    let max = param.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = param.iter().copied().fold(f64::INFINITY, f64::min);
    let any_nan = param.iter().any(|value| value.is_nan());
    if node.op == AggregateOp::LimitRatio {
        if any_nan {
            return Err(Error::execution("Ratio value is NaN"));
        }
        let pos = node.param.as_ref().map_or(node.pos, crate::ast::Expr::pos);
        if max > 1.0 {
            notes.add(Note::invalid_ratio(max, 1.0, pos));
        }
        if min < -1.0 {
            notes.add(Note::invalid_ratio(min, -1.0, pos));
        }
        return Ok(max != 0.0 || min != 0.0);
    }
    if any_nan {
        return Err(Error::execution("Parameter value is NaN"));
    }
    if max < 1.0 {
        return Ok(false);
    }
    if min <= COUNT_UNDERFLOW {
        let value = format_shortest(min, 6);
        return Err(Error::execution(format!("Scalar value {value} underflows int64")));
    }
    if max >= COUNT_OVERFLOW {
        let value = format_shortest(max, 6);
        return Err(Error::execution(format!("Scalar value {value} overflows int64")));
    }
    Ok(true)
}

/// A number in [0, 1) that depends on the labels alone: upstream's, so that the same series are
/// sampled (`model/labels/labels_stringlabels.go: Hash`, over names and values each after its
/// length).
#[expect(clippy::cast_precision_loss, reason = "as upstream: both are rounded to floats")]
fn sampling_offset(labels: &Labels) -> f64 {
    let mut bytes = Vec::with_capacity(labels.byte_len());
    for label in labels {
        push_text(&mut bytes, label.name);
        push_text(&mut bytes, label.value);
    }
    XxHash64::oneshot(0, &bytes) as f64 / u64::MAX as f64
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(len) if len < u8::MAX => bytes.push(len),
        _ => {
            let len = text.len().to_le_bytes();
            bytes.push(u8::MAX);
            bytes.extend(len.iter().take(3));
        }
    }
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_offsets_are_a_fixed_fraction_for_each_label_set() {
        let labels: Labels = [("a", "1")].into_iter().collect();
        let offset = sampling_offset(&labels);
        assert!((0.0..1.0).contains(&offset));
        let other: Labels = [("a", "2")].into_iter().collect();
        assert!((offset - sampling_offset(&other)).abs() > 1e-9);
        let mut bytes = Vec::new();
        push_text(&mut bytes, &"x".repeat(300));
        assert_eq!(bytes.get(..4), Some(&[255, 44, 1, 0][..]));
    }

    #[test]
    fn counts_are_cut_to_whole_numbers_and_to_the_rows() {
        assert_eq!((count(0.9, 5), count(2.9, 5), count(1e18, 5), count(-3.0, 5)), (0, 2, 5, 0));
    }
}
