//! `/sys/class/hwmon`: temperatures, fans, voltages and what else sensors measure, in the files of
//! the kernel's `Documentation/hwmon/sysfs-interface.rst`. What `sensors(1)` shows.
//!
//! The number of a chip (`hwmon3`) changes from boot to boot, so a chip is named by the device that
//! it sits on (`platform_coretemp_0`), as `collector/hwmon_linux.go: hwmonName` does.

use std::collections::BTreeMap;

use super::Context;
use crate::{Error, Families, files::number};

/// The first part of the names of files that are sensors.
const KINDS: &[&str] = &[
    "vrm",
    "beep_enable",
    "update_interval",
    "in",
    "cpu",
    "fan",
    "pwm",
    "temp",
    "curr",
    "power",
    "energy",
    "humidity",
    "intrusion",
    "freq",
];
const MILLI: f64 = 1e-3;
const MICRO: f64 = 1e-6;

/// The files of one sensor, by what stands behind the first `_` of their names.
type Sensor = BTreeMap<String, String>;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for name in context.files.list("sys/class/hwmon")? {
        let directory = format!("sys/class/hwmon/{name}");
        if context.files.is_dir(&directory) {
            chip(context, &directory, &name, into);
        }
    }
    Ok(())
}

fn chip(context: &Context<'_>, directory: &str, number: &str, into: &mut Families) {
    let human = clean(&context.files.word(&format!("{directory}/name")).unwrap_or_default());
    let device = format!("{directory}/device");
    let chip = [of_device(context, &device), human.clone(), number.to_owned()]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    if !human.is_empty() {
        into.gauge("node_hwmon_chip_names", "What the driver of a chip calls it.")
            .row(&[("chip", &chip), ("chip_name", &human)], 1.0);
    }
    let mut sensors: BTreeMap<(&str, String), Sensor> = BTreeMap::new();
    // Old drivers have their files at the device instead.
    for directory in [directory, &device] {
        for file in context.files.list(directory).unwrap_or_default() {
            let Some((kind, sensor, part)) = split(&file) else { continue };
            let Some(text) = context.files.word(&format!("{directory}/{file}")) else { continue };
            sensors.entry((kind, sensor)).or_default().insert(part.to_owned(), text);
        }
    }
    for ((kind, sensor), parts) in &sensors {
        rows(&chip, kind, sensor, parts, into);
    }
}

/// The device's name behind that of what it is attached to, such as `pci0000:00_0000:00:18_3`.
fn of_device(context: &Context<'_>, device: &str) -> String {
    let Some(path) = context.files.target(device) else { return String::new() };
    let clean = |name: Option<&str>| name.map(clean).unwrap_or_default();
    let (own, above) = (clean(path.file_name()), clean(path.parent().and_then(|p| p.file_name())));
    if above.is_empty() || own.is_empty() { own } else { format!("{above}_{own}") }
}

/// `temp1_input` as its kind `temp`, its sensor `temp1` and its part `input`.
fn split(file: &str) -> Option<(&'static str, String, &str)> {
    let digits = file.find(|c: char| c.is_ascii_digit()).unwrap_or(file.len());
    let (kind, rest) = file.split_at(digits);
    let kind = KINDS.iter().find(|known| **known == kind)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (index, part) = rest.split_at(end);
    let part = match part.strip_prefix('_') {
        Some(part) if !part.is_empty() => part,
        None if part.is_empty() => "",
        _ => return None,
    };
    // What has no number is the chip's first.
    let index: u32 = if index.is_empty() { 0 } else { index.parse().ok()? };
    Some((kind, format!("{kind}{index}"), part))
}

