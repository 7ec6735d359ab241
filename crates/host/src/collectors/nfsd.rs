//! `/proc/net/rpc/nfsd`: what NFS clients asked of this machine.

use super::{
    Context,
    nfs::{Lines, VERSION_2, VERSION_3},
};
use crate::{Error, Families};

/// Operations of version 4 by their numbers (RFC 7530, section 16), from the third on.
const OPERATIONS: &[&str] = &[
    "Op0Unused",
    "Op1Unused",
    "Op2Future",
    "Access",
    "Close",
    "Commit",
    "Create",
    "DelegPurge",
    "DelegReturn",
    "GetAttr",
    "GetFH",
    "Link",
    "Lock",
    "Lockt",
    "Locku",
    "Lookup",
    "LookupRoot",
    "Nverify",
    "Open",
    "OpenAttr",
    "OpenConfirm",
    "OpenDgrd",
    "PutFH",
    "PutPubFH",
    "PutRootFH",
    "Read",
    "ReadDir",
    "ReadLink",
    "Remove",
    "Rename",
    "Renew",
    "RestoreFH",
    "SaveFH",
    "SecInfo",
    "SetAttr",
    "SetClientID",
    "SetClientIDConfirm",
    "Verify",
    "Write",
    "RelLockOwner",
];
/// Those that `node_exporter` does not tell.
const LEFT_OUT: &[&str] = &[
    "Null",
    "Op0Unused",
    "Op1Unused",
    "Op2Future",
    "PutPubFH",
    "PutRootFH",
    "SetClientID",
    "SetClientIDConfirm",
];
/// Metric, line, number of that line, meaning.
const COUNTERS: &[(&str, &str, usize, &str)] = &[
    ("connections_total", "net", 3, "Connections of clients."),
    ("disk_bytes_read_total", "io", 0, "Bytes that clients read."),
    ("disk_bytes_written_total", "io", 1, "Bytes that clients wrote."),
    ("file_handles_stale_total", "fh", 0, "Handles whose file was gone."),
    ("read_ahead_cache_not_found_total", "ra", 11, "Reads that were not found read ahead."),
    ("reply_cache_hits_total", "rc", 0, "Answers that were sent again."),
    ("reply_cache_misses_total", "rc", 1, "Calls that need a kept answer."),
    ("reply_cache_nocache_total", "rc", 2, "Calls that need none."),
    ("server_rpcs_total", "rpc", 0, "Calls."),
];
const LINES: &[(&str, &str, &[&str])] =
    &[("proc2", "2", VERSION_2), ("proc3", "3", VERSION_3), ("proc4ops", "4", OPERATIONS)];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let lines = Lines::read(context, "proc/net/rpc/nfsd")?;
    for (name, line, at, help) in COUNTERS {
        if let Some(value) = lines.of(line).get(*at) {
            into.counter(format!("node_nfsd_{name}"), *help).row(&[], *value);
        }
    }
    if let Some(threads) = lines.of("th").first() {
        into.gauge("node_nfsd_server_threads", "Threads of the server.").row(&[], *threads);
    }
    if let Some(blocks) = lines.of("ra").first() {
        into.gauge("node_nfsd_read_ahead_cache_size_blocks", "Room for what is read ahead.")
            .row(&[], *blocks);
    }
    for (proto, at) in [("udp", 1), ("tcp", 2)] {
        if let Some(count) = lines.of("net").get(at) {
            into.counter("node_nfsd_packets_total", "Packets from and to clients.")
                .row(&[("proto", proto)], *count);
        }
    }
    for (error, at) in [("fmt", 2), ("auth", 3), ("cInt", 4)] {
        if let Some(count) = lines.of("rpc").get(at) {
            into.counter("node_nfsd_rpc_errors_total", "Calls that were wrong.")
                .row(&[("error", error)], *count);
        }
    }
    for (line, version, names) in LINES {
        for (method, value) in lines.procedures(line, names) {
            if !LEFT_OUT.contains(&method) {
                into.counter("node_nfsd_requests_total", "Procedures that clients asked for.")
                    .row(&[("proto", version), ("method", method)], value);
            }
        }
    }
    Ok(())
}
