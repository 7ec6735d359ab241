//! The command blocks of the documents do what the documents say.
//!
//! Every block of "sh" in every document is run, or says in its mark why not; `documents/page.rs`
//! has the marks. The blocks of a page run in their order, in an empty directory of their own that
//! stands for a clone in which `make build` has run, with free ports in the place of the usual
//! ones. A block is tried again until what it asks for is there: `masthead query` and
//! `masthead logs` that find nothing fail here.
#![expect(clippy::disallowed_methods, reason = "tests read documents and wait")]

mod page;

use std::{
    collections::BTreeSet,
    fs::{create_dir_all, read_to_string, set_permissions, write},
    io::{Read as _, Seek as _},
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use self::page::{Block, Kind, blocks, pages, queries};
use crate::{
    process::{items_api, soon},
    serve::Server,
};

/// Ports that documents name, which are others here: of Masthead, of the items API, of its
/// metrics, of a reader's own service, of a second Masthead.
const PORTS: [&str; 5] = ["3000", "8000", "9464", "8080", "3001"];

/// What a reader has in a clone after `make build`. `make` builds nothing here: what it would build
/// is there.
const MAKEFILE: &str = "build:\n\ndemo:\n\t@target/release/masthead demo $(DEMO)\n";

/// `masthead`, but that a question goes to the reader's server in the place of the usual port, and
/// fails without an answer, so that it is asked again.
const MASTHEAD: &str = r#"#!/bin/sh
case "$1" in query | logs | doctor) export MASTHEAD_URL="$READER_URL" ;; esac
case "$1" in
query | logs)
    answer=$(PROGRAM "$@") || exit
    printf '%s\n' "$answer"
    test -n "$answer" && test "$answer" != '(no series)' ;;
*) exec PROGRAM "$@" ;;
esac
"#;

/// What a block started, with what it writes. Ended with all its children, as by Ctrl-C.
struct Started {
    child: Child,
    output: std::fs::File,
}

impl Started {
    fn interrupt(&mut self) {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, Signal::INT).ok();
        let ended = soon(|| self.child.try_wait().is_ok_and(|status| status.is_some()));
        kill_process_group(group, Signal::KILL).ok();
        assert!(ended, "Ctrl-C did not end it: {}", self.said());
    }

    fn said(&mut self) -> String {
        let mut text = String::new();
        drop(self.output.rewind().and_then(|()| self.output.read_to_string(&mut text)));
        text
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, Signal::INT).ok();
        // What its children hold is given back before the next page; long enough for a store.
        for _ in 0..200 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        kill_process_group(group, Signal::KILL).ok();
        drop(self.child.wait());
    }
}

/// `script` with free ports for those the documents name. Whole numbers, each once: a free port may
/// hold the digits of one that is named, as 33001 does of 3001.
fn with_ports(script: &str, ports: &[(&str, String)]) -> String {
    let edges = |letter: char| !letter.is_ascii_digit();
    let free = |number: &str| ports.iter().find(|(named, _)| *named == number);
    script
        .split_inclusive(edges)
        .flat_map(|piece| {
            let number = piece.trim_end_matches(edges);
            [free(number).map_or(number, |(_, port)| port), &piece[number.len()..]]
        })
        .collect()
}

/// The place where the blocks of one page run.
struct Reader {
    directory: tempfile::TempDir,
    /// A port of the documents, and the one that stands for it.
    ports: Vec<(&'static str, String)>,
    started: Vec<Started>,
}

impl Reader {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let release = directory.path().join("target/release");
        create_dir_all(&release).unwrap();
        let masthead = release.join("masthead");
        write(&masthead, MASTHEAD.replace("PROGRAM", env!("CARGO_BIN_EXE_masthead"))).unwrap();
        set_permissions(&masthead, std::fs::Permissions::from_mode(0o755)).unwrap();
        write(directory.path().join("Makefile"), MAKEFILE).unwrap();
        let clone = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        symlink(clone.join("infra").canonicalize().unwrap(), directory.path().join("infra"))
            .unwrap();
        let listeners = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
        let ports = PORTS.into_iter().zip(listeners.iter().map(port)).collect();
        Self { directory, ports, started: Vec::new() }
    }

