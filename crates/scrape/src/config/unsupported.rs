//! Keys that upstream knows and nobody here reads: their values are passed over, whatever they are.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A value that is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
