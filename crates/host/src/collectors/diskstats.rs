//! `/proc/diskstats`: what each block device did. The columns are explained in the kernel's
//! `Documentation/admin-guide/iostats.rst`; kernels before 5.5 have fewer of them.

use std::collections::BTreeMap;

use super::Context;
use crate::{Error, Families, files::number};

/// A sector here is 512 bytes, whatever the device's own are.
const SECTOR: f64 = 512.0;
const MILLIS: f64 = 1e-3;

/// Name, meaning, whether it is a counter, and what to multiply the column with.
const COLUMNS: &[(&str, &str, bool, f64)] = &[
    ("reads_completed_total", "Reads that were done.", true, 1.0),
    ("reads_merged_total", "Reads that were merged into others.", true, 1.0),
    ("read_bytes_total", "Bytes that were read.", true, SECTOR),
    ("read_time_seconds_total", "Seconds that all reads took together.", true, MILLIS),
    ("writes_completed_total", "Writes that were done.", true, 1.0),
    ("writes_merged_total", "Writes that were merged into others.", true, 1.0),
    ("written_bytes_total", "Bytes that were written.", true, SECTOR),
    ("write_time_seconds_total", "Seconds that all writes took together.", true, MILLIS),
    ("io_now", "Reads and writes under way.", false, 1.0),
    ("io_time_seconds_total", "Seconds during which something was under way.", true, MILLIS),
    ("io_time_weighted_seconds_total", "Seconds times what was under way.", true, MILLIS),
    ("discards_completed_total", "Discards that were done.", true, 1.0),
    ("discards_merged_total", "Discards that were merged into others.", true, 1.0),
    ("discarded_sectors_total", "Sectors that were discarded.", true, 1.0),
    ("discard_time_seconds_total", "Seconds that all discards took together.", true, MILLIS),
    ("flush_requests_total", "Flushes that were done.", true, 1.0),
    ("flush_requests_time_seconds_total", "Seconds that all flushes took.", true, MILLIS),
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/diskstats";
    let text = context.files.read(path)?;
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let (Some(major), Some(minor), Some(device)) = (words.next(), words.next(), words.next())
        else {
            return Err(context.malformed(path, at, "major, minor and name"));
        };
        if context.patterns.disk_devices_exclude.is_match(device) {
            continue;
        }
        for (word, (name, help, is_counter, scale)) in words.zip(COLUMNS) {
            let value = number(word).ok_or_else(|| context.malformed(path, at, "numbers"))?;
            let name = format!("node_disk_{name}");
            let family =
                if *is_counter { into.counter(name, *help) } else { into.gauge(name, *help) };
            family.row(&[("device", device)], value * scale);
        }
        info(context, major, minor, device, into);
    }
    Ok(())
}

/// What udev knows about the device.
fn info(context: &Context<'_>, major: &str, minor: &str, device: &str, into: &mut Families) {
    let text = context.files.read(&format!("run/udev/data/b{major}:{minor}")).unwrap_or_default();
    let known: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("E:")?.split_once('=')).collect();
    let get = |names: &[&str]| {
        names.iter().find_map(|name| known.get(name).filter(|v| !v.is_empty())).map_or("", |v| *v)
    };
    let rotational = context
        .files
        .word(&format!("sys/block/{device}/queue/rotational"))
        .unwrap_or_else(|| "0".to_owned());
    into.gauge("node_disk_info", "What a block device is.").row(
        &[
            ("device", device),
            ("major", major),
            ("minor", minor),
            ("path", get(&["ID_PATH"])),
            ("wwn", get(&["ID_WWN"])),
            ("model", get(&["ID_MODEL"])),
            ("serial", get(&["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"])),
            ("revision", get(&["ID_REVISION"])),
            ("rotational", &rotational),
        ],
        1.0,
    );
    if !get(&["ID_FS_TYPE"]).is_empty() {
        into.gauge("node_disk_filesystem_info", "What file system a block device holds.").row(
            &[
                ("device", device),
                ("type", get(&["ID_FS_TYPE"])),
                ("usage", get(&["ID_FS_USAGE"])),
                ("uuid", get(&["ID_FS_UUID"])),
                ("version", get(&["ID_FS_VERSION"])),
            ],
            1.0,
        );
    }
    if !get(&["DM_NAME"]).is_empty() {
        into.gauge("node_disk_device_mapper_info", "What a device mapper device stands for.").row(
            &[
                ("device", device),
                ("name", get(&["DM_NAME"])),
                ("uuid", get(&["DM_UUID"])),
                ("vg_name", get(&["DM_VG_NAME"])),
                ("lv_name", get(&["DM_LV_NAME"])),
                ("lv_layer", get(&["DM_LV_LAYER"])),
            ],
            1.0,
        );
    }
}
