//! `/sys/class/net/bonding_masters`: network devices that are made of several.

use super::Context;
use crate::{Error, Families};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let masters = context.files.read("sys/class/net/bonding_masters")?;
    for master in masters.split_ascii_whitespace() {
        let slaves = context.files.read(&format!("sys/class/net/{master}/bonding/slaves"))?;
        let up = |slave: &&str| {
            // Kernels before 3.13 said `slave_` where newer ones say `lower_`.
            ["lower", "slave"].iter().any(|prefix| {
                let directory = format!("sys/class/net/{master}/{prefix}_{slave}");
                let state = context.files.word(&format!("{directory}/bonding_slave/mii_status"));
                state.as_deref() == Some("up")
            })
        };
        let (all, active) =
            slaves.split_ascii_whitespace().fold((0.0, 0.0), |(all, active), slave| {
                (all + 1.0, active + f64::from(u8::from(up(&slave))))
            });
        into.gauge("node_bonding_slaves", "Devices that a bond is made of.")
            .row(&[("master", master)], all);
        into.gauge("node_bonding_active", "Devices of a bond that have a link.")
            .row(&[("master", master)], active);
    }
    Ok(())
}
