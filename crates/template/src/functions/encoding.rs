//! Texts that stand for other texts: base 64, URLs, JSON.

use std::{collections::BTreeMap, rc::Rc};

use base64::{
    DecodeError, Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::Kind::Text;
use super::{Function, bytes, f, string, url};
use crate::exec;
use crate::value::Value;

/// Padding may be missing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("b64enc", &[Text], |_, a| Ok(Value::text(STANDARD.encode(bytes(a, 0)))), "A text in base 64."),
    f("b64dec", &[Text], |_, a| Ok(Value::bytes(decode(bytes(a, 0)))), "What a text in base 64 says, or what is wrong with it."),
    f("urlencode", &[Text], |_, a| Ok(Value::bytes(url::encode(bytes(a, 0)))), "A text as it is written in a URL."),
    f("urldecode", &[Text], |_, a| url::decode(bytes(a, 0)).map(Value::bytes), "What a text from a URL says."),
    f("fromJson", &[Text], |_, a| Ok(parse(&string(a, 0))), "The value that a JSON text describes; nothing if it is none."),
];

fn decode(text: &[u8]) -> Vec<u8> {
    LENIENT.decode(text).unwrap_or_else(|error| {
        let at = match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => text.len() / 4 * 4,
        };
        format!("illegal base64 data at input byte {at}").into_bytes()
    })
}

fn parse<'v>(text: &str) -> Value<'v> {
    serde_json::from_str(text).map(value_of).unwrap_or_default()
}

/// Not deeper than `serde_json` reads.
fn value_of<'v>(json: serde_json::Value) -> Value<'v> {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(items) => exec::list(items.into_iter().map(value_of).collect()),
        serde_json::Value::Object(members) => {
            let map: BTreeMap<Vec<u8>, Value<'v>> = members
                .into_iter()
                .map(|(key, value)| (key.into_bytes(), value_of(value)))
                .collect();
            Value::Map(Rc::new(map))
        }
    }
}
