//! Straightens a column: differences of order 0, 1 or 2, less a base, divided by a scale.
//!
//! ```text
//! +---------+----------------+-----------------+--------------+---------------+
//! | control | first (order>0)| step (order 2)  | base         | scale (if set)|
//! +---------+----------------+-----------------+--------------+---------------+
//!   bits 1..0 order, bit 2 scale follows          zigzag LEB128   LEB128, >= 2
//!
//! difference = base + scale * residual, wrapping at 64 bits
//! ```
//!
//! The order is the one whose differences have the fewest significant bits in sum (order 0: whose
//! values have, less their middle): that follows the entropy better than the range does, because
//! one reset of a counter widens the range alone.

use crate::Error;
use crate::cursor::{Cursor, put_signed, put_unsigned, zigzag};

const ORDER_MASK: u8 = 0b11;
const SCALED: u8 = 0b100;

/// What one pass over a column finds.
#[derive(Debug)]
pub(crate) struct Shape {
    order: usize,
    least: i64,
    greatest: i64,
    scale: u64,
    /// Significant bits of all differences in sum, a sign each.
    bits: u64,
    stride: Option<i64>,
}

/// The differences of one order.
struct Order {
    bits: u64,
    least: i64,
    greatest: i64,
}

impl Order {
    fn add(&mut self, difference: i64, cost: i64) {
        self.bits += u64::from(64 - zigzag(cost).leading_zeros());
        self.least = self.least.min(difference);
        self.greatest = self.greatest.max(difference);
    }
}

impl Shape {
    /// `values` has at least one.
    pub(crate) fn of(values: &[i64]) -> Self {
        let mut orders = [const { Order { bits: 0, least: i64::MAX, greatest: i64::MIN } }; 3];
        let [zeroth, first, second] = &mut orders;
        let middle = middle_of(values);
        let (mut before, mut step_before) = (0_i64, 0);
        for (at, value) in values.iter().enumerate() {
            let step = value.wrapping_sub(before);
            zeroth.add(*value, value.wrapping_sub(middle));
            if at >= 1 {
                first.add(step, step);
            }
            if at >= 2 {
                let change = step.wrapping_sub(step_before);
                second.add(change, change);
            }
            (before, step_before) = (*value, step);
        }
        let stride = if values.len() < 2 {
            Some(0)
        } else {
            (first.least == first.greatest).then_some(first.least)
        };
        // Per difference, because a higher order has fewer of them; equals go to the lower order,
        // which is cheaper to undo. Bits are at most 64 a value, so this cannot overflow.
        let cost = |order: usize| {
            let bits = orders.get(order).map_or(u64::MAX, |order| order.bits);
            bits.saturating_mul(values.len() as u64) / (values.len() - order) as u64
        };
        let order =
            if values.len() < 3 { 0 } else { (0..3).min_by_key(|order| cost(*order)).unwrap_or(0) };
        let Order { bits, least, greatest } =
            orders.into_iter().nth(order).unwrap_or(Order { bits: 0, least: 0, greatest: 0 });
        let mut shape = Self { order, least, greatest, scale: 1, bits, stride };
        if stride.is_none() {
            shape.scale = shape.common_divisor(values);
        }
        shape
    }

    /// The difference of all neighbours, if there is but one.
    pub(crate) fn stride(&self) -> Option<i64> {
        self.stride
    }

    /// How many bits the widest residual takes: 1 to 64.
    pub(crate) fn width(&self) -> u32 {
        let widest = self.greatest.wrapping_sub(self.least).cast_unsigned() / self.scale;
        (64 - widest.leading_zeros()).max(1)
    }

    /// How many bytes an entropy coder may save, at a guess, of `count` residuals of full width.
    ///
    /// Of numbers spread evenly over a range the significant bits are one less than the width,
    /// and nothing can be saved; what they are fewer than that, an entropy coder nearly saves.
    pub(crate) fn saves(&self, count: usize) -> usize {
        let count = count as u64;
        let significant = self.bits.saturating_sub(count * u64::from(self.scale.ilog2()));
        // Of flags and the like every bit may go.
        let even = count * u64::from(self.width() - u32::from(self.width() > 2));
        usize::try_from(even.saturating_sub(significant) / 8).unwrap_or(usize::MAX)
    }

    /// The difference that the residual 0 stands for.
    pub(crate) fn base(&self) -> i64 {
        self.least
    }

    /// The difference that `residual` stands for.
    pub(crate) fn base_of(&self, residual: u64) -> i64 {
        self.least.wrapping_add(self.scale.wrapping_mul(residual).cast_signed())
    }

