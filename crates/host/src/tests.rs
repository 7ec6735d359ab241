//! The collectors on a machine that is written down here, on a broken one, and on this one.

use camino::Utf8Path;
use masthead_sysio::{ClockState, RealClock, RealFs, SimClock, SimFs, UnixNanos, atomic_write};

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
    ("sys/class/net/bonding_masters", "bond0\n"),
    ("sys/class/net/bond0/bonding/slaves", "eth0 eth1\n"),
    ("sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up\n"),
    ("sys/class/net/bond0/slave_eth1/bonding_slave/mii_status", "down\n"),
    (
        "proc/mdstat",
        "Personalities : [raid1] [raid6] [raid0]\n\
         md0 : active raid1 sdb1[2](S) sda1[0] sdc1[3](F)\n      \
         1000 blocks super 1.2 [2/1] [U_]\n      \
         [=>....]  recovery =  8.5% (85/1000) finish=17.0min speed=259K/sec\n      \
         bitmap: 0/1 pages\n\n\
         md1 : active raid0 sdd[0] sde[1]\n      500 blocks 64k chunks\n      \n\
         md2 : inactive sdf[0](S)\n      70 blocks super 1.2\n       \n\
         md3 : active raid6 a[0] b[1] c[2]\n      9 blocks [3/3] [UUU]\n      \
         \tresync=PENDING\n\nunused devices: <none>\n",
    ),
    ("proc/net/rpc/nfs", "net 9 4 5 3\nrpc 70 1 2\nproc3 2 1 8\nproc4 3 0 11 12\n"),
    (
        "proc/net/rpc/nfsd",
        "rc 1 2 3\nfh 4 0 0 0 0\nio 5 6\nth 8 0\nra 32 0 0 0 0 0 0 0 0 0 0 7\nnet 9 4 5 3\n\
         rpc 9 3 1 2 0\nproc2 18 1 2 3\nproc3 22 1 2 3\nproc4 2 1 2\n\
         proc4ops 40 0 0 0 13 14 0 0 0 0 15\n",
    ),
    ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "45500\n"),
    ("sys/class/hwmon/hwmon0/temp1_crit_alarm", "0\n"),
    ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
    ("sys/class/hwmon/hwmon1/device/name", "it87\n"),
    ("sys/class/hwmon/hwmon1/device/fan2_input", "1200\n"),
    ("sys/class/hwmon/hwmon1/device/in0_input", "1250\n"),
    ("sys/class/hwmon/hwmon1/device/pwm1", "255\n"),
    ("sys/class/hwmon/hwmon1/device/energy1_input", "3000000\n"),
    ("sys/class/hwmon/hwmon1/device/freq1_input", "500000000\n"),
    ("sys/class/hwmon/hwmon1/device/freq1_label", "sclk\n"),
    ("sys/class/nvme/nvme0/model", "Quick 980\n"),
    ("sys/class/nvme/nvme0/state", "live\n"),
    ("sys/class/power_supply/BAT0/capacity", "81\n"),
    ("sys/class/power_supply/BAT0/energy_now", "42000000\n"),
    ("sys/class/power_supply/BAT0/temp", "295\n"),
    ("sys/class/power_supply/BAT0/type", "Battery\n"),
    ("sys/class/powercap/intel-rapl/enabled", "1\n"),
    ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
    ("sys/class/powercap/intel-rapl:0/energy_uj", "2500000\n"),
    ("sys/class/powercap/intel-rapl:0:0/name", "dram\n"),
    ("sys/class/powercap/intel-rapl:0:0/energy_uj", "1000000\n"),
    ("sys/class/powercap/intel-rapl:1:0/name", "dram\n"),
    ("sys/class/powercap/intel-rapl:1:0/energy_uj", "3000000\n"),
    ("sys/devices/system/edac/mc/mc0/ce_count", "4\n"),
    ("sys/devices/system/edac/mc/mc0/ce_noinfo_count", "1\n"),
    ("sys/devices/system/edac/mc/mc0/csrow2/ue_count", "2\n"),
    ("sys/fs/selinux/enforce", "1"),
    ("etc/selinux/config", "# How it starts.\nSELINUX=permissive\nSELINUXTYPE=targeted\n"),
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

/// The clock of a machine that a server sets.
#[derive(Debug, Default)]
struct Kept(SimClock);

impl Clock for Kept {
    fn now(&self) -> UnixNanos {
        self.0.now()
    }

