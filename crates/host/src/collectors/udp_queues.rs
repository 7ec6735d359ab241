//! `/proc/net/udp` and `udp6`: bytes that wait in the queues of UDP sockets.

use super::Context;
use crate::{Error, Families, files::hexadecimal};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    queues(context, "proc/net/udp", "v4", into)?;
    // A kernel without IPv6 has no such file.
    match queues(context, "proc/net/udp6", "v6", into) {
        Err(Error::Read(_)) => Ok(()),
        other => other,
    }
}

fn queues(context: &Context<'_>, path: &str, ip: &str, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read(path)?;
    let (mut send, mut receive) = (0.0, 0.0);
    // The first line is a heading; the fifth column is `tx:rx`, in hexadecimal.
    for (at, line) in text.lines().enumerate().skip(1) {
        let pair = line.split_ascii_whitespace().nth(4).and_then(|word| {
            let (tx, rx) = word.split_once(':')?;
            Some((hexadecimal(tx)?, hexadecimal(rx)?))
        });
        let (tx, rx) = pair.ok_or_else(|| context.malformed(path, at, "queues as tx:rx"))?;
        send += tx;
        receive += rx;
    }
    let family = into.gauge("node_udp_queues", "Bytes that wait in queues of UDP sockets.");
    family.row(&[("queue", "tx"), ("ip", ip)], send);
    family.row(&[("queue", "rx"), ("ip", ip)], receive);
    Ok(())
}
