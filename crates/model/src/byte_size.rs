//! Byte sizes as people write them: `512`, `64KB`, `16MiB`, `1.5 GB`.
//!
//! Loki's LogQL and configuration (the `go-humanize` rules) read `KB` as 1,000 and `KiB` as
//! 1,024 bytes; Prometheus' flags read both as 1,024 (the `units.Base2Bytes` rules). The caller
//! says which with [`ByteSize::parse_decimal`] or [`ByteSize::parse_binary`].

use std::fmt;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// Why a text is not a byte size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ByteSizeError {
    /// Not a number followed by a unit.
    #[error("{text:?} is not a byte size; write a number and a unit such as 512KB or 16MiB")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// The unit is not one of B, K, M, G, T, P, E with `B` or `iB`.
    #[error("unknown byte unit {unit:?}; use B, KB, MB, GB, TB, PB, EB or KiB, MiB, …")]
    UnknownUnit {
        /// The unit that was given.
        unit: String,
    },
    /// More than 2^64 - 1 bytes, or fewer than none.
    #[error("byte size {text:?} is out of range")]
    OutOfRange {
        /// What was given.
        text: String,
    },
}

/// Name and value of each unit, largest first, so that printing finds the largest that divides.
const BINARY: [(&str, u64); 6] = [
    ("EiB", 1 << 60),
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

impl ByteSize {
    /// Reads a size in which `KB` is 1,000 bytes and `KiB` 1,024, as Loki does.
    ///
    /// # Errors
    /// [`ByteSizeError`] says whether the number, the unit or the range is wrong.
    pub fn parse_decimal(text: &str) -> Result<Self, ByteSizeError> {
        parse(text, 1000)
    }

    /// Reads a size in which `KB` and `KiB` are both 1,024 bytes, as Prometheus' flags do.
    ///
    /// # Errors
    /// [`ByteSizeError`] says whether the number, the unit or the range is wrong.
    pub fn parse_binary(text: &str) -> Result<Self, ByteSizeError> {
        parse(text, 1024)
    }
}

/// Prints the exact size in the largest binary unit that divides it: `16MiB`, `1000B`.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, unit) in BINARY {
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{}{name}", self.0 / unit);
            }
        }
        write!(f, "{}B", self.0)
    }
}

fn parse(text: &str, kilo: u64) -> Result<ByteSize, ByteSizeError> {
    let malformed = || ByteSizeError::Malformed { text: text.to_owned() };
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','))
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let scale = scale_of(unit.trim(), kilo)?;
    // go-humanize ignores thousands separators: "1,024 B" is 1024.
    let number = number.replace(',', "");
    if let Ok(whole) = number.parse::<u64>() {
        return whole
            .checked_mul(scale)
            .map(ByteSize)
            .ok_or_else(|| ByteSizeError::OutOfRange { text: text.to_owned() });
    }
    let number: f64 = number.parse().map_err(|_| malformed())?;
    #[expect(clippy::cast_precision_loss, reason = "scales are powers of 1000 or 1024 below 2^61")]
    let bytes = number * scale as f64;
    if bytes < 18_446_744_073_709_551_615.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "digits carry no sign and the range was checked; fractions of a byte are cut"
        )]
        Ok(ByteSize(bytes as u64))
    } else {
        Err(ByteSizeError::OutOfRange { text: text.to_owned() })
    }
}

fn scale_of(unit: &str, kilo: u64) -> Result<u64, ByteSizeError> {
    let lower = unit.to_ascii_lowercase();
    let unknown = || ByteSizeError::UnknownUnit { unit: unit.to_owned() };
    let (prefix, base) = match lower.strip_suffix("ib") {
        Some(prefix) => (prefix, 1024),
        None => match lower.strip_suffix('i') {
            Some(prefix) => (prefix, 1024),
            None => (lower.strip_suffix('b').unwrap_or(&lower), kilo),
        },
    };
    if prefix.is_empty() && lower.contains('i') {
        return Err(unknown());
    }
    let power = match prefix {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        "e" => 6,
        _ => return Err(unknown()),
    };
    Ok(u64::pow(base, power))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn loki_sizes() {
        let f = |text: &str, want: Option<u64>| {
            assert_eq!(ByteSize::parse_decimal(text).ok().map(|b| b.0), want, "{text:?}");
        };
        f("42", Some(42));
        f("42B", Some(42));
        f("5kB", Some(5_000));
        f("5KiB", Some(5_120));
        f("20MB", Some(20_000_000));
        f("1.5 GiB", Some(1_610_612_736));
        f("1,024 B", Some(1024));
        f("2Ki", Some(2048));
        f("1EiB", Some(1 << 60));
        f("16EiB", None);
        f("99999999999999EB", None);
        f("-1B", None);
        f("B", None);
        f("iB", None);
        f("1..5MB", None);
        f("1XB", None);
        f("", None);
    }

    #[test]
    fn prometheus_sizes_are_powers_of_1024_either_way() {
        let f = |text: &str, want: u64| {
            assert_eq!(ByteSize::parse_binary(text).ok().map(|b| b.0), Some(want), "{text:?}");
        };
        f("512MB", 512 << 20);
        f("512MiB", 512 << 20);
        f("1K", 1024);
    }

    proptest! {
        #[test]
        fn printing_then_parsing_is_identity(bytes: u64, shift in 0_u32..60) {
            let size = ByteSize(bytes >> shift << (shift / 2));
            prop_assert_eq!(ByteSize::parse_decimal(&size.to_string()), Ok(size));
            prop_assert_eq!(ByteSize::parse_binary(&size.to_string()), Ok(size));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let parsed = ByteSize::parse_decimal(&text);
            prop_assert_eq!(parsed.is_ok(), ByteSize::parse_binary(&text).is_ok());
        }
    }
}
