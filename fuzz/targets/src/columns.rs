//! Every kind of column: a decoder appends at most what its header promised.

use masthead_chunk::{COUNT_MAX, floats, histograms, ints, lines, peek, times, words, xor};

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    drop(peek(bytes));
    let mut numbers = Vec::new();
    drop(ints::decode_into(bytes, &mut numbers));
    assert!(numbers.len() <= COUNT_MAX);
    numbers.clear();
    if times::decode_into(bytes, &mut numbers).is_ok() {
        assert!(numbers.is_sorted());
    }
    let mut values = Vec::new();
    drop(floats::decode_into(bytes, &mut values));
    assert!(values.len() <= COUNT_MAX);
    drop(histograms::decode_into(bytes, &mut Vec::new()));
    if let Ok((mut column, used)) = xor::Appender::restore(bytes) {
        values.clear();
        column.decode_into(&mut values);
        assert!(used <= bytes.len() && values.len() <= column.len());
        drop(column.push(0.5));
    }
    if let Ok((mut column, used)) = times::Appender::restore(bytes) {
        assert!(used <= bytes.len() && column.iter().count() <= column.len());
        drop(column.push(i64::MAX));
    }
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    if lines::Decoder::default().decode_into(bytes, &mut ends, &mut text).is_ok() {
        assert!(ends.len() <= COUNT_MAX && text.len() <= lines::TEXT_BYTES_MAX);
        assert!(ends.is_sorted() && ends.last().copied().unwrap_or(0) == text.len());
    }
    // The same of lines that say their own times, which are as far apart as they can be.
    let lines = peek(bytes).map_or(0, |column| column.values);
    let times: Vec<i64> = [i64::MIN, 0, i64::MAX].into_iter().cycle().take(lines).collect();
    ends.clear();
    text.clear();
    if lines::Decoder::default().decode_with_times(bytes, &times, &mut ends, &mut text).is_ok() {
        assert!(ends.len() == lines && text.len() <= lines::TEXT_BYTES_MAX);
        let mut lengths = Vec::new();
        if lines::Decoder::default().decode_lengths(bytes, &times, &mut lengths).is_ok() {
            assert_eq!(lengths, ends);
        }
    }
    for needle in lines_needles() {
        ends.clear();
        text.clear();
        let holding = (|| Ok(times.as_slice()), std::slice::from_ref(&needle));
        let decoded =
            lines::Decoder::default().decode_holding(bytes, holding, &mut ends, &mut text);
        if let Ok((_, places)) = decoded {
            assert!(places.is_none_or(|places| places.len() == ends.len() && places.is_sorted()));
        }
    }
    ends.clear();
    text.clear();
    let names = ["level".into(), "a_b".into()];
    let members = (times.as_slice(), names.as_slice());
    if lines::Decoder::default().decode_members(bytes, members, &mut ends, &mut text).is_ok() {
        assert!(ends.len() == lines && text.len() <= lines::TEXT_BYTES_MAX);
    }
    if let Some(words) = words::Words::open(bytes) {
        words.may_have(&words::Query::new(bytes));
    }
}

fn lines_needles() -> impl Iterator<Item = lines::Needle> {
    [("e", false), ("0-", false), ("INFO", true)]
        .into_iter()
        .filter_map(|(text, folded)| lines::Needle::new(text.as_bytes(), folded))
}