    fn command(&self, script: &str) -> Command {
        let script = with_ports(script, &self.ports);
        let [ui, api, metrics, ..] = &self.ports[..] else { panic!("BUG: fewer ports") };
        let release = self.directory.path().join("target/release");
        let path = format!("{}:{}", release.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-e", "-c", &script]).current_dir(self.directory.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            // `make` runs the tests, and what it tells its children is not for this one.
            if name.starts_with("MASTHEAD_") || name.starts_with("MAKE") || name == "MFLAGS" {
                command.env_remove(&*name);
            }
        }
        command
            .env("PATH", path)
            .env("READER_URL", format!("http://127.0.0.1:{}", ui.1))
            .env("MASTHEAD_PROMETHEUS_LISTEN", "off")
            .env("MASTHEAD_LOKI_LISTEN", "off")
            .env("MASTHEAD_LISTEN", format!("127.0.0.1:{}", ui.1))
            .env("MASTHEAD_RUN_PORT", &ui.1)
            .env("MASTHEAD_DEMO_PORT", &ui.1)
            .env("MASTHEAD_DEMO_API_PORT", &api.1)
            .env("MASTHEAD_DEMO_METRICS_PORT", &metrics.1)
            .stdin(Stdio::null());
        command
    }

    fn run(&mut self, place: &str, script: &str) {
        let mut last = String::new();
        // A block that only writes files has nothing to say.
        let silent = script.trim_end().ends_with("\nEND");
        let done = soon(|| {
            let output = self.command(script).output().unwrap();
            last = format!("{output:?}");
            output.status.success() && (silent || !output.stdout.is_empty())
        });
        let said: Vec<String> = self.started.iter_mut().map(Started::said).collect();
        assert!(done, "{place}: does not work: {last}\nservers say: {said:?}");
    }

    fn start(&mut self, place: &str, script: &str) {
        let output = tempfile::tempfile().unwrap();
        // The shell becomes the program, so that a signal for one is for the other.
        let mut command = self.command(&format!("exec {script}"));
        if script.contains("make demo") || script.contains("masthead demo") {
            command.env("MASTHEAD_ITEMS_API", items_api());
        }
        command.stdout(output.try_clone().unwrap()).stderr(output.try_clone().unwrap());
        let child = command.process_group(0).spawn().unwrap_or_else(|why| panic!("{place}: {why}"));
        self.started.push(Started { child, output });
    }

    fn stop(&mut self) {
        // The last first: it may need the others.
        while let Some(mut started) = self.started.pop() {
            started.interrupt();
        }
    }

    fn read(&mut self, page: &str, blocks: &[Block]) {
        for Block { line, kind, text } in blocks {
            let place = format!("{page}:{line}");
            match kind {
                Kind::Run { after_stop } | Kind::Server { after_stop } if *after_stop => {
                    self.stop();
                }
                _ => {}
            }
            match kind {
                Kind::Run { .. } => self.run(&place, text),
                Kind::Server { .. } => self.start(&place, text),
                Kind::Yaml(format) => self.check_config(&place, format, text),
                Kind::Promql | Kind::Logql | Kind::Other => {}
            }
        }
    }

    fn check_config(&self, place: &str, format: &str, text: &str) {
        let file = self.directory.path().join("block.yaml");
        write(&file, text).unwrap();
        let script = format!("masthead check config --as {format} block.yaml");
        let output = self.command(&script).output().unwrap();
        assert!(output.status.success(), "{place}: {output:?}");
    }
}

/// Runs the pages whose path `is_ours`, a few at a time: they mostly wait.
fn run_pages(is_ours: impl Fn(&str) -> bool) -> usize {
    let pages: Vec<(String, Vec<Block>)> = pages()
        .into_iter()
        .filter(|(name, _)| is_ours(name))
        .map(|(name, path)| {
            let found = blocks(&read_to_string(path).unwrap());
            let found = found.unwrap_or_else(|why| panic!("{name}:{why}"));
            (name, found)
        })
        .filter(|(_, blocks)| blocks.iter().any(|block| block.kind != Kind::Other))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some((name, blocks)) =
            pages.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        {
            Reader::new().read(name, blocks);
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    pages.iter().map(|(_, blocks)| blocks.len()).sum()
}

#[test]
fn the_readme_works_as_written() {
    assert!(run_pages(|name| name == "README.md") >= 2);
}

#[test]
fn tutorials_work_as_written() {
    run_pages(|name| name.starts_with("docs/tutorials/"));
}

#[test]
fn how_tos_work_as_written() {
    assert!(run_pages(|name| name.starts_with("docs/how-to/")) >= 10);
}

#[test]
fn every_other_document_works_as_written() {
    let elsewhere = ["README.md", "docs/tutorials/", "docs/how-to/"];
    run_pages(|name| !elsewhere.iter().any(|start| name.starts_with(start)));
}

#[test]
fn every_query_in_a_document_parses() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, path) in pages() {
        for block in blocks(&read_to_string(path).unwrap()).unwrap() {
            let address = match block.kind {
                Kind::Promql => "/api/v1/parse_query",
                Kind::Logql => "/loki/api/v1/format_query",
                _ => continue,
            };
            for query in queries(&block.text) {
                count += 1;
                let answer = server.get(&format!("{address}?query={}", in_address(&query)));
                if answer.0 != 200 {
                    wrong.push(format!("{name}:{}: {query}\n{answer:?}", block.line));
                }
            }
        }
    }
    assert!(count >= 10 && wrong.is_empty(), "{count} queries, {}", wrong.join("\n"));
}

