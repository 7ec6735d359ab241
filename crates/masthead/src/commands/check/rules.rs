//! `masthead check rules`: rule files read as the server reads them, and everything said that is
//! wrong with them.
//!
//! Words, layout and exit codes are promtool's.

use std::io;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_promql::Features;
use masthead_rules::{Duplicate, FILE_BYTES_MAX, GroupSpec, Language, duplicates, parse_file};
use masthead_sysio::{Fs as _, RealFs, read_to_vec};

use crate::{cli::CheckRulesArgs, terminal};

/// Checks the files.
///
/// # Errors
/// Something is wrong with one of them.
pub(super) fn run(args: &CheckRulesArgs) -> anyhow::Result<()> {
    let language = if args.logs { Language::Logql } else { Language::Promql };
    let (mut wrong, mut count) = (0, 0);
    let mut warnings = false;
    for path in &args.paths {
        for file in files(path)? {
            count += 1;
            terminal::print(&format!("Checking {file}"))?;
            match check(&file, language) {
                Ok(groups) => {
                    let found = duplicates(&groups);
                    if !found.is_empty() {
                        warnings = true;
                        terminal::say(&shown(&found));
                    }
                    let rules: usize = groups.iter().map(|group| group.rules.len()).sum();
                    terminal::print(&format!("  SUCCESS: {rules} rules found\n"))?;
                }
                Err(errors) => {
                    wrong += 1;
                    terminal::say("  FAILED:");
                    for error in errors {
                        terminal::say(&error);
                    }
                    terminal::print("")?;
                }
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} of {count} rule files are wrong");
    }
    if warnings && args.lint_fatal {
        bail!("there are duplicate rules, and --lint-fatal is given");
    }
    Ok(())
}

fn check(file: &Utf8Path, language: Language) -> Result<Vec<GroupSpec>, Vec<String>> {
    let text = text_of(file).map_err(|error| vec![format!("{file}: {error}")])?;
    parse_file(&text, file.as_str(), language, Features::ALL)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The text of a rule file or of a file of tests.
pub(in crate::commands) fn text_of(file: &Utf8Path) -> io::Result<String> {
    let bytes = read_to_vec(&RealFs, file, FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The file itself, or the rule files of a directory.
fn files(path: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    match RealFs.metadata(path) {
        Ok(found) if found.is_dir => {}
        // What is not there is told as any other file that is wrong.
        _ => return Ok(vec![path.to_owned()]),
    }
    let mut names = RealFs.read_dir(path)?;
    names.retain(|name| Utf8Path::new(name).extension().is_some_and(|e| e == "yml" || e == "yaml"));
    names.sort();
    Ok(names.iter().map(|name| path.join(name)).collect())
}

/// As promtool tells of them.
fn shown(found: &[Duplicate]) -> String {
    let mut text = format!("{} duplicate rule(s) found.", found.len());
    for duplicate in found {
        text = format!("{text}\nMetric: {}\nLabel(s):", duplicate.name);
        for (name, value) in &duplicate.labels {
            text = format!("{text}\n\t{name}: {value}");
        }
    }
    format!("{text}\nMight cause inconsistency while recording expressions")
}
