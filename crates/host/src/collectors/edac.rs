//! `/sys/devices/system/edac/mc`: errors of memory that its controllers counted.

use super::{Context, is_numbered};
use crate::{Error, Families};

const CONTROLLERS: &str = "sys/devices/system/edac/mc";
/// File, whether the error was corrected.
const KINDS: &[(&str, bool)] = &[("ce", true), ("ue", false)];

#[expect(clippy::unnecessary_wraps, reason = "all collectors have one signature")]
pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for name in context.files.list(CONTROLLERS).unwrap_or_default() {
        let Some(controller) = is_numbered(&name, "mc") else { continue };
        let directory = format!("{CONTROLLERS}/{name}");
        for (kind, corrected) in KINDS {
            if let Some(count) = context.files.number(&format!("{directory}/{kind}_count")) {
                let name = if *corrected {
                    "node_edac_correctable_errors_total"
                } else {
                    "node_edac_uncorrectable_errors_total"
                };
                into.counter(name, "Errors of memory.").row(&[("controller", controller)], count);
            }
            let mut of_row = |csrow: &str, file: &str| {
                let Some(count) = context.files.number(&format!("{directory}/{file}")) else {
                    return;
                };
                let name = if *corrected {
                    "node_edac_csrow_correctable_errors_total"
                } else {
                    "node_edac_csrow_uncorrectable_errors_total"
                };
                into.counter(name, "Errors of memory, by row of chips.")
                    .row(&[("controller", controller), ("csrow", csrow)], count);
            };
            of_row("unknown", &format!("{kind}_noinfo_count"));
            for row in context.files.list(&directory).unwrap_or_default() {
                let Some(csrow) = is_numbered(&row, "csrow") else { continue };
                of_row(csrow, &format!("{row}/{kind}_count"));
            }
        }
    }
    Ok(())
}
