//! How often each line of a tree is in the store.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result, ensure};
use masthead_model::Nanos;
use serde_json::Value;

use super::tree::{NAMESPACE, Tree, text};
use crate::server::Server;

/// Lines of one answer.
const PAGE_LINES: usize = 5_000;

/// What became of the lines of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// That were written.
    pub lines: u64,
    /// That are not there.
    pub missing: u64,
    /// That are there once more than they should be.
    pub doubled: u64,
    /// That nobody wrote.
    pub broken: u64,
}

impl Counts {
    pub(super) fn is_exact(&self) -> bool {
        self.missing + self.doubled + self.broken == 0
    }
}

/// How many lines the server has of the tree between two times.
pub(super) fn there(server: &Server<'_>, (start, end): (Nanos, Nanos)) -> Result<u64> {
    let seconds = (end.0 - start.0) / 1_000_000_000 + 1;
    let expr = format!(r#"sum(count_over_time({{namespace="{NAMESPACE}"}}[{seconds}s]))"#);
    let time = end.0.to_string();
    let body = server.ask("/loki/api/v1/query", &[("query", &expr), ("time", &time)])?;
    let answer = crate::answers::read(&body)?;
    let value = answer.series().first().and_then(|series| series.values.first());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    Ok(value.map_or(0, |(_, value)| *value as u64))
}

/// Reads every line of the tree between two times, page by page, and compares.
pub(super) fn counts(
    server: &Server<'_>,
    tree: &Tree,
    seed: u64,
    (start, end): (Nanos, Nanos),
) -> Result<Counts> {
    let places: HashMap<&str, usize> =
        tree.containers.iter().enumerate().map(|(at, one)| (one.name.as_str(), at)).collect();
    let mut seen: Vec<Vec<u8>> = tree
        .containers
        .iter()
        .map(|one| vec![0; usize::try_from(one.lines).unwrap_or(0)])
        .collect();
    let mut counts = Counts::default();
    let mut from = start.0;
    // Those of the last instant, which the next page has again.
    let mut known: HashSet<String> = HashSet::new();
    loop {
        let lines = page(server, from, end.0)?;
        let last = lines.iter().map(|(time, _)| *time).max();
        for (_, line) in lines.iter().filter(|(_, line)| !known.contains(line)) {
            let mut words = line.splitn(3, ' ');
            let number = |word: Option<&str>| word.and_then(|word| word.parse::<u64>().ok());
            let place = words.next().and_then(|name| Some((name, *places.get(name)?)));
            let found = place.zip(number(words.next())).and_then(|((name, at), number)| {
                let slot = seen.get_mut(at)?.get_mut(usize::try_from(number).ok()?)?;
                (text(name, number, seed) == *line).then_some(slot)
            });
            match found {
                Some(times) => {
                    counts.doubled += u64::from(*times > 0);
                    *times = times.saturating_add(1);
                }
                None => counts.broken += 1,
            }
        }
        let Some(last) = last.filter(|_| lines.len() >= PAGE_LINES) else { break };
        ensure!(last > from || lines.len() < PAGE_LINES, "a page of lines at one instant");
        from = last;
        known = lines.into_iter().filter(|(time, _)| *time == last).map(|(_, line)| line).collect();
    }
    counts.lines = tree.containers.iter().map(|one| one.lines).sum();
    counts.missing = seen.iter().flatten().filter(|times| **times == 0).count() as u64;
    Ok(counts)
}

/// The oldest lines between two times.
fn page(server: &Server<'_>, start: i64, end: i64) -> Result<Vec<(i64, String)>> {
    let expr = format!(r#"{{namespace="{NAMESPACE}"}}"#);
    let (start, end, limit) = (start.to_string(), end.to_string(), PAGE_LINES.to_string());
    let parameters = [
        ("query", expr.as_str()),
        ("start", &start),
        ("end", &end),
        ("limit", &limit),
        ("direction", "forward"),
    ];
    let body = server.ask("/loki/api/v1/query_range", &parameters)?;
    read(&body).context("an answer of an unknown shape")
}

fn read(body: &[u8]) -> Option<Vec<(i64, String)>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut lines = Vec::new();
    for stream in body["data"]["result"].as_array()? {
        for value in stream["values"].as_array()? {
            let (time, line) = (value[0].as_str()?, value[1].as_str()?);
            lines.push((time.parse().ok()?, line.to_owned()));
        }
    }
    Some(lines)
}
