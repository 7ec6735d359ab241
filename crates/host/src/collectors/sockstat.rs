//! `/proc/net/sockstat` and `sockstat6`: sockets by protocol.

use super::Context;
use crate::{Error, Families, files::number};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read("proc/net/sockstat")?;
    table(context, "proc/net/sockstat", &text, into)?;
    // A kernel without IPv6 has no such file.
    if let Ok(text) = context.files.read("proc/net/sockstat6") {
        table(context, "proc/net/sockstat6", &text, into)?;
    }
    Ok(())
}

/// Lines of `TCP: inuse 5 orphan 0 …`.
fn table(context: &Context<'_>, path: &str, text: &str, into: &mut Families) -> Result<(), Error> {
    for (at, line) in text.lines().enumerate() {
        let expected = "a protocol, a colon, names and numbers";
        let malformed = || context.malformed(path, at, expected);
        let (protocol, rest) = line.split_once(':').ok_or_else(malformed)?;
        let mut words = rest.split_ascii_whitespace();
        while let Some(field) = words.next() {
            let value = words.next().and_then(number).ok_or_else(malformed)?;
            let help = format!("Sockets of {protocol}, {field}.");
            into.gauge(format!("node_sockstat_{protocol}_{field}"), help).row(&[], value);
            if field == "mem" {
                // The kernel counts pages.
                into.gauge(
                    format!("node_sockstat_{protocol}_mem_bytes"),
                    format!("Memory of the sockets of {protocol}."),
                )
                .row(&[], value * context.page_bytes);
            }
        }
    }
    Ok(())
}
