//! Arithmetic on the decimal digits that a float shows, as shopspring/decimal does it for sprig.
//!
//! Numbers of more digits than 128 bits hold are calculated as floats instead.

#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Quotients are rounded to so many decimals.
const DIVISION_DECIMALS: u32 = 16;

pub(super) fn calculate(operation: Operation, a: f64, b: f64) -> Result<f64, String> {
    if !a.is_finite() || !b.is_finite() {
        return Err("Cannot create a Decimal from a number that is not finite".to_owned());
    }
    if matches!(operation, Operation::Divide) && b == 0.0 {
        return Err("decimal division by 0".to_owned());
    }
    let exact = || -> Option<f64> {
        let (a, b) = (Decimal::of(a)?, Decimal::of(b)?);
        match operation {
            Operation::Add => a.add(b),
            Operation::Subtract => a.add(Decimal { digits: b.digits.checked_neg()?, ..b }),
            Operation::Multiply => {
                let digits = a.digits.checked_mul(b.digits)?;
                Some(Decimal { digits, decimals: a.decimals + b.decimals })
            }
            Operation::Divide => a.divide(b),
        }
        .map(Decimal::value)
    };
    Ok(exact().unwrap_or(match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
    }))
}

/// `digits` with the point so many places from their end.
#[derive(Clone, Copy)]
struct Decimal {
    digits: i128,
    decimals: u32,
}

impl Decimal {
    fn of(value: f64) -> Option<Self> {
        let text = value.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, decimals: u32::try_from(fraction.len()).ok()? })
    }

    fn scaled(self, decimals: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(decimals.checked_sub(self.decimals)?)?)
    }

    fn add(self, other: Self) -> Option<Self> {
        let decimals = self.decimals.max(other.decimals);
        let digits = self.scaled(decimals)?.checked_add(other.scaled(decimals)?)?;
        Some(Self { digits, decimals })
    }

    fn divide(self, other: Self) -> Option<Self> {
        let decimals = self.decimals.max(other.decimals);
        let scale = 10_i128.pow(DIVISION_DECIMALS);
        let numerator = self.scaled(decimals)?.checked_mul(scale)?;
        let denominator = other.scaled(decimals)?;
        let (quotient, rest) = (numerator / denominator, numerator % denominator);
        // Half is rounded away from zero.
        let up = rest.unsigned_abs() >= denominator.unsigned_abs().div_ceil(2);
        let away = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
        Some(Self { digits: quotient + if up { away } else { 0 }, decimals: DIVISION_DECIMALS })
    }

    fn value(self) -> f64 {
        format!("{}e-{}", self.digits, self.decimals).parse().unwrap_or(f64::NAN)
    }
}
