//! `/proc/net/dev`: what network devices sent and received.

use super::Context;
use crate::{Error, Families, files::number};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/net/dev";
    let text = context.files.read(path)?;
    let mut lines = text.lines().enumerate().skip(1);
    let (at, heading) =
        lines.next().ok_or_else(|| context.malformed(path, 0, "two lines of heading"))?;
    let columns = columns(heading)
        .ok_or_else(|| context.malformed(path, at, "a heading of three parts between bars"))?;
    for (at, line) in lines {
        // A name may hold a colon (`eth0:1`); the counters never do.
        let (device, counters) = line
            .rsplit_once(':')
            .ok_or_else(|| context.malformed(path, at, "a device, a colon and counters"))?;
        let device = device.trim();
        for (name, word) in columns.iter().zip(counters.split_ascii_whitespace()) {
            let value = number(word).ok_or_else(|| context.malformed(path, at, "numbers"))?;
            let help = format!("Field {name} of a network device.");
            into.counter(format!("node_network_{name}_total"), help)
                .row(&[("device", device)], value);
        }
        let nohandler = format!("sys/class/net/{device}/statistics/rx_nohandler");
        if let Some(value) = context.files.number(&nohandler) {
            into.counter(
                "node_network_receive_nohandler_total",
                "Packets dropped because nobody on an inactive device took them.",
            )
            .row(&[("device", device)], value);
        }
    }
    Ok(())
}

/// `receive_bytes`, … from the heading ` face |bytes packets …|bytes packets …`.
fn columns(heading: &str) -> Option<Vec<String>> {
    let mut parts = heading.split('|').skip(1);
    let (receive, transmit) = (parts.next()?, parts.next()?);
    let named = |prefix: &'static str, part: &str| -> Vec<String> {
        part.split_ascii_whitespace().map(|name| format!("{prefix}_{name}")).collect()
    };
    Some([named("receive", receive), named("transmit", transmit)].concat())
}
