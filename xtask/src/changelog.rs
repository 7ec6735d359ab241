//! Folds the fragments of `changelog.d/` into `CHANGELOG.md` when a version is released.
//!
//! A fragment is one sentence in a file of its own, `slug.kind.md`, so that changes made at the
//! same time never meet in one file (`tidy/fragments.rs` checks them). Folding writes a section
//! for the version above the newest one, then removes the fragments; nothing is removed unless
//! the section is written.

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

/// Where the fragments are.
pub(crate) const FOLDER: &str = "changelog.d";

const DOCUMENT: &str = "CHANGELOG.md";

/// What a change is to a user. The order is that of the sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Breaking,
    Added,
    Changed,
    Fixed,
    Perf,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Breaking, Self::Added, Self::Changed, Self::Fixed, Self::Perf];

    /// The kind of the fragment at `path`; none when its name is not `slug.kind.md`.
    pub(crate) fn of(path: &Utf8Path) -> Option<Self> {
        let (slug, kind) = path.file_name()?.strip_suffix(".md")?.rsplit_once('.')?;
        Self::ALL.into_iter().find(|known| known.name() == kind && !slug.is_empty())
    }

    /// The kinds for a message.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Fixed => "fixed",
            Self::Perf => "perf",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking",
            Self::Added => "Added",
            Self::Changed => "Changed",
            Self::Fixed => "Fixed",
            Self::Perf => "Performance",
        }
    }
}

/// Folds every fragment under `root` into a section for `version`, and returns how many.
///
/// # Errors
/// When there is no fragment, one is misnamed, `version` or `date` is not of the form `1.2.3` or
/// `2026-09-01`, the version is already there, or a file cannot be read or written.
pub(crate) fn fold(root: &Utf8Path, version: &str, date: &str) -> Result<usize> {
    ensure!(is_numbers(version, '.', &[]), "{version} is not a version such as 0.2.0");
    ensure!(is_numbers(date, '-', &[4, 2, 2]), "{date} is not a date such as 2026-09-01");
    let fragments = read_fragments(root)?;
    ensure!(!fragments.is_empty(), "there is no fragment in {FOLDER}/");
    let document = root.join(DOCUMENT);
    let old =
        std::fs::read_to_string(&document).with_context(|| format!("cannot read {document}"))?;
    let heading = format!("## {version} ");
    ensure!(!old.contains(&heading), "{DOCUMENT} already has {version}");
    let section = section(version, date, &fragments);
    let at = old.find("\n## ").map_or(old.len(), |at| at + 1);
    let (above, below) = old.split_at(at);
    let gap = if above.ends_with("\n\n") { "" } else { "\n" };
    let gap_below = if below.is_empty() { "" } else { "\n" };
    let new = format!("{above}{gap}{section}{gap_below}{below}");
    std::fs::write(&document, new).with_context(|| format!("cannot write {document}"))?;
    for fragment in &fragments {
        let path = &fragment.path;
        std::fs::remove_file(path).with_context(|| format!("cannot remove {path}"))?;
    }
    Ok(fragments.len())
}

struct Fragment {
    path: Utf8PathBuf,
    kind: Kind,
    sentence: String,
}

/// The fragments, by name.
fn read_fragments(root: &Utf8Path) -> Result<Vec<Fragment>> {
    let folder = root.join(FOLDER);
    let mut fragments = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        let path = entry.with_context(|| format!("cannot list {folder}"))?.into_path();
        if path.file_name() == Some("README.md") {
            continue;
        }
        let named = format!("{path} is not named slug.KIND.md, KIND one of {}", Kind::names());
        let kind = Kind::of(&path).context(named)?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        fragments.push(Fragment { path, kind, sentence: text.trim().to_owned() });
    }
    fragments.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(fragments)
}

fn section(version: &str, date: &str, fragments: &[Fragment]) -> String {
    let mut lines = vec![format!("## {version} ({date})")];
    for kind in Kind::ALL {
        let own = fragments.iter().filter(|fragment| fragment.kind == kind);
        let entries: Vec<String> = own.map(|fragment| format!("- {}", fragment.sentence)).collect();
        if !entries.is_empty() {
            lines.extend([String::new(), format!("### {}", kind.title()), String::new()]);
            lines.extend(entries);
        }
    }
    lines.join("\n") + "\n"
}

