//! `masthead run`: the command does what it does without us, and is kept and found.

use std::{path::Path, process::Command};

use rustix::process::{Signal, kill_process};

use crate::{
    process::{Masthead, items_api, masthead, soon},
    serve::Server,
};

pub(crate) fn command(data: &Path, more: &[&str]) -> Command {
    let mut args = vec!["run", "--port=0", "--data", data.to_str().unwrap()];
    args.extend(more);
    let mut command = Masthead::command(&args);
    command.env("MASTHEAD_PROMETHEUS_LISTEN", "off").env("MASTHEAD_LOKI_LISTEN", "off");
    command.env("MASTHEAD_NO_HOST", "true");
    command
}

fn run(data: &Path, more: &[&str]) -> Masthead {
    Masthead::start(command(data, more))
}

/// The same with stderr among stdout, so that it can be read while it runs.
pub(crate) fn loud(data: &Path, more: &[&str]) -> Masthead {
    let quiet = command(data, more);
    let mut loud = Command::new("sh");
    loud.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(quiet.get_program()).args(quiet.get_args());
    for (name, value) in quiet.get_envs() {
        match value {
            Some(value) => loud.env(name, value),
            None => loud.env_remove(name),
        };
    }
    Masthead::start(loud)
}

pub(crate) fn lines(server: &Server, query: &str) -> String {
    let url = format!("http://{}", server.address());
    let (code, stdout, stderr) =
        masthead(&["logs", query, "--url", &url, "--format", "raw"]).finish();
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

#[test]
fn output_and_exit_code_are_the_commands_own_and_every_line_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let script = "printf 'one\\n\\033[1mtwo\\nno newline'; echo three >&2; exit 3";
    let shop = ["--name", "shop", "--namespace", "town", "--", "sh", "-c", script];
    let (code, stdout, stderr) = run(data.path(), &shop).finish();
    assert_eq!((code, stdout.as_str()), (Some(3), "one\n\u{1b}[1mtwo\nno newline"), "{stderr}");
    assert!(stderr.contains("three\n") && stderr.contains("Masthead watches shop"), "{stderr}");
    let server = Server::start(data.path());
    let kept =
        lines(&server, "{app=\"shop\", namespace=\"town\", job=\"town/shop\", stream=\"stdout\"}");
    assert_eq!(kept, "one\n\u{1b}[1mtwo\nno newline\n");
    assert_eq!(lines(&server, "{app=\"shop\", stream=\"stderr\"}"), "three\n");
}

#[test]
fn our_own_secrets_are_not_the_commands_to_see() {
    let data = tempfile::tempdir().unwrap();
    let mut command = command(data.path(), &["--", "env"]);
    for name in ["TOKEN", "PASSWORD", "HEADER", "AUTH_ADMIN_PASSWORD"] {
        let value = if name == "HEADER" { "X-A: hunter2" } else { "hunter2" };
        command.env(format!("MASTHEAD_{name}"), value);
    }
    command.env("SHOP_TOKEN", "its-own");
    let (code, stdout, stderr) = Masthead::start(command).finish();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("SHOP_TOKEN=its-own\n"), "{stdout}");
    assert!(stdout.contains("MASTHEAD_NO_HOST=true\n") && !stdout.contains("hunter2"), "{stdout}");
}

#[test]
fn the_end_of_a_command_is_passed_on_as_a_shell_does() {
    let data = tempfile::tempdir().unwrap();
    let f = |command: &[&str], want: i32| {
        let mut args = vec!["--"];
        args.extend(command);
        let (code, stdout, stderr) = run(data.path(), &args).finish();
        assert_eq!(code, Some(want), "{command:?}: {stdout}{stderr}");
    };
    f(&["true"], 0);
    f(&["sh", "-c", "kill -KILL $$"], 137);
    f(&["/nowhere/at-all"], 127);
    f(&["/dev/null"], 126);
}

#[test]
fn signals_are_the_commands_to_answer() {
    let data = tempfile::tempdir().unwrap();
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::USR1, "USR1")] {
        let script =
            format!("trap 'echo heard; exit 9' {name}; echo up; while :; do sleep 0.05; done");
        let mut process = run(data.path(), &["--", "sh", "-c", &script]);
        assert_eq!(process.line_with("up"), "up");
        kill_process(process.id(), signal).unwrap();
        let (code, stdout, stderr) = process.finish();
        assert_eq!((code, stdout.as_str()), (Some(9), "up\nheard\n"), "{name}: {stderr}");
    }
}

#[test]
fn input_reaches_the_command() {
    let data = tempfile::tempdir().unwrap();
    let quiet = command(data.path(), &["--", "cat"]);
    let mut piped = Command::new("sh");
    piped
        .args(["-c", "echo hello | \"$0\" \"$@\""])
        .arg(quiet.get_program())
        .args(quiet.get_args());
    piped.envs(quiet.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (code, stdout, stderr) = Masthead::start(piped).finish();
    assert_eq!((code, stdout.as_str()), (Some(0), "hello\n"), "{stderr}");
}

#[test]
fn a_reader_that_leaves_ends_the_command() {
    let data = tempfile::tempdir().unwrap();
    let mut process = run(data.path(), &["--", "yes"]);
    assert_eq!(process.line_with("y"), "y");
    process.close_stdout();
    let (code, _, stderr) = process.finish();
    // `yes` dies of SIGPIPE, or complains of it where that is ignored.
    assert!(matches!(code, Some(141 | 1)), "{code:?} {stderr}");
}

#[test]
fn a_service_is_found_by_what_it_listens_on() {
    let data = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/items.db?mode=rwc", data.path().display());
    let set = format!("DATABASE_URL={database}");
    let program = items_api().to_str().unwrap();
    let addresses = ["LISTEN_ADDR=127.0.0.1:0", "METRICS_ADDR=127.0.0.1:0"];
    let store = data.path().join("store");
    let service = ["--name", "items", "--", "env", &set, addresses[0], addresses[1], program];
    let mut process = loud(&store, &service);
    let line = process.line_with("Masthead watches items: http://");
    let address = line.rsplit('/').next().unwrap().parse().unwrap();
    process.line_with("Its metrics are at http://127.0.0.1:");
    let server = Server { process, address };
    let up = "sum(up{job=\"items\",service=\"items\",namespace=\"default\"}) or vector(0)";
    assert!(soon(|| server.number(up) == "1"));
    assert!(soon(
        || lines(&server, "{app=\"items\"} | json | level=\"INFO\"").contains("metrics_addr")
    ));
    let code = server.stop(Signal::TERM);
    assert_eq!(code, Some(0));
}

#[test]
fn wrong_usage_starts_nothing() {
    let data = tempfile::tempdir().unwrap();
    let f = |args: &[&str], word: &str| {
        let (code, stdout, stderr) = run(data.path(), args).finish();
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(word), "{args:?}: {stderr}");
    };
    f(&[], "COMMAND");
    f(&["--metrics", "nowhere", "--", "true"], "write it like 9464");
}
