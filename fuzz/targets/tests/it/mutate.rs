//! Inputs made from others, as a fuzzer makes them: bits, bytes, lengths, pieces of other seeds.

use fastrand::Rng;

/// Longer inputs are cut: what is wrong shows in short ones too, and is found faster there.
const BYTES_MAX: usize = 4096;

/// Numbers at which lengths and counts go wrong.
const EDGES: [u64; 10] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1];

/// What means something in a format of ours or of others.
const TOKENS: [&str; 24] = [
    "\"", "\\", "{", "}", "[", "]", "(", ")", "\n", "=", "!~", "<_>", "1e308", "-", "NaN", "0x",
    "\u{fffd}", "$1", "[5m]", "by", ": ", "- ", "{{", "\0",
];

/// An input made of one of `seeds`.
pub(crate) fn mutated(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = pick(rng, seeds).to_vec();
    for _ in 0..rng.usize(1..6) {
        let other = pick(rng, seeds);
        once(rng, &mut bytes, other);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn pick<'s>(rng: &mut Rng, seeds: &'s [Vec<u8>]) -> &'s [u8] {
    seeds.get(rng.usize(..seeds.len())).map_or(&[], |seed| &seed[..seed.len().min(BYTES_MAX)])
}

fn once(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = rng.usize(..=bytes.len());
    let end = (at + rng.usize(..32)).min(bytes.len());
    match rng.u8(..9) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
        3 => {
            let from = rng.usize(..=other.len());
            let to = (from + rng.usize(..64)).min(other.len());
            drop(bytes.splice(at..end, other[from..to].iter().copied()));
        }
        4 => drop(bytes.splice(at..at, rng.choice(TOKENS).unwrap_or("").bytes())),
        5 => {
            let number = rng.choice(EDGES).unwrap_or(0).to_le_bytes();
            let width = *[1, 2, 4, 8].get(rng.usize(..4)).unwrap_or(&1);
            let end = (at + width).min(bytes.len());
            drop(bytes.splice(at..end, number[..width].iter().copied()));
        }
        6 => drop(bytes.splice(at..at, varint(rng.choice(EDGES).unwrap_or(0)))),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = if rng.bool() { rng.u8(..) } else { *byte ^ (1 << rng.u8(..8)) };
            }
        }
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
    bytes
}
