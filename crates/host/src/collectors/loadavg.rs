//! `/proc/loadavg`: how many tasks wanted to run.

use super::Context;
use crate::{Error, Families, files::number};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read("proc/loadavg")?;
    let mut words = text.split_ascii_whitespace();
    for (name, help) in [
        ("node_load1", "Load over one minute."),
        ("node_load5", "Load over five minutes."),
        ("node_load15", "Load over fifteen minutes."),
    ] {
        let load = words
            .next()
            .and_then(number)
            .ok_or_else(|| context.malformed("proc/loadavg", 0, "three numbers"))?;
        into.gauge(name, help).row(&[], load);
    }
    Ok(())
}
