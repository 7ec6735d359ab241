//! `/proc/sys/kernel`: what `uname` says.

use super::Context;
use crate::{Error, Families};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let read = |file: &str| {
        context
            .files
            .read(&format!("proc/sys/kernel/{file}"))
            .map(|text| text.trim_end_matches('\n').to_owned())
    };
    // The kernel tells its machine in a file since 6.1; before, what we were built for is as good.
    let machine = read("arch").unwrap_or_else(|_| std::env::consts::ARCH.to_owned());
    into.gauge("node_uname_info", "What uname says about the kernel.").row(
        &[
            ("domainname", &read("domainname")?),
            ("machine", &machine),
            ("nodename", &read("hostname")?),
            ("release", &read("osrelease")?),
            ("sysname", &read("ostype")?),
            ("version", &read("version")?),
        ],
        1.0,
    );
    Ok(())
}
