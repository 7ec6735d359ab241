//! The wall clock, and which hardware clock the kernel reads.

use super::{Context, NANOS, is_numbered};
use crate::{Error, Families};

const SOURCES: &str = "sys/devices/system/clocksource";

#[expect(clippy::unnecessary_wraps, reason = "all collectors have one signature")]
pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    #[expect(clippy::cast_precision_loss, reason = "samples are floats; below a microsecond off")]
    let seconds = context.now.0 as f64 * NANOS;
    into.gauge("node_time_seconds", "The wall clock, since the epoch.").row(&[], seconds);
    for name in context.files.list(SOURCES).unwrap_or_default() {
        let Some(device) = is_numbered(&name, "clocksource") else { continue };
        let word = |file: &str| context.files.word(&format!("{SOURCES}/{name}/{file}"));
        for source in word("available_clocksource").unwrap_or_default().split_ascii_whitespace() {
            into.gauge("node_time_clocksource_available_info", "Clocks that could be read.")
                .row(&[("device", device), ("clocksource", source)], 1.0);
        }
        if let Some(source) = word("current_clocksource") {
            into.gauge("node_time_clocksource_current_info", "The clock that is read.")
                .row(&[("device", device), ("clocksource", &source)], 1.0);
        }
    }
    Ok(())
}
