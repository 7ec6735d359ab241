//! The command blocks of the documents do what the documents say.
//!
//! A block that begins with "sh server" after its three back-ticks starts something that goes on to the end of the page;
//! a block of "sh run" must end well and print something, once what it asks for is there. Other
//! blocks of "sh" are for people alone: they build, install, or change the machine. Blocks run in an
//! empty directory that has `target/release/masthead`, with a free port in the place of 3000.
#![expect(clippy::disallowed_methods, reason = "tests read documents and wait")]

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::process::soon;

/// The port that documents name.
const PORT: &str = "3000";

/// A block and the line of the page where it begins.
struct Block {
    line: usize,
    kind: Kind,
    script: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server,
    Run,
}

/// Ends what a block started.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (at, line) in page.lines().enumerate() {
        let kind = match line.trim_end() {
            "```sh server" => Some(Kind::Server),
            "```sh run" => Some(Kind::Run),
            _ => None,
        };
        if let Some(kind) = kind {
            blocks.push(Block { line: at + 1, kind, script: String::new() });
            inside = true;
        } else if line.starts_with("```") {
            inside = false;
        } else if let Some(block) = blocks.last_mut().filter(|_| inside) {
            block.script.push_str(line);
            block.script.push('\n');
        }
    }
    blocks
}

/// README.md and every page below docs/.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

fn run(page: &Path, blocks: &[Block]) {
    let directory = tempfile::tempdir().unwrap();
    let release = directory.path().join("target/release");
    std::fs::create_dir_all(&release).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_masthead"), release.join("masthead")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let command = |script: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", &script.replace(PORT, &port)])
            .current_dir(directory.path())
            .env("MASTHEAD_URL", format!("http://127.0.0.1:{port}"))
            .env("MASTHEAD_PROMETHEUS_LISTEN", "off")
            .stdin(Stdio::null());
        command
    };
    let mut started = Vec::new();
    for Block { line, kind, script } in blocks {
        let place = format!("{}:{line}", page.display());
        if *kind == Kind::Server {
            // The shell becomes the program, so that ending one ends the other.
            let mut server = command(&format!("exec {script}"));
            let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            started.push(Started(child));
            continue;
        }
        let mut last = String::new();
        let done = soon(|| {
            let output = command(script).output().unwrap();
            last = format!("{output:?}");
            output.status.success() && !output.stdout.is_empty()
        });
        assert!(done, "{place}: does not work: {last}");
    }
}

#[test]
fn command_blocks_work_as_written() {
    let mut count = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let blocks = blocks(&text);
        count += blocks.len();
        if !blocks.is_empty() {
            run(&page, &blocks);
        }
    }
    assert!(count >= 2, "{count} blocks in all documents");
}

#[test]
fn only_marked_blocks_are_run() {
    let page =
        "```sh\nrm -r /\n```\n```sh run\necho a\necho b\n```\ntext\n```sh server\nserve\n```\n";
    let found: Vec<_> = blocks(page).into_iter().map(|b| (b.line, b.script)).collect();
    assert_eq!(found, [(4, "echo a\necho b\n".to_owned()), (9, "serve\n".to_owned())]);
}
