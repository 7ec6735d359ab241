//! `/sys/class/thermal`: temperatures, and how far cooling devices are turned up.

use super::{Context, is_numbered};
use crate::{Error, Families};

const MILLIDEGREES: f64 = 1e-3;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for name in context.files.list("sys/class/thermal")? {
        let path = |file: &str| format!("sys/class/thermal/{name}/{file}");
        let kind = context.files.word(&path("type")).unwrap_or_default();
        if let Some(zone) = is_numbered(&name, "thermal_zone") {
            if let Some(value) = context.files.number(&path("temp")) {
                into.gauge("node_thermal_zone_temp", "Temperature of a zone in degrees Celsius.")
                    .row(&[("zone", zone), ("type", &kind)], value * MILLIDEGREES);
            }
        } else if let Some(device) = is_numbered(&name, "cooling_device") {
            let labels = [("name", device), ("type", kind.as_str())];
            if let Some(value) = context.files.number(&path("cur_state")) {
                into.gauge("node_cooling_device_cur_state", "How far a cooling device is up.")
                    .row(&labels, value);
            }
            if let Some(value) = context.files.number(&path("max_state")) {
                into.gauge("node_cooling_device_max_state", "How far a cooling device can go.")
                    .row(&labels, value);
            }
        }
    }
    Ok(())
}
