//! `/sys/class/power_supply`: batteries and power adapters. A file that a device does not have
//! gives no row.

use super::Context;
use crate::{Error, Families};

const SUPPLIES: &str = "sys/class/power_supply";
const MICRO: f64 = 1e-6;
const TENTH: f64 = 0.1;

/// File, metric, what its number is multiplied with.
const FIELDS: &[(&str, &str, f64)] = &[
    ("authentic", "authentic", 1.0),
    ("calibrate", "calibrate", 1.0),
    ("capacity", "capacity", 1.0),
    ("capacity_alert_max", "capacity_alert_max", 1.0),
    ("capacity_alert_min", "capacity_alert_min", 1.0),
    ("charge_control_limit", "charge_control_limit", MICRO),
    ("charge_control_limit_max", "charge_control_limit_max", MICRO),
    ("charge_counter", "charge_counter", MICRO),
    ("charge_empty", "charge_empty", MICRO),
    ("charge_empty_design", "charge_empty_design", MICRO),
    ("charge_full", "charge_full", MICRO),
    ("charge_full_design", "charge_full_design", MICRO),
    ("charge_now", "charge_ampere", MICRO),
    ("charge_term_current", "charge_term_current", MICRO),
    ("constant_charge_current", "constant_charge_current", MICRO),
    ("constant_charge_current_max", "constant_charge_current_max", MICRO),
    ("constant_charge_voltage", "constant_charge_voltage", MICRO),
    ("constant_charge_voltage_max", "constant_charge_voltage_max", MICRO),
    ("current_boot", "current_boot", MICRO),
    ("current_max", "current_max", MICRO),
    ("current_now", "current_ampere", MICRO),
    ("cycle_count", "cyclecount", 1.0),
    ("energy_empty", "energy_empty", MICRO),
    ("energy_empty_design", "energy_empty_design", MICRO),
    ("energy_full", "energy_full", MICRO),
    ("energy_full_design", "energy_full_design", MICRO),
    ("energy_now", "energy_watthour", MICRO),
    ("input_current_limit", "input_current_limit", MICRO),
    ("online", "online", 1.0),
    ("power_now", "power_watt", MICRO),
    ("precharge_current", "precharge_current", MICRO),
    ("present", "present", 1.0),
    ("temp", "temp_celsius", TENTH),
    ("temp_alert_max", "temp_alert_max_celsius", TENTH),
    ("temp_alert_min", "temp_alert_min_celsius", TENTH),
    ("temp_ambient", "temp_ambient_celsius", TENTH),
    ("temp_ambient_alert_max", "temp_ambient_max_celsius", TENTH),
    ("temp_ambient_alert_min", "temp_ambient_min_celsius", TENTH),
    ("temp_max", "temp_max_celsius", TENTH),
    ("temp_min", "temp_min_celsius", TENTH),
    ("time_to_empty_now", "time_to_empty_seconds", 1.0),
    ("time_to_full_now", "time_to_full_seconds", 1.0),
    ("voltage_boot", "voltage_boot", MICRO),
    ("voltage_max", "voltage_max", MICRO),
    ("voltage_max_design", "voltage_max_design", MICRO),
    ("voltage_min", "voltage_min", MICRO),
    ("voltage_min_design", "voltage_min_design", MICRO),
    ("voltage_now", "voltage_volt", MICRO),
    ("voltage_ocv", "voltage_ocv", MICRO),
];
/// Files that are words; the labels have their names.
const WORDS: &[&str] = &[
    "capacity_level",
    "charge_type",
    "health",
    "manufacturer",
    "model_name",
    "scope",
    "serial_number",
    "status",
    "technology",
    "type",
    "usb_type",
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for supply in context.files.list(SUPPLIES)? {
        for (file, name, factor) in FIELDS {
            let path = format!("{SUPPLIES}/{supply}/{file}");
            let Some(value) = context.files.number(&path) else { continue };
            let help = format!("Field {file} of a battery or power adapter.");
            into.gauge(format!("node_power_supply_{name}"), help)
                .row(&[("power_supply", &supply)], value * factor);
        }
        let words: Vec<(&str, String)> = WORDS
            .iter()
            .map(|file| (*file, context.files.word(&format!("{SUPPLIES}/{supply}/{file}"))))
            .map(|(file, word)| (file, word.unwrap_or_default()))
            .collect();
        let mut labels = vec![("power_supply", supply.as_str())];
        labels.extend(words.iter().map(|(file, word)| (*file, word.as_str())));
        into.gauge("node_power_supply_info", "What a battery or power adapter is.")
            .row(&labels, 1.0);
    }
    Ok(())
}
