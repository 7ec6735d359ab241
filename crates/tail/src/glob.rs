//! Patterns of paths, as Promtail's `__path__` has them: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any
//! number of directories.
//!
//! A pattern is matched against whole paths, and expanded by listing only the directories that it
//! can be about.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{FileId, Fs};
use regex::Regex;

/// Paths that one pattern may name; more are left out and counted.
pub(crate) const PATHS_MAX: usize = 10_000;
/// Directories that are listed for one pattern.
const DIRECTORIES_MAX: usize = 20_000;

/// A pattern.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    whole: Regex,
    /// One test for each part between slashes; `None` for `**`.
    parts: Vec<Option<Part>>,
    /// Where the search begins: `/`, or the directory of the process.
    root: &'static str,
}

#[derive(Debug, Clone)]
enum Part {
    Name(String),
    Pattern(Regex),
}

/// What a pattern names now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Sorted.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Whether a limit cut the search short.
    pub(crate) cut: bool,
}

impl Glob {
    /// # Errors
    /// What is wrong with the pattern.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let (root, below) = match text.strip_prefix('/') {
            Some(below) => ("/", below),
            None => (".", text),
        };
        let part = |part: &str| -> Result<Option<Part>, String> {
            if part == "**" {
                return Ok(None);
            }
            if part.contains(['*', '?', '[', '{', '\\']) {
                return compile(part).map(|regex| Some(Part::Pattern(regex)));
            }
            Ok(Some(Part::Name(part.to_owned())))
        };
        let parts = split(below).into_iter().map(part).collect::<Result<_, _>>()?;
        Ok(Self { whole: compile(text)?, parts, root })
    }

    pub(crate) fn matches(&self, path: &Utf8Path) -> bool {
        self.whole.is_match(path.as_str())
    }

    /// Every file that matches now.
    pub(crate) fn expand(&self, fs: &dyn Fs) -> Found {
        let mut search = Search {
            fs,
            found: Found::default(),
            directories: 0,
            goes_deep: self.parts.iter().any(Option::is_none),
            above: Vec::new(),
        };
        search.descend(Utf8Path::new(self.root), &self.parts);
        let mut found = search.found;
        found.files.sort_unstable();
        found.files.dedup();
        if self.root == "." {
            let bare = |path: Utf8PathBuf| match path.strip_prefix(".") {
                Ok(bare) => bare.to_owned(),
                Err(_) => path,
            };
            found.files = found.files.into_iter().map(bare).collect();
        }
        found
    }
}

struct Search<'f> {
    fs: &'f dyn Fs,
    found: Found,
    directories: usize,
    /// Whether there is a `**`, which comes by every directory.
    goes_deep: bool,
    /// The directories on the way here, by which a link that leads back to one of them is known.
    above: Vec<FileId>,
}

impl Search<'_> {
    fn descend(&mut self, at: &Utf8Path, parts: &[Option<Part>]) {
        let Some((part, rest)) = parts.split_first() else { return };
        if self.goes_deep {
            let Ok(found) = self.fs.metadata(at) else { return };
            self.above.push(found.id);
        }
        match part {
            Some(Part::Name(name)) => self.enter(&at.join(name), rest),
            Some(Part::Pattern(regex)) => {
                for name in self.list(at) {
                    if regex.is_match(&name) {
                        self.enter(&at.join(name), rest);
                    }
                }
            }
            None => {
                // No directory at all, then each one below.
                if rest.is_empty() {
                    self.list(at).iter().for_each(|name| self.enter(&at.join(name), &[]));
                } else {
                    self.descend(at, rest);
                }
                for name in self.list(at) {
                    let below = at.join(name);
                    let found = self.fs.metadata(&below);
                    if found.is_ok_and(|found| found.is_dir && !self.above.contains(&found.id)) {
                        self.descend(&below, parts);
                    }
                }
            }
        }
        if self.goes_deep {
            self.above.pop();
        }
    }

    /// A path that fits so far.
    fn enter(&mut self, path: &Utf8Path, rest: &[Option<Part>]) {
        if !rest.is_empty() {
            return self.descend(path, rest);
        }
        if self.found.files.len() >= PATHS_MAX {
            self.found.cut = true;
        } else if self.fs.metadata(path).is_ok_and(|found| found.is_file) {
            self.found.files.push(path.to_owned());
        }
    }

    fn list(&mut self, dir: &Utf8Path) -> Vec<String> {
        if self.directories >= DIRECTORIES_MAX {
            self.found.cut = true;
            return Vec::new();
        }
        self.directories += 1;
        match self.fs.read_dir(dir) {
            Ok(names) => names,
            Err(error) => {
                // A pattern may go through files and what is not there yet.
                let expected =
                    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind());
                if !expected {
                    tracing::warn!(%dir, %error, "Cannot list a directory in search of files.");
                }
                Vec::new()
            }
        }
    }
}

