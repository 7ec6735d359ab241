//! `/proc/sys/kernel/random`: the kernel's pool of randomness.

use super::Context;
use crate::{Error, Families, files::number};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let files = [
        ("node_entropy_available_bits", "Randomness in the pool.", "entropy_avail"),
        ("node_entropy_pool_size_bits", "Randomness that the pool can hold.", "poolsize"),
    ];
    for (name, help, file) in files {
        let path = format!("proc/sys/kernel/random/{file}");
        let text = context.files.read(&path)?;
        let bits = number(text.trim()).ok_or_else(|| context.malformed(&path, 0, "a number"))?;
        into.gauge(name, help).row(&[], bits);
    }
    Ok(())
}
