//! Text that is put together from pieces of a few bytes.
//!
//! Lines are read at the speed at which such pieces are copied, and a call for each would cost more
//! than the bytes. So pieces are copied in steps of a fixed size, beyond their end, into room of
//! which there is always a step more than needed; the next piece overwrites what was too much.

#![expect(clippy::indexing_slicing, reason = "every index is below the length of an array")]

/// Bytes that are copied at once; sources have so many bytes behind their end where they can.
pub(super) const STEP: usize = 16;
/// Digits of the largest number.
const NUMBER_MAX: usize = 20;

/// The two digits of every number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// The two digits of a number below 100; of others, of what is left of it.
pub(super) fn pair(number: u64) -> [u8; 2] {
    usize::try_from(number % 100).map_or(*b"00", |at| PAIRS[at])
}

/// Text that grows up to the length it was given.
#[derive(Debug)]
pub(super) struct Out<'a> {
    text: &'a mut [u8],
    at: usize,
}

impl<'a> Out<'a> {
    /// Writes into `text`, the last [`STEP`] bytes of which are only there to be overwritten.
    pub(super) fn new(text: &'a mut [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// How long the text is, which may be more than there was room for.
    pub(super) fn len(&self) -> usize {
        self.at
    }

    /// Appends `source[start..end]`.
    #[inline]
    pub(super) fn put(&mut self, source: &[u8], start: usize, end: usize) {
        let len = end.saturating_sub(start);
        if len <= STEP
            && let Some(from) = source.get(start..).and_then(<[u8]>::first_chunk::<STEP>)
            && let Some(to) = self.text.get_mut(self.at..)
            && let Some(to) = to.first_chunk_mut::<STEP>()
        {
            *to = *from;
            self.at += len;
        } else {
            self.put_long(source.get(start..end).unwrap_or_default());
        }
    }

    fn put_long(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        if let Some(to) = self.text.get_mut(self.at..end) {
            to.copy_from_slice(bytes);
        }
        self.at = end;
    }

    /// Appends a number, with leading zeros up to `digits`.
    #[inline]
    pub(super) fn put_number(&mut self, mut number: u64, digits: usize) {
        let mut buffer = [b'0'; NUMBER_MAX + STEP];
        let mut at = NUMBER_MAX;
        while number >= 10 {
            at -= 2;
            [buffer[at], buffer[at + 1]] = pair(number);
            number /= 100;
        }
        if number > 0 || at == NUMBER_MAX {
            at -= 1;
            buffer[at] = pair(number)[1];
        }
        self.put(&buffer, at.min(NUMBER_MAX - digits.min(NUMBER_MAX)), NUMBER_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        let f = |number: u64, digits: usize, want: &str| {
            let mut text = [0; 64];
            let mut out = Out::new(&mut text);
            out.put_number(number, digits);
            let len = out.len();
            assert_eq!(str::from_utf8(&text[..len]), Ok(want));
        };
        f(0, 0, "0");
        f(7, 0, "7");
        f(10, 0, "10");
        f(99, 3, "099");
        f(100, 0, "100");
        f(1_009, 0, "1009");
        f(0, 4, "0000");
        f(18_446_744_073_709_551_615, 0, "18446744073709551615");
        f(5, 20, "00000000000000000005");
        let mut random = fastrand::Rng::with_seed(6);
        for _ in 0..10_000 {
            let number = random.u64(..) >> random.u32(0..64);
            f(number, 0, &number.to_string());
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_not_written() {
        let source: Vec<u8> = (b'a'..=b'z').cycle().take(60).collect();
        for len in 0..60 {
            let mut text = vec![b'-'; 40];
            let mut out = Out::new(&mut text);
            out.put(&source, 1, 1 + len.min(20));
            out.put(&source, 0, len);
            let (first, all) = (len.min(20).min(59), len.min(20) + len);
            assert_eq!(out.len(), all);
            assert_eq!(text[..first], source[1..=first]);
            if all <= 40 {
                assert_eq!(text[first..all], source[..len]);
            }
            Out::new(&mut text).put(&source, 70, 80);
        }
    }
}
