//! Every kind of column: a decoder appends at most what its header promised.

use std::ops::Bound;

use masthead_chunk::{COUNT_MAX, floats, histograms, ints, lines, peek, times, words, xor};
use masthead_model::{MemberTest, MemberValue};

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
    let names = ["level".into(), "a_b".into()];
    let tests = [
        MemberTest { name: "level".into(), value: MemberValue::Text("INFO".into()) },
        MemberTest {
            name: "took".into(),
            value: MemberValue::Number(Bound::Included(3.5), Bound::Unbounded),
        },
    ];
    let members = Some(names.as_slice());
    let choices = [
        lines::Choice { members, ..lines::Choice::default() },
        lines::Choice { tests: &tests, ..lines::Choice::default() },
        lines::Choice { tests: tests.get(1..).unwrap_or_default(), members, needles: &[] },
    ];
    for choice in choices {
        chosen(bytes, &times, choice);
    }
    for needle in lines_needles() {
        let needles = std::slice::from_ref(&needle);
        chosen(bytes, &times, lines::Choice { needles, ..lines::Choice::default() });
    }
    if let Some(words) = words::Words::open(bytes) {
        words.may_have(&words::Query::new(bytes));
    }
}

fn chosen(bytes: &[u8], times: &[i64], choice: lines::Choice<'_>) {
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    let decoded =
        lines::Decoder::default().decode_chosen(bytes, (|| Ok(times), choice), &mut ends, &mut text);
    if let Ok((_, places)) = decoded {
        assert!(places.is_none_or(|places| places.len() == ends.len() && places.is_sorted()));
        assert!(ends.len() <= times.len() && text.len() <= lines::TEXT_BYTES_MAX);
    }
}

fn lines_needles() -> impl Iterator<Item = lines::Needle> {
    [("e", false), ("0-", false), ("INFO", true)]
        .into_iter()
        .filter_map(|(text, folded)| lines::Needle::new(text.as_bytes(), folded))
}
