//! `masthead run --url`: what a command writes and what is scraped of it is at a server elsewhere,
//! and what did not get there is told.
#![expect(clippy::disallowed_methods, reason = "tests make and look for files")]

use std::path::Path;

use rustix::process::{Signal, kill_process};

use crate::{
    clients::Guarded,
    forward::free_address,
    process::Masthead,
    run::{command, lines, loud},
    serve::Server,
};

const ALONE: [&str; 2] = ["--no-host", "--no-self"];

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn lines_and_samples_are_at_the_server_and_the_exit_code_is_the_commands() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start_with(there.path(), &ALONE);
    let url = format!("http://{}", server.address());
    let (metrics, go) = (format!("{url}/metrics"), here.path().join("go"));
    let script =
        format!("echo one; while [ ! -e '{}' ]; do sleep 0.05; done; printf last", go.display());
    let data = here.path().join("data");
    let args = ["--url", &url, "--name", "shop", "--metrics", &metrics];
    let process = Masthead::start(command(
        &data,
        &[&args[..], &["--", "sh", "-c", &format!("{script}; exit 3")]].concat(),
    ));
    let up = "up{job=\"shop\",namespace=\"default\"} or vector(0)";
    crate::forward::eventually("a scrape at the server", || server.number(up) == "1");
    assert_eq!(server.number("count(up)"), "1", "nothing but the command is watched");
    std::fs::write(&go, "").unwrap();
    let (code, stdout, stderr) = process.finish();
    assert_eq!((code, stdout.as_str()), (Some(3), "one\nlast"), "{stderr}");
    assert!(stderr.contains(&format!("Masthead watches shop: {url}\n")), "{stderr}");
    assert!(!stderr.contains("Not everything"), "{stderr}");
    // At the end of the process everything is there.
    assert_eq!(lines(&server, "{app=\"shop\", job=\"default/shop\"}"), "one\nlast\n");
    assert_eq!(names(&data), ["elsewhere"], "nothing is kept here");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn what_did_not_get_there_is_told_and_goes_the_next_time() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let url = format!("http://{address}");
    let script = "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.05; done";
    let to = ["--url", &url, "--name", "shop", "--"];
    let mut process = loud(here.path(), &[&to[..], &["sh", "-c", script]].concat());
    process.line_with(&format!("{url}/loki/api/v1/push does not answer yet"));
    process.line_with("up");
    kill_process(process.id(), Signal::TERM).unwrap();
    process.line_with("Sending the rest to");
    // Whoever does not want to wait says so.
    kill_process(process.id(), Signal::INT).unwrap();
    let (code, said, _) = process.finish();
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(said.matches("does not answer yet").count(), 1, "{said}");
    // The shell may have said of its own that its `sleep` was ended.
    let told = said.lines().find(|line| line.starts_with("Not everything is at")).unwrap();
    assert!(told.contains(" lines and 0 samples were not sent; "), "{told}");
    assert!(told.contains(&url) && told.contains("the same --data"), "{told}");

    let server = Server::start_at(&address, there.path(), &ALONE);
    let (code, _, stderr) =
        Masthead::start(command(here.path(), &[&to[..], &["echo", "third"]].concat())).finish();
    assert!(code == Some(0) && !stderr.contains("Not everything"), "{stderr}");
    assert_eq!(lines(&server, "{app=\"shop\", stream=\"stdout\"}"), "up\nbye\nthird\n");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_server_with_a_password_and_a_certificate_is_shown_both() {
    let guarded = Guarded::start(|_, _| Vec::new());
    let (url, flags) = (guarded.url(), guarded.flags());
    let data = tempfile::tempdir().unwrap();
    let run = |flags: &[&str]| {
        let args = [&["--url", &url, "--name", "shop"], flags, &["--", "echo", "hello"]].concat();
        Masthead::start(command(data.path(), &args)).finish()
    };
    let ca = guarded.file("ca.pem");
    let (code, stdout, stderr) = run(&["--ca-file", &ca]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("log in first") && stderr.contains("--token or --user"), "{stderr}");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (code, stdout, stderr) = run(&flags);
    assert_eq!((code, stdout.as_str()), (Some(0), "hello\n"), "{stderr}");
    let (code, found, stderr) = guarded.ask(&["logs", "{app=\"shop\"}", "--format", "raw"]);
    assert_eq!((code, found.as_str()), (Some(0), "hello\n"), "{stderr}");
}

#[test]
fn wrong_ends_start_nothing() {
    let data = tempfile::tempdir().unwrap();
    let f = |args: &[&str], word: &str| {
        let args = [args, &["--", "echo", "hello"]].concat();
        let (code, stdout, stderr) = Masthead::start(command(data.path(), &args)).finish();
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(word) && !stderr.contains("hunter2"), "{args:?}: {stderr}");
    };
    f(&["--url", "nowhere"], "write it like");
    f(&["--url", "http://me:hunter2@127.0.0.1:1"], "--password-file");
    f(&["--loki", "http://127.0.0.1:1/loki/api/v1/push"], "--remote-write");
    let ends = ["--url", "http://127.0.0.1:1", "--loki", "http://127.0.0.1:1"];
    f(&ends, "cannot be used with");
    // A server that is none.
    let place = tempfile::tempdir().unwrap();
    let server = Server::start_with(place.path(), &ALONE);
    let url = format!("http://{}/elsewhere", server.address());
    f(&["--url", &url], "there is no such endpoint");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_loki_and_a_receiver_may_stand_for_one_server() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start_with(there.path(), &ALONE);
    let loki = format!("http://{}/loki/api/v1/push", server.address());
    let write = format!("http://{}/api/v1/write", server.address());
    let args = ["--loki", &loki, "--remote-write", &write, "--name", "shop", "--", "echo", "hi"];
    let (code, _, stderr) = Masthead::start(command(here.path(), &args)).finish();
    assert!(code == Some(0) && stderr.contains(&loki), "{stderr}");
    assert_eq!(lines(&server, "{app=\"shop\"}"), "hi\n");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}
