//! Names of structured metadata, made to fit as Loki makes them.
//!
//! Facts: `label_namer.go` of prometheus/otlptranslator, as Loki sets it: runs of underscores
//! become one, an underscore in front stays.

use std::borrow::Cow;

use masthead_model::quote;

/// The name under which structured metadata is kept: what is no letter, digit or underscore
/// becomes an underscore, a digit in front gets `key_`. Names that fit already are not copied.
///
/// # Errors
/// Loki's text if nothing is left of the name.
pub fn metadata_name(name: &str) -> Result<Cow<'_, str>, String> {
    let bytes = name.as_bytes();
    let fits = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && bytes.first().is_some_and(|byte| !byte.is_ascii_digit())
        && !bytes.windows(2).any(|two| two == b"__")
        && bytes.iter().any(|byte| *byte != b'_');
    if fits { Ok(Cow::Borrowed(name)) } else { made_to_fit(name).map(Cow::Owned) }
}

#[cold]
fn made_to_fit(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("label name is empty".to_owned());
    }
    // A name such as `__reserved__` keeps both ends.
    let reserved = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    let mut made = String::with_capacity(name.len() + 4);
    let mut last = None;
    for c in reserved.unwrap_or(name).chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if c != '_' || last != Some('_') {
            made.push(c);
        }
        last = Some(c);
    }
    if reserved.is_some() {
        made = format!("__{made}__");
    } else if made.starts_with(|c: char| c.is_ascii_digit()) {
        made.insert_str(0, "key_");
    }
    if made.bytes().all(|byte| byte == b'_') {
        let (name, made) = (quote(name), quote(&made));
        return Err(format!("normalization for label name {name} resulted in invalid name {made}"));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_to_fit() {
        let f = |name: &str, want: &str| {
            let got = metadata_name(name).unwrap_or_else(Cow::Owned);
            assert_eq!(got, want, "{name:?}");
        };
        f("trace_id", "trace_id");
        f("UPPER", "UPPER");
        f("a.b", "a_b");
        f("a..b", "a_b");
        f("a__b", "a_b");
        f("__u", "_u");
        f("_x", "_x");
        f("__foo__", "__foo__");
        f("__a..b__", "__a_b__");
        f("1e", "key_1e");
        f("naïve", "na_ve");
        f("trailing___", "trailing_");
        f("", "label name is empty");
        f("é", "normalization for label name \"é\" resulted in invalid name \"_\"");
        f("__", "normalization for label name \"__\" resulted in invalid name \"_\"");
        f("__é__", "normalization for label name \"__é__\" resulted in invalid name \"_____\"");
    }
}
