//! `masthead check dashboards`: what of Grafana's dashboards the browser application would not
//! draw, and which queries do not parse.
//!
//! What is supported stands in the table that the application reads too (`dashboards/features.rs`);
//! a file is walked in `dashboards/file.rs` as `web/src/dashboard/schema/` reads it; variables are
//! written into queries in `dashboards/variables.rs` as the application does it, and parsed in
//! `dashboards/queries.rs`. This file finds the files and prints.

mod features;
mod file;
mod options;
mod queries;
mod references;
mod sources;
#[cfg(test)]
mod tests;
mod variables;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Fs, OpenOptions, RealFs};
use serde::Serialize;

use self::file::{Report, inspect};
pub(in crate::commands) use self::{
    queries::call,
    sources::{Kind, Sources},
    variables::{Chosen, Scope},
};
use crate::{
    cli::{CheckDashboardsArgs, UsageError},
    terminal::{self, BOLD, DIM, GREEN, Output, RED, YELLOW},
};

/// A larger file is no dashboard.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// More files than this are not looked at.
const FILES_MAX: usize = 20_000;
/// Folders below folders, at most so deep.
const DEPTH_MAX: usize = 16;

/// Everything that was found, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Answer {
    files: Vec<Report>,
    summary: Summary,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    files: usize,
    dashboards: usize,
    panels: usize,
    queries: usize,
    unsupported: usize,
    broken: usize,
    errors: usize,
}

/// Looks at every file and prints what it found.
///
/// # Errors
/// Something is not supported or does not parse; a [`UsageError`] when there is nothing to look at.
pub(super) fn run(args: &CheckDashboardsArgs) -> anyhow::Result<()> {
    let fs = RealFs;
    let mut paths = Vec::new();
    find(&fs, &args.path, 0, &mut paths)
        .map_err(|error| UsageError(format!("{}: {error}", args.path)))?;
    if paths.is_empty() {
        return Err(UsageError(format!("{}: no file that ends in .json", args.path)).into());
    }
    paths.sort();
    let files: Vec<Report> = paths.iter().map(|path| report(&fs, path)).collect();
    let summary = summary(&files);
    if args.json {
        let answer = Answer { files, summary };
        terminal::print(&serde_json::to_string_pretty(&answer)?)?;
        return end(&answer.summary);
    }
    show(&files, &summary, &Output::stdout())?;
    end(&summary)
}

fn end(summary: &Summary) -> anyhow::Result<()> {
    let Summary { unsupported, broken, errors, .. } = summary;
    if unsupported + broken + errors > 0 {
        bail!(
            "{}, {}, {}",
            counted(*unsupported, "feature is not supported", "features are not supported"),
            counted(*broken, "query does not parse", "queries do not parse"),
            counted(*errors, "file could not be read", "files could not be read"),
        );
    }
    Ok(())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The files below a path, or the path itself when it is a file.
fn find(
    fs: &dyn Fs,
    path: &Utf8Path,
    depth: usize,
    found: &mut Vec<Utf8PathBuf>,
) -> Result<(), String> {
    let metadata = fs.metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_dir {
        found.push(path.to_owned());
        return Ok(());
    }
    for name in fs.read_dir(path).map_err(|error| error.to_string())? {
        let below = path.join(&name);
        // A link that leads nowhere is nobody's dashboard.
        let Ok(metadata) = fs.metadata(&below) else { continue };
        if metadata.is_dir && depth < DEPTH_MAX && !name.starts_with('.') {
            find(fs, &below, depth + 1, found)?;
        } else if !metadata.is_dir && below.extension() == Some("json") {
            if found.len() == FILES_MAX {
                return Err(format!("more than {FILES_MAX} files; name a folder with fewer"));
            }
            found.push(below);
        }
    }
    Ok(())
}

fn report(fs: &dyn Fs, path: &Utf8Path) -> Report {
    let read = text(fs, path)
        .and_then(|text| serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}")));
    let mut report = match read {
        Ok(json) => inspect(&json),
        Err(error) => Report { error: Some(error), ..Report::default() },
    };
    report.path = path.to_string();
    report
}

fn text(fs: &dyn Fs, path: &Utf8Path) -> Result<String, String> {
    let file = fs.open(path, OpenOptions::READ).map_err(|error| error.to_string())?;
    let length = file.len().map_err(|error| error.to_string())?;
    if length > FILE_BYTES_MAX {
        return Err(format!("{length} bytes, more than the {FILE_BYTES_MAX} of a dashboard"));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut bytes, 0).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

fn summary(files: &[Report]) -> Summary {
    let mut all = Summary { files: files.len(), ..Summary::default() };
    for file in files {
        all.dashboards += usize::from(file.is_dashboard());
        all.panels += file.panels;
        all.queries += file.queries;
        all.unsupported += file.unsupported.len();
        all.broken += file.broken.len();
        all.errors += usize::from(file.error.is_some());
    }
    all
}

fn show(files: &[Report], all: &Summary, output: &Output) -> anyhow::Result<()> {
    for file in files {
        let path = output.paint(BOLD, &terminal::one_line(&file.path));
        if let Some(note) = file.error.as_ref().or(file.skipped.as_ref()) {
            let style = if file.error.is_some() { RED } else { DIM };
            terminal::print(&format!("{path}: {}", output.paint(style, note)))?;
            continue;
        }
        let counts = format!(
            "{}, {}",
            counted(file.panels, "panel", "panels"),
            counted(file.queries, "query", "queries")
        );
        let fine = file.unsupported.is_empty() && file.broken.is_empty();
        let verdict = if fine { output.paint(GREEN, "all supported") } else { String::new() };
        let title = terminal::one_line(&file.title);
        let line = format!("{path}: {title}, {counts}{}{verdict}", if fine { ", " } else { "" });
        terminal::print(&line)?;
        for one in &file.unsupported {
            let what = output.paint(YELLOW, &terminal::one_line(&one.what));
            terminal::print(&format!("  {}: {what}", terminal::one_line(&one.place)))?;
        }
        for one in &file.broken {
            let error = output.paint(RED, &terminal::one_line(&one.error));
            terminal::print(&format!(
                "  {}: {} does not parse: {error}",
                terminal::one_line(&one.place),
                one.language
            ))?;
            terminal::print(&format!("    {}", terminal::one_line(&one.query)))?;
        }
    }
    terminal::print(&format!(
        "{}: {}, {}; {}, {}",
        counted(all.dashboards, "dashboard", "dashboards"),
        counted(all.panels, "panel", "panels"),
        counted(all.queries, "query", "queries"),
        counted(all.unsupported, "feature is not supported", "features are not supported"),
        counted(all.broken, "query does not parse", "queries do not parse"),
    ))?;
    Ok(())
}
