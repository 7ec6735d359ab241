//! The collectors on a machine that is written down here, on a broken one, and on this one.

use camino::Utf8Path;
use masthead_sysio::{RealClock, RealFs, SimClock, SimFs, atomic_write};

use super::*;

/// A small machine; each file looks as the kernel writes it.
const MACHINE: &[(&str, &str)] = &[
    (
        "proc/stat",
        "cpu  300 0 50 1000 10 0 1 2 0 0\n\
         cpu0 200 1 30 600 5 0 1 2 7 8\n\
         cpu1 100 0 20 400 5 0 0 0 0 0\n\
         intr 4242 1 2 3\nctxt 777\nbtime 1700000000\nprocesses 55\n\
         procs_running 3\nprocs_blocked 1\nsoftirq 1 2 3\n",
    ),
    ("proc/loadavg", "0.50 1.25 2.00 3/200 4242\n"),
    (
        "proc/meminfo",
        "MemTotal:       1000 kB\nActive(anon):     10 kB\nHugePages_Total:       4\n",
    ),
    (
        "proc/net/dev",
        "Inter-|   Receive                    |  Transmit\n \
         face |bytes    packets errs|bytes packets colls\n  \
         eth0: 100 2 0 300 4 1\n eth0:1:7 0 0 8 0 0\n",
    ),
    (
        "proc/net/netstat",
        "TcpExt: SyncookiesSent ListenDrops Other\nTcpExt: 1 2 3\n\
         IpExt: InOctets OutOctets\nIpExt: 10 20\n",
    ),
    ("proc/net/snmp", "Tcp: InErrs CurrEstab Nope\nTcp: 5 -1 7\n"),
    ("proc/net/snmp6", "Ip6InOctets   64\nUdp6NoPorts 3\nIp6Other 1\n"),
    ("proc/net/sockstat", "sockets: used 12\nTCP: inuse 5 mem 3\n"),
    ("proc/net/sockstat6", "TCP6: inuse 2\n"),
    ("proc/net/softnet_stat", "0000000a 00000001 00000002 0 0 0 0 0 3 4 5 6 7\n"),
    (
        "proc/net/arp",
        "IP address HW type Flags HW address Mask Device\n\
         10.0.0.1 0x1 0x2 02:00:00:00:00:01 * eth0\n10.0.0.2 0x1 0x2 02:00:00:00:00:02 * eth0\n",
    ),
    (
        "proc/net/udp",
        "  sl  local_address rem_address   st tx_queue rx_queue tr\n\
         1: 0100007F:0035 00000000:0000 07 00000010:00000001 00:0 0\n",
    ),
    ("proc/net/stat/nf_conntrack", "entries found drop\n05 0a 01\n05 02 00\n"),
    ("proc/sys/net/netfilter/nf_conntrack_count", "9\n"),
    ("proc/sys/net/netfilter/nf_conntrack_max", "256\n"),
    (
        "proc/diskstats",
        "   8 0 sda 10 1 20 3000 40 2 50 6000 7 8000 9000 1 2 3 4 5 6\n   \
         8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n",
    ),
    ("run/udev/data/b8:0", "S:disk\nE:ID_MODEL=Quick\nE:ID_SERIAL=abc\nE:ID_FS_TYPE=ext4\n"),
    ("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n"),
    ("proc/pressure/io", "some avg10=0 total=1000000\nfull avg10=0 total=500000\n"),
    ("proc/pressure/memory", "some avg10=0 total=0\nfull avg10=0 total=1\n"),
    ("proc/schedstat", "version 15\ncpu0 0 0 0 0 0 0 3000000000 2000000000 12\n"),
    ("proc/sys/fs/file-nr", "960\t0\t9000\n"),
    ("proc/sys/kernel/random/entropy_avail", "256\n"),
    ("proc/sys/kernel/random/poolsize", "256\n"),
    ("proc/sys/kernel/ostype", "Linux\n"),
    ("proc/sys/kernel/hostname", "box\n"),
    ("proc/sys/kernel/osrelease", "6.1.0\n"),
    ("proc/sys/kernel/version", "#1 SMP\n"),
    ("proc/sys/kernel/domainname", "(none)\n"),
    ("proc/sys/kernel/arch", "x86_64\n"),
    ("proc/vmstat", "pgfault 11\npgpgin 3\noom_kill 1\nnr_free_pages 5\n"),
    (
        "proc/1/mounts",
        "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n\
         /dev/sda1 / ext4 rw 0 0\n/dev/sdb /data\\040old xfs ro,relatime 0 0\n\
         nas:/x /gone nfs4 rw 0 0\n",
    ),
    (
        "etc/os-release",
        "# A comment\nNAME=\"Tiny Linux\"\nID=tiny\nVERSION_ID='22.04'\nPRETTY_NAME=\"Tiny\"\n",
    ),
    ("sys/class/net/eth0/operstate", "up\n"),
    ("sys/class/net/eth0/address", "02:00:00:00:00:01\n"),
    ("sys/class/net/eth0/flags", "0x1003\n"),
    ("sys/class/net/eth0/mtu", "1500\n"),
    ("sys/class/net/eth0/speed", "1000\n"),
    ("sys/class/net/eth0/carrier_changes", "2\n"),
    ("sys/class/net/eth0/statistics/rx_nohandler", "6\n"),
    ("sys/class/net/bonding_masters", "\n"),
    ("sys/class/thermal/thermal_zone0/temp", "45500\n"),
    ("sys/class/thermal/thermal_zone0/type", "acpitz\n"),
    ("sys/class/thermal/cooling_device1/cur_state", "1\n"),
    ("sys/class/thermal/cooling_device1/max_state", "3\n"),
    ("sys/class/thermal/cooling_device1/type", "Fan\n"),
    ("sys/class/dmi/id/product_name", "Box 9000\n"),
    ("sys/class/dmi/id/sys_vendor", "Maker\n"),
    ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet\n"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
    ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
    ("sys/devices/system/cpu/cpu0/topology/core_id", "0\n"),
    ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n"),
    ("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "30\n"),
    ("sys/devices/system/cpu/cpu1/topology/physical_package_id", "0\n"),
    ("sys/devices/system/cpu/cpu1/topology/core_id", "0\n"),
    ("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "5\n"),
    ("sys/devices/system/cpu/cpu1/online", "1\n"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1200000\n"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_available_governors", "performance powersave\n"),
];

type Expected = (&'static str, &'static [(&'static str, &'static str)], f64);

#[derive(Debug)]
struct FakeSpace;

impl Space for FakeSpace {
    fn measure(&self, path: &Utf8Path) -> std::io::Result<MountSpace> {
        match path.as_str() {
            "/machine/gone" => Err(std::io::ErrorKind::StaleNetworkFileHandle.into()),
            "/machine/" | "/machine" => Ok(MountSpace {
                size_bytes: 1000,
                free_bytes: 600,
                avail_bytes: 500,
                files: 10,
                files_free: 4,
                read_only: false,
            }),
            _ => Ok(MountSpace::default()),
        }
    }
}

fn options() -> Options {
    Options { root: "/machine".into(), page_bytes: 4096, ..Options::default() }
}

fn machine_with(change: impl Fn(&str, &str) -> Option<Vec<u8>>) -> Host {
    let fs = SimFs::new(1);
    for (path, content) in MACHINE {
        let Some(bytes) = change(path, content) else { continue };
        let path = Utf8PathBuf::from("/machine").join(path);
        fs.create_dir_all(path.parent().expect("every path has a directory")).expect("made");
        atomic_write(&fs, &path, &bytes).expect("written");
    }
    Host::new(Arc::new(fs), Arc::new(FakeSpace), Arc::new(SimClock::default()), &options())
        .expect("the options are valid")
}

fn machine() -> Host {
    machine_with(|_, content| Some(content.as_bytes().to_vec()))
}

#[test]
fn every_collector_reads_the_machine() {
    let found = machine().collect();
    for (name, _) in COLLECTORS {
        let labels = [("collector", *name)];
        assert_eq!(found.value("node_scrape_collector_success", &labels), Some(1.0), "{name}");
    }
    #[rustfmt::skip]
    let rows: &[Expected] = &[
        ("node_arp_entries", &[("device", "eth0")], 2.0),
        ("node_boot_time_seconds", &[], 1_700_000_000.0),
        ("node_context_switches_total", &[], 777.0),
        ("node_cooling_device_max_state", &[("name", "1"), ("type", "Fan")], 3.0),
        ("node_cpu_core_throttles_total", &[("core", "0"), ("package", "0")], 5.0),
        ("node_cpu_guest_seconds_total", &[("cpu", "0"), ("mode", "nice")], 0.08),
        ("node_cpu_online", &[("cpu", "1")], 1.0),
        ("node_cpu_package_throttles_total", &[("package", "0")], 30.0),
        ("node_cpu_scaling_frequency_hertz", &[("cpu", "0")], 1.2e9),
        ("node_cpu_scaling_governor", &[("cpu", "0"), ("governor", "performance")], 1.0),
        ("node_cpu_scaling_governor", &[("cpu", "0"), ("governor", "powersave")], 0.0),
        ("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "user")], 2.0),
        ("node_cpu_seconds_total", &[("cpu", "1"), ("mode", "idle")], 4.0),
        ("node_disk_filesystem_info", &[("device", "sda"), ("type", "ext4")], 1.0),
        ("node_disk_flush_requests_time_seconds_total", &[("device", "sda")], 0.006),
        ("node_disk_info", &[("device", "sda"), ("major", "8"), ("minor", "0"), ("model", "Quick"), ("serial", "abc"), ("rotational", "0")], 1.0),
        ("node_disk_io_now", &[("device", "sda")], 7.0),
        ("node_disk_read_bytes_total", &[("device", "sda")], 10_240.0),
        ("node_disk_read_time_seconds_total", &[("device", "sda")], 3.0),
        ("node_disk_written_bytes_total", &[("device", "sda")], 25_600.0),
        ("node_dmi_info", &[("product_name", "Box 9000"), ("system_vendor", "Maker")], 1.0),
        ("node_entropy_available_bits", &[], 256.0),
        ("node_filefd_maximum", &[], 9000.0),
        ("node_filesystem_avail_bytes", &[("device", "/dev/sda1"), ("mountpoint", "/"), ("fstype", "ext4")], 500.0),
        ("node_filesystem_device_error", &[("device", "nas:/x"), ("mountpoint", "/gone"), ("fstype", "nfs4"), ("device_error", "statvfs")], 1.0),
        ("node_filesystem_readonly", &[("device", "/dev/sdb"), ("mountpoint", "/data old"), ("fstype", "xfs")], 1.0),
        ("node_forks_total", &[], 55.0),
        ("node_intr_total", &[], 4242.0),
        ("node_load15", &[], 2.0),
        ("node_memory_Active_anon_bytes", &[], 10_240.0),
        ("node_memory_HugePages_Total", &[], 4.0),
        ("node_netstat_IpExt_OutOctets", &[], 20.0),
        ("node_netstat_Tcp_CurrEstab", &[], -1.0),
        ("node_netstat_Udp6_NoPorts", &[], 3.0),
        ("node_network_carrier_changes_total", &[("device", "eth0")], 2.0),
        ("node_network_flags", &[("device", "eth0")], 4099.0),
        ("node_network_info", &[("device", "eth0"), ("address", "02:00:00:00:00:01"), ("operstate", "up"), ("adminstate", "up")], 1.0),
        ("node_network_receive_bytes_total", &[("device", "eth0:1")], 7.0),
        ("node_network_receive_nohandler_total", &[("device", "eth0")], 6.0),
        ("node_network_speed_bytes", &[("device", "eth0")], 125e6),
        ("node_network_transmit_colls_total", &[("device", "eth0")], 1.0),
        ("node_network_up", &[("device", "eth0")], 1.0),
        ("node_nf_conntrack_entries_limit", &[], 256.0),
        ("node_nf_conntrack_stat_found", &[], 12.0),
        ("node_nf_conntrack_stat_ignore", &[], 0.0),
        ("node_os_info", &[("id", "tiny"), ("name", "Tiny Linux"), ("pretty_name", "Tiny"), ("version_id", "22.04")], 1.0),
        ("node_os_version", &[("id", "tiny"), ("name", "Tiny Linux")], 22.04),
        ("node_pressure_cpu_waiting_seconds_total", &[], 2.5),
        ("node_pressure_io_stalled_seconds_total", &[], 0.5),
        ("node_procs_blocked", &[], 1.0),
        ("node_schedstat_running_seconds_total", &[("cpu", "0")], 3.0),
        ("node_sockstat_TCP6_inuse", &[], 2.0),
        ("node_sockstat_TCP_mem_bytes", &[], 12_288.0),
        ("node_sockstat_sockets_used", &[], 12.0),
        ("node_softnet_backlog_len", &[("cpu", "7")], 6.0),
        ("node_softnet_processed_total", &[("cpu", "7")], 10.0),
        ("node_thermal_zone_temp", &[("zone", "0"), ("type", "acpitz")], 45.5),
        ("node_time_clocksource_current_info", &[("device", "0"), ("clocksource", "tsc")], 1.0),
        ("node_time_seconds", &[], 1_704_067_200.0),
        ("node_udp_queues", &[("queue", "tx"), ("ip", "v4")], 16.0),
        ("node_uname_info", &[("domainname", "(none)"), ("machine", "x86_64"), ("nodename", "box"), ("release", "6.1.0"), ("sysname", "Linux"), ("version", "#1 SMP")], 1.0),
        ("node_vmstat_oom_kill", &[], 1.0),
    ];
    for (name, labels, want) in rows {
        let value = found.value(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?}"));
        assert!((value - want).abs() < 1e-9, "{name} {labels:?}: {value}, not {want}");
    }
}

#[test]
fn what_is_excluded_or_not_selected_has_no_row() {
    let found = machine().collect();
    let f = |name: &str, labels: &[(&str, &str)]| assert_eq!(found.value(name, labels), None);
    f("node_disk_io_now", &[("device", "sda1")]);
    f(
        "node_filesystem_size_bytes",
        &[("device", "proc"), ("mountpoint", "/proc"), ("fstype", "proc")],
    );
    f(
        "node_filesystem_size_bytes",
        &[("device", "nas:/x"), ("mountpoint", "/gone"), ("fstype", "nfs4")],
    );
    f("node_netstat_TcpExt_Other", &[]);
    f("node_netstat_Ip6_Other", &[]);
    f("node_vmstat_nr_free_pages", &[]);
    f("node_network_up", &[("device", "bonding_masters")]);
    let sizes: Vec<_> =
        found.iter().filter(|(name, _)| *name == "node_filesystem_size_bytes").collect();
    // The root is mounted twice and must not be told twice: that would be a duplicate sample.
    assert_eq!(sizes.iter().map(|(_, family)| family.rows.len()).sum::<usize>(), 2);
}

#[test]
fn a_missing_file_costs_one_collector_its_rows() {
    let host = machine_with(|path, text| (path != "proc/loadavg").then(|| text.into()));
    let found = host.collect();
    let success = |name: &str| found.value("node_scrape_collector_success", &[("collector", name)]);
    assert_eq!((success("loadavg"), success("meminfo")), (Some(0.0), Some(1.0)));
    assert_eq!(found.value("node_load1", &[]), None);
    assert!(matches!(host.collect_one("loadavg"), Err(Error::Read(_))));
    assert!(matches!(host.collect_one("nope"), Err(Error::UnknownCollector { .. })));
}

#[test]
fn malformed_files_are_told_with_their_path_and_line() {
    let f = |collector: &str, path: &str, text: &str, want: &str| {
        let host = machine_with(|at, old| Some(if at == path { text } else { old }.into()));
        let error = host.collect_one(collector).err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(error, format!("/machine/{path}: {want}"));
    };
    f(
        "meminfo",
        "proc/meminfo",
        "MemTotal: 1 kB\nnonsense\n",
        "line 2: expected a name, a colon and a number",
    );
    f("loadavg", "proc/loadavg", "0.1 x\n", "line 1: expected three numbers");
    f("stat", "proc/stat", "ctxt many\n", "line 1: expected a number");
    f("diskstats", "proc/diskstats", "8 0 sda 1 2 inf\n", "line 1: expected numbers");
    f(
        "netstat",
        "proc/net/snmp",
        "Tcp: A\nUdp: 1\n",
        "line 1: expected names and values of one protocol",
    );
    f("netdev", "proc/net/dev", "one line\n", "line 1: expected two lines of heading");
    f("udp_queues", "proc/net/udp", "h\n1: a b c d\n", "line 2: expected queues as tx:rx");
}

#[test]
fn no_cut_and_no_flipped_byte_panics() {
    for step in 1..12 {
        let host = machine_with(|_, text| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.truncate(bytes.len() * step / 12);
            if let Some(byte) = bytes.get_mut(step) {
                *byte ^= 0x15;
            }
            Some(bytes)
        });
        // Rows or none: what counts is that every collector comes back.
        let found = host.collect();
        let told = found.iter().find(|(name, _)| *name == "node_scrape_collector_success");
        assert_eq!(told.map(|(_, family)| family.rows.len()), Some(COLLECTORS.len()));
    }
}

#[test]
fn a_file_that_never_ends_is_refused() {
    let host = machine_with(|path, text| {
        Some(if path == "proc/vmstat" { vec![b'\n'; 9 << 20] } else { text.into() })
    });
    assert!(matches!(host.collect_one("vmstat"), Err(Error::TooLong { .. })));
}

#[test]
fn text_has_types_escapes_and_no_type_where_node_exporter_has_none() {
    let mut families = Families::default();
    families.counter("a_total", "Line one\nand \\ two.").row(&[("l", "q\"\\\n")], 1.5);
    families.unknown("b", "B.").row(&[], f64::INFINITY);
    let mut out = Vec::new();
    families.write_text(&mut out);
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "# HELP a_total Line one\\nand \\\\ two.\n# TYPE a_total counter\n\
         a_total{l=\"q\\\"\\\\\\n\"} 1.5\n# HELP b B.\n# TYPE b untyped\nb +Inf\n"
    );
}

#[test]
fn this_machine_has_a_processor_memory_and_a_clock() {
    let host = Host::new(
        Arc::new(RealFs),
        Arc::new(RealSpace),
        Arc::new(RealClock::new()),
        &Options::default(),
    )
    .expect("the defaults are valid");
    let found = host.collect();
    assert!(found.value("node_memory_MemTotal_bytes", &[]).is_some_and(|bytes| bytes > 1e6));
    assert!(found.value("node_time_seconds", &[]).is_some_and(|time| time > 1.6e9));
    let idle = found.value("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")]);
    assert!(idle.is_some_and(|seconds| seconds >= 0.0));
}
