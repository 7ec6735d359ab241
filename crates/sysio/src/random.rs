//! A small generator of pseudo-random numbers: one seed, one sequence, on every machine.
//!
//! For simulations and tests only; it must never choose a key, a token or a password.
//! The algorithm is `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number
//! generators", OOPSLA 2014), because its whole state is the seed.

/// A deterministic sequence of numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts the sequence that belongs to `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number in `0..bound`, or 0 when `bound` is 0.
    ///
    /// Small numbers are favoured by less than `bound / 2^64`, which no test can see.
    pub const fn below(&mut self, bound: u64) -> u64 {
        let wide = (self.next_u64() as u128) * (bound as u128);
        (wide >> 64) as u64
    }

    /// Returns an index in `0..bound`, or 0 when `bound` is 0.
    pub fn index(&mut self, bound: usize) -> usize {
        // Below `bound`, so it fits.
        usize::try_from(self.below(bound as u64)).unwrap_or(0)
    }

    /// Returns true or false with equal odds.
    pub const fn coin(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// Overwrites `bytes` with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_is_the_published_one() {
        // Reference values for seed 1234567, as published with the algorithm's C source.
        let mut random = Random::new(1_234_567);
        let f = |random: &mut Random, want| assert_eq!(random.next_u64(), want);
        f(&mut random, 6_457_827_717_110_365_317);
        f(&mut random, 3_203_168_211_198_807_973);
        f(&mut random, 9_817_491_932_198_370_423);
    }

    #[test]
    fn below_covers_its_range_and_never_leaves_it() {
        let f = |bound: u64| {
            let mut random = Random::new(7);
            let mut seen = vec![false; usize::try_from(bound).unwrap().max(1)];
            for _ in 0..200 {
                seen[usize::try_from(random.below(bound)).unwrap()] = true;
            }
            assert!(seen.iter().all(|&seen| seen), "{bound}");
        };
        f(0);
        f(1);
        f(2);
        f(13);
    }

    #[test]
    fn fill_reaches_the_last_byte_of_odd_lengths() {
        let f = |len: usize| {
            let mut random = Random::new(3);
            let mut ever = vec![0_u8; len];
            for _ in 0..16 {
                let mut bytes = vec![0_u8; len];
                random.fill(&mut bytes);
                ever.iter_mut().zip(bytes).for_each(|(ever, byte)| *ever |= byte);
            }
            assert!(ever.iter().all(|&byte| byte != 0), "{len}");
        };
        f(0);
        f(1);
        f(8);
        f(13);
    }

    #[test]
    fn coin_shows_both_sides() {
        let mut random = Random::new(0);
        let heads = (0..1000).filter(|_| random.coin()).count();
        assert!((400..600).contains(&heads), "{heads}");
    }
}
