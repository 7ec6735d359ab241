//! Who is known: people and tokens, checked and ready to be looked up.

use std::{collections::HashMap, sync::Arc};

use masthead_http_client::Secret;

use super::{
    AuthError,
    config::{AuthConfig, TokenConfig},
    password::Verifier,
    random::{Fingerprint, ProcessKey},
    scope::{Role, Scopes},
    token,
};

/// People and tokens at most, each.
const ENTRIES_MAX: usize = 10_000;
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;
/// The administrator, unless the configuration says otherwise.
const ADMIN: &str = "admin";

/// A person.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    pub(super) verifier: Verifier,
    /// Changes with the name, the role and the password, so that what was given to the person ends
    /// with each.
    pub(super) mark: Fingerprint,
}

/// A token.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) name: Arc<str>,
    pub(super) scopes: Scopes,
    /// From when on it is refused, in nanoseconds since 1970.
    pub(super) expires: Option<i64>,
}

/// Everybody who is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    users: HashMap<Arc<str>, User>,
    tokens: HashMap<Fingerprint, Token>,
    /// Stands in for people who do not exist, so that they take as long as the others.
    stranger: Option<Verifier>,
}

impl Known {
    pub(super) fn new(config: &AuthConfig, key: &ProcessKey) -> Result<Self, AuthError> {
        if config.users.len() > ENTRIES_MAX || config.tokens.len() > ENTRIES_MAX {
            let why = format!("are more than {ENTRIES_MAX}");
            return Err(AuthError::Invalid { what: "users or tokens".to_owned(), why });
        }
        let mut known = Self::default();
        if !config.admin_password.is_empty() {
            let name = config.admin_user.as_deref().unwrap_or(ADMIN);
            known.add_user(name, Role::Admin, &config.admin_password, key)?;
        }
        for user in &config.users {
            known.add_user(&user.name, user.role, &user.password_hash, key)?;
        }
        for token in &config.tokens {
            known.add_token(token, key)?;
        }
        Ok(known)
    }

    /// Whether there is anybody, so that nobody else may come in.
    pub(super) fn wanted(&self) -> bool {
        !self.users.is_empty() || !self.tokens.is_empty()
    }

    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// What the password of a person who does not exist is compared with.
    pub(super) fn stranger(&self) -> Option<&Verifier> {
        self.stranger.as_ref()
    }

    /// The token behind a text that a client sent.
    pub(super) fn token(&self, text: &str, key: &ProcessKey) -> Option<&Token> {
        self.tokens.get(&key.fingerprint(&[&token::hash_of(text)?]))
    }

    fn add_user(
        &mut self,
        name: &str,
        role: Role,
        password: &Secret,
        key: &ProcessKey,
    ) -> Result<(), AuthError> {
        check_name("user", name)?;
        if name.contains(':') {
            return Err(invalid("user", name, "has a colon, which HTTP basic cannot send"));
        }
        let verifier = Verifier::new(password, &format!("user {name:?}"), key)?;
        if verifier.is_costly() || self.stranger.is_none() {
            self.stranger = Some(verifier.clone());
        }
        let role_byte = [u8::from(role == Role::Admin)];
        let mark = key.fingerprint(&[name.as_bytes(), &role_byte, password.expose().as_bytes()]);
        let user = User { name: name.into(), role, verifier, mark };
        match self.users.insert(Arc::clone(&user.name), user) {
            None => Ok(()),
            Some(_) => Err(invalid("user", name, "is there twice")),
        }
    }

    fn add_token(&mut self, token: &TokenConfig, key: &ProcessKey) -> Result<(), AuthError> {
        let name = token.name.as_str();
        check_name("token", name)?;
        if token.scopes.is_empty() {
            return Err(invalid("token", name, "has no scopes; give it read, write or admin"));
        }
        let hash = token::parse_hash(&token.hash).ok_or_else(|| {
            invalid("token", name, "has no hash like sha256:0123…; see masthead token new")
        })?;
        let expires = match &token.expires {
            None => None,
            Some(text) => {
                let time: jiff::Timestamp = text.parse().map_err(|_| {
                    invalid("token", name, "has an `expires` that is not like 2027-01-31T00:00:00Z")
                })?;
                Some(i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX))
            }
        };
        let scopes = token.scopes.iter().copied().collect();
        let token = Token { name: name.into(), scopes, expires };
        match self.tokens.insert(key.fingerprint(&[&hash]), token) {
            None => Ok(()),
            Some(_) => Err(invalid("token", name, "has a hash that another one has too")),
        }
    }
}

fn check_name(kind: &str, name: &str) -> Result<(), AuthError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        let why = "must be a name of 1 to 128 bytes without control characters";
        return Err(invalid(kind, name.get(..32).unwrap_or(name), why));
    }
    Ok(())
}

fn invalid(kind: &str, name: &str, why: &str) -> AuthError {
    AuthError::Invalid { what: format!("{kind} {name:?}"), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{new_token, scope::Scope};

    fn token(name: &str, hash: &str, expires: Option<&str>) -> TokenConfig {
        let scopes = vec![Scope::Read];
        let expires = expires.map(str::to_owned);
        TokenConfig { name: name.to_owned(), hash: hash.to_owned(), scopes, expires }
    }

    #[test]
    fn people_and_tokens_are_found_and_nobody_else() {
        let key = ProcessKey::new().unwrap();
        let (text, hash) = new_token().unwrap();
        let (expired, other) = new_token().unwrap();
        let config = AuthConfig {
            admin_password: Secret::from("pw"),
            tokens: vec![token("a", &hash, None), token("b", &other, Some("1970-01-01T00:00:01Z"))],
            ..AuthConfig::default()
        };
        let known = Known::new(&config, &key).unwrap();
        assert!(known.wanted() && !Known::new(&AuthConfig::default(), &key).unwrap().wanted());
        assert_eq!(known.user("admin").map(|user| user.role), Some(Role::Admin));
        assert!(known.user("root").is_none() && known.stranger().is_some());
        assert_eq!(known.token(&text, &key).and_then(|token| token.expires), None);
        assert_eq!(known.token(&expired, &key).and_then(|t| t.expires), Some(1_000_000_000));
        assert!(known.token(&hash, &key).is_none() && known.token("", &key).is_none());
    }

    #[test]
    fn a_wrong_entry_is_named() {
        let key = ProcessKey::new().unwrap();
        let hash = new_token().unwrap().1;
        let f = |config: AuthConfig, want: &str| {
            let error = Known::new(&config, &key).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        };
        let tokens = |tokens: Vec<TokenConfig>| AuthConfig { tokens, ..AuthConfig::default() };
        f(tokens(vec![token("", &hash, None)]), "1 to 128");
        f(tokens(vec![token("a", "sha256:1", None)]), "token \"a\"");
        f(tokens(vec![token("a", &hash, Some("soon"))]), "expires");
        f(tokens(vec![token("a", &hash, None), token("b", &hash, None)]), "token \"b\"");
        let none = TokenConfig { scopes: Vec::new(), ..token("a", &hash, None) };
        f(tokens(vec![none]), "no scopes");
        let admin = |name: &str| AuthConfig {
            admin_user: Some(name.to_owned()),
            admin_password: Secret::from("x"),
            ..AuthConfig::default()
        };
        f(admin("a:b"), "colon");
        f(admin("a\nb"), "control");
    }
}
