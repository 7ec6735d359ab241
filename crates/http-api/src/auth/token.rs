//! Tokens: what a program shows in place of a name and a password.
//!
//! A token is 32 random bytes, so guessing is hopeless and its hash needs no salt and no slowness.

use std::fmt::Write as _;

use super::{
    AuthError,
    random::{Fingerprint, secret_text, sha256},
};

/// What every token begins with, so that scanners of secrets know it.
const PREFIX: &str = "mht_";
/// Bytes of a token.
const LENGTH: usize = PREFIX.len() + 43;

/// A new token: the text for the client, and the hash for the configuration.
///
/// # Errors
/// The system has no randomness.
pub fn new_token() -> Result<(String, String), AuthError> {
    let token = format!("{PREFIX}{}", secret_text()?);
    let mut hash = "sha256:".to_owned();
    for byte in sha256(token.as_bytes()) {
        write!(hash, "{byte:02x}").unwrap_or_default();
    }
    Ok((token, hash))
}

/// Whether a text looks like a token.
pub(super) fn is_one(text: &str) -> bool {
    text.len() == LENGTH && text.starts_with(PREFIX)
}

/// The hash of what a client sent, or nothing for what cannot be a token.
pub(super) fn hash_of(token: &str) -> Option<Fingerprint> {
    is_one(token).then(|| sha256(token.as_bytes()))
}

/// The hash that a configuration has.
pub(super) fn parse_hash(text: &str) -> Option<Fingerprint> {
    let digits = text.strip_prefix("sha256:")?.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] =
            [pair.first()?, pair.last()?].map(|digit| char::from(*digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash() {
        let (token, hash) = new_token().unwrap();
        assert_eq!(hash_of(&token), parse_hash(&hash));
        assert_eq!(hash.len(), 7 + 64);
        for wrong in
            ["", "mht_", "sha256:00", &hash, &token.replace("mht_", "mhx_"), &format!("{token}x")]
        {
            assert_eq!(hash_of(wrong), None, "{wrong}");
        }
        for wrong in
            ["", "sha256:", "sha256:0g", &hash[..70], &format!("{hash}0"), &hash.replace(':', "=")]
        {
            assert_eq!(parse_hash(wrong), None, "{wrong}");
        }
        assert_eq!(parse_hash(&hash.to_uppercase().replace("SHA", "sha")), parse_hash(&hash));
    }
}
