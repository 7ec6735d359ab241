//! `/sys/class/dmi/id`: what the machine's firmware says it is.

use super::Context;
use crate::{Error, Families};

/// Label and file; those that only root may read are left out without a word.
const FIELDS: &[&str] = &[
    "bios_date",
    "bios_release",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "product_family",
    "product_name",
    "product_serial",
    "product_sku",
    "product_uuid",
    "product_version",
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    context.files.list("sys/class/dmi/id")?;
    let values: Vec<(&str, String)> = FIELDS
        .iter()
        .filter_map(|field| {
            Some((*field, context.files.word(&format!("sys/class/dmi/id/{field}"))?))
        })
        // node_exporter calls the vendor of the system by another name than its file.
        .chain(context.files.word("sys/class/dmi/id/sys_vendor").map(|v| ("system_vendor", v)))
        .collect();
    let labels: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    into.gauge("node_dmi_info", "What the firmware says the machine is.").row(&labels, 1.0);
    Ok(())
}