/// `text` as part of an address.
fn in_address(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn what_stands_for_the_makefile_does_what_the_makefile_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ours = read_to_string(root.join("Makefile")).unwrap();
    let targets = |text: &str| -> BTreeSet<String> {
        let names = text.lines().filter_map(|line| line.split_once(':'));
        names
            .map(|(name, _)| name.to_owned())
            .filter(|name| !name.contains(char::is_whitespace))
            .collect()
    };
    assert!(targets(MAKEFILE).is_subset(&targets(&ours)));
    assert!(ours.contains("/release/masthead\" demo $(DEMO)\n"), "another demo than here");
}

#[test]
fn a_block_without_a_mark_is_refused() {
    let f = |info: &str, want: Option<Kind>| assert_eq!(page::kind(info).ok(), want, "{info:?}");
    f("sh", None);
    f("sh runs", None);
    f("sh not run:", None);
    f("bash", None);
    f("yaml", None);
    f("yaml promtail.yaml", None);
    f("sh run", Some(Kind::Run { after_stop: false }));
    f("sh run after Ctrl-C", Some(Kind::Run { after_stop: true }));
    f("sh server after Ctrl-C", Some(Kind::Server { after_stop: true }));
    f("sh not run: needs a cluster", Some(Kind::Other));
    f("yaml promtail", Some(Kind::Yaml("promtail".to_owned())));
    f("yaml not checked: of Helm", Some(Kind::Other));
    f("json", Some(Kind::Other));
    let page = "```json\n{}\n```\ntext\n```sh server\nserve\n  here\n```\n";
    let server = Kind::Server { after_stop: false };
    let found = blocks(page).unwrap();
    assert_eq!(found[1], Block { line: 5, kind: server, text: "serve\n  here\n".to_owned() });
    assert_eq!(blocks("a\n```sh\nrm -r /\n```\n").unwrap_err().split(':').next(), Some("2"));
    assert!(blocks("```sh run\nls\n").is_err());
    assert_eq!(queries("a\n  b\n\nc\n"), ["a\n  b", "c"]);
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let reader = Reader::new();
    let masthead: PathBuf = reader.directory.path().join("target/release/masthead");
    let text = read_to_string(masthead).unwrap().replace(env!("CARGO_BIN_EXE_masthead"), "echo");
    let f = |answers: &str, want: bool| {
        let script = format!(
            "echo() {{ {answers}; }}; set -- query up; {}",
            text.lines().skip(1).collect::<Vec<_>>().join("\n")
        );
        assert_eq!(reader.command(&script).output().unwrap().status.success(), want, "{answers}");
    };
    f("printf answer", true);
    f("true", false);
    f("printf '(no series)'", false);
    f("printf answer; false", false);
}

#[test]
fn a_free_port_with_the_digits_of_a_named_one_stays_whole() {
    let ports = [("3000", "33001".to_owned()), ("3001", "37101".to_owned())];
    let script = "curl 127.0.0.1:3000/a localhost:3001 30001 '3000'";
    let want = "curl 127.0.0.1:33001/a localhost:37101 30001 '33001'";
    assert_eq!(with_ports(script, &ports), want);
}

/// The tables of failures and refusals name tests; each is there.
#[test]
fn tables_of_tests_name_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, least) in [("failures.md", 15), ("refusals.md", 25)] {
        let text = read_to_string(root.join("../../docs/reference").join(page)).unwrap();
        let mut named = BTreeSet::new();
        for row in text.lines().filter(|line| line.starts_with("| ")) {
            let last = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
            named.extend(last.split('`').skip(1).step_by(2).map(str::to_owned));
        }
        assert!(named.len() >= least, "{page}: {named:?}");
        for name in named {
            let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("{page}: {name}"));
            let file = root.join(format!("tests/it/{file}.rs"));
            let there = read_to_string(&file).unwrap_or_default();
            let start = format!("#[test]\nfn {test}() {{");
            assert!(there.contains(&start), "{page}: there is no test {name}");
        }
    }
}
