//! The kernel's table of tracked connections, where netfilter is loaded.

use super::Context;
use crate::{Error, Families, files::hexadecimal, files::number};

const STATS: &[&str] = &[
    "found",
    "invalid",
    "ignore",
    "insert",
    "insert_failed",
    "drop",
    "early_drop",
    "search_restart",
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let sizes = [
        ("node_nf_conntrack_entries", "Connections that are tracked now.", "count"),
        ("node_nf_conntrack_entries_limit", "Connections that can be tracked at once.", "max"),
    ];
    for (name, help, file) in sizes {
        let path = format!("proc/sys/net/netfilter/nf_conntrack_{file}");
        let text = context.files.read(&path)?;
        let value = number(text.trim()).ok_or_else(|| context.malformed(&path, 0, "a number"))?;
        into.gauge(name, help).row(&[], value);
    }
    stats(context, into)
}

/// One line for each processor under a heading; the sum is what matters.
fn stats(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/net/stat/nf_conntrack";
    let text = context.files.read(path)?;
    let mut lines = text.lines().enumerate();
    let heading = lines.next().map_or("", |(_, line)| line);
    let columns: Vec<&str> = heading.split_ascii_whitespace().collect();
    let mut sums = vec![0.0; columns.len()];
    for (at, line) in lines {
        for (sum, word) in sums.iter_mut().zip(line.split_ascii_whitespace()) {
            let expected = "hexadecimal numbers";
            *sum += hexadecimal(word).ok_or_else(|| context.malformed(path, at, expected))?;
        }
    }
    for stat in STATS {
        // Kernel 5.x renamed and dropped columns; what is gone reads zero, as in node_exporter.
        let value = columns.iter().position(|c| c == stat).and_then(|at| sums.get(at).copied());
        into.gauge(
            format!("node_nf_conntrack_stat_{stat}"),
            format!("Tracked connections, count of {stat}."),
        )
        .row(&[], value.unwrap_or(0.0));
    }
    Ok(())
}
