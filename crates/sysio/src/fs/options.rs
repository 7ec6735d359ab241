//! How a file is opened, and which combinations make sense.
//!
//! The rules are those of `std::fs::OpenOptions`, checked here once for both file systems, so that
//! a combination is refused by the simulation exactly when the operating system would.

use std::io;

/// The flags of [`crate::Fs::open`]. All false by default, which opens nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the six flags of std::fs::OpenOptions, each independent of the others"
)]
pub struct OpenOptions {
    /// Allows `read_at`, `read_exact_at` and `map`.
    pub read: bool,
    /// Allows `write_all_at` and `set_len`.
    pub write: bool,
    /// Creates the file if it is missing. Needs `write` or `append`.
    pub create: bool,
    /// Creates the file, and fails if it exists. Needs `write` or `append`.
    pub create_new: bool,
    /// Empties an existing file. Needs `write`.
    pub truncate: bool,
    /// Allows `append_all` and `set_len`, and forbids `write_all_at`.
    pub append: bool,
}

const NONE: OpenOptions = OpenOptions {
    read: false,
    write: false,
    create: false,
    create_new: false,
    truncate: false,
    append: false,
};

impl OpenOptions {
    /// An existing file, to read.
    pub const READ: Self = Self { read: true, ..NONE };
    /// A file to read and write in place, created if missing, kept if not.
    pub const UPDATE: Self = Self { read: true, write: true, create: true, ..NONE };
    /// A file to write from nothing: created if missing, emptied if not; readable too.
    pub const REPLACE: Self = Self { truncate: true, ..Self::UPDATE };
    /// A file to write that must not exist yet; readable too.
    pub const CREATE_NEW: Self = Self { read: true, write: true, create_new: true, ..NONE };
    /// A file to write at the end of, created if missing; readable too.
    pub const APPEND: Self = Self { read: true, append: true, create: true, ..NONE };

    pub(super) fn validate(self) -> io::Result<()> {
        let refuse = |text| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if !(self.read || self.write || self.append) {
            return refuse("one of read, write and append must be set");
        }
        if (self.create || self.create_new) && !(self.write || self.append) {
            return refuse("create and create_new need write or append");
        }
        if self.truncate && (!self.write || self.append) {
            return refuse("truncate needs write, and excludes append");
        }
        Ok(())
    }

    pub(super) fn writes(self) -> bool {
        self.write || self.append
    }
}

/// Returns the refusal for a call that the handle was not opened for.
pub(super) fn not_opened_for(flag: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the handle does not allow it: open the file {flag}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_combinations_are_refused() {
        let f = |options: OpenOptions, want: bool| {
            assert_eq!(options.validate().is_ok(), want, "{options:?}");
        };
        f(OpenOptions::READ, true);
        f(OpenOptions::UPDATE, true);
        f(OpenOptions::REPLACE, true);
        f(OpenOptions::CREATE_NEW, true);
        f(OpenOptions::APPEND, true);
        f(NONE, false);
        f(OpenOptions { create: true, ..NONE }, false);
        f(OpenOptions { create: true, ..OpenOptions::READ }, false);
        f(OpenOptions { create_new: true, ..OpenOptions::READ }, false);
        f(OpenOptions { create: true, append: true, ..NONE }, true);
        f(OpenOptions { truncate: true, ..OpenOptions::READ }, false);
        f(OpenOptions { truncate: true, ..OpenOptions::APPEND }, false);
        f(OpenOptions { truncate: true, write: true, ..OpenOptions::APPEND }, false);
    }
}
