//! `/proc/net/softnet_stat`: packets that each processor took from the network. Columns of
//! hexadecimal numbers without a heading (`net/core/net-procfs.c: softnet_seq_show`).

use super::Context;
use crate::{Error, Families, files::hexadecimal};

/// Column, metric, meaning, whether it is a counter. Old kernels have fewer columns.
const COLUMNS: &[(usize, &str, &str, bool)] = &[
    (0, "node_softnet_processed_total", "Packets that were taken.", true),
    (1, "node_softnet_dropped_total", "Packets that were dropped.", true),
    (2, "node_softnet_times_squeezed_total", "Turns that ended with packets left.", true),
    (8, "node_softnet_cpu_collision_total", "Collisions while sending.", true),
    (9, "node_softnet_received_rps_total", "Times another processor asked for work.", true),
    (10, "node_softnet_flow_limit_count_total", "Times the limit of a flow was hit.", true),
    (11, "node_softnet_backlog_len", "Packets that wait.", false),
];
const INDEX: usize = 12;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/net/softnet_stat";
    let text = context.files.read(path)?;
    for (at, line) in text.lines().enumerate() {
        let columns: Vec<f64> = line.split_ascii_whitespace().filter_map(hexadecimal).collect();
        if columns.len() < 3 {
            return Err(context.malformed(path, at, "three hexadecimal numbers or more"));
        }
        // Processors that are offline have no line, so newer kernels say which one it is.
        #[expect(clippy::cast_precision_loss, reason = "a count of processors")]
        let cpu = columns.get(INDEX).copied().unwrap_or(at as f64).to_string();
        for (column, name, help, is_counter) in COLUMNS {
            let Some(value) = columns.get(*column) else { continue };
            let family =
                if *is_counter { into.counter(*name, *help) } else { into.gauge(*name, *help) };
            family.row(&[("cpu", &cpu)], *value);
        }
    }
    Ok(())
}