/// The parts between slashes, where a slash in braces does not count.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '/' && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// The regular expression that a pattern amounts to.
fn compile(text: &str) -> Result<Regex, String> {
    let mut out = String::from("(?s)^");
    let mut letters = text.chars().peekable();
    let mut depth = 0;
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.peek() == Some(&'*') => {
                letters.next();
                if letters.peek() == Some(&'/') {
                    letters.next();
                    out.push_str("(?:.*/)?");
                } else {
                    out.push_str(".*");
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => {
                let mut class = String::new();
                for letter in letters.by_ref() {
                    if letter == ']' && !class.is_empty() && class != "^" {
                        break;
                    }
                    class.push(if class.is_empty() && letter == '!' { '^' } else { letter });
                }
                out.push('[');
                for letter in class.chars() {
                    if matches!(letter, '[' | ']' | '&' | '~' | '\\') {
                        out.push('\\');
                    }
                    out.push(letter);
                }
                out.push(']');
            }
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '\\' => out.push_str(&regex::escape(&letters.next().unwrap_or('\\').to_string())),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push('$');
    let malformed = |_| format!("the pattern {text:?} is malformed");
    if depth > 0 {
        Err(format!("the pattern {text:?} has no closing brace"))
    } else {
        Regex::new(&out).map_err(malformed)
    }
}

#[cfg(test)]
mod tests {
    use masthead_sysio::{OpenOptions, SimFs};

    use super::*;

    #[test]
    fn paths_match() {
        let f = |pattern: &str, path: &str, want: bool| {
            let glob = Glob::new(pattern).unwrap();
            assert_eq!(glob.matches(Utf8Path::new(path)), want, "{pattern} {path}");
        };
        f("/var/log/*.log", "/var/log/a.log", true);
        f("/var/log/*.log", "/var/log/b/a.log", false);
        f("/var/log/**/*.log", "/var/log/a.log", true);
        f("/var/log/**/*.log", "/var/log/b/c/a.log", true);
        f("/var/log/**", "/var/log/b/c", true);
        f("/var/log/{syslog,auth.log}", "/var/log/auth.log", true);
        f("/var/log/{syslog,auth.log}", "/var/log/auth", false);
        f("/log/app[0-9].log", "/log/app7.log", true);
        f("/log/app[!0-9].log", "/log/app7.log", false);
        f("/log/app?.log", "/log/app.log", false);
        f("/var/log/pods/*uid/c/*.log", "/var/log/pods/ns_pod_uid/c/0.log", true);
        f("/a+b/(x).log", "/a+b/(x).log", true);
        f(r"/a/\*.log", "/a/*.log", true);
    }

    #[test]
    fn only_files_are_found_sorted() {
        let fs = SimFs::new(1);
        for path in ["/log/a.log", "/log/b/c.log", "/log/b/d/e.log", "/log/b/x.txt"] {
            fs.create_dir_all(Utf8Path::new(path).parent().unwrap()).unwrap();
            fs.open(Utf8Path::new(path), OpenOptions::APPEND).unwrap();
        }
        let f = |pattern: &str, want: &[&str]| {
            let found = Glob::new(pattern).unwrap().expand(&fs);
            assert_eq!(found.files, want, "{pattern}");
            assert!(!found.cut);
        };
        f("/log/*.log", &["/log/a.log"]);
        f("/log/**/*.log", &["/log/a.log", "/log/b/c.log", "/log/b/d/e.log"]);
        f("/log/*/*", &["/log/b/c.log", "/log/b/x.txt"]);
        f("/log/b/c.log", &["/log/b/c.log"]);
        f("/log/b", &[]);
        f("/none/*/*.log", &[]);
        f("/log/**", &["/log/a.log", "/log/b/c.log", "/log/b/d/e.log", "/log/b/x.txt"]);
    }

    #[test]
    fn malformed_patterns_are_refused() {
        assert!(Glob::new("/a/{b").is_err());
        assert!(Glob::new("/a/[z-a]").is_err());
    }
}
