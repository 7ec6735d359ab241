//! Durations as people write them, `1h30m`, for `#[serde(with = "…")]`.

use std::time::Duration;

use masthead_model::PromDuration;
use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// Reads `5m`.
///
/// # Errors
/// Upstream's text when it is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = PromDuration::parse(&text).map_err(D::Error::custom)?;
    Ok(Duration::from_millis(u64::try_from(parsed.as_millis()).unwrap_or(0)))
}

/// Writes `5m`.
///
/// # Errors
/// Only those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

/// `5m` for five minutes; fractions of a millisecond are cut.
pub fn text(duration: Duration) -> String {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    PromDuration::from_millis(millis).unwrap_or_default().to_string()
}
