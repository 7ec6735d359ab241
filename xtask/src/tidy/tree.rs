//! What the rules look at: every file that git would commit, and what `cargo metadata` says.
//!
//! Read once, before the first rule runs; tests make one up in memory with [`Tree::of`]. Ignored
//! files (`target/`, `node_modules/`) are never in it. The text of a file that is not UTF-8 or is
//! larger than [`TEXT_BYTES_MAX`] is left out, its path stays.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, TargetKind};

/// Larger files are data, not prose or source. The largest lock file of a web project fits.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// The repository as the rules see it. All paths are relative to its root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<Utf8PathBuf, Option<String>>,
    folders: BTreeSet<Utf8PathBuf>,
    /// The crates of the workspace.
    pub(crate) crates: Vec<Crate>,
    /// Every package that the lock file brings in from elsewhere.
    pub(crate) packages: Vec<Package>,
}

/// A crate of the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crate {
    /// The name in its `Cargo.toml`.
    pub(crate) package: String,
    /// Its folder, e.g. `crates/model`.
    pub(crate) folder: Utf8PathBuf,
    /// Names of what it needs to build, of all platforms and features; tests not counted.
    pub(crate) dependencies: Vec<String>,
    /// The root files of its library and its programs.
    pub(crate) roots: Vec<Utf8PathBuf>,
    /// The root files of its integration-test binaries.
    pub(crate) test_binaries: Vec<Utf8PathBuf>,
}

impl Crate {
    /// The name on the floor table: its folder, without `crates/`.
    pub(crate) fn name(&self) -> &str {
        self.folder.as_str().strip_prefix("crates/").unwrap_or(self.folder.as_str())
    }

    pub(crate) fn manifest(&self) -> Utf8PathBuf {
        self.folder.join("Cargo.toml")
    }
}

/// A package that is not ours.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The SPDX expression of its manifest.
    pub(crate) licence: Option<String>,
}

impl Tree {
    /// Reads the git checkout at `root`.
    ///
    /// # Errors
    /// When git or cargo cannot be run or fail, or a file cannot be read.
    pub(crate) fn read(root: &Utf8Path) -> Result<Self> {
        let mut tree = Self::default();
        for path in listed_by_git(root)? {
            let full = root.join(&path);
            // A file that is deleted but not yet committed as such is still listed, and a
            // symbolic link has no text of its own.
            if !full.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("cannot read {full}"))?;
            let text = (bytes.len() <= TEXT_BYTES_MAX).then(|| String::from_utf8(bytes).ok());
            tree.insert(path, text.flatten());
        }
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .exec()
            .context("cannot read the crates and their dependencies")?;
        tree.take_metadata(&metadata)?;
        Ok(tree)
    }

    /// A made-up tree of `(path, text)`.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.insert(Utf8PathBuf::from(path), Some((*text).to_owned()));
        }
        tree
    }

    /// The same tree with a crate at `folder` that depends on `dependencies`; its package name
    /// follows from its folder.
    #[cfg(test)]
    pub(crate) fn with_crate(mut self, folder: &str, dependencies: &[&str]) -> Self {
        let package = match folder.strip_prefix("crates/") {
            Some("masthead") | None => folder.trim_start_matches("crates/").to_owned(),
            Some(name) => format!("masthead-{name}"),
        };
        self.crates.push(Crate {
            package,
            folder: folder.into(),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
            ..Crate::default()
        });
        self
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether a file or a folder of this path would be there in a fresh clone.
    pub(crate) fn has(&self, path: &Utf8Path) -> bool {
        path == "" || self.files.contains_key(path) || self.folders.contains(path)
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: impl AsRef<Utf8Path>) -> Option<&str> {
        self.files.get(path.as_ref())?.as_deref()
    }

    /// Every file with text whose name ends in `.extension`, in the order of paths.
    pub(crate) fn texts(&self, extension: &str) -> impl Iterator<Item = (&Utf8Path, &str)> {
        self.all_texts().filter(move |(path, _)| path.extension() == Some(extension))
    }

    /// Every file with text, in the order of paths.
    pub(crate) fn all_texts(&self) -> impl Iterator<Item = (&Utf8Path, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_path(), text.as_deref()?)))
    }

    /// The first line of a file that has `needle`, counted from 1; 1 when none has.
    pub(crate) fn line_of(&self, path: &Utf8Path, needle: &str) -> usize {
        let mut lines = self.text(path).unwrap_or_default().lines();
        lines.position(|line| line.contains(needle)).map_or(1, |index| index + 1)
    }

    fn insert(&mut self, path: Utf8PathBuf, text: Option<String>) {
        self.folders.extend(path.ancestors().skip(1).map(Utf8Path::to_owned));
        self.files.insert(path, text);
    }

    fn take_metadata(&mut self, metadata: &Metadata) -> Result<()> {
        let root = &metadata.workspace_root;
        let relative = |path: &Utf8Path| -> Result<Utf8PathBuf> {
            let inside = path.strip_prefix(root);
            Ok(inside.with_context(|| format!("{path} is outside of {root}"))?.to_owned())
        };
        for package in metadata.workspace_packages() {
            let roots_of = |kinds: &[TargetKind]| -> Result<Vec<Utf8PathBuf>> {
                let targets = package.targets.iter();
                let chosen = targets.filter(|t| t.kind.iter().any(|kind| kinds.contains(kind)));
                chosen.map(|target| relative(&target.src_path)).collect()
            };
            let needed = package.dependencies.iter();
            let needed = needed.filter(|needed| needed.kind != DependencyKind::Development);
            self.crates.push(Crate {
                package: package.name.to_string(),
                folder: relative(&package.manifest_path)?.parent().unwrap_or("".into()).to_owned(),
                dependencies: needed.map(|needed| needed.name.clone()).collect(),
                roots: roots_of(&[TargetKind::Lib, TargetKind::Bin, TargetKind::ProcMacro])?,
                test_binaries: roots_of(&[TargetKind::Test])?,
            });
        }
        let foreign = metadata.packages.iter().filter(|package| package.source.is_some());
        self.packages.extend(foreign.map(|package| Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            licence: package.license.clone(),
        }));
        Ok(())
    }
}

/// Tracked files and new ones, without what `.gitignore` names.
fn listed_by_git(root: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let output = Command::new("git")
        .args(list)
        .current_dir(root)
        .output()
        .context("cannot run git, which knows the files of the repository; install git")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git cannot list the files of {root}: {complaint}");
    let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    Ok(listing.split('\0').filter(|path| !path.is_empty()).map(Utf8PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_repository_is_read_with_its_crates_and_without_ignored_files() {
        let tree = Tree::read(&crate::root().unwrap()).unwrap();
        let own = tree.crates.iter().find(|own| own.name() == "xtask").unwrap();
        assert!(own.dependencies.contains(&"camino".to_owned()), "{own:?}");
        assert_eq!(own.roots, ["xtask/src/main.rs"]);
        assert!(tree.has("xtask/src/tidy".into()) && tree.text("Cargo.toml").is_some());
        assert!(!tree.has("target".into()));
        assert!(tree.packages.iter().any(|package| package.name == "camino"));
    }

    #[test]
    fn a_crate_is_named_by_its_folder() {
        let tree = Tree::default().with_crate("crates/model", &[]).with_crate("api", &[]);
        let names: Vec<&str> = tree.crates.iter().map(Crate::name).collect();
        assert_eq!(names, ["model", "api"]);
    }
}