fn rows(chip: &str, kind: &str, sensor: &str, parts: &Sensor, into: &mut Families) {
    let labels = [("chip", chip), ("sensor", sensor)];
    if let Some(label) = parts.get("label").filter(|label| !label.is_empty()) {
        into.gauge("node_hwmon_sensor_label", "What a sensor measures.")
            .row(&[("chip", chip), ("sensor", sensor), ("label", label)], 1.0);
    }
    for (part, text) in parts {
        let Some(value) = number(text) else { continue };
        let (name, factor) = named(kind, part, parts.contains_key(""));
        let help = format!("Sensor of kind {kind}, its {part}.");
        let family =
            if kind == "energy" { into.counter(name, help) } else { into.gauge(name, help) };
        match parts.get("label") {
            // A graphics card's clocks are told apart by their labels alone.
            Some(label) if kind == "freq" && part == "input" => {
                family.row(&[("chip", chip), ("sensor", &clean(label))], value * factor);
            }
            _ => family.row(&labels, value * factor),
        }
    }
}

/// The metric of a sensor's file, and what its numbers are multiplied with.
fn named(kind: &str, part: &str, has_bare: bool) -> (String, f64) {
    match kind {
        "beep_enable" => return ("node_hwmon_beep_enabled".into(), 1.0),
        "vrm" => return ("node_hwmon_voltage_regulator_version".into(), 1.0),
        "update_interval" => return ("node_hwmon_update_interval_seconds".into(), MILLI),
        _ => {}
    }
    let name = match part {
        "" => format!("node_hwmon_{kind}"),
        "input" if !has_bare => format!("node_hwmon_{kind}"),
        _ => format!("node_hwmon_{kind}_{}", clean(part)),
    };
    let (unit, factor) = match (kind, part) {
        (_, "fault" | "alarm") => ("", 1.0),
        (_, "beep") => ("_enabled", 1.0),
        ("in" | "cpu", _) => ("_volts", MILLI),
        ("temp", part) if part != "type" => ("_celsius", MILLI),
        ("curr", _) => ("_amps", MILLI),
        ("energy", _) => ("_joule_total", MICRO),
        ("power", "accuracy") | ("humidity", _) => ("", MICRO),
        ("power", part) if part.starts_with("average_interval") => ("_seconds", MILLI),
        ("power", _) => ("_watt", MICRO),
        ("fan", "input" | "min" | "max" | "target") => ("_rpm", 1.0),
        ("freq", "input") => ("_freq_mhz", MICRO),
        _ => ("", 1.0),
    };
    (format!("{name}{unit}"), factor)
}

/// A name that a metric's label or name can hold.
fn clean(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, ':' | '_') { c } else { '_' };
    lower.chars().map(keep).collect::<String>().trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_split_into_sensor_and_part() {
        let f = |file: &str, want: Option<(&str, &str, &str)>| {
            let found = split(file);
            let found = found.as_ref().map(|(kind, sensor, part)| (*kind, sensor.as_str(), *part));
            assert_eq!(found, want, "{file}");
        };
        f("temp1_input", Some(("temp", "temp1", "input")));
        f("temp12_crit_alarm", Some(("temp", "temp12", "crit_alarm")));
        f("pwm1", Some(("pwm", "pwm1", "")));
        f("beep_enable", Some(("beep_enable", "beep_enable0", "")));
        f("temp99999999999_input", None);
        f("temp1_", None);
        f("temp1input", None);
        f("name", None);
        f("uevent", None);
        f("", None);
    }

    #[test]
    fn names_have_the_unit_of_what_is_measured() {
        let f = |kind: &str, part: &str, want: &str| {
            assert_eq!(named(kind, part, false).0, format!("node_hwmon_{want}"));
        };
        f("temp", "input", "temp_celsius");
        f("temp", "crit_alarm", "temp_crit_alarm_celsius");
        f("temp", "type", "temp_type");
        f("temp", "alarm", "temp_alarm");
        f("fan", "input", "fan_rpm");
        f("fan", "div", "fan_div");
        f("in", "max", "in_max_volts");
        f("power", "average_interval_min", "power_average_interval_min_seconds");
        f("power", "average", "power_average_watt");
        f("energy", "input", "energy_joule_total");
        f("freq", "input", "freq_freq_mhz");
        f("temp", "beep", "temp_beep_enabled");
        assert_eq!(named("pwm", "input", true).0, "node_hwmon_pwm_input");
    }
}
