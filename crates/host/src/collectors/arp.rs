//! `/proc/net/arp`: how many neighbours each network device knows.

use std::collections::BTreeMap;

use super::Context;
use crate::{Error, Families};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read("proc/net/arp")?;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    // The first line is a heading; the device is the last of six columns.
    for (at, line) in text.lines().enumerate().skip(1) {
        let device = line
            .split_ascii_whitespace()
            .nth(5)
            .ok_or_else(|| context.malformed("proc/net/arp", at, "six columns"))?;
        *counts.entry(device).or_default() += 1;
    }
    let family = into.gauge("node_arp_entries", "Neighbours in the ARP table, by device.");
    for (device, count) in counts {
        family.row(&[("device", device)], f64::from(count));
    }
    Ok(())
}
