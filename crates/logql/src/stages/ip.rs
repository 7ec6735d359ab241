//! `ip("…")`: an address, a range or a network that an address somewhere in a text belongs to.

use core::net::IpAddr;

use super::StageError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IpPattern {
    Range(IpAddr, IpAddr),
    /// An address and how many of its leading bits count.
    Network(IpAddr, u32),
}

impl IpPattern {
    pub(super) fn new(pattern: &str) -> Result<Self, StageError> {
        Self::parse(pattern).ok_or_else(|| {
            StageError::new(format!("ip: invalid pattern: {}", masthead_model::quote(pattern)))
        })
    }

    fn parse(pattern: &str) -> Option<Self> {
        if let Some((address, bits)) = pattern.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let plain = bits == "0" || (!bits.starts_with('0') && bits.len() < 4);
            let bits: u32 = bits.parse().ok().filter(|_| plain)?;
            let all = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= all).then_some(Self::Network(address, bits));
        }
        if let Some((from, to)) = pattern.split_once('-') {
            let (from, to): (IpAddr, IpAddr) = (from.parse().ok()?, to.parse().ok()?);
            return (from.is_ipv4() == to.is_ipv4() && from <= to).then_some(Self::Range(from, to));
        }
        let address = pattern.parse().ok()?;
        Some(Self::Range(address, address))
    }

    fn contains(&self, address: IpAddr) -> bool {
        match *self {
            Self::Range(from, to) => {
                from.is_ipv4() == address.is_ipv4() && from <= address && address <= to
            }
            Self::Network(IpAddr::V4(network), bits) => match address {
                IpAddr::V4(address) => {
                    let differ = network.to_bits() ^ address.to_bits();
                    differ.checked_shr(32 - bits).unwrap_or(0) == 0
                }
                IpAddr::V6(_) => false,
            },
            Self::Network(IpAddr::V6(network), bits) => match address {
                IpAddr::V6(address) => {
                    let differ = network.to_bits() ^ address.to_bits();
                    differ.checked_shr(128 - bits).unwrap_or(0) == 0
                }
                IpAddr::V4(_) => false,
            },
        }
    }

    /// Whether an address that belongs to the pattern stands in the text.
    ///
    /// Runs of characters that addresses are made of are tried as a whole, where they start like
    /// one: so `3.180.71.3` is not found in `93.180.71.3`.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let run = if starts_like_v4(rest) {
                run_len(rest, |b| b.is_ascii_digit() || b == b'.')
            } else if starts_like_v6(rest) {
                run_len(rest, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
            } else {
                0
            };
            if run > 0
                && let Some(candidate) = rest.get(..run)
                && let Ok(candidate) = std::str::from_utf8(candidate)
                && let Ok(address) = candidate.parse()
                && self.contains(address)
            {
                return true;
            }
            at += run + 1;
        }
        false
    }
}

fn run_len(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|b| !is(*b)).unwrap_or(text.len())
}

fn starts_like_v4(text: &[u8]) -> bool {
    matches!(text, [first, a, b, c, ..]
        if first.is_ascii_digit() && [a, b, c].contains(&&b'.'))
}

/// Up to four digits and a colon, or two colons and a digit.
fn starts_like_v6(text: &[u8]) -> bool {
    let Some(head) = text.first_chunk::<5>() else { return false };
    let digits = run_len(head, |b| b.is_ascii_hexdigit());
    match head {
        [b':', b':', third, ..] => third.is_ascii_hexdigit(),
        _ => (1..=4).contains(&digits) && head.get(digits) == Some(&b':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_where_they_stand_alone() {
        let f = |pattern: &str, text: &str, want: bool| {
            let found = IpPattern::new(pattern).map(|p| p.is_in(text.as_bytes()));
            assert_eq!(found, Ok(want), "{pattern} in {text}");
        };
        f("93.180.71.3", "93.180.71.3 - - GET", true);
        f("3.180.71.3", "93.180.71.3 - - GET", false);
        f("192.168.0.1-192.168.0.9", "from=192.168.0.5,", true);
        f("192.168.0.1-192.168.0.9", "from=192.168.0.10,", false);
        f("192.168.4.5/16", "192.168.255.1", true);
        f("192.168.4.5/16", "192.169.0.1", false);
        f("0.0.0.0/0", "1.2.3.4", true);
        f("::/0", "x ::1 y", true);
        f("::/0", "1.2.3.4", false);
        f("2001:db8::/32", "client 2001:db8::5 said", true);
        f("1.2.3.4", "::ffff:1.2.3.4", false);
        f("1.2.3.4", "1.2.3.4.", false);
        f("1.2.3.4", "", false);
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        let f = |pattern: &str| {
            let want = format!("ip: invalid pattern: \"{pattern}\"");
            assert_eq!(IpPattern::new(pattern), Err(StageError::new(want)));
        };
        f("notanip");
        f("1.2.3.4/99");
        f("1.2.3.4/08");
        f("192.168.0.5-192.168.0.1");
        f("1.2.3.4 - 1.2.3.9");
        f("1.2.3.4-::1");
        f("");
    }
}
