//! Text in the query part of a URL.

/// As Go's `url.QueryEscape`.
pub(crate) fn encode(text: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            byte if byte.is_ascii_alphanumeric() => out.push(*byte),
            byte => {
                let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    out
}

/// As Go's `url.QueryUnescape`.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = rest.get(..2).and_then(|two| {
                    let text = std::str::from_utf8(two).ok()?;
                    two.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                    u8::from_str_radix(text, 16).ok()
                });
                let Some(value) = digits else {
                    let len = rest.len().min(2);
                    let bad = rest.get(..len).unwrap_or_default();
                    let shown = masthead_model::quote_bytes(&[b"%", bad].concat());
                    return Err(format!("invalid URL escape {shown}"));
                };
                out.push(value);
                rest = rest.get(2..).unwrap_or_default();
            }
            byte => out.push(*byte),
        }
    }
    Ok(out)
}
