//! The section `auth:` of a configuration, and of the file that `--auth.file` names.
//!
//! Files that it names are read by the binary, which puts what it read in the places of the texts.

use masthead_http_client::Secret;
use serde::Deserialize;

use super::scope::{Role, Scope};

/// Who may come in. With nobody in it, everybody may: see [`super::Auth`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// The name of the administrator; `admin` without it.
    pub admin_user: Option<String>,
    /// The administrator's password, or its argon2 hash (`$argon2id$…`).
    pub admin_password: Secret,
    /// A file that holds it.
    pub admin_password_file: Option<String>,
    /// More people.
    pub users: Vec<UserConfig>,
    /// What programs come with.
    pub tokens: Vec<TokenConfig>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// Who.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The argon2 hash of their password, as `masthead hash-password` prints it.
    #[serde(default)]
    pub password_hash: Secret,
    /// A file that holds their password or its hash.
    #[serde(default)]
    pub password_file: Option<String>,
}

/// A token, of which only the hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// What it is for; in the log in place of a user.
    pub name: String,
    /// `sha256:` and the hash in hexadecimal digits, as `masthead token new` prints it.
    pub hash: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From when on it is refused, as RFC 3339.
    #[serde(default)]
    pub expires: Option<String>,
}

impl AuthConfig {
    /// Adds the people and tokens of another file.
    pub fn extend(&mut self, more: Self) {
        let Self { admin_user, admin_password, admin_password_file, users, tokens } = more;
        self.admin_user = self.admin_user.take().or(admin_user);
        if self.admin_password.is_empty() {
            self.admin_password = admin_password;
        }
        self.admin_password_file = self.admin_password_file.take().or(admin_password_file);
        self.users.extend(users);
        self.tokens.extend(tokens);
    }
}
