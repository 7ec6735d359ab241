//! Rule: lock files and package-manager settings name the default registries alone, so that a
//! clone builds anywhere and no private host is ever published.

use camino::Utf8Path;

use super::{Found, Tree};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

const NPM: &str = "https://registry.npmjs.org/";

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.all_texts() {
        let foreign: fn(&str) -> bool = match path.file_name() {
            Some("Cargo.lock") => foreign_crate,
            Some("package-lock.json") => foreign_package,
            Some(".npmrc") => |line| line.contains("registry"),
            Some("config.toml") if in_cargo_folder(path) => changes_sources,
            _ => continue,
        };
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| foreign(line)) {
            let what = format!("`{}` is not the default registry", line.trim());
            let to_do = "use the default one; settings of a mirror stay outside of the repository";
            found.at(path, number, what, to_do);
        }
    }
}

fn in_cargo_folder(path: &Utf8Path) -> bool {
    path.parent().and_then(Utf8Path::file_name) == Some(".cargo")
}

fn foreign_crate(line: &str) -> bool {
    let source = line.strip_prefix("source = ").map(|value| value.trim_matches('"'));
    source.is_some_and(|source| source != CRATES_IO)
}

fn foreign_package(line: &str) -> bool {
    let Some((_, value)) = line.split_once("\"resolved\":") else { return false };
    let value = value.trim().trim_start_matches('"');
    // A package of the same repository is resolved to its folder.
    value.contains("://") && !value.starts_with(NPM)
}

fn changes_sources(line: &str) -> bool {
    let table = line.trim_start().trim_start_matches('[');
    table.len() < line.trim_start().len()
        && ["source", "registries", "registry"].iter().any(|name| table.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_foreign_address_is_found_in_each_kind_of_file() {
        let cargo = format!("source = \"{CRATES_IO}\"\nsource = \"git+https://example.org/a\"\n");
        let npm = format!(
            "\"resolved\": \"{NPM}a.tgz\",\n\"resolved\": \"ui\",\n\
            \"resolved\": \"https://mirror.example/a.tgz\"\n"
        );
        let tree = Tree::of(&[
            ("Cargo.lock", &cargo),
            ("web/package-lock.json", &npm),
            ("web/.npmrc", "registry=https://mirror.example/\n"),
            (".cargo/config.toml", "[alias]\nxtask = \"run\"\n[source.crates-io]\n"),
            ("conf/config.toml", "[source.a]\n"),
        ]);
        let want = [
            ".cargo/config.toml:3: ",
            "Cargo.lock:2: ",
            "web/.npmrc:1: ",
            "web/package-lock.json:3: ",
        ];
        assert_finds(check, &tree, &want);
    }
}