/// Whether `text` is three numbers between `separator`s, of so many digits where `widths` says.
fn is_numbers(text: &str, separator: char, widths: &[usize]) -> bool {
    let parts: Vec<&str> = text.split(separator).collect();
    let digits =
        parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    digits && parts.len() == 3 && parts.iter().zip(widths).all(|(part, width)| part.len() == *width)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with a changelog and `fragments`, removed at the end.
    struct Repository(Utf8PathBuf);

    impl Repository {
        fn new(name: &str, changelog: &str, fragments: &[(&str, &str)]) -> Self {
            let folder = format!("masthead-changelog-{name}-{}", std::process::id());
            let root = Utf8PathBuf::try_from(std::env::temp_dir()).unwrap().join(folder);
            std::fs::create_dir_all(root.join(FOLDER)).unwrap();
            std::fs::write(root.join(DOCUMENT), changelog).unwrap();
            std::fs::write(root.join(FOLDER).join("README.md"), "# Fragments\n").unwrap();
            for (name, text) in fragments {
                std::fs::write(root.join(FOLDER).join(name), text).unwrap();
            }
            Self(root)
        }

        fn names(&self) -> Vec<String> {
            let entries = self.0.join(FOLDER).read_dir_utf8().unwrap();
            let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().to_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Repository {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn fragments_become_a_section_above_the_newest_and_are_removed() {
        let changelog = "# Changelog\n\nSee changelog.d.\n\n## 0.1.0 (2026-08-01)\n\n- First.\n";
        let fragments = [
            ("b.added.md", "B.\n"),
            ("a.added.md", "A.\n"),
            ("c.breaking.md", "C.\n"),
            ("d.perf.md", "D."),
        ];
        let repository = Repository::new("folds", changelog, &fragments);
        assert_eq!(fold(&repository.0, "0.2.0", "2026-09-01").unwrap(), 4);
        let want = "# Changelog\n\nSee changelog.d.\n\n## 0.2.0 (2026-09-01)\n\n\
            ### Breaking\n\n- C.\n\n### Added\n\n- A.\n- B.\n\n### Performance\n\n- D.\n\n\
            ## 0.1.0 (2026-08-01)\n\n- First.\n";
        assert_eq!(std::fs::read_to_string(repository.0.join(DOCUMENT)).unwrap(), want);
        assert_eq!(repository.names(), ["README.md"]);
    }

    #[test]
    fn the_first_version_goes_to_the_end() {
        let repository =
            Repository::new("first", "# Changelog\n\nSee.\n", &[("a.fixed.md", "A.\n")]);
        fold(&repository.0, "0.1.0", "2026-09-01").unwrap();
        let want = "# Changelog\n\nSee.\n\n## 0.1.0 (2026-09-01)\n\n### Fixed\n\n- A.\n";
        assert_eq!(std::fs::read_to_string(repository.0.join(DOCUMENT)).unwrap(), want);
    }

    #[test]
    fn what_cannot_be_folded_is_refused_and_nothing_is_removed() {
        let changelog = "# Changelog\n\n## 0.1.0 (2026-08-01)\n";
        let good = Repository::new("refused", changelog, &[("a.fixed.md", "A.\n")]);
        let f = |version, date, want: &str| {
            let error = fold(&good.0, version, date).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        };
        f("0.2", "2026-09-01", "0.2 is not a version");
        f("0.2.x", "2026-09-01", "0.2.x is not a version");
        f("0.2.0", "26-09-01", "26-09-01 is not a date");
        f("0.1.0", "2026-09-01", "already has 0.1.0");
        assert_eq!(good.names(), ["README.md", "a.fixed.md"]);
        let misnamed = Repository::new("misnamed", changelog, &[("a.new.md", "A.\n")]);
        let error = fold(&misnamed.0, "0.2.0", "2026-09-01").unwrap_err().to_string();
        assert!(error.contains("a.new.md is not named slug.KIND.md"), "{error}");
        let empty = Repository::new("empty", changelog, &[]);
        assert!(fold(&empty.0, "0.2.0", "2026-09-01").is_err());
    }
}
