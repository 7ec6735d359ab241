//! What every decoder of this crate is put through.

use crate::Error;
use crate::cursor::{Cursor, put_unsigned};

/// Cuts `column` at each byte, where only an error may come, and flips each bit and byte, where
/// anything but a panic may. On error nothing may have been appended.
pub(crate) fn cut_and_flip<T>(
    column: &[u8],
    decode: impl Fn(&[u8], &mut Vec<T>) -> Result<usize, Error>,
) {
    let mut out = Vec::new();
    for cut in 0..column.len() {
        let error = decode(&column[..cut], &mut out).expect_err("a cut column");
        assert!(matches!(error, Error::Truncated { .. }), "cut at {cut}: {error}");
        assert!(out.is_empty());
    }
    let mut flipped = column.to_vec();
    for at in 0..column.len() {
        for change in [1, 2, 4, 8, 16, 32, 64, 128, 0xff] {
            flipped[at] ^= change;
            out.clear();
            if decode(&flipped, &mut out).is_err() {
                assert!(out.is_empty(), "byte {at} flipped by {change:#x}");
            }
            flipped[at] ^= change;
        }
    }
    for shorter in shorter_payloads(column) {
        out.clear();
        if decode(&shorter, &mut out).is_err() {
            assert!(out.is_empty());
        }
    }
}

/// The column with its payload cut at each byte, and a frame that says so.
fn shorter_payloads(column: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut cursor = Cursor::new(column);
    let counted = cursor.byte("tag").and_then(|_| cursor.unsigned("count"));
    assert!(counted.is_ok());
    let head = cursor.offset();
    let length = cursor.unsigned("length").map(usize::try_from);
    assert_eq!(length, Ok(Ok(cursor.remaining())), "one whole column");
    let body = cursor.offset();
    (body..column.len()).map(move |end| {
        let mut shorter = column[..head].to_vec();
        put_unsigned(&mut shorter, (end - body) as u64);
        shorter.extend_from_slice(&column[body..end]);
        shorter
    })
}
