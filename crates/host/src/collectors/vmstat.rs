//! `/proc/vmstat`: paging, those counters that `node_exporter` selects by default.

use super::Context;
use crate::{Error, Families};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for (name, value) in context.pairs("proc/vmstat")? {
        if context.patterns.vmstat_fields.is_match(&name) {
            let help = format!("Field {name} of vmstat.");
            into.unknown(format!("node_vmstat_{name}"), help).row(&[], value);
        }
    }
    Ok(())
}
