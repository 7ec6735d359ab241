//! `/sys/class/nvme`: what solid-state disks say about themselves.

use super::Context;
use crate::{Error, Families};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for device in context.files.list("sys/class/nvme")? {
        let word = |file: &str| {
            context.files.word(&format!("sys/class/nvme/{device}/{file}")).unwrap_or_default()
        };
        into.gauge("node_nvme_info", "What a disk says about itself.").row(
            &[
                ("device", &device),
                ("firmware_revision", &word("firmware_rev")),
                ("model", &word("model")),
                ("serial", &word("serial")),
                ("state", &word("state")),
            ],
            1.0,
        );
    }
    Ok(())
}
