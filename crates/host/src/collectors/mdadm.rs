//! `/proc/mdstat`: arrays of disks. A device has a line of its own, a line of its size, and one more
//! while it is put right.

use super::Context;
use crate::{Error, Families, files::number};

const STATES: &[&str] = &["active", "inactive", "recovering", "resync", "check"];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/mdstat";
    let text = context.files.read(path)?;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let is_device = line.starts_with(|c: char| !c.is_whitespace());
        if !is_device || line.starts_with("Personalities") || line.starts_with("unused") {
            continue;
        }
        let expected = "a device, a colon and its state";
        let (device, about) =
            line.split_once(" : ").ok_or_else(|| context.malformed(path, at, expected))?;
        let mut more = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with(char::is_whitespace))
        {
            more.push(line.trim());
        }
        let expected = "a number of blocks below a device";
        let array = array(about, &more).ok_or_else(|| context.malformed(path, at, expected))?;
        emit(device.trim(), &array, into);
    }
    Ok(())
}

struct Array {
    state: &'static str,
    active: f64,
    required: f64,
    failed: f64,
    spare: f64,
    blocks: f64,
    synced: f64,
}

fn array(about: &str, more: &[&str]) -> Option<Array> {
    let size = more.first()?;
    let blocks = number(size.split_ascii_whitespace().next()?)?;
    let activity = about.split_ascii_whitespace().next()?;
    let count = |what: &str| f64::from(u32::try_from(about.matches(what).count()).unwrap_or(0));
    let (required, active) = if activity == "inactive" {
        (0.0, 0.0)
    } else if about.contains("raid0") || about.contains("linear") {
        // There is nothing to lose: each disk of the line is needed.
        (count("["), count("["))
    } else {
        of_disks(size)?
    };
    let progress = more.iter().skip(1).find_map(|line| progress(line, blocks));
    let own = if activity == "active" { "active" } else { "inactive" };
    let (state, synced) = progress.unwrap_or((own, blocks));
    Some(Array {
        state,
        active,
        required,
        failed: count("(F)"),
        spare: count("(S)"),
        blocks,
        synced,
    })
}

/// `[3/2]` as three that are wanted and two that are there.
fn of_disks(line: &str) -> Option<(f64, f64)> {
    line.split('[').find_map(|part| {
        let (wanted, active) = part.split_once(']')?.0.split_once('/')?;
        Some((number(wanted)?, number(active)?))
    })
}

/// `recovery = 8.5% (16775552/195310144) …` as its state and the blocks that are done.
fn progress(line: &str, blocks: f64) -> Option<(&'static str, f64)> {
    let state = [("recovery", "recovering"), ("check", "check"), ("resync", "resync")]
        .iter()
        .find(|(word, _)| line.contains(word))?
        .1;
    if line.contains("PENDING") || line.contains("DELAYED") {
        return Some((state, 0.0));
    }
    let done = line.split_once('(').and_then(|(_, rest)| number(rest.split_once('/')?.0));
    Some((state, done.unwrap_or(blocks)))
}

fn emit(device: &str, array: &Array, into: &mut Families) {
    let family = into.gauge("node_md_disks", "Disks of an array, by their state.");
    for (state, value) in
        [("active", array.active), ("failed", array.failed), ("spare", array.spare)]
    {
        family.row(&[("device", device), ("state", state)], value);
    }
    let family = into.gauge("node_md_state", "Which state an array is in.");
    for state in STATES {
        let value = f64::from(u8::from(*state == array.state));
        family.row(&[("device", device), ("state", state)], value);
    }
    for (name, help, value) in [
        ("node_md_disks_required", "Disks that an array wants.", array.required),
        ("node_md_blocks", "Blocks of an array.", array.blocks),
        ("node_md_blocks_synced", "Blocks of an array that are in order.", array.synced),
    ] {
        into.gauge(name, help).row(&[("device", device)], value);
    }
}