    fn monotonic(&self) -> std::time::Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: std::time::Duration) {
        self.0.sleep(duration);
    }

    fn state(&self) -> std::io::Result<ClockState> {
        Ok(ClockState {
            synchronized: true,
            nanoseconds: true,
            offset: 1_500_000,
            frequency: 65_536,
            error_estimated: 250,
            tick: 10_000,
            tai: 37,
            pps_errors: 3,
            ..ClockState::default()
        })
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
    Host::new(Arc::new(fs), Arc::new(FakeSpace), Arc::new(Kept::default()), &options())
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
        ("node_bonding_active", &[("master", "bond0")], 1.0),
        ("node_bonding_slaves", &[("master", "bond0")], 2.0),
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
        ("node_edac_correctable_errors_total", &[("controller", "0")], 4.0),
        ("node_edac_csrow_correctable_errors_total", &[("controller", "0"), ("csrow", "unknown")], 1.0),
        ("node_edac_csrow_uncorrectable_errors_total", &[("controller", "0"), ("csrow", "2")], 2.0),
        ("node_entropy_available_bits", &[], 256.0),
        ("node_filefd_maximum", &[], 9000.0),
        ("node_filesystem_avail_bytes", &[("device", "/dev/sda1"), ("mountpoint", "/"), ("fstype", "ext4")], 500.0),
        ("node_filesystem_device_error", &[("device", "nas:/x"), ("mountpoint", "/gone"), ("fstype", "nfs4"), ("device_error", "statvfs")], 1.0),
        ("node_filesystem_readonly", &[("device", "/dev/sdb"), ("mountpoint", "/data old"), ("fstype", "xfs")], 1.0),
        ("node_forks_total", &[], 55.0),
        ("node_hwmon_chip_names", &[("chip", "coretemp"), ("chip_name", "coretemp")], 1.0),
        ("node_hwmon_energy_joule_total", &[("chip", "hwmon1_device"), ("sensor", "energy1")], 3.0),
        ("node_hwmon_fan_rpm", &[("chip", "hwmon1_device"), ("sensor", "fan2")], 1200.0),
        ("node_hwmon_freq_freq_mhz", &[("chip", "hwmon1_device"), ("sensor", "sclk")], 500.0),
        ("node_hwmon_in_volts", &[("chip", "hwmon1_device"), ("sensor", "in0")], 1.25),
        ("node_hwmon_pwm", &[("chip", "hwmon1_device"), ("sensor", "pwm1")], 255.0),
        ("node_hwmon_sensor_label", &[("chip", "coretemp"), ("sensor", "temp1"), ("label", "Package id 0")], 1.0),
        ("node_hwmon_temp_celsius", &[("chip", "coretemp"), ("sensor", "temp1")], 45.5),
        ("node_hwmon_temp_crit_alarm_celsius", &[("chip", "coretemp"), ("sensor", "temp1")], 0.0),
        ("node_intr_total", &[], 4242.0),
        ("node_load15", &[], 2.0),
        ("node_md_blocks_synced", &[("device", "md0")], 85.0),
        ("node_md_blocks_synced", &[("device", "md3")], 0.0),
        ("node_md_disks", &[("device", "md0"), ("state", "active")], 1.0),
        ("node_md_disks", &[("device", "md0"), ("state", "failed")], 1.0),
        ("node_md_disks", &[("device", "md0"), ("state", "spare")], 1.0),
        ("node_md_disks", &[("device", "md1"), ("state", "active")], 2.0),
        ("node_md_disks_required", &[("device", "md0")], 2.0),
        ("node_md_state", &[("device", "md0"), ("state", "recovering")], 1.0),
        ("node_md_state", &[("device", "md0"), ("state", "active")], 0.0),
        ("node_md_state", &[("device", "md1"), ("state", "active")], 1.0),
        ("node_md_state", &[("device", "md2"), ("state", "inactive")], 1.0),
        ("node_md_state", &[("device", "md3"), ("state", "resync")], 1.0),
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
        ("node_nfs_packets_total", &[("protocol", "tcp")], 5.0),
        ("node_nfs_requests_total", &[("proto", "3"), ("method", "GetAttr")], 8.0),
        ("node_nfs_requests_total", &[("proto", "4"), ("method", "Write")], 12.0),
        ("node_nfs_requests_total", &[("proto", "4"), ("method", "Clone")], 0.0),
        ("node_nfs_rpcs_total", &[], 70.0),
        ("node_nfsd_disk_bytes_written_total", &[], 6.0),
        ("node_nfsd_read_ahead_cache_not_found_total", &[], 7.0),
        ("node_nfsd_requests_total", &[("proto", "4"), ("method", "Access")], 13.0),
        ("node_nfsd_requests_total", &[("proto", "4"), ("method", "GetAttr")], 15.0),
        ("node_nfsd_rpc_errors_total", &[("error", "auth")], 2.0),
        ("node_nfsd_server_threads", &[], 8.0),
        ("node_nvme_info", &[("device", "nvme0"), ("model", "Quick 980"), ("state", "live")], 1.0),
        ("node_nf_conntrack_stat_found", &[], 12.0),
        ("node_nf_conntrack_stat_ignore", &[], 0.0),
        ("node_os_info", &[("id", "tiny"), ("name", "Tiny Linux"), ("pretty_name", "Tiny"), ("version_id", "22.04")], 1.0),
        ("node_os_version", &[("id", "tiny"), ("name", "Tiny Linux")], 22.04),
        ("node_power_supply_capacity", &[("power_supply", "BAT0")], 81.0),
        ("node_power_supply_energy_watthour", &[("power_supply", "BAT0")], 42.0),
        ("node_power_supply_info", &[("power_supply", "BAT0"), ("type", "Battery")], 1.0),
        ("node_power_supply_temp_celsius", &[("power_supply", "BAT0")], 29.5),
        ("node_pressure_cpu_waiting_seconds_total", &[], 2.5),
        ("node_pressure_io_stalled_seconds_total", &[], 0.5),
        ("node_procs_blocked", &[], 1.0),
        ("node_rapl_dram_joules_total", &[("index", "1"), ("path", "/sys/class/powercap/intel-rapl:1:0")], 3.0),
        ("node_rapl_package_joules_total", &[("index", "0"), ("path", "/sys/class/powercap/intel-rapl:0")], 2.5),
        ("node_schedstat_running_seconds_total", &[("cpu", "0")], 3.0),
        ("node_selinux_config_mode", &[], 0.0),
        ("node_selinux_current_mode", &[], 1.0),
        ("node_selinux_enabled", &[], 1.0),
        ("node_sockstat_TCP6_inuse", &[], 2.0),
        ("node_sockstat_TCP_mem_bytes", &[], 12_288.0),
        ("node_sockstat_sockets_used", &[], 12.0),
        ("node_softnet_backlog_len", &[("cpu", "7")], 6.0),
        ("node_softnet_processed_total", &[("cpu", "7")], 10.0),
        ("node_thermal_zone_temp", &[("zone", "0"), ("type", "acpitz")], 45.5),
        ("node_time_clocksource_current_info", &[("device", "0"), ("clocksource", "tsc")], 1.0),
        ("node_time_seconds", &[], 1_704_067_200.0),
        ("node_timex_estimated_error_seconds", &[], 0.000_25),
        ("node_timex_frequency_adjustment_ratio", &[], 1.000_001),
        ("node_timex_offset_seconds", &[], 0.001_5),
        ("node_timex_pps_error_total", &[], 3.0),
        ("node_timex_sync_status", &[], 1.0),
        ("node_timex_tai_offset_seconds", &[], 37.0),
        ("node_timex_tick_seconds", &[], 0.01),
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
    f("node_nfs_requests_total", &[("proto", "2"), ("method", "Read")]);
    f("node_nfsd_requests_total", &[("proto", "3"), ("method", "Null")]);
    f("node_power_supply_online", &[("power_supply", "BAT0")]);
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
    f(
        "mdadm",
        "proc/mdstat",
        "md0 : active raid1\n",
        "line 1: expected a number of blocks below a device",
    );
    f("mdadm", "proc/mdstat", "md0\n", "line 1: expected a device, a colon and its state");
    f("nfs", "proc/net/rpc/nfs", "net 1\nrpc x\n", "line 2: expected a word and numbers");
    f("rapl", "sys/class/powercap/intel-rapl:0/energy_uj", "much\n", "line 1: expected a number");
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
fn a_chip_of_sensors_is_named_by_the_device_that_it_sits_on() {
    let root = tempfile::tempdir().expect("made");
    let at = Utf8PathBuf::from_path_buf(root.path().to_owned()).expect("text");
    let chip = at.join("sys/devices/platform/coretemp.0/hwmon/hwmon3");
    RealFs.create_dir_all(&chip).expect("made");
    RealFs.create_dir_all(&at.join("sys/class/hwmon")).expect("made");
    atomic_write(&RealFs, &chip.join("temp2_input"), b"30000\n").expect("written");
    // As in a real `/sys`: links from the class to the chip, and from the chip to its device.
    std::os::unix::fs::symlink(&chip, at.join("sys/class/hwmon/hwmon3")).expect("linked");
    std::os::unix::fs::symlink("../..", chip.join("device")).expect("linked");
    let options = Options { root: at.into_string(), ..Options::default() };
    let host =
        Host::new(Arc::new(RealFs), Arc::new(FakeSpace), Arc::new(Kept::default()), &options)
            .expect("the options are valid");
    let found = host.collect_one("hwmon").expect("read");
    let labels = [("chip", "platform_coretemp_0"), ("sensor", "temp2")];
    assert_eq!(found.value("node_hwmon_temp_celsius", &labels), Some(30.0));
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
