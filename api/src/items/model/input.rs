//! A sent item: from bytes to checked fields, or to the list of all that is wrong.
//!
//! The body is first split into its members without looking into them, so that a wrong type in one
//! field does not hide what is wrong with the next, and a price keeps its digits. Members that the
//! service sets itself (`id`, `created_at`, `updated_at`) are ignored: what was read may be sent back.

use super::{DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, Price};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use std::fmt;
use utoipa::ToSchema;

/// Most violations in one answer; a body may hold thousands.
const VIOLATIONS_MAX: usize = 16;
/// Longest part of a member's name that an answer repeats, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// The fields of an item that its sender decides.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct ItemInput {
    /// Not blank, no control characters.
    #[schema(min_length = 1, max_length = 200, example = "Anchor")]
    pub name: String,
    /// Empty when absent. No control characters but line breaks and tabs.
    #[schema(required = false, max_length = 5000, default = "", example = "Galvanised, 12 kg")]
    pub description: String,
    /// Plain decimal with up to two places, as a string or a number.
    #[schema(value_type = String, pattern = r"^\d{1,10}(\.\d{1,2})?$", example = "19.90")]
    pub price: Price,
}

/// One thing that is wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    /// The member of the body or the query parameter.
    #[schema(example = "price")]
    pub field: String,
    /// What it must be.
    #[schema(example = "must be a decimal from 0 to 9999999999.99 with at most two places")]
    pub message: String,
}

impl Violation {
    pub(crate) fn new(field: &str, message: impl Into<String>) -> Self {
        let mut field: String = field.chars().take(SHOWN_CHARS_MAX + 1).collect();
        if let Some((cut, _)) = field.char_indices().nth(SHOWN_CHARS_MAX) {
            field.truncate(cut);
            field.push('…');
        }
        Self { field, message: message.into() }
    }
}

/// The body is not JSON at all; the text says where.
#[derive(Debug)]
pub struct Malformed(pub String);

/// Why a body is not an item.
#[derive(Debug)]
pub enum Rejected {
    Malformed(Malformed),
    Invalid(Vec<Violation>),
}

impl ItemInput {
    /// Reads and checks a JSON body.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] when it is not UTF-8 or not JSON, with the position;
    /// [`Rejected::Invalid`] with up to 16 violations when it is not an item.
    pub fn from_json(body: &[u8]) -> Result<Self, Rejected> {
        let text = str::from_utf8(body).map_err(|error| {
            let at = error.valid_up_to();
            Rejected::Malformed(Malformed(format!("the body is not UTF-8 at byte {at}")))
        })?;
        let mut members: Members<'_> = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                Rejected::Invalid(vec![Violation::new("(body)", "must be a JSON object")])
            } else {
                Rejected::Malformed(Malformed(format!("the body is not JSON: {error}")))
            }
        })?;
        let name = members.read("name", name);
        let description = members.read("description", description);
        let price = members.read("price", price);
        match (name, description, price) {
            (Some(name), Some(description), Some(price)) if members.violations.is_empty() => {
                Ok(Self { name, description, price })
            }
            _ => Err(Rejected::Invalid(members.violations)),
        }
    }
}

/// The members of the body, unread. `violations` starts with the names that have no place here.
#[derive(Default)]
struct Members<'a> {
    fields: [Option<&'a RawValue>; 3],
    violations: Vec<Violation>,
}

const FIELDS: [&str; 3] = ["name", "description", "price"];
const SET_BY_THE_SERVICE: [&str; 3] = ["id", "created_at", "updated_at"];

impl Members<'_> {
    fn read<T>(
        &mut self,
        field: &'static str,
        read: impl Fn(Option<&str>) -> Result<T, String>,
    ) -> Option<T> {
        let raw = FIELDS.iter().zip(self.fields).find(|(name, _)| **name == field)?.1;
        match read(raw.map(RawValue::get)) {
            Ok(value) => Some(value),
            Err(message) => {
                self.violation(field, message);
                None
            }
        }
    }

    fn violation(&mut self, field: &str, message: impl Into<String>) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation::new(field, message));
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Splitter)
    }
}

struct Splitter;

impl<'de> de::Visitor<'de> for Splitter {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            if let Some(place) = FIELDS.iter().position(|field| *field == name) {
                let value = map.next_value()?;
                if members.fields[place].replace(value).is_some() {
                    members.violation(&name, "is there more than once");
                }
                continue;
            }
            map.next_value::<de::IgnoredAny>()?;
            if !SET_BY_THE_SERVICE.contains(&name.as_str()) {
                members.violation(&name, "is not a field of an item (name, description, price)");
            }
        }
        Ok(members)
    }
}

fn name(raw: Option<&str>) -> Result<String, String> {
    let wrong = || format!("must be a string of 1 to {NAME_CHARS_MAX} characters, not blank");
    let name: String = raw.and_then(|raw| serde_json::from_str(raw).ok()).ok_or_else(wrong)?;
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(wrong());
    }
    if name.chars().any(char::is_control) {
        return Err("must not hold control characters".to_owned());
    }
    Ok(name)
}

fn description(raw: Option<&str>) -> Result<String, String> {
    let wrong = || format!("must be a string of at most {DESCRIPTION_CHARS_MAX} characters");
    let Some(raw) = raw else { return Ok(String::new()) };
    let description: String = serde_json::from_str(raw).map_err(|_| wrong())?;
    if description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(wrong());
    }
    // NUL above all: PostgreSQL's text can't hold it.
    if description.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("must not hold control characters but line breaks and tabs".to_owned());
    }
    Ok(description)
}

fn price(raw: Option<&str>) -> Result<Price, String> {
    let text =
        raw.map(|raw| serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()));
    text.as_deref().and_then(Price::parse).ok_or_else(|| {
        format!("must be a decimal from 0 to {} with at most two places", Price::MAX)
    })
}

#[cfg(test)]
mod tests;
