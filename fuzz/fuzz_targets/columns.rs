//! Every kind of column: a decoder appends at most what its header promised.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_chunk::{COUNT_MAX, floats, histograms, ints, peek, times, xor};

fuzz_target!(|bytes: &[u8]| {
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
        assert!(used <= bytes.len() && column.iter().count() <= column.len());
        drop(column.push(0.5));
    }
    if let Ok((mut column, used)) = times::Appender::restore(bytes) {
        assert!(used <= bytes.len() && column.iter().count() <= column.len());
        drop(column.push(i64::MAX));
    }
});
