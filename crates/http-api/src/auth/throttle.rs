//! How often passwords may be wrong: per source, and in all.
//!
//! A bucket holds guesses. An attempt takes one out before the password is looked at, and puts it
//! back if it was right, so that attempts side by side cannot be more than the bucket holds. Empty
//! buckets fill again in a minute.
//!
//! Memory is bounded twice: by [`SOURCES_MAX`], and because the bucket of all lets only so many
//! sources fail in a minute, after which a source is as if it had never been there.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long an empty bucket takes to be full.
const REFILL: Duration = Duration::from_mins(1);
/// Sources that are remembered.
const SOURCES_MAX: usize = 4_096;
/// The bucket of all is so many times that of one source.
const SOURCES_TOGETHER: u32 = 10;

/// Why an attempt was not looked at: come back after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) Duration);

#[derive(Debug)]
pub(super) struct Throttle {
    size: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    all: Bucket,
    sources: HashMap<IpAddr, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Duration,
}

impl Bucket {
    fn full(size: f64, now: Duration) -> Self {
        Self { left: size, at: now }
    }

    fn refill(&mut self, size: f64, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = now;
        self.left = (self.left + size * passed.as_secs_f64() / REFILL.as_secs_f64()).min(size);
    }

    /// How long until there is one guess.
    fn wait(&self, size: f64) -> Option<Duration> {
        let missing = 1.0 - self.left;
        (missing > 0.0).then(|| REFILL.mul_f64(missing / size))
    }
}

impl Throttle {
    /// Allows `size` wrong passwords a minute from each source.
    pub(super) fn new(size: u32, now: Duration) -> Self {
        let size = size.max(1);
        let all = Bucket::full(f64::from(size.saturating_mul(SOURCES_TOGETHER)), now);
        let state = State { all, sources: HashMap::new() };
        Self { size: f64::from(size), state: Mutex::new(state) }
    }

    /// Whether `source` may try, without trying.
    pub(super) fn check(&self, source: IpAddr, now: Duration) -> Result<(), TooMany> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut bucket) = state.sources.get(&network(source)).copied() else { return Ok(()) };
        bucket.refill(self.size, now);
        bucket.wait(self.size).map_or(Ok(()), |wait| Err(TooMany(wait)))
    }

    /// Takes a guess out of both buckets.
    pub(super) fn take(&self, source: IpAddr, now: Duration) -> Result<(), TooMany> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { all, sources } = &mut *state;
        let together = self.size * f64::from(SOURCES_TOGETHER);
        all.refill(together, now);
        if let Some(wait) = all.wait(together) {
            return Err(TooMany(wait));
        }
        let source = network(source);
        if sources.len() >= SOURCES_MAX && !sources.contains_key(&source) {
            sources.retain(|_, bucket| {
                bucket.refill(self.size, now);
                bucket.left < self.size
            });
            if sources.len() >= SOURCES_MAX {
                return Err(TooMany(REFILL));
            }
        }
        let bucket = sources.entry(source).or_insert_with(|| Bucket::full(self.size, now));
        bucket.refill(self.size, now);
        if let Some(wait) = bucket.wait(self.size) {
            return Err(TooMany(wait));
        }
        bucket.left -= 1.0;
        all.left -= 1.0;
        Ok(())
    }

    /// Puts the guess of a right password back.
    pub(super) fn put_back(&self, source: IpAddr) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let together = self.size * f64::from(SOURCES_TOGETHER);
        state.all.left = (state.all.left + 1.0).min(together);
        let source = network(source);
        if let Some(bucket) = state.sources.get_mut(&source) {
            bucket.left = (bucket.left + 1.0).min(self.size);
            if bucket.left >= self.size {
                state.sources.remove(&source);
            }
        }
    }
}

/// What one owner of addresses has: an address of version 4, a network of 64 bits of version 6.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    const START: Duration = Duration::from_secs(100);

    #[test]
    fn a_source_may_be_wrong_so_often_a_minute() {
        let throttle = Throttle::new(3, START);
        let (a, b) = (ip("192.0.2.1"), ip("192.0.2.2"));
        for _ in 0..3 {
            assert_eq!(throttle.check(a, START), Ok(()));
            assert_eq!(throttle.take(a, START), Ok(()));
        }
        let wait = throttle.take(a, START).unwrap_err().0;
        assert_eq!(throttle.check(a, START), Err(TooMany(wait)));
        assert!((Duration::from_secs(19)..=Duration::from_secs(20)).contains(&wait), "{wait:?}");
        assert_eq!(throttle.take(b, START), Ok(()), "another source");
        let later = START + Duration::from_secs(21);
        assert_eq!(throttle.take(a, later), Ok(()));
        assert!(throttle.take(a, later).is_err());
    }

    #[test]
    fn right_passwords_cost_nothing() {
        let throttle = Throttle::new(1, START);
        for _ in 0..100 {
            assert_eq!(throttle.take(ip("::1"), START), Ok(()));
            throttle.put_back(ip("::1"));
        }
        assert!(throttle.state.lock().unwrap().sources.is_empty());
    }

    #[test]
    fn many_sources_together_are_stopped_too() {
        let throttle = Throttle::new(2, START);
        let attempts = (0..200_u32).map(|n| IpAddr::V4((0x0a00_0000 + n).into()));
        let allowed = attempts.filter(|source| throttle.take(*source, START).is_ok()).count();
        assert_eq!(allowed, 20);
        assert!(throttle.state.lock().unwrap().sources.len() <= 20);
    }

    #[test]
    fn addresses_of_one_owner_count_as_one() {
        let f = |text: &str, want: &str| assert_eq!(network(ip(text)), ip(want), "{text}");
        f("192.0.2.7", "192.0.2.7");
        f("::ffff:192.0.2.7", "192.0.2.7");
        f("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    }

    #[test]
    fn sources_are_forgotten_once_they_are_as_new() {
        let throttle = Throttle::new(1_000_000, START);
        let source = |n: u32| IpAddr::V4((0x0a00_0000 + n).into());
        for n in 0..u32::try_from(SOURCES_MAX).unwrap() {
            assert_eq!(throttle.take(source(n), START), Ok(()));
        }
        assert!(throttle.take(source(9_999), START).is_err(), "no room");
        assert_eq!(throttle.take(source(9_999), START + REFILL), Ok(()));
        assert_eq!(throttle.state.lock().unwrap().sources.len(), 1);
    }
}
