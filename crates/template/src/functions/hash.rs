//! Texts as what they hash to, in hexadecimal digits, so that a name can be told from another
//! without being kept.
//!
//! Facts: Promtail's `stages/template.go`, sprig's `crypto.go`.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use sha3::Sha3_256;

use super::Kind::Text;
use super::{Function, bytes, f};
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("Hash", &[Text, Text], |_, a| Ok(hashed::<Sha3_256>(&[bytes(a, 0), bytes(a, 1)])), "SHA3-256 of a salt and a text behind it."),
    f("Sha2Hash", &[Text, Text], |_, a| Ok(hashed::<Sha256>(&[bytes(a, 0), bytes(a, 1)])), "SHA-256 of a salt and a text behind it."),
    f("sha1sum", &[Text], |_, a| Ok(hashed::<Sha1>(&[bytes(a, 0)])), "SHA-1 of a text."),
    f("sha256sum", &[Text], |_, a| Ok(hashed::<Sha256>(&[bytes(a, 0)])), "SHA-256 of a text."),
    f("sha512sum", &[Text], |_, a| Ok(hashed::<Sha512>(&[bytes(a, 0)])), "SHA-512 of a text."),
    f("adler32sum", &[Text], |_, a| Ok(Value::text(adler32(bytes(a, 0)).to_string())), "Adler-32 of a text, as a decimal number."),
];

fn hashed<D: Digest>(parts: &[&[u8]]) -> Value<'static> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    let mut out = String::new();
    for byte in hash.finalize() {
        out.extend(
            [byte >> 4, byte & 0xf].map(|half| char::from_digit(half.into(), 16)).iter().flatten(),
        );
    }
    Value::text(out)
}

/// RFC 1950, section 8.
fn adler32(text: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (low, high) = text.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % PRIME;
        (low, (high + low) % PRIME)
    });
    high << 16 | low
}
