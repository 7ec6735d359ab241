//! `/proc/meminfo`: how memory is used. Names are the kernel's own, with `_bytes` where it says kB.

use super::Context;
use crate::{Error, Families, files::number};

const BYTES_PER_KIB: f64 = 1024.0;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/meminfo";
    let text = context.files.read(path)?;
    for (at, line) in text.lines().enumerate() {
        let expected = "a name, a colon and a number";
        let (name, rest) =
            line.split_once(':').ok_or_else(|| context.malformed(path, at, expected))?;
        let mut words = rest.split_ascii_whitespace();
        let value =
            words.next().and_then(number).ok_or_else(|| context.malformed(path, at, expected))?;
        // `Active(anon)` becomes `Active_anon`.
        let name = name.replace('(', "_").replace(')', "");
        let help = format!("Field {name} of meminfo.");
        match words.next() {
            Some(_kib) => into
                .gauge(format!("node_memory_{name}_bytes"), help)
                .row(&[], value * BYTES_PER_KIB),
            None => into.gauge(format!("node_memory_{name}"), help).row(&[], value),
        }
    }
    Ok(())
}
