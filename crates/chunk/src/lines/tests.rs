//! What goes in comes out byte for byte, and no bytes make a decoder panic.

use super::*;

fn column(lines: &[&[u8]]) -> (Vec<u8>, Vec<usize>) {
    let mut text = Vec::new();
    let mut ends = Vec::new();
    for line in lines {
        text.extend_from_slice(line);
        ends.push(text.len());
    }
    (text, ends)
}

fn round_trip(lines: &[&[u8]]) -> Vec<u8> {
    let (text, ends) = column(lines);
    let mut bytes = Vec::new();
    Encoder::new(3).encode(&text, &ends, &mut bytes).unwrap();
    let (mut back_ends, mut back) = (vec![2], b"xx".to_vec());
    let used = Decoder::default().decode_into(&bytes, &mut back_ends, &mut back).unwrap();
    assert_eq!(used, bytes.len());
    assert_eq!(&back[2..], text);
    let moved: Vec<usize> = ends.iter().map(|end| end + 2).collect();
    assert_eq!(back_ends[1..], moved);
    bytes
}

#[test]
fn any_bytes_come_back() {
    round_trip(&[]);
    round_trip(&[b""]);
    round_trip(&[b"", b"a", b"", b"\xff\xfe\0\x01", b"a"]);
    let long = vec![b'x'; 256 << 10];
    round_trip(&[&long, b"", &long]);
}

#[test]
fn cut_and_flipped_bytes_are_refused_or_read_as_something_else() {
    let lines: Vec<String> =
        (0..40).map(|n| format!("GET /items/{n} took {}.5ms id={:08x}", n * 7, n * 77)).collect();
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let bytes = round_trip(&lines);
    let mut decoder = Decoder::default();
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    for cut in 0..bytes.len() {
        assert!(decoder.decode_into(&bytes[..cut], &mut ends, &mut text).is_err(), "{cut}");
        assert!(ends.is_empty() && text.is_empty());
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            (ends.clear(), text.clear());
            drop(decoder.decode_into(&flipped, &mut ends, &mut text));
        }
    }
}
