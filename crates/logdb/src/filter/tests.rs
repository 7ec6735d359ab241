//! Nothing that passes is ever left out.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn regexp(text: &str) -> LineFilter {
    LineFilter { negated: false, any: vec![LinePattern::Regexp(Arc::from(text))] }
}

fn columns<L: AsRef<[u8]>>(lines: &[L]) -> LogColumns {
    let mut columns = LogColumns::default();
    for line in lines {
        columns.times.push(0);
        columns.text.extend_from_slice(line.as_ref());
        columns.ends.push(columns.text.len());
    }
    columns
}

#[test]
fn expressions_are_reduced_to_what_every_match_has() {
    let f = |pattern: &str, want: Option<&[(&str, bool)]>| {
        let found = required(&Regexp::translate(pattern).unwrap());
        let want = want.map(|want| {
            want.iter()
                .map(|(text, folded)| Literal { bytes: text.as_bytes().to_vec(), folded: *folded })
                .collect::<Vec<_>>()
        });
        assert_eq!(found, want, "{pattern}");
    };
    f("error", Some(&[("error", false)]));
    f("a+bcd.*xy", Some(&[("bcd", false)]));
    f(
        "(error|warning) in",
        Some(&[("warning", false), ("error", false)])
            .map(|_| &[("error", false), ("warning", false)][..]),
    );
    f("(?i)error", Some(&[("error", true)]));
    f("(?i)disk", Some(&[("di", true)]));
    f("(?i)KS", None);
    f(".*", None);
    f("(error)?", None);
    f("(a|)", None);
    f("[0-9]+ failed", Some(&[(" failed", false)]));
    f("ab\u{fffd}c", Some(&[("ab", false)]));
    f("a\u{fffd}b\u{fffd}(?i)bcd", Some(&[("bcd", true)]));
    f(r"x\x{FFFD}+y|\x{FFFD}z", Some(&[("y", false), ("z", false)]));
    f(r"\x{FFFD}", None);
}

#[test]
fn lines_that_may_pass_are_found_in_the_whole_text() {
    let lines = ["an error", "fine", "ERROR again", "err", "or two errors and error", ""];
    let columns = columns(&lines);
    let f = |filters: &[LineFilter], range: std::ops::Range<usize>, want: &[usize]| {
        assert_eq!(Demand::new(filters).passing(&columns, range), want, "{filters:?}");
    };
    f(&[regexp("error")], 0..6, &[0, 4]);
    f(&[regexp("error")], 1..6, &[4]);
    f(&[regexp("(?i)error")], 0..6, &[0, 2, 4]);
    f(&[regexp("error"), regexp("two")], 0..6, &[4]);
    f(&[regexp("error"), regexp("two")], 0..4, &[]);
    f(&[regexp("absent")], 0..6, &[]);
    f(&[regexp("fine|err")], 0..6, &[0, 1, 3, 4]);
    f(&[], 2..4, &[2, 3]);
    f(&[regexp("error")], 6..6, &[]);
}

proptest! {
    /// Lines of any bytes, by words that are there, are not, or are what Go reads bytes as.
    #[test]
    fn no_line_that_passes_is_left_out(
        lines in prop::collection::vec("[abAB é\u{fffd}xy]{0,12}", 1..12),
        breaks in prop::collection::vec(0..40_usize, 0..12),
        pattern in r"(\(\?i\))?[abé\u{fffd}.|^$xy]{1,7}(\+|\?|b.*)?",
    ) {
        let mut lines: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
        for (line, at) in breaks.into_iter().enumerate() {
            let line = lines.get_mut(line % 12);
            if let Some(byte) = line.and_then(|line| line.get_mut(at % 13)) {
                *byte = b'\xe9';
            }
        }
        let filter = regexp(&pattern);
        let Some(test) = LineTest::new(&filter) else { return Ok(()) };
        let found = Demand::new(std::slice::from_ref(&filter)).passing(&columns(&lines), 0..lines.len());
        for (at, line) in lines.iter().enumerate() {
            prop_assert!(!test.passes(line) || found.contains(&at), "{pattern} {line:?}");
        }
    }
}
