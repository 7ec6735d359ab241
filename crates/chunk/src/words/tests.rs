//! What is there is found, and little else.

use proptest::prelude::*;

use super::*;

fn words_of(text: &str) -> Vec<u8> {
    let mut collector = Collector::default();
    collector.add_text(text.as_bytes());
    collector.add_starts(text.as_bytes());
    let mut out = Vec::new();
    collector.write(&mut out);
    out
}

#[test]
fn what_is_asked_for_is_what_must_be_there() {
    let text = "GET /items/42 id=0189a3c2-1b2c-7d3e-8f40-aabbccddeeff trace 4bf92f3577b34da6a3ce929d0e0e4736 \
                took 12.345678901Z Connection refused pod web-7d4b9c6f5-x2x9z";
    let words = words_of(text);
    let f = |query: &str, want: bool| {
        let words = Words::open(&words).unwrap();
        assert_eq!(words.may_have(&Query::new(query.as_bytes())), want, "{query}");
    };
    f("0189a3c2-1b2c-7d3e-8f40-aabbccddeeff", true);
    f("0189A3C2-1B2C-7D3E-8F40-AABBCCDDEEFF", true);
    f("0189a3c2-1b2c-7d3e-8f40-aabbccddeefe", false);
    f("4bf92f3577b34da6a3ce929d0e0e4736", true);
    f("4bf92f3577b34da6a3ce929d0e0e4737", false);
    f("92f3577b34da6a3c", true);
    f("Connection refused pod", true);
    f("onnection refused po", true);
    f("connection REFUSED pod", true);
    f("connection accepted pod", false);
    f("1b2c-7d3e-8f40", true);
    f("0189a3c2-", true);
    f("0189A3C2-1b2c-7d", true);
    f("0189a3c2-ffff", true); // The rest is not asked for.
    f("0189a3c3-1b2c-7d", false);
    f("ffffffff-dead-4bad", false);
    f("ffffffff", true);
    f("d4b9c6f5-x", true); // A start is what stands before the dash, whatever is before it.
    f("d4b9c6f6-x", false);
    f("", true);
}

#[test]
fn older_columns_are_not_asked_for_starts_of_ids() {
    // `one 0189a3c2-1b2c-7d3e-8f40-aabbccddeeff`, and nothing, as they were written before starts
    // were told.
    let one = "08 00 03 01 00 00 00 00 00 00 67 00 00 00 00 00 00 ae 00 00 f4 00 00 00 00 00 00 d9";
    for hex in [one, "00 00 00 00"] {
        let bytes: Vec<u8> =
            hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let words = Words::open(&bytes).unwrap();
        let f = |query: &str, want: bool| {
            assert_eq!(words.may_have(&Query::new(query.as_bytes())), want, "{hex}: {query}");
        };
        f("0189a3c2-1b2c", true);
        f("ffffffff-1b2c", true);
        f("0189a3c2-1b2c-7d3e-8f40-aabbccddeefe", false);
    }
}

#[test]
fn strangers_are_seldom_found() {
    let hashes: Vec<u64> = (0..6000_u64).map(fuse::mix).collect();
    let mut bytes = Vec::new();
    assert!(fuse::write(&hashes, &mut bytes));
    assert!(bytes.len() < 6000 * 11 / 8, "{} bytes", bytes.len());
    let filter = fuse::Filter::open(&mut Cursor::new(&bytes)).unwrap();
    assert!(hashes.iter().all(|hash| filter.has(*hash)));
    let found = (10_000..110_000_u64).filter(|hash| filter.has(fuse::mix(*hash))).count();
    assert!(found < 600, "{found} of 100000");
}

#[test]
fn cut_words_make_no_sense_or_answer_something() {
    let words = words_of("some words and 0189a3c2-1b2c-7d3e-8f40-aabbccddeeff");
    let query = Query::new(b"0189a3c2-1b2c-7d3e-8f40-aabbccddeeff");
    for cut in 0..words.len() {
        assert!(Words::open(&words[..cut]).is_none(), "{cut}");
        let mut flipped = words.clone();
        flipped[cut] ^= 0x55;
        let _: Option<bool> = Words::open(&flipped).map(|words| words.may_have(&query));
    }
}

#[test]
fn sets_of_every_small_size_can_be_written() {
    for count in 0..300_u64 {
        let hashes: Vec<u64> = (0..count).map(|n| fuse::mix(n + 1)).collect();
        let mut bytes = Vec::new();
        assert!(fuse::write(&hashes, &mut bytes), "{count}");
        let filter = fuse::Filter::open(&mut Cursor::new(&bytes)).unwrap();
        assert!(hashes.iter().all(|hash| filter.has(*hash)), "{count}");
    }
}

proptest! {
    #[test]
    fn no_part_of_a_line_is_ever_missed(
        line in "([a-f0-9]{4,12}[-. :=\"]?|[A-Za-z]{1,5}[ -]?|[0-9]{1,9}[Zm]?){1,12}",
        from in 0_usize..40,
        len in 1_usize..60,
    ) {
        let words = words_of(&line);
        let part: String = line.chars().skip(from).take(len).collect();
        prop_assert!(Words::open(&words).unwrap().may_have(&Query::new(part.as_bytes())), "{}", part);
    }
}