    /// What is left of each value after the first `order`.
    pub(crate) fn residuals(&self, values: &[i64]) -> Vec<u64> {
        let (least, scale) = (self.least, self.scale);
        let offsets = Differences::new(values, self.order)
            .map(|difference| difference.wrapping_sub(least).cast_unsigned());
        if scale == 1 { offsets.collect() } else { offsets.map(|offset| offset / scale).collect() }
    }

    pub(crate) fn write_header(&self, values: &[i64], base: i64, out: &mut Vec<u8>) {
        let scaled = if self.scale > 1 { SCALED } else { 0 };
        out.push(u8::try_from(self.order).unwrap_or(0) | scaled);
        let mut before = 0_i64;
        for value in values.iter().take(self.order) {
            put_signed(out, value.wrapping_sub(before));
            before = *value;
        }
        put_signed(out, base);
        if self.scale > 1 {
            put_unsigned(out, self.scale);
        }
    }

    /// The greatest number that divides all differences less the least of them.
    fn common_divisor(&self, values: &[i64]) -> u64 {
        let mut divisor = 0_u64;
        for difference in Differences::new(values, self.order) {
            let offset = difference.wrapping_sub(self.least).cast_unsigned();
            divisor = greatest_common_divisor(divisor, offset);
            if divisor == 1 {
                break;
            }
        }
        divisor.max(1)
    }
}

/// Near the median: that of some. A noisy column must be held against its middle, or its
/// differences, which have the noise of two values, would look as good.
fn middle_of(values: &[i64]) -> i64 {
    const SOME: usize = 15;
    let mut at = 0;
    let mut some = [0; SOME].map(|_: i64| {
        let place = values.len().saturating_sub(1) * at / (SOME - 1);
        at += 1;
        values.get(place).copied().unwrap_or(0)
    });
    *some.select_nth_unstable(SOME / 2).1
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while a != 0 {
        (a, b) = (b % a, a);
    }
    b
}

/// The differences of `order` of a column.
struct Differences<'a> {
    values: std::slice::Iter<'a, i64>,
    order: usize,
    before: i64,
    step_before: i64,
}

impl<'a> Differences<'a> {
    fn new(values: &'a [i64], order: usize) -> Self {
        let mut values = values.iter();
        let (mut before, mut step_before) = (0_i64, 0);
        for value in values.by_ref().take(order) {
            step_before = value.wrapping_sub(before);
            before = *value;
        }
        Self { values, order, before, step_before }
    }
}

impl Iterator for Differences<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let value = *self.values.next()?;
        if self.order == 0 {
            return Some(value);
        }
        let step = value.wrapping_sub(self.before);
        let change = step.wrapping_sub(self.step_before);
        (self.before, self.step_before) = (value, step);
        Some(if self.order == 1 { step } else { change })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.values.size_hint()
    }
}

/// Turns residuals back into values.
#[derive(Debug)]
pub(crate) struct Summer {
    order: usize,
    base: i64,
    scale: u64,
    value: i64,
    step: i64,
}

impl Summer {
    /// Reads the header and appends the values that stand in it.
    pub(crate) fn read<T>(
        payload: &mut Cursor<'_>,
        count: usize,
        out: &mut Vec<T>,
        map: impl Fn(i64) -> T,
    ) -> Result<Self, Error> {
        let error = payload.corrupt("shape of integers");
        let control = payload.byte("shape of integers")?;
        let order = usize::from(control & ORDER_MASK);
        if control & !(ORDER_MASK | SCALED) != 0 || order > 2 || order > count {
            return Err(error);
        }
        let (mut value, mut step) = (0_i64, 0);
        for _ in 0..order {
            step = payload.signed("first values")?;
            value = value.wrapping_add(step);
            out.push(map(value));
        }
        let base = payload.signed("base")?;
        let scale = if control & SCALED == 0 { 1 } else { payload.unsigned("scale")? };
        Ok(Self { order, base, scale, value, step })
    }

    pub(crate) fn order(&self) -> usize {
        self.order
    }

    /// Appends a value for each residual.
    #[inline]
    pub(crate) fn extend<T>(
        &mut self,
        out: &mut Vec<T>,
        map: impl Fn(i64) -> T,
        residuals: impl Iterator<Item = u64>,
    ) {
        let Self { base, scale, mut value, mut step, .. } = *self;
        let differences =
            residuals.map(|residual| base.wrapping_add(scale.wrapping_mul(residual).cast_signed()));
        match self.order {
            0 => out.extend(differences.map(map)),
            1 => out.extend(differences.map(|difference| {
                value = value.wrapping_add(difference);
                map(value)
            })),
            _ => out.extend(differences.map(|difference| {
                step = step.wrapping_add(difference);
                value = value.wrapping_add(step);
                map(value)
            })),
        }
        (self.value, self.step) = (value, step);
    }
}
