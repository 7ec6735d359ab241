//! `/proc/net/rpc/nfs`: what this machine asked of NFS servers.
//!
//! A line is a word and numbers. The kernel appends procedures to a `procN` line as it learns them,
//! so the first ones keep their places; the names are `procfs`' (`nfs/nfs.go`).

use super::Context;
use crate::{Error, Families, files::number};

pub(super) const VERSION_2: &[&str] = &[
    "Null", "GetAttr", "SetAttr", "Root", "Lookup", "ReadLink", "Read", "WrCache", "Write",
    "Create", "Remove", "Rename", "Link", "SymLink", "MkDir", "RmDir", "ReadDir", "FsStat",
];
pub(super) const VERSION_3: &[&str] = &[
    "Null",
    "GetAttr",
    "SetAttr",
    "Lookup",
    "Access",
    "ReadLink",
    "Read",
    "Write",
    "Create",
    "MkDir",
    "SymLink",
    "MkNod",
    "Remove",
    "RmDir",
    "Rename",
    "Link",
    "ReadDir",
    "ReadDirPlus",
    "FsStat",
    "FsInfo",
    "PathConf",
    "Commit",
];
const VERSION_4: &[&str] = &[
    "Null",
    "Read",
    "Write",
    "Commit",
    "Open",
    "OpenConfirm",
    "OpenNoattr",
    "OpenDowngrade",
    "Close",
    "Setattr",
    "FsInfo",
    "Renew",
    "SetClientID",
    "SetClientIDConfirm",
    "Lock",
    "Lockt",
    "Locku",
    "Access",
    "Getattr",
    "Lookup",
    "LookupRoot",
    "Remove",
    "Rename",
    "Link",
    "Symlink",
    "Create",
    "Pathconf",
    "StatFs",
    "ReadLink",
    "ReadDir",
    "ServerCaps",
    "DelegReturn",
    "GetACL",
    "SetACL",
    "FsLocations",
    "ReleaseLockowner",
    "Secinfo",
    "FsidPresent",
    "ExchangeID",
    "CreateSession",
    "DestroySession",
    "Sequence",
    "GetLeaseTime",
    "ReclaimComplete",
    "GetDeviceInfo",
    "LayoutGet",
    "LayoutCommit",
    "LayoutReturn",
    "SecinfoNoName",
    "TestStateID",
    "FreeStateID",
    "GetDeviceList",
    "BindConnToSession",
    "DestroyClientID",
    "Seek",
    "Allocate",
    "DeAllocate",
    "LayoutStats",
    "Clone",
];
const LINES: &[(&str, &str, &[&str])] =
    &[("proc2", "2", VERSION_2), ("proc3", "3", VERSION_3), ("proc4", "4", VERSION_4)];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let lines = Lines::read(context, "proc/net/rpc/nfs")?;
    let packets = lines.of("net");
    for (protocol, at) in [("udp", 1), ("tcp", 2)] {
        if let Some(count) = packets.get(at) {
            into.counter("node_nfs_packets_total", "Packets to and from NFS servers.")
                .row(&[("protocol", protocol)], *count);
        }
    }
    let calls = lines.of("rpc");
    for (name, help, value) in [
        ("node_nfs_connections_total", "Connections to NFS servers.", packets.get(3)),
        ("node_nfs_rpcs_total", "Calls of NFS servers.", calls.first()),
        ("node_nfs_rpc_retransmissions_total", "Calls that were sent again.", calls.get(1)),
        (
            "node_nfs_rpc_authentication_refreshes_total",
            "Times that credentials were renewed.",
            calls.get(2),
        ),
    ] {
        if let Some(value) = value {
            into.counter(name, help).row(&[], *value);
        }
    }
    for (line, version, names) in LINES {
        for (method, value) in lines.procedures(line, names) {
            into.counter("node_nfs_requests_total", "Procedures that NFS servers were asked for.")
                .row(&[("proto", version), ("method", method)], value);
        }
    }
    Ok(())
}

/// The numbers of each line by its first word.
pub(super) struct Lines(Vec<(String, Vec<f64>)>);

impl Lines {
    pub(super) fn read(context: &Context<'_>, path: &str) -> Result<Self, Error> {
        let mut lines = Vec::new();
        for (at, line) in context.files.read(path)?.lines().enumerate() {
            let mut words = line.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let numbers: Option<Vec<f64>> = words.map(number).collect();
            let numbers =
                numbers.ok_or_else(|| context.malformed(path, at, "a word and numbers"))?;
            lines.push((name.to_owned(), numbers));
        }
        Ok(Self(lines))
    }

    /// Nothing for a line that this kernel does not write.
    pub(super) fn of(&self, name: &str) -> &[f64] {
        self.0.iter().find(|(known, _)| known == name).map_or(&[], |(_, numbers)| numbers)
    }

    /// The counts of a line that begins with how many there are. What this kernel does not know is
    /// zero, as for `node_exporter`; a kernel without this version of NFS has no such line.
    pub(super) fn procedures<'a>(
        &'a self,
        line: &str,
        names: &'a [&'static str],
    ) -> impl Iterator<Item = (&'static str, f64)> + use<'a> {
        let counts = self.of(line);
        let names = if counts.is_empty() { &[] } else { names };
        names
            .iter()
            .enumerate()
            .map(|(at, name)| (*name, counts.get(at + 1).copied().unwrap_or(0.0)))
    }
}
