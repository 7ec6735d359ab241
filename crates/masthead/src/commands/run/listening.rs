//! Where the command's processes listen, and which of these answers with metrics.
//!
//! On Linux alone, from /proc: the sockets of every process in the command's group, found among
//! those that listen. Elsewhere nothing is found.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use http::Uri;

use crate::client::{Client, Limits};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LIMITS: Limits = Limits { time: Duration::from_secs(2), body_bytes: 16 << 20 };
/// Sockets of one process that are looked at.
const SOCKETS_MAX: usize = 10_000;

/// Looks until something that listens answers with metrics; nothing without a group to look at.
pub(super) async fn metrics(group: Option<u32>) -> Option<Uri> {
    let group = group?;
    let client = Client::new(LIMITS);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let found = tokio::task::spawn_blocking(move || addresses(group)).await.unwrap_or_default();
        for address in found {
            let url = format!("http://{address}/metrics");
            if let Ok(text) = client.metrics(&url).await
                && is_exposition(&text)
            {
                return url.parse().ok();
            }
        }
    }
}

/// A page that is none of HTML or JSON: a comment that describes a metric, or a sample.
fn is_exposition(text: &str) -> bool {
    text.lines().take(100).any(|line| line.starts_with("# TYPE ") || line.starts_with("# HELP "))
}

#[expect(clippy::disallowed_methods, reason = "looks at /proc, which holds no file of anybody's")]
fn addresses(group: u32) -> BTreeSet<SocketAddr> {
    let mut inodes = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let is_number = entry.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit());
        let stat = || std::fs::read_to_string(entry.path().join("stat")).ok();
        if !is_number || stat().and_then(|stat| group_of(&stat)) != Some(group) {
            continue;
        }
        let open = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        for file in open.take(SOCKETS_MAX) {
            let Ok(link) = std::fs::read_link(file.path()) else { continue };
            let link = link.to_string_lossy().into_owned();
            let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            inodes.extend(inode.and_then(|inode| inode.parse::<u64>().ok()));
        }
    }
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.into_iter().filter_map(|table| std::fs::read_to_string(table).ok());
    tables.flat_map(|table| listening(&table, &inodes)).collect()
}

/// The process group in a line of `/proc/PID/stat`: the third word after the name.
fn group_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// The addresses of a table of `/proc/net` that listen and are among `inodes`.
fn listening(table: &str, inodes: &BTreeSet<u64>) -> Vec<SocketAddr> {
    let row = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next()?;
        // 0A is listening; the inode is the ninth word.
        if words.nth(1)? != "0A" || !inodes.contains(&words.nth(5)?.parse().ok()?) {
            return None;
        }
        let (ip, port) = local.split_once(':')?;
        Some(SocketAddr::new(address(ip)?, u16::from_str_radix(port, 16).ok()?))
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// Words of four bytes, each in the order of the machine; all addresses are asked on loopback.
fn address(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for at in (0..hex.len()).step_by(8) {
        let word = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_sockets_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 101 1 0
   1: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 102 1 0
   2: 0100007F:1F92 00000000:0000 01 00000000:00000000 00:00000000 00000000  1000        0 103 1 0
   3: 0100007F:1F93 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 104 1 0
   4: 00000000000000000000000001000000:1F94 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 105 1 0
";
        let found = listening(table, &[101, 102, 103, 105].into());
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.1:8080", "127.0.0.1:8081", "[::1]:8084"]);
        for end in 0..table.len() {
            listening(table.get(..end).unwrap_or_default(), &[101].into());
        }
    }

    #[test]
    fn the_group_is_behind_any_name() {
        assert_eq!(group_of("12 (a (b) c) S 1 34 34 0"), Some(34));
        assert_eq!(group_of("12 (a"), None);
    }

    #[test]
    fn pages_are_no_metrics() {
        assert!(is_exposition("# HELP a b\na 1\n"));
        assert!(!is_exposition("<html># HELP</html>") && !is_exposition("{}"));
    }
}
