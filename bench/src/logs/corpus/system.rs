//! Text as the programs of a machine write it: few shapes, many numbers and addresses.

use std::fmt::Write as _;

use masthead_model::Labels;
use masthead_sysio::Random;

use super::pick;

const UNITS: [&str; 8] =
    ["sshd", "kernel", "systemd", "cron", "nginx", "postfix", "kubelet", "containerd"];
const USERS: [&str; 6] = ["root", "admin", "deploy", "backup", "git", "postgres"];

pub(super) fn labels(stream: usize) -> Labels {
    [
        ("app", UNITS[stream % UNITS.len()]),
        ("kind", "system"),
        ("namespace", "host"),
        ("node_name", ["node-1", "node-2", "node-3"][stream / UNITS.len() % 3]),
    ]
    .into_iter()
    .collect()
}

pub(super) fn write(out: &mut String, stream: usize, at: &str, random: &mut Random) {
    let unit = UNITS[stream % UNITS.len()];
    let node = stream / UNITS.len() % 3 + 1;
    let pid = 300 + random.below(40_000);
    // Writing to a string cannot fail.
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        let _written = out.write_fmt(arguments);
    };
    line(format_args!("{at} node-{node} {unit}[{pid}]: "));
    let user = pick(&USERS, random);
    let (a, b, port) = (random.below(256), random.below(256), 1_024 + random.below(60_000));
    let rare = random.below(50_000) == 0;
    match (unit, random.below(4)) {
        _ if rare => line(format_args!("write to /var/lib/data failed: disk quota exceeded")),
        ("sshd", 0) => {
            line(format_args!(
                "Accepted publickey for {user} from 192.168.{a}.{b} port {port} ssh2"
            ));
        }
        ("sshd", 1) => {
            line(format_args!(
                "Failed password for invalid user {user} from 10.0.{a}.{b} port {port} ssh2"
            ));
        }
        ("sshd", _) => {
            line(format_args!(
                "Received disconnect from 10.0.{a}.{b} port {port}:11: disconnected by user"
            ));
        }
        ("kernel", 0) => {
            let address = random.next_u64() & 0xffff_ffff_ffff;
            line(format_args!(
                "[{}.{:06}] oom_reaper: reaped process {pid}, now anon-rss:0kB, vma:{address:#014x}",
                random.below(900_000),
                random.below(1_000_000),
            ));
        }
        ("kernel", _) => line(format_args!(
            "[{}.{:06}] eth0: link up, 1000Mbps, full-duplex, queue {} irq {}",
            random.below(900_000),
            random.below(1_000_000),
            random.below(16),
            random.below(200),
        )),
        ("systemd", 0) => line(format_args!("session-{port}.scope: Deactivated successfully.")),
        ("systemd", _) => line(format_args!(
            "Started user@{}.service - User Manager for UID {}.",
            1_000 + a,
            1_000 + a
        )),
        ("cron", _) => line(format_args!("({user}) CMD (/usr/lib/sysstat/sa1 1 1 # run {port})")),
        ("nginx", 0) => line(format_args!(
            "*{port} connect() failed (111: Connection refused) while connecting to upstream, \
             client: 10.1.{a}.{b}, server: shop.example"
        )),
        ("nginx", _) => line(format_args!(
            "10.1.{a}.{b} - - \"GET /assets/{:08x}.js HTTP/1.1\" 200 {}",
            random.next_u64() & 0xffff_ffff,
            random.below(90_000),
        )),
        ("postfix", _) => line(format_args!(
            "{:010X}: to=<{user}@example.net>, relay=mx{}.example.net[10.9.{a}.{b}]:25, \
             delay={}.{:02}, status=sent (250 2.0.0 Ok)",
            random.next_u64() & 0xff_ffff_ffff,
            random.below(4),
            random.below(30),
            random.below(100),
        )),
        ("kubelet", 0) => line(format_args!(
            "E1122 10:{:02}:{:02}.{:06} {pid} pod_workers.go:1301] \"Error syncing pod, skipping\" \
             err=\"failed to \\\"StartContainer\\\" with CrashLoopBackOff\" pod=\"shop/cart-{port}\"",
            random.below(60),
            random.below(60),
            random.below(1_000_000),
        )),
        ("kubelet", _) => line(format_args!(
            "I1122 10:{:02}:{:02}.{:06} {pid} reconciler_common.go:251] \
             \"operationExecutor.MountVolume started\" volume=\"kube-api-access-{port}\"",
            random.below(60),
            random.below(60),
            random.below(1_000_000),
        )),
        (_, 0) => line(format_args!(
            "level=error msg=\"failed to reserve sandbox name\" id={:016x}{:016x} timeout={}ms",
            random.next_u64(),
            random.next_u64(),
            random.below(9_000),
        )),
        (_, _) => line(format_args!(
            "level=info msg=\"container event discarded\" container={:016x}{:016x} type=CONTAINER_{}",
            random.next_u64(),
            random.next_u64(),
            pick(&["STARTED", "STOPPED", "DELETED"], random),
        )),
    }
}
