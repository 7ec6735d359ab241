//! What to read and what to leave out; the defaults are `node_exporter`'s.

use masthead_model::Regexp;
use regex::Regex;

use crate::Error;

/// How the machine is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The directory that holds `proc`, `sys` and `etc`: `/`, or where a container sees the host.
    pub root: String,
    /// Mount points for which no `node_filesystem_*` are wanted; a Go regular expression that
    /// matches anywhere in the text.
    pub mount_points_exclude: String,
    /// The same by type of file system.
    pub fs_types_exclude: String,
    /// Block devices for which no `node_disk_*` are wanted.
    pub disk_devices_exclude: String,
    /// Bytes of a memory page.
    pub page_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            root: "/".into(),
            mount_points_exclude: "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+\
                                   |var/lib/containers/storage/.+)($|/)"
                .into(),
            fs_types_exclude: "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs\
                               |fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore\
                               |rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$"
                .into(),
            disk_devices_exclude: r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$".into(),
            page_bytes: rustix::param::page_size(),
        }
    }
}

/// The patterns of [`Options`], and those that are not configurable.
#[derive(Debug)]
pub(crate) struct Patterns {
    pub(crate) mount_points_exclude: Regex,
    pub(crate) fs_types_exclude: Regex,
    pub(crate) disk_devices_exclude: Regex,
    pub(crate) netstat_fields: Regex,
    pub(crate) vmstat_fields: Regex,
}

const NETSTAT_FIELDS: &str = "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)\
    |Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue\
    |TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)\
    |Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$";
const VMSTAT_FIELDS: &str = "^(oom_kill|pgpg|pswp|pg.*fault).*";

impl Options {
    pub(crate) fn compile(&self) -> Result<Patterns, Error> {
        Ok(Patterns {
            mount_points_exclude: compile("mount_points_exclude", &self.mount_points_exclude)?,
            fs_types_exclude: compile("fs_types_exclude", &self.fs_types_exclude)?,
            disk_devices_exclude: compile("disk_devices_exclude", &self.disk_devices_exclude)?,
            netstat_fields: compile("netstat_fields", NETSTAT_FIELDS)?,
            vmstat_fields: compile("vmstat_fields", VMSTAT_FIELDS)?,
        })
    }
}

fn compile(option: &'static str, pattern: &str) -> Result<Regex, Error> {
    let refuse = |what: String| Error::Pattern { option, what };
    let rewritten = Regexp::translate(pattern).map_err(|error| refuse(error.to_string()))?;
    Regex::new(&rewritten).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_patterns_leave_out_what_is_not_a_disk() {
        let patterns = Options::default().compile().expect("the defaults are valid");
        let f = |pattern: &Regex, text: &str, want: bool| {
            assert_eq!(pattern.is_match(text), want, "{text}");
        };
        f(&patterns.mount_points_exclude, "/proc", true);
        f(&patterns.mount_points_exclude, "/proc/x", true);
        f(&patterns.mount_points_exclude, "/process", false);
        f(&patterns.mount_points_exclude, "/var/lib/docker/overlay2/x", true);
        f(&patterns.mount_points_exclude, "/", false);
        f(&patterns.fs_types_exclude, "cgroup2", true);
        f(&patterns.fs_types_exclude, "ext4", false);
        f(&patterns.disk_devices_exclude, "sda1", true);
        f(&patterns.disk_devices_exclude, "sda", false);
        f(&patterns.disk_devices_exclude, "nvme0n1p1", true);
        f(&patterns.disk_devices_exclude, "nvme0n1", false);
        f(&patterns.disk_devices_exclude, "zram0", true);
    }

    #[test]
    fn a_bad_pattern_is_refused_with_its_name() {
        let options = Options { fs_types_exclude: "(".into(), ..Options::default() };
        let text = options.compile().err().map(|e| e.to_string()).unwrap_or_default();
        assert!(text.starts_with("host.fs_types_exclude: error parsing regexp"), "{text}");
    }
}
