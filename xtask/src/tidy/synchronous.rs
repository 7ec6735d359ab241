//! Rule: the floors F0 to F3 are synchronous and deterministic, which is what lets a simulated
//! disk and a simulated clock drive them.
//!
//! Their crates do not depend on an asynchronous runtime, and their sources name neither the
//! file system, the clock nor the environment. `sysio` is the seam to those and is let off;
//! clippy's bans in `clippy.toml` hold there. Tests may use temporary folders.

use super::{Found, Tree, floor_table};

/// The highest floor that must be synchronous.
const SYNCHRONOUS_LEVEL_MAX: u8 = 3;

const SEAM: &str = "sysio";

const RUNTIMES: &[&str] = &["async-std", "axum", "hyper", "mio", "reqwest", "smol", "tokio"];

/// What a source may not name, and what to use.
const NAMES: &[(&str, &str)] = &[
    ("std::fs", "use sysio::Fs"),
    ("std::net", "sockets begin at F4"),
    ("std::env::", "take the value as an argument"),
    ("SystemTime", "use sysio::Clock"),
    ("time::Instant", "use sysio::Clock"),
    ("static mut", "keep state in a value that is passed on"),
];

pub(super) fn check(tree: &Tree, found: &mut Found) {
    let (rows, _) = floor_table::read(tree);
    for own in &tree.crates {
        let level = floor_table::level(&rows, own.name());
        if level.is_none_or(|level| level > SYNCHRONOUS_LEVEL_MAX) {
            continue;
        }
        for runtime in own.dependencies.iter().filter(|name| RUNTIMES.contains(&name.as_str())) {
            let what = format!("`{}` depends on {runtime}", own.name());
            let line = tree.line_of(&own.manifest(), runtime);
            let to_do = "F0 to F3 are synchronous; asynchronous code begins at F4";
            found.at(&own.manifest(), line, what, to_do);
        }
        let sources = own.folder.join("src");
        let sources = tree.texts("rs").filter(|(path, _)| path.starts_with(&sources));
        for (path, text) in sources.filter(|_| own.name() != SEAM) {
            if path.file_name() == Some("tests.rs") || path.as_str().contains("/tests/") {
                continue;
            }
            for (line, number) in code_lines(text) {
                for (name, to_do) in NAMES.iter().filter(|(name, _)| line.contains(name)) {
                    let what = format!("`{name}` on a floor that must be deterministic");
                    found.at(path, number, what, to_do);
                }
            }
        }
    }
}

/// Lines that are not comments, up to the inline module of tests, which ends a file.
fn code_lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let lines = text.lines().zip(1..);
    let lines = lines.take_while(|(line, _)| line.trim_end() != "mod tests {");
    lines.filter(|(line, _)| !line.trim_start().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_runtime_and_each_way_to_the_world_are_found_below_f4() {
        let rows =
            ["| F4 | `scrape` | here | |", "| F3 | `tsdb` | here | |", "| F0 | `sysio` | here | |"];
        let table = floor_table::document(&rows);
        let ban = |names: &[&str]| names.join("\n");
        let all: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        let source = format!(
            "//! std::fs is not used.\n{}\n#[cfg(test)]\nmod tests {{\n    use std::fs;\n}}\n",
            ban(&all)
        );
        let files = [
            (floor_table::DOCUMENT, table.as_str()),
            ("crates/scrape/src/lib.rs", source.as_str()),
            ("crates/sysio/src/lib.rs", source.as_str()),
            ("crates/tsdb/Cargo.toml", "[dependencies]\ntokio = \"1\"\n"),
            ("crates/tsdb/src/head.rs", source.as_str()),
            ("crates/tsdb/src/head/tests.rs", source.as_str()),
            ("crates/tsdb/tests/it/main.rs", source.as_str()),
        ];
        let tree = Tree::of(&files)
            .with_crate("crates/scrape", &["tokio"])
            .with_crate("crates/tsdb", &["tokio"])
            .with_crate("crates/sysio", &[]);
        let mut want = vec!["crates/tsdb/Cargo.toml:2: `tsdb` depends on tokio".to_owned()];
        want.extend(
            all.iter()
                .zip(2..)
                .map(|(name, line)| format!("crates/tsdb/src/head.rs:{line}: `{name}`")),
        );
        assert_finds(check, &tree, &want.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
