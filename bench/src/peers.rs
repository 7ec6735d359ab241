//! The systems that are compared: one file each below `peers/`, one line each in [`SYSTEMS`].
//!
//! To add one: a [`System`] in `peers/NAME.rs` and its line. What is done with a system
//! is `phases.rs`; a file here only knows how its system is started and asked.

mod masthead;
mod prometheus;
mod victoriametrics;

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use self::masthead::MASTHEAD;
use crate::server::Server;

/// All systems, in the order of the columns. The first is the one that is compared.
pub(crate) const SYSTEMS: [&System; 3] =
    [&MASTHEAD, &prometheus::PROMETHEUS, &victoriametrics::VICTORIA_METRICS];

/// What differs between systems.
#[derive(Debug)]
pub(crate) struct System {
    /// Its name, as in the table's head and in `--systems`.
    pub name: &'static str,
    /// What its program may be called.
    pub programs: &'static [&'static str],
    /// Whether this program can do what is measured; `Err` says in words why not.
    pub check: fn(&Utf8Path) -> Result<(), String>,
    /// How it is started.
    pub command: fn(&Start<'_>) -> Result<Command>,
    /// Answers with success once it is ready.
    pub ready_path: &'static str,
    /// Takes remote write, or pushes of lines.
    pub write_path: &'static str,
    /// Goes with every question.
    pub query_parameters: &'static [(&'static str, &'static str)],
    /// Makes what was written visible to queries, for a system that otherwise does so later; fails
    /// when it was refused.
    pub publish: fn(&Server<'_>) -> Result<()>,
    /// Brings the data into the form in which they are kept for long, and returns the directory
    /// that then holds them in that form; nothing when the system has no way to do that. Fails when
    /// it was refused.
    pub compact: fn(&Server<'_>) -> Result<Option<Utf8PathBuf>>,
}

/// What a system is started with.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub program: &'a Utf8Path,
    /// Where other files go that it needs.
    pub directory: &'a Utf8Path,
    pub data: &'a Utf8Path,
    /// Of loopback.
    pub port: u16,
}

/// A system whose program is on this machine.
#[derive(Debug)]
pub(crate) struct Program {
    pub system: &'static System,
    pub path: Utf8PathBuf,
    pub version: String,
}

/// Finds the program of `system` in `folders`, first come first served.
///
/// # Errors
/// In words, why it cannot be measured.
pub(crate) fn find(system: &'static System, folders: &[Utf8PathBuf]) -> Result<Program, String> {
    let names = system.programs;
    let candidates = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    let path = { candidates }
        .find(|path| is_executable(path))
        .ok_or_else(|| format!("not installed: no {} on the search path", names.join(" or ")))?;
    (system.check)(&path)?;
    let output = Command::new(&path).arg("--version").output();
    let output = output.map_err(|error| format!("{path} cannot be started: {error}"))?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    let said = version(&words).map(str::to_owned);
    let version = said.or_else(|| packaged(&path)).unwrap_or_else(|| "unknown".to_owned());
    Ok(Program { system, path, version })
}

/// The version of the Debian package of the same name, for a program that does not say its own.
fn packaged(path: &Utf8Path) -> Option<String> {
    let name = path.file_name().filter(|_| path.starts_with("/usr/bin"))?;
    let arguments = ["--show", "--showformat=${Version}", name];
    let output = Command::new("dpkg-query").args(arguments).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !version.is_empty()).then_some(version)
}

fn is_executable(path: &Utf8Path) -> bool {
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The version in what a program says about itself: the first word that begins with a digit, or
/// with `v` and a digit, and has a dot.
fn version(words: &str) -> Option<&str> {
    let looks = |word: &&str| {
        let word = word.trim_start_matches('v');
        word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
    };
    words.split_whitespace().find(looks).map(|word| word.trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let f = |words: &str, want: Option<&str>| assert_eq!(version(words), want, "{words:?}");
        f("masthead 0.1.0\n", Some("0.1.0"));
        f("prometheus, version 2.42.0+ds (branch: x)\n  go1.19.8", Some("2.42.0+ds"));
        f("victoria-metrics-v1.102.0", None);
        f("build v1.79.5, clean", Some("v1.79.5"));
        f("", None);
    }

    #[test]
    fn names_are_distinct_and_masthead_is_the_first() {
        let names = SYSTEMS.map(|system| system.name);
        assert_eq!(names[0], "masthead");
        assert!(names[1] != names[2] && !names[1..].contains(&"masthead"));
    }

    #[test]
    fn a_program_is_the_first_executable_of_its_name_and_a_missing_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let write = |folder: &str, mode: u32| {
            std::fs::create_dir_all(root.join(folder)).unwrap();
            let path = root.join(folder).join("prometheus");
            let script = format!("#!/bin/sh\necho prometheus, version 1.2.{mode}\n");
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("a", 0o644);
        write("b", 0o755);
        let folders = ["none", "a", "b"].map(|folder| root.join(folder));
        let found = find(SYSTEMS[1], &folders).unwrap();
        assert_eq!((found.path, found.version.as_str()), (root.join("b/prometheus"), "1.2.493"));
        let missing = find(SYSTEMS[1], &folders[..2]).unwrap_err();
        assert_eq!(missing, "not installed: no prometheus on the search path");
    }
}
