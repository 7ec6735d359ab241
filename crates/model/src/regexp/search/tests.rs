//! What Go finds in bytes that are no text, and that all ways to ask agree.

use proptest::prelude::*;

use super::*;
use crate::regexp::readable::readable;

fn search(pattern: &str) -> RegexpSearch {
    RegexpSearch::new(pattern).expect(pattern)
}

#[test]
fn a_byte_that_is_no_text_is_a_character() {
    let f = |pattern: &str, text: &[u8], want: bool| {
        assert_eq!(search(pattern).is_match(text), want, "{pattern} {text:?}");
    };
    let line = b"GET /caf\xe9 200";
    f("GET.*200", line, true);
    f("GET.*300", line, false);
    f("(?i)get.*CAF. ", line, true);
    f(r"^\S+ \S+ \S+$", line, true);
    f(r"\x{FFFD}", line, true);
    f("caf\u{fffd} 200", line, true);
    f("f[^a] ", line, true);
    f("f[a-z] ", line, false);
    f(r"f\w", line, false);
    f(r"f\b", line, true);
    f("\u{e9}", line, false); // The byte is no é.
    f("200", line, true);
    // A character of two bytes stays one, and a broken one is as many as it has bytes.
    f("^.$", "é".as_bytes(), true);
    f("^..$", "é".as_bytes(), false);
    f("^..$", b"\xff\xfe", true);
    f("^...$", b"\xe2\x82a", true); // Two thirds of a euro.
    f("^..$", b"\xe2\x82a", false);
    f("^.. only", b"\xff\xfe only", true);
    f("^....$", b"\xf0\x9f\x98\xe9", true);
    f("^...$", b"\xed\xa0\x80", true); // A surrogate is no character.
    f("^.*$", b"\n\xff", false);
    f("", b"\xff", true);
    // `\B` matches nothing, and not in the middle of a character either.
    f(r"\B", "aéb".as_bytes(), false);
    f(r"\B", b"a\xff\xffb", true);
}

#[test]
fn places_are_those_of_the_bytes() {
    let line = b"\xe9\xe9 GET /caf\xe9 200 \xc3\xa9";
    let expression = search(r"(GET) (\S+) (x)?(\d+) (.)");
    let text = expression.read(line);
    let groups = expression.captures(&text).expect("matches");
    assert_eq!(groups.whole(), 3..19);
    assert_eq!(groups.get(2), Some(&b"/caf\xe9"[..]));
    assert_eq!(groups.get(3), None);
    assert_eq!(groups.get(5), Some("é".as_bytes()));
    assert_eq!(groups.places().collect::<Vec<_>>(), [3..6, 7..12, 13..16, 17..19]);
    let mut out = Vec::new();
    groups.expand(b"$2:${4}", &mut out);
    assert_eq!(out, b"/caf\xe9:200");
    let all = |pattern: &str, text: &[u8]| {
        let expression = search(pattern);
        let text = expression.read(text);
        expression.find_iter(&text).collect::<Vec<_>>()
    };
    assert_eq!(all(".", b"a\xff\xc3\xa9\xfe"), [0..1, 1..2, 2..4, 4..5]);
    // Nothing is found between characters alone.
    assert_eq!(all("x*", "é\u{20ac}".as_bytes()), [0..0, 2..2, 5..5]);
    assert_eq!(all("x*", b"\xff\xfe"), [0..0, 1..1, 2..2]);
}

/// What is to be searched in, made of pieces that are a character each for Go.
fn pieces() -> impl Strategy<Value = Vec<&'static [u8]>> {
    let piece = prop::sample::select(vec![
        &b"a"[..],
        b"b",
        b" ",
        b"\n",
        b"\xff",
        b"\xfe",
        "é".as_bytes(),
        "\u{fffd}".as_bytes(),
        "\u{20ac}".as_bytes(),
    ]);
    prop::collection::vec(piece, 0..8)
}

proptest! {
    #[test]
    fn bytes_are_searched_as_their_text_is(
        pattern in r"[ab.é\^$|()\[\]*+?\\SBbwW ]{0,8}",
        pieces in pieces(),
    ) {
        let bytes: Vec<u8> = pieces.concat();
        let text: String = pieces
            .iter()
            .map(|piece| str::from_utf8(piece).unwrap_or("\u{fffd}"))
            .collect();
        prop_assert_eq!(readable(&bytes), text.as_str());
        let Ok(expression) = RegexpSearch::new(&pattern) else { return Ok(()) };
        let plain = regex::Regex::new(&crate::Regexp::translate(&pattern).expect("compiled")).expect("compiled");
        prop_assert_eq!(expression.is_match(&bytes), plain.is_match(&text));
        // Places by characters, of which both have the same number.
        let count = |until: usize| text.get(..until).map(|text| text.chars().count());
        let mut starts = vec![0];
        starts.extend(pieces.iter().scan(0, |end, piece| { *end += piece.len(); Some(*end) }));
        let count_bytes = |until: usize| starts.binary_search(&until).ok();
        let want: Vec<_> = plain.find_iter(&text).map(|m| (count(m.start()), count(m.end()))).collect();
        let readable = expression.read(&bytes);
        let got: Vec<_> = expression
            .find_iter(&readable)
            .map(|found| (count_bytes(found.start), count_bytes(found.end)))
            .collect();
        prop_assert_eq!(&got, &want);
        let by_groups: Vec<_> = expression
            .captures_iter(&readable)
            .map(|groups| groups.whole())
            .map(|found| (count_bytes(found.start), count_bytes(found.end)))
            .collect();
        prop_assert_eq!(by_groups, want);
    }
}
