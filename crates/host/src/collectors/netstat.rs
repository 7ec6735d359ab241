//! `/proc/net/netstat`, `snmp` and `snmp6`: counters of the network protocols, those that
//! `node_exporter` selects by default.

use super::Context;
use crate::{Error, Families, files::number};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for path in ["proc/net/netstat", "proc/net/snmp"] {
        tables(context, path, into)?;
    }
    // A kernel without IPv6 has no such file.
    if let Ok(pairs) = context.pairs("proc/net/snmp6") {
        for (name, value) in pairs {
            let Some(at) = name.find('6') else { continue };
            let (protocol, field) = name.split_at(at + 1);
            emit(context, protocol, field, value, into);
        }
    }
    Ok(())
}

/// Pairs of lines: `Tcp: InSegs OutSegs …` and `Tcp: 12 34 …`.
fn tables(context: &Context<'_>, path: &str, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read(path)?;
    let mut lines = text.lines().enumerate();
    while let Some((at, names)) = lines.next() {
        let (_, values) =
            lines.next().ok_or_else(|| context.malformed(path, at, "a line of values after it"))?;
        let (Some((protocol, names)), Some((same, values))) =
            (names.split_once(':'), values.split_once(':'))
        else {
            return Err(context.malformed(path, at, "a protocol and a colon"));
        };
        if protocol != same {
            return Err(context.malformed(path, at, "names and values of one protocol"));
        }
        for (name, word) in names.split_ascii_whitespace().zip(values.split_ascii_whitespace()) {
            let value = number(word).ok_or_else(|| context.malformed(path, at + 1, "numbers"))?;
            emit(context, protocol, name, value, into);
        }
    }
    Ok(())
}

fn emit(context: &Context<'_>, protocol: &str, field: &str, value: f64, into: &mut Families) {
    let name = format!("{protocol}_{field}");
    if context.patterns.netstat_fields.is_match(&name) {
        let help = format!("Statistic {protocol}{field}.");
        into.unknown(format!("node_netstat_{name}"), help).row(&[], value);
    }
}
