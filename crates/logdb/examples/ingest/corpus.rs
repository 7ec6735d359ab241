//! Made-up logs, always the same: access logs in JSON, and lines as daemons write them.

use std::fmt::Write as _;

use masthead_model::Labels;
use masthead_sysio::Random;

const STREAMS: usize = 60;
const START: i64 = 1_704_067_200_000_000_000;
const SPAN_NS: i64 = 6 * 3_600_000_000_000;
const LINE_BYTES: usize = 210;
const BATCH_LINES: usize = 1000;

pub(crate) struct Corpus {
    random: Random,
    now: i64,
    step: i64,
    agents: Vec<String>,
    users: Vec<String>,
    /// A request id that is in the logs.
    pub(crate) some_id: String,
}

impl Corpus {
    pub(crate) fn new(mut random: Random, bytes: usize) -> Self {
        let lines = i64::try_from(bytes / LINE_BYTES).unwrap_or(1).max(1);
        let agents = (0..40)
            .map(|n| {
                format!("Mozilla/5.0 (X11; Linux x86_64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0")
            })
            .collect();
        let users = (0..3000).map(|_| hex(&mut random, 8)).collect();
        Self { random, now: START, step: SPAN_NS / lines, agents, users, some_id: String::new() }
    }

    /// Lines of some streams.
    pub(crate) fn batch(&mut self) -> Vec<(Labels, Vec<(i64, String)>)> {
        let mut streams = vec![Vec::new(); STREAMS];
        for _ in 0..BATCH_LINES {
            self.now += self.step / 2 + below(&mut self.random, self.step);
            let stream = self.random.index(STREAMS);
            let line = if stream % 5 < 2 { self.access(stream) } else { self.daemon(stream) };
            if let Some(rows) = streams.get_mut(stream) {
                rows.push((self.now, line));
            }
        }
        let labelled = streams.into_iter().enumerate();
        labelled
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(at, rows)| (labels(at % 12, at), rows))
            .collect()
    }

    fn access(&mut self, stream: usize) -> String {
        let random = &mut self.random;
        let id = hex(random, 32);
        let id = format!(
            "{}-{}-4{}-a{}-{}",
            &id[..8],
            &id[8..12],
            &id[12..15],
            &id[15..18],
            &id[18..30]
        );
        let method = ["GET", "GET", "GET", "POST", "PUT", "DELETE"][random.index(6)];
        let place = ["items", "orders", "users", "carts", "search"][random.index(5)];
        let status = [200, 200, 200, 200, 201, 204, 301, 304, 404, 500][random.index(10)];
        let level = if status >= 500 { "ERROR" } else { "INFO" };
        let (scale, size) = (4 + random.below(14), 6 + random.below(12));
        let took = random.below(1 << scale);
        let text = format!(
            r#"{{"ts":"{}","level":"{level}","app":"app-{}","method":"{method}","path":"/api/v1/{place}/{}","status":{status},"bytes":{},"duration_ms":{}.{:03},"client":"10.{}.{}.{}","user":"{}","request_id":"{id}","agent":"{}"}}"#,
            stamp(self.now),
            stream % 12,
            random.below(5000),
            random.below(1 << size),
            took / 1000,
            took % 1000,
            random.below(4),
            random.below(16),
            random.below(64),
            self.users[random.index(3000)],
            self.agents[random.index(40)],
        );
        if random.below(5000) == 0 || self.some_id.is_empty() {
            self.some_id = id;
        }
        text
    }

    fn daemon(&mut self, stream: usize) -> String {
        let random = &mut self.random;
        let seconds = self.now / 1_000_000_000;
        let clock =
            format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let pid = 1000 + random.below(3000);
        let address =
            format!("173.{}.{}.{}", random.below(250), random.below(250), random.below(250));
        let mut line = format!("Jan  1 {clock} host-{stream} ");
        match random.below(9) {
            0 => write!(
                line,
                "sshd[{pid}]: Failed password for invalid user {} from {address} port {} ssh2",
                ["root", "admin", "test", "oracle"][random.index(4)],
                1024 + random.below(60000)
            ),
            1 => write!(
                line,
                "sshd[{pid}]: Received disconnect from {address}: 11: Bye Bye [preauth]"
            ),
            2 => write!(
                line,
                "dfs.DataNode$PacketResponder: PacketResponder {} for block blk_-{} terminating",
                random.below(3),
                random.next_u64()
            ),
            3 => write!(
                line,
                "dfs.FSNamesystem: BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.251.{}.{}:50010 is added to blk_{} size 67108864",
                random.below(250),
                random.below(250),
                random.next_u64()
            ),
            4 => write!(
                line,
                "kernel: [{}.{:06}] usb {}-{}: new high-speed USB device number {} using xhci_hcd",
                random.below(100_000),
                random.below(1_000_000),
                random.below(4),
                random.below(9),
                random.below(100)
            ),
            5 => {
                write!(line, "systemd[1]: Started Session {} of user root.", random.below(100_000))
            }
            6 => write!(
                line,
                "nova-compute.log: INFO nova.virt.libvirt.imagecache [req-{} - - - - -] image {} at (/var/lib/nova/instances/_base/{}): checking",
                hex(random, 32),
                hex(random, 12),
                hex(random, 40)
            ),
            7 => write!(
                line,
                "org.apache.spark.storage.BlockManager: Found block rdd_{}_{} locally, {} error",
                random.below(100),
                random.below(100),
                random.below(3)
            ),
            _ if random.below(3000) == 0 => write!(
                line,
                "sshd[{pid}]: reverse mapping checking getaddrinfo for {address} failed - possible break-in attempt!"
            ),
            _ => write!(
                line,
                "proxifier: chrome.exe - proxy.cse.cuhk.edu.hk:5070 close, {} bytes sent, {} bytes ({} KB) received, lifetime {:02}:{:02}",
                random.below(100_000),
                random.below(1_000_000),
                random.below(1000),
                random.below(60),
                random.below(60)
            ),
        }
        // Writing to a text cannot fail.
        .unwrap_or_default();
        line
    }
}

fn labels(app: usize, instance: usize) -> Labels {
    Labels::from_iter([("app", format!("app-{app}")), ("instance", format!("host-{instance}"))])
}

fn hex(random: &mut Random, len: usize) -> String {
    (0..len).filter_map(|_| char::from_digit(u32::try_from(random.below(16)).ok()?, 16)).collect()
}

fn below(random: &mut Random, bound: i64) -> i64 {
    i64::try_from(random.below(bound.cast_unsigned())).unwrap_or(0)
}

fn stamp(nanos: i64) -> String {
    let seconds = nanos / 1_000_000_000;
    format!(
        "2024-01-01T{:02}:{:02}:{:02}.{:03}Z",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        nanos / 1_000_000 % 1000
    )
}
