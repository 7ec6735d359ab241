//! Passwords: hashes as they are kept, and whether one fits.
//!
//! A hash costs time and memory on purpose, so its costs have limits here and hashing has a lane in
//! `auth.rs`. A password that the configuration has as plain text is kept as a keyed fingerprint
//! only: hashing it slowly would protect nothing that the file beside it does not tell.

use argon2::{
    Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash,
};
use masthead_http_client::Secret;

use super::{
    AuthError,
    random::{Fingerprint, ProcessKey, secret_bytes},
};

/// Bytes of a password at most; a longer one is wrong without a look.
pub(super) const PASSWORD_BYTES_MAX: usize = 1024;
/// KiB of memory that checking one hash may take.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
/// Passes over that memory.
const PASSES_MAX: u32 = 16;

/// What a password is compared with.
#[derive(Clone)]
pub(super) enum Verifier {
    /// The configuration has the password itself.
    Keyed(Fingerprint),
    /// The configuration has its argon2 hash.
    Hashed(Box<PasswordHash>),
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Verifier {
    /// Takes a password, or a hash if it looks like one; `whose` is for the error.
    pub(super) fn new(text: &Secret, whose: &str, key: &ProcessKey) -> Result<Self, AuthError> {
        let text = text.expose();
        let wrong = |why: String| AuthError::Invalid { what: format!("password of {whose}"), why };
        if text.is_empty() {
            return Err(wrong("is empty".to_owned()));
        }
        if !text.starts_with("$argon2") {
            if text.len() > PASSWORD_BYTES_MAX {
                return Err(wrong(format!("is longer than {PASSWORD_BYTES_MAX} bytes")));
            }
            return Ok(Self::Keyed(key.fingerprint(&[text.as_bytes()])));
        }
        // The cause may quote the hash, so it is left out.
        let hash = PasswordHash::new(text)
            .map_err(|_| wrong("is no argon2 hash; see masthead hash-password".to_owned()))?;
        let params = argon2::Params::try_from(&hash)
            .map_err(|_| wrong("is an argon2 hash with parameters of no sense".to_owned()))?;
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
            return Err(wrong(format!(
                "is a hash that costs too much to check; at most m={MEMORY_KIB_MAX},t={PASSES_MAX}"
            )));
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(wrong("is an argon2 hash without its salt or its end".to_owned()));
        }
        Ok(Self::Hashed(Box::new(hash)))
    }

    /// Whether comparing is work for the lane.
    pub(super) fn is_costly(&self) -> bool {
        matches!(self, Self::Hashed(_))
    }

    /// Whether this is the password. Takes tens of milliseconds if it [is costly](Self::is_costly).
    pub(super) fn fits(&self, password: &[u8], key: &ProcessKey) -> bool {
        match self {
            Self::Keyed(kept) => key.equal(kept, &key.fingerprint(&[password])),
            Self::Hashed(hash) => {
                Argon2::default().verify_password(password, hash.as_ref()).is_ok()
            }
        }
    }
}

/// The argon2 hash of a password, to be put in a configuration.
///
/// # Errors
/// The password is empty or too long; the system has no randomness.
pub fn hash_password(password: &str) -> Result<String, AuthError> {
    let wrong = |why: &str| AuthError::Invalid { what: "password".to_owned(), why: why.to_owned() };
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
        return Err(wrong("must have 1 to 1024 bytes"));
    }
    let salt = secret_bytes()?;
    let salt = salt.get(..16).unwrap_or(&salt);
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| wrong(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_what_was_made_of_it() {
        let key = ProcessKey::new().unwrap();
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (text, costly) in [("correct horse", false), (hash.as_str(), true)] {
            let verifier = Verifier::new(&Secret::from(text), "me", &key).unwrap();
            assert_eq!(verifier.is_costly(), costly);
            assert!(verifier.fits(b"correct horse", &key));
            assert!(!verifier.fits(b"correct horsf", &key) && !verifier.fits(b"", &key));
            assert_eq!(format!("{verifier:?}"), "<secret>");
        }
        // The hash itself opens nothing.
        let verifier = Verifier::new(&Secret::from(hash.as_str()), "me", &key).unwrap();
        assert!(!verifier.fits(hash.as_bytes(), &key));
    }

    #[test]
    fn what_cannot_be_checked_is_refused_without_being_shown() {
        let key = ProcessKey::new().unwrap();
        let f = |text: &str, want: &str| {
            let error = Verifier::new(&Secret::from(text), "ann", &key).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains("ann"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        };
        f("", "empty");
        f(&"x".repeat(2000), "longer");
        f("$argon2id$hunter2", "no argon2 hash");
        f("$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQxMjM0$AAAA", "");
        f("$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQxMjM0NTY$c29tZXNhbHQxMjM0NTY", "costs too");
    }
}
