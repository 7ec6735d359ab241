//! The settings that a file gives, gathered from its tree by the table of `settings.rs`.
//!
//! What belongs to the types of others is passed over; what nobody knows is an error.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

use super::settings::{is_branch, is_setting, is_typed, keys_of};

/// One setting, as it stands in the file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// The way to it.
    pub(crate) key: String,
    pub(super) value: String,
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Without the value, which may be a secret.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("key", &self.key).finish_non_exhaustive()
    }
}

/// All settings of a file.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) given: Vec<Given>,
    /// The first thing that is no setting, in words.
    pub(super) wrong: Option<String>,
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Self::default();
        Branch { path: "", at: (1, 1), found: &mut found }.deserialize(deserializer)?;
        Ok(found)
    }
}

/// The keys below `path`.
struct Branch<'a> {
    path: &'a str,
    /// Line and column of its key.
    at: (u64, u64),
    found: &'a mut Settings,
}

impl<'de> DeserializeSeed<'de> for Branch<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Branch<'_> {
    /// Notes that something else stands where keys should be.
    fn no_keys(self) {
        let Self { path, at: (line, column), found } = self;
        let known = keys_of(path).join(", ");
        found.wrong.get_or_insert_with(|| {
            format!("line {line}, column {column}: {path}: expected keys such as {known}")
        });
    }
}

impl<'de> Visitor<'de> for Branch<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys such as {}", keys_of(self.path).join(", "))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.no_keys();
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.no_keys();
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.no_keys();
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.no_keys();
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.no_keys();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.no_keys();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Spanned { value: key, referenced: at, .. }) =
            map.next_key::<Spanned<String>>()?
        {
            let at = (at.line(), at.column());
            let path = match self.path {
                "" => key.clone(),
                path => format!("{path}.{key}"),
            };
            if is_setting(&path) {
                let Spanned { value, referenced, .. } = map.next_value::<Spanned<Scalar>>()?;
                let (line, column) = (referenced.line(), referenced.column());
                match value {
                    Scalar::Absent => {}
                    Scalar::Text(value) => {
                        self.found.given.push(Given { key: path, value, line, column });
                    }
                    Scalar::Tree => {
                        self.found.wrong.get_or_insert_with(|| {
                            format!("line {line}, column {column}: {path}: expected {SCALAR}")
                        });
                    }
                }
            } else if is_branch(&path) {
                map.next_value_seed(Branch { path: &path, at, found: self.found })?;
            } else if is_typed(&path) || is_typed(self.path) {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value::<IgnoredAny>()?;
                let (line, column) = at;
                let known = keys_of(self.path).join(", ");
                self.found.wrong.get_or_insert_with(|| {
                    format!("line {line}, column {column}: {path}: unknown key `{key}`, expected one of {known}")
                });
            }
        }
        Ok(())
    }
}

/// What a setting may be.
const SCALAR: &str = "a word, a number, true or false, or a list of words";

/// The value of a setting.
enum Scalar {
    Absent,
    Text(String),
    /// Keys, where a value should be.
    Tree,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCALAR)
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Tree)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element::<String>()? {
            words.push(word);
        }
        Ok(Scalar::Text(words.join(",")))
    }
}
