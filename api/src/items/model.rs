//! What an item is, and what makes a sent one valid.
//!
//! A price is an exact decimal with two places, 0.00 to 9999999999.99. It is stored in hundredths
//! and written as a JSON string ("19.90"), because many readers turn a JSON number into a binary
//! fraction. A sent price may be a string or a number; its decimal text is read, never a float.
//!
//! A sent body is checked as a whole: every field that is wrong is listed, not the first alone.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

mod input;

pub use input::{ItemInput, Malformed, Rejected, Violation};

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 5_000;

/// A stored item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Item {
    /// UUIDv7: ids sort by the time of creation.
    pub id: Uuid,
    #[schema(max_length = 200, example = "Anchor")]
    pub name: String,
    #[schema(max_length = 5000, example = "Galvanised, 12 kg")]
    pub description: String,
    /// Decimal with two places.
    #[schema(value_type = String, pattern = r"^\d{1,10}\.\d{2}$", example = "19.90")]
    pub price: Price,
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T09:30:00.000000Z")]
    pub created_at: Timestamp,
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T09:30:00.000000Z")]
    pub updated_at: Timestamp,
}

/// An exact price: a whole number of hundredths, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(i64);

impl Price {
    pub const MAX: Self = Self(999_999_999_999);

    /// `None` when `minor` (hundredths) is out of range.
    pub fn from_minor(minor: i64) -> Option<Self> {
        (0..=Self::MAX.0).contains(&minor).then_some(Self(minor))
    }

    /// Hundredths.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Reads plain decimal text: digits, then perhaps a point and one or two digits. No sign, no
    /// exponent, no third place: nothing is ever rounded.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        // Ten digits are MAX, and keep the sum below far from the end of i64.
        if !(1..=10).contains(&whole.len()) || !(1..=2).contains(&fraction.len()) {
            return None;
        }
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let hundredths: i64 =
            fraction.parse::<i64>().ok()? * if fraction.len() == 1 { 10 } else { 1 };
        Self::from_minor(whole.parse::<i64>().ok()? * 100 + hundredths)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    // Always six places, so that the text sorts as the times do.
    serializer.collect_str(&format_args!("{time:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_exactly_or_not_at_all() {
        let f = |text: &str, want: Option<&str>| {
            let price = Price::parse(text).map(|price| price.to_string());
            assert_eq!(price.as_deref(), want, "{text:?}");
        };
        f("0", Some("0.00"));
        f("19.9", Some("19.90"));
        f("19.90", Some("19.90"));
        f("0.07", Some("0.07"));
        f("007", Some("7.00"));
        f("9999999999.99", Some("9999999999.99"));
        f("10000000000", None);
        f("1.005", None);
        f("-1", None);
        f("+1", None);
        f("1e2", None);
        f("1.", None);
        f(".5", None);
        f("1,5", None);
        f(" 1", None);
        f("1.-5", None);
        f("٣", None);
        f("", None);
    }

    #[test]
    fn times_are_written_with_six_places() {
        let item = Item {
            id: Uuid::nil(),
            name: String::new(),
            description: String::new(),
            price: Price(0),
            created_at: Timestamp::from_microsecond(1_000_000).unwrap(),
            updated_at: Timestamp::from_microsecond(1_500_000).unwrap(),
        };
        let json = serde_json::to_value(&item).unwrap();
        assert_eq!(json["created_at"], "1970-01-01T00:00:01.000000Z");
        assert_eq!(json["updated_at"], "1970-01-01T00:00:01.500000Z");
    }
}
