//! What a caller may do: three scopes, and the two roles that people have.

use serde::{Deserialize, Serialize};

/// One thing that a caller may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask: queries, dashboards, what the server shows of itself.
    Read,
    /// Push samples and lines.
    Write,
    /// Delete, reload, end, make snapshots, keep dashboards. Reading and writing are part of it.
    Admin,
}

impl Scope {
    /// As it is written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Admin => 7,
        }
    }
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything, change nothing.
    View,
    /// Everything.
    Admin,
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scopes(u8);

impl Scopes {
    /// Whether `scope` is in the set.
    pub(super) fn allow(self, scope: Scope) -> bool {
        self.0 & scope.bits() == scope.bits()
    }

    /// The role that has at most these scopes, for the browser.
    pub(super) fn role(self) -> Role {
        if self.allow(Scope::Admin) { Role::Admin } else { Role::View }
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bits()))
    }
}

impl From<Role> for Scopes {
    fn from(role: Role) -> Self {
        match role {
            Role::View => [Scope::Read].into_iter().collect(),
            Role::Admin => [Scope::Admin].into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_is_all_and_the_others_are_themselves() {
        let f = |scopes: &[Scope], want: [bool; 3]| {
            let set: Scopes = scopes.iter().copied().collect();
            let got = [Scope::Read, Scope::Write, Scope::Admin].map(|scope| set.allow(scope));
            assert_eq!(got, want, "{scopes:?}");
        };
        f(&[], [false, false, false]);
        f(&[Scope::Read], [true, false, false]);
        f(&[Scope::Write], [false, true, false]);
        // Both together are not the third.
        f(&[Scope::Read, Scope::Write], [true, true, false]);
        f(&[Scope::Admin], [true, true, true]);
        assert_eq!(Scopes::from(Role::View).role(), Role::View);
        assert_eq!(Scopes::from(Role::Admin).role(), Role::Admin);
    }
}
