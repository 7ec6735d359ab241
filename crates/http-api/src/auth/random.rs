//! Randomness from the operating system, and the one key that lives as long as the process.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use super::AuthError;

/// What a secret is looked up by: nobody outside can compute it, so that the time a look-up takes
/// says nothing about what is kept.
pub(super) type Fingerprint = [u8; 32];

/// 32 bytes that nobody can guess.
pub(super) fn secret_bytes() -> Result<[u8; 32], AuthError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AuthError::NoRandomness)?;
    Ok(bytes)
}

/// The same as text that fits in a header.
pub(super) fn secret_text() -> Result<String, AuthError> {
    Ok(URL_SAFE_NO_PAD.encode(secret_bytes()?))
}

/// A name for something new, such as Grafana makes them.
pub(crate) fn random_uid() -> Result<String, AuthError> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes = secret_bytes()?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter));
    Ok(bytes.iter().take(14).filter_map(letter).collect())
}

/// SHA-256 in a fixed form.
pub(super) fn sha256(bytes: &[u8]) -> Fingerprint {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// A key that is made at the start and never leaves the process.
pub(super) struct ProcessKey(hmac::Key);

impl ProcessKey {
    pub(super) fn new() -> Result<Self, AuthError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| AuthError::NoRandomness)
    }

    /// The fingerprint of these parts; no two lists of parts have the same but by equality.
    pub(super) fn fingerprint(&self, parts: &[&[u8]]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// Whether `a` and `b` are equal, in a time that does not depend on where they differ.
    pub(super) fn equal(&self, a: &Fingerprint, b: &Fingerprint) -> bool {
        hmac::verify(&self.0, a, hmac::sign(&self.0, b).as_ref()).is_ok()
    }
}

impl std::fmt::Debug for ProcessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProcessKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_parts_apart() {
        let key = ProcessKey::new().unwrap();
        let of = |parts: &[&[u8]]| key.fingerprint(parts);
        assert_eq!(of(&[b"a", b"bc"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"a", b"bc"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"a"]), ProcessKey::new().unwrap().fingerprint(&[b"a"]));
        assert!(key.equal(&of(&[b"a"]), &of(&[b"a"])) && !key.equal(&of(&[b"a"]), &of(&[b"b"])));
    }

    #[test]
    fn secrets_differ_and_fit_in_a_header() {
        let (a, b) = (secret_text().unwrap(), secret_text().unwrap());
        assert!(a != b && a.len() == 43, "{a} {b}");
    }
}
