//! Pages of `docs/reference/` that are made from the code: `UPDATE=1 cargo test -p masthead reference`
//! writes them, and without it the tests compare.
#![expect(clippy::disallowed_methods, reason = "tests read and write documents of the repository")]

use std::{fmt::Write as _, path::Path};

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::Cli;

const HEAD: &str = "# The command line

Every command, flag and environment variable of `masthead`.
Results go to stdout, talk to stderr; colours and drawings only to a terminal.
Exit codes: 0 when it is done or was ended by Ctrl-C or SIGTERM; 1 when it failed, and stderr says what and why; 2 for wrong usage or configuration, and then nothing was started.
A flag on the command line is preferred to its variable.

This page is generated: `UPDATE=1 cargo test -p masthead reference` writes it anew, and a test compares.
";

/// Fails when the page is not `text`; with `UPDATE` set, it becomes so.
pub(crate) fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).find(|(found, want)| found != want);
    assert!(
        found == text,
        "{path} is not what the code says; UPDATE=1 cargo test -p masthead reference; first: {differs:?}"
    );
}

/// The default of a flag, for a cell of a table.
pub(crate) fn default(flag: &Arg) -> String {
    if !flag.get_action().takes_values() {
        return "`false`".to_owned();
    }
    let values: Vec<_> =
        flag.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if values.is_empty() { String::new() } else { format!("`{}`", values.join(",")) }
}

/// A text that stays in its cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn page() -> String {
    let mut out = HEAD.to_owned();
    let mut cli = Cli::command();
    cli.build();
    section(&mut out, &cli, "masthead");
    out
}

fn section(out: &mut String, command: &Command, name: &str) {
    for sub in
        command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    {
        let name = format!("{name} {}", sub.get_name());
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        write!(out, "\n## `{name}`\n\n{}\n", about.trim_end_matches('.').to_owned() + ".").unwrap();
        let flags: Vec<_> = sub.get_arguments().filter(|flag| flag.get_id() != "help").collect();
        if !flags.is_empty() {
            out.push_str(
                "\n| argument | variable | default | meaning |\n| --- | --- | --- | --- |\n",
            );
        }
        for flag in flags {
            let values = flag.get_value_names().unwrap_or_default().join(" ");
            let shown = match flag.get_long() {
                Some(long) if flag.get_action().takes_values() => format!("--{long} {values}"),
                Some(long) => format!("--{long}"),
                None => values,
            };
            let variable = flag.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                cell(&shown),
                variable.unwrap_or_default(),
                default(flag),
                cell(&help)
            )
            .unwrap();
        }
        section(out, sub, &name);
    }
}

#[test]
fn the_reference_of_the_command_line_is_what_is_parsed() {
    compare("docs/reference/command-line.md", &page());
}
