//! `/sys/class/net`: what network devices are and what state they are in.

use super::Context;
use crate::{Error, Families};

/// Metric, file, whether it is a counter. A file that can't be read gives no row: which ones answer
/// depends on the driver and on the state of the link.
const FIELDS: &[(&str, &str, bool)] = &[
    ("address_assign_type", "addr_assign_type", false),
    ("carrier", "carrier", false),
    ("carrier_changes_total", "carrier_changes", true),
    ("carrier_up_changes_total", "carrier_up_count", true),
    ("carrier_down_changes_total", "carrier_down_count", true),
    ("device_id", "dev_id", false),
    ("dormant", "dormant", false),
    ("flags", "flags", false),
    ("iface_id", "ifindex", false),
    ("iface_link", "iflink", false),
    ("iface_link_mode", "link_mode", false),
    ("mtu_bytes", "mtu", false),
    ("name_assign_type", "name_assign_type", false),
    ("net_dev_group", "netdev_group", false),
    ("protocol_type", "type", false),
    ("transmit_queue_length", "tx_queue_len", false),
];
const BYTES_PER_MEGABIT: f64 = 125_000.0;
const IFF_UP: u32 = 1;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for device in context.files.list("sys/class/net")? {
        // `bonding_masters` is a file among the devices.
        if !context.files.is_dir(&format!("sys/class/net/{device}")) {
            continue;
        }
        let path = |file: &str| format!("sys/class/net/{device}/{file}");
        let word = |file: &str| context.files.word(&path(file)).unwrap_or_default();
        let state = word("operstate");
        into.gauge("node_network_up", "Whether the device is up by its own word.")
            .row(&[("device", &device)], f64::from(u8::from(state == "up")));
        into.gauge("node_network_info", "What the device says about itself.").row(
            &[
                ("device", &device),
                ("address", &word("address")),
                ("broadcast", &word("broadcast")),
                ("duplex", &word("duplex")),
                ("operstate", &state),
                ("adminstate", admin_state(&word("flags"))),
                ("ifalias", &word("ifalias")),
            ],
            1.0,
        );
        for (name, file, is_counter) in FIELDS {
            let Some(value) = context.files.number(&path(file)) else { continue };
            let (name, help) =
                (format!("node_network_{name}"), format!("Field {file} of a network device."));
            let family =
                if *is_counter { into.counter(name, help) } else { into.gauge(name, help) };
            family.row(&[("device", &device)], value);
        }
        if let Some(megabits) = context.files.number(&path("speed")) {
            // A link of unknown speed says -1, which node_exporter passes on.
            into.gauge("node_network_speed_bytes", "Bytes a second that the link can carry.")
                .row(&[("device", &device)], megabits * BYTES_PER_MEGABIT);
        }
    }
    Ok(())
}

fn admin_state(flags: &str) -> &'static str {
    match flags.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        None => "unknown",
        Some(flags) if flags & IFF_UP != 0 => "up",
        Some(_) => "down",
    }
}
