//! The fenced blocks of a document, and what their marks say is to be done with them.
//!
//! The mark stands behind the language, after the three back-ticks:
//!
//! | mark | what a test does |
//! | --- | --- |
//! | `sh run` | runs it; it must end well |
//! | `sh server` | starts it; it goes on to the end of the page |
//! | `sh … after Ctrl-C` | first ends what goes on, as Ctrl-C in its terminal does |
//! | `sh not run: REASON` | nothing, for that reason |
//! | `yaml masthead`, `yaml prometheus`, `yaml promtail` | `masthead check config --as` it |
//! | `yaml not checked: REASON` | nothing, for that reason |
//! | `promql`, `logql` | asks a server whether every query parses |
//!
//! A block of `sh` or `yaml` without one of these marks is refused; `cargo xtask tidy` refuses it too.

use std::path::{Path, PathBuf};

/// A block and the line of the page where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Run {
        after_stop: bool,
    },
    Server {
        after_stop: bool,
    },
    /// Whose configuration it is.
    Yaml(String),
    Promql,
    Logql,
    /// Another language, or not for tests.
    Other,
}

/// What the words behind the back-ticks say.
///
/// # Errors
/// A block that a test must know what to do with, and that does not say.
pub(super) fn kind(info: &str) -> Result<Kind, String> {
    let (language, mark) = info.split_once(' ').unwrap_or((info, ""));
    let (command, after_stop) = match mark.strip_suffix(" after Ctrl-C") {
        Some(command) => (command, true),
        None => (mark, false),
    };
    let reason = |word: &str| mark.strip_prefix(word).is_some_and(|why| !why.trim().is_empty());
    Ok(match (language, command) {
        ("sh", "run") => Kind::Run { after_stop },
        ("sh", "server") => Kind::Server { after_stop },
        ("yaml", "masthead" | "prometheus" | "promtail") => Kind::Yaml(mark.to_owned()),
        ("promql", "") => Kind::Promql,
        ("logql", "") => Kind::Logql,
        ("sh", _) if reason("not run:") => Kind::Other,
        ("yaml", _) if reason("not checked:") => Kind::Other,
        ("sh" | "yaml" | "bash" | "shell" | "console" | "yml" | "promql" | "logql", _) => {
            return Err(format!("{info:?} does not say what a test does with it"));
        }
        _ => Kind::Other,
    })
}

/// The blocks of a page, in order.
///
/// # Errors
/// The line of a block whose mark is not known, or that does not end.
pub(super) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in page.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => {
                let kind = kind(info.trim_end()).map_err(|why| format!("{}: {why}", at + 1))?;
                open = Some(Block { line: at + 1, kind, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    match open {
        Some(block) => Err(format!("{}: the block does not end", block.line)),
        None => Ok(blocks),
    }
}

/// The queries of a block: one a line, and lines that begin with a blank go on with the one before.
pub(super) fn queries(text: &str) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match queries.last_mut() {
            Some(query) if line.starts_with(' ') => {
                query.push('\n');
                query.push_str(line);
            }
            _ => queries.push(line.to_owned()),
        }
    }
    queries
}

/// Every document of the repository, by its path from the root; without what others wrote or made.
pub(super) fn pages() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            let foreign = ["node_modules", "target", "dist", "testdata"];
            if path.is_dir() {
                let last = path.file_name().unwrap().to_str().unwrap();
                if !last.starts_with('.') && !foreign.contains(&last) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push((name, path));
            }
        }
    }
    pages.sort();
    pages
}
