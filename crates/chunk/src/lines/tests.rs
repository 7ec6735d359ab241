//! What goes in comes out byte for byte, and no bytes make a decoder panic.

use super::*;

mod lengths;
mod passing;

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
    round_trip_at(lines, &[])
}

fn round_trip_at(lines: &[&[u8]], times: &[i64]) -> Vec<u8> {
    let (text, ends) = column(lines);
    let mut bytes = Vec::new();
    let lines = (&*text, &*ends, times);
    Encoder::new(3).encode_with_words(lines, &mut bytes, &mut Vec::new()).unwrap();
    let (mut back_ends, mut back) = (vec![2], b"xx".to_vec());
    let mut decoder = Decoder::default();
    let used = decoder.decode_with_times(&bytes, times, &mut back_ends, &mut back).unwrap();
    assert_eq!(used, bytes.len());
    assert_eq!(&back[2..], text);
    let moved: Vec<usize> = ends.iter().map(|end| end + 2).collect();
    assert_eq!(back_ends[1..], moved);
    let mut lengths = vec![7];
    let used = decoder.decode_lengths(&bytes, times, &mut lengths).unwrap();
    assert_eq!((used, lengths.remove(0)), (bytes.len(), 7));
    assert_eq!(lengths, ends, "lengths are those of whole lines");
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
    damaged(&lines, |bytes, ends, text| Decoder::default().decode_into(bytes, ends, text).is_ok());
}

/// Decodes a column of `lines` that was cut at every byte, which must be refused and leave nothing,
/// and one with every bit flipped.
fn damaged(lines: &[String], decode: impl Fn(&[u8], &mut Vec<usize>, &mut Vec<u8>) -> bool) {
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let bytes = round_trip(&lines);
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    for cut in 0..bytes.len() {
        assert!(!decode(&bytes[..cut], &mut ends, &mut text), "{cut}");
        assert!(ends.is_empty() && text.is_empty());
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            ends.clear();
            text.clear();
            decode(&flipped, &mut ends, &mut text);
            assert!(text.len() <= TEXT_BYTES_MAX);
        }
    }
}

/// Lines like those of real systems, with everything that the splitting looks for.
fn made_up(random: &mut fastrand::Rng, count: usize) -> Vec<String> {
    let hex = |random: &mut fastrand::Rng, len: usize| -> String {
        (0..len).map(|_| char::from_digit(random.u32(0..16), 16).unwrap()).collect()
    };
    (0..count)
        .map(|n| {
            let id = hex(random, 32);
            let uuid = format!(
                "{}-{}-{}-{}-{}",
                &id[..8],
                &id[8..12],
                &id[12..16],
                &id[16..20],
                &id[20..]
            );
            let ip = format!("10.{}.{}.7", random.u8(..), random.u8(..));
            let number = random.u32(..) >> random.u32(0..32);
            match random.u32(0..9) {
                0 => format!(
                    r#"{{"path":"/items/{number}","id":"{uuid}","took":{}.{:03}}}"#,
                    n,
                    n % 1000
                ),
                1 => format!(
                    "2026-11-22T10:{:02}:{:02}.{:06}Z level=info addr={ip}:{number} id={id}",
                    n / 60 % 60,
                    n % 60,
                    n * 77
                ),
                2 => format!(
                    "Jun {:2} combo sshd(pam_unix)[{number}]: failure; user= rhost={ip} v1.2.3",
                    n % 30
                ),
                3 => format!("blk_-{}{number} {}% 0x{} {uuid}-{id}", number, n % 100, &id[..8]),
                4 => format!(
                    "{} say \"a \\\"quoted\\\" {number}\" and \"open {id}",
                    id.to_uppercase()
                ),
                5 => format!("\u{1}\u{2}{number} raw \"\u{3}\" {uuid}"),
                6 => format!("000{number} 00.10 1.{number}.2 {number}ms eth{} é=ü=\"x\"", n % 3),
                7 => uuid.to_uppercase(),
                _ => String::new(),
            }
        })
        .collect()
}

#[test]
fn templates_bring_back_every_kind_of_column() {
    let mut random = fastrand::Rng::with_seed(1);
    for count in [1, 3, 7, 8, 9, 100, 3000] {
        let lines = made_up(&mut random, count);
        let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        round_trip(&lines);
    }
    // Columns in which one value does not fit the others.
    let f = |usual: &str, other: &str| {
        let mut lines = vec![usual.as_bytes(); 20];
        lines.push(other.as_bytes());
        for n in 0..20 {
            lines.push(if n % 2 == 0 { b"a=7" } else { b"a=19" });
        }
        round_trip(&lines);
    };
    f("x 1.50 y", "x 1.5 y");
    f("x 01.50 y", "x 101.50 y");
    f("x 10.0.0.1 y", "x 10.0.0.256 y");
    f("x 10.0.0.1 y", "x 10.0.0.01 y");
    f("x 7 y", "x 07 y");
    f("x 999999999999999999 y", "x 9999999999999999999999 y");
    f("x ab12cd y", "x ab12c y");
    f("x ab12cd y", "x AB12cd y");
    f("x 1.0000000000000000000 y", "x 18446744073709551615.1 y");
}

/// 2026-11-22T10:00:00Z
const MORNING: i64 = 1_795_341_600_000_000_000;

/// Lines that say when they were written, and when that was.
fn dated(count: i64, random: &mut fastrand::Rng) -> (Vec<String>, Vec<i64>) {
    let times: Vec<i64> =
        (0..count).map(|n| MORNING + n * 700_000_000 + random.i64(0..700_000_000)).collect();
    let line = |(n, time): (usize, &i64)| {
        let at = |nanos: i64, unit: i64| {
            let (seconds, rest) = ((nanos - MORNING) / 1_000_000_000, nanos % 1_000_000_000 / unit);
            let (hour, minute, second) = (10 + seconds / 3600, seconds / 60 % 60, seconds % 60);
            (format!("{hour:02}:{minute:02}:{second:02}"), rest)
        };
        match n % 4 {
            0 => {
                let (clock, micros) = at(*time, 1000);
                format!(r#"{{"at":"2026-11-22T{clock}.{micros:06}Z","n":{n}}}"#)
            }
            1 => {
                // What collects the line is a little late.
                let (clock, millis) = at(*time - 3_000_000, 1_000_000);
                format!("2026-11-22 {clock},{millis:03} WARN late by {n}")
            }
            2 => format!("2026/11/22 {} start=2026-11-22T10:00:00+01:00", at(*time, 1).0),
            _ => {
                let (clock, nanos) = at(*time, 1);
                let nanos = format!("{nanos:09}");
                format!("time=2026-11-22T{clock}.{}Z x", nanos.trim_end_matches('0'))
            }
        }
    };
    (times.iter().enumerate().map(line).collect(), times)
}

#[test]
fn moments_come_back_with_the_times_of_their_lines_and_cost_little() {
    let mut random = fastrand::Rng::with_seed(4);
    for count in [1, 7, 40, 3000] {
        let (lines, times) = dated(count, &mut random);
        let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        let timed = round_trip_at(&lines, &times).len();
        // Without times they are told from each other.
        let alone = round_trip(&lines).len();
        if count == 3000 {
            assert!(timed < 3000 && alone > 4 * timed, "{timed} {alone}");
        }
    }
    let lines: Vec<String> =
        made_up(&mut random, 500).into_iter().filter(|line| !line.is_empty()).collect();
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let times: Vec<i64> = lines.iter().map(|_| random.i64(..)).collect();
    round_trip_at(&lines, &times);
}

#[test]
fn moments_without_the_times_of_their_lines_are_refused() {
    let (lines, times) = dated(100, &mut fastrand::Rng::with_seed(5));
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let bytes = round_trip_at(&lines, &times);
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    for times in [&[][..], &times[1..]] {
        let read = Decoder::default().decode_with_times(&bytes, times, &mut ends, &mut text);
        let what = "times of the lines";
        assert!(matches!(read, Err(Error::Corrupt { what: w, .. }) if w == what), "{read:?}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            ends.clear();
            text.clear();
            drop(Decoder::default().decode_with_times(&flipped, &times, &mut ends, &mut text));
        }
    }
}

#[test]
fn random_uuids_leave_out_what_all_have() {
    let uuid = |n: u128, version: u128| {
        let bits = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let bits = bits & !(0xf << 76 | 3 << 62) | version << 76 | 2 << 62;
        let hex = format!("{bits:032x}");
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        format!("id={}", parts.join("-"))
    };
    let size = |last: u128| {
        let lines: Vec<String> =
            (1..=400).map(|n| uuid(n, if n == 400 { last } else { 4 })).collect();
        round_trip(&lines.iter().map(String::as_bytes).collect::<Vec<_>>()).len()
    };
    let (all, all_but_one) = (size(4), size(7));
    assert!(all < 400 * 61 / 4 + 80 && all_but_one > 400 * 16, "{all} {all_but_one}");
}

#[test]
fn templates_that_are_cut_or_flipped_never_panic() {
    let mut random = fastrand::Rng::with_seed(2);
    let lines = made_up(&mut random, 25);
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let bytes = round_trip(&lines);
    let mut decoder = Decoder::default();
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    for at in 0..bytes.len() {
        assert!(decoder.decode_into(&bytes[..at], &mut ends, &mut text).is_err(), "{at}");
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            ends.clear();
            text.clear();
            drop(decoder.decode_into(&flipped, &mut ends, &mut text));
        }
    }
}

#[test]
fn words_of_lines_are_never_missed() {
    let mut random = fastrand::Rng::with_seed(3);
    let lines = made_up(&mut random, 400);
    let bytes: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let (text, ends) = column(&bytes);
    for mut encoder in [Encoder::new(3), Encoder::plain(3)] {
        let (mut out, mut words) = (Vec::new(), Vec::new());
        encoder.encode_with_words((&text, &ends, &[]), &mut out, &mut words).unwrap();
        let words = crate::words::Words::open(&words).unwrap();
        for line in &bytes {
            for _ in 0..20 {
                let start = random.usize(0..=line.len());
                let end = random.usize(start..=line.len());
                let query = crate::words::Query::new(&line[start..end]);
                assert!(words.may_have(&query), "{:?}", str::from_utf8(&line[start..end]));
            }
        }
    }
}

/// The lines with the members that are needed, each in quotes of the test's own.
fn members_of(lines: &[&[u8]], names: &[&str]) -> Vec<String> {
    let (text, ends) = column(lines);
    let mut bytes = Vec::new();
    Encoder::new(3).encode(&text, &ends, &mut bytes).unwrap();
    let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    let mut decoder = Decoder::default();
    let choice = Choice { members: Some(&names), ..Choice::default() };
    let (used, places) =
        decoder.decode_chosen(&bytes, (|| Ok(&[]), choice), &mut ends, &mut text).unwrap();
    assert_eq!((used, places, ends.len()), (bytes.len(), None, lines.len()));
    let mut start = 0;
    ends.iter()
        .map(|end| {
            String::from_utf8(text[std::mem::replace(&mut start, *end)..*end].to_vec()).unwrap()
        })
        .collect()
}

#[test]
fn objects_come_with_the_members_that_are_needed() {
    let lines: Vec<String> = (0..40)
        .map(|n| match n % 4 {
            0 => format!(r#"{{"level":"INFO","took":{n}.5,"id":"{n:08x}","ok":true}}"#),
            1 => {
                format!(r#"{{"http":{{"path":"/items/{n}","status":{n}}},"level":"WARN \"{n}\""}}"#)
            }
            2 => format!("level=INFO took={n}"),
            _ => format!(r#"{{"level":"INFO","n":{n}}} trailing"#),
        })
        .collect();
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let got = members_of(&lines, &["level", "http_path"]);
    for (n, got) in got.iter().enumerate() {
        let want = match n % 4 {
            0 => r#"{"level":"INFO"}"#.to_owned(),
            _ => String::from_utf8(lines[n].to_vec()).unwrap(),
        };
        assert_eq!(*got, want);
    }
    assert_eq!(members_of(&lines, &["ok", "took"])[4], r#"{"took":4.5,"ok":true}"#);
    assert_eq!(members_of(&lines, &[])[0..2], ["{}", "{}"]);
}

#[test]
fn what_only_looks_like_a_number_is_left_whole() {
    // `up1` and `1up` are the same kind of variable, and a reader stops at the first.
    let f = |value: &str, want: &str| {
        let lines: Vec<String> =
            (0..40).map(|n| format!(r#"{{"a":{value}{n:05}x9,"b":{n}}}"#)).collect();
        let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        assert_eq!(members_of(&lines, &["b"])[3], want);
    };
    f("1", r#"{"b":3}"#);
    f("up", r#"{"a":up00003x9,"b":3}"#);
}

#[test]
fn cut_and_flipped_bytes_are_refused_or_read_as_something_else_in_part_too() {
    let lines: Vec<String> = (0..40)
        .map(|n| {
            let (took, id) = (n * 7, n * 77);
            format!(r#"{{"path":"/items/{n}","took":{took}.5,"id":"{id:08x}","w":"x{n}y"}}"#)
        })
        .collect();
    let names = ["path".into()];
    damaged(&lines, |bytes, ends, text| {
        let choice = Choice { members: Some(&names), ..Choice::default() };
        Decoder::default().decode_chosen(bytes, (|| Ok(&[]), choice), ends, text).is_ok()
    });
    damaged(&lines, |bytes, ends, _| Decoder::default().decode_lengths(bytes, &[], ends).is_ok());
    let needle = [Needle::new(b"x7y", false).unwrap()];
    damaged(&lines, |bytes, ends, text| {
        let choice = Choice { needles: &needle, ..Choice::default() };
        Decoder::default().decode_chosen(bytes, (|| Ok(&[]), choice), ends, text).is_ok()
    });
    let tests = [passing::text("path", "/items/7"), passing::at_least("took", 20.0)];
    damaged(&lines, |bytes, ends, text| {
        let choice = Choice { members: Some(&names), tests: &tests, ..Choice::default() };
        Decoder::default().decode_chosen(bytes, (|| Ok(&[]), choice), ends, text).is_ok()
    });
}

#[test]
fn what_is_left_out_of_every_kind_of_column_is_stepped_over() {
    let mut random = fastrand::Rng::with_seed(11);
    let lines: Vec<String> = made_up(&mut random, 2_000)
        .into_iter()
        .map(|line| {
            let line = line.replace(['"', '\\'], "'");
            format!(r#"{{"m":"{line}","n":{},"z":"{}"}}"#, random.u32(..), random.u8(..5))
        })
        .collect();
    let texts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let all = members_of(&texts, &["m", "n", "z"]);
    assert!(all.iter().zip(&lines).all(|(got, want)| got == want));
    for (got, line) in members_of(&texts, &["z"]).iter().zip(&lines) {
        let z = line.rsplit_once(r#""z""#).unwrap().1;
        assert_eq!(*got, format!(r#"{{"z"{z}"#));
    }
}

/// The places of lines that can hold a text; those that are left must be the lines as they are.
fn holding(lines: &[&[u8]], needle: &str, folded: bool) -> Vec<usize> {
    let needles = [Needle::new(needle.as_bytes(), folded).unwrap()];
    chosen(lines, Choice { needles: &needles, ..Choice::default() })
}

/// The places of lines that may be chosen; those that are left must be the lines as they are.
fn chosen(lines: &[&[u8]], choice: Choice<'_>) -> Vec<usize> {
    let (text, ends) = column(lines);
    let mut bytes = Vec::new();
    Encoder::new(3).encode(&text, &ends, &mut bytes).unwrap();
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    let (used, places) = Decoder::default()
        .decode_chosen(&bytes, (|| Ok(&[]), choice), &mut ends, &mut text)
        .unwrap();
    assert_eq!(used, bytes.len());
    let places = places.unwrap_or_else(|| (0..lines.len()).collect());
    assert_eq!(places.len(), ends.len());
    let mut start = 0;
    for (place, end) in places.iter().zip(ends) {
        assert_eq!(&text[start..end], lines[*place]);
        start = end;
    }
    assert_eq!(start, text.len());
    places
}

#[test]
fn no_line_that_holds_a_text_is_left_out() {
    let mut random = fastrand::Rng::with_seed(12);
    let mut left_out = 0;
    for round in 0..60 {
        let mut lines = made_up(&mut random, 100);
        for at in 0..random.usize(..40) {
            // Some that repeat, with words in every case.
            lines.push(format!(
                r#"level={} user="{}" {{"id":"{}","error":"Timeout after {at}ms"}}"#,
                ["INFO", "Error", "x"][at % 3],
                ["bob", "", "al ice"][at % 3],
                uuid(&mut random),
            ));
        }
        if round % 7 == 0 {
            lines.push("\u{1}raw error".to_owned());
        }
        random.shuffle(&mut lines);
        let texts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        for _ in 0..40 {
            let line = &lines[random.usize(..lines.len())];
            let start = random.usize(..=line.len());
            let end = (start + random.usize(1..24)).min(line.len());
            let piece = line.get(start..end).filter(|piece| !piece.is_empty());
            let Some(piece) = piece else { continue };
            let folded = random.bool();
            let needle = if folded { piece.to_ascii_uppercase() } else { piece.to_owned() };
            let places = holding(&texts, &needle, folded);
            left_out += lines.len() - places.len();
            let holds = |line: &str| {
                if folded {
                    line.to_ascii_uppercase().contains(&needle)
                } else {
                    line.contains(piece)
                }
            };
            for (at, line) in lines.iter().enumerate().filter(|(_, line)| holds(line)) {
                assert!(places.contains(&at), "{needle:?} ({folded}) in {line:?}");
            }
        }
    }
    assert!(left_out > 60 * 40 * 50, "half of the lines at least: {left_out}");
}

#[test]
fn lines_that_hold_any_of_several_texts_are_there() {
    let lines: Vec<String> =
        (0..40).map(|n| format!("{} n={n}", ["a x", "b y", "c z"][n % 3])).collect();
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let (text, ends) = column(&lines);
    let mut bytes = Vec::new();
    Encoder::new(3).encode(&text, &ends, &mut bytes).unwrap();
    let needles = ["b y", "C Z"].map(|text| Needle::new(text.as_bytes(), text == "C Z").unwrap());
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    let choice = Choice { needles: &needles, ..Choice::default() };
    let decoded =
        Decoder::default().decode_chosen(&bytes, (|| Ok(&[]), choice), &mut ends, &mut text);
    let want: Vec<usize> = (0..40).filter(|n| n % 3 > 0).collect();
    assert_eq!(decoded, Ok((bytes.len(), Some(want))));
    assert!(Needle::new(b"", false).is_none());
}

fn uuid(random: &mut fastrand::Rng) -> String {
    let id = random.u128(..);
    let hex = format!("{id:032x}");
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[test]
fn lines_are_told_apart_by_what_they_hold() {
    let mut random = fastrand::Rng::with_seed(13);
    let ids: Vec<String> = (0..40).map(|_| uuid(&mut random)).collect();
    let lines: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| match n % 4 {
            0 => format!(r#"{{"level":"INFO","id":"{id}","took":{n}.5,"path":"/items/{n}"}}"#),
            1 => format!("disk error on sd{n} at 10.0.0.{n}"),
            2 => format!(r#"{{"level":"ERROR","id":"{id}","took":{n}.5,"path":"/items/{n}"}}"#),
            _ => format!("status={} size={n}kb", ["ok", "failed"][n / 4 % 2]),
        })
        .collect();
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let f = |needle: &str, folded: bool, want: &dyn Fn(usize) -> bool| {
        let want: Vec<usize> = (0..40).filter(|n| want(*n)).collect();
        assert_eq!(holding(&lines, needle, folded), want, "{needle}");
    };
    f("ERROR", false, &|n| n % 4 == 2);
    f("error", false, &|n| n % 4 == 1);
    f("eRRor", true, &|n| n % 2 == 1 && n % 4 == 1 || n % 4 == 2);
    f("absent", false, &|_| false);
    // Over the end of a nested text: whether it is that one is not told.
    f("failed size", false, &|n| n % 4 == 3);
    f("status=ok", false, &|n| n % 4 == 3 && n / 4 % 2 == 0);
    f(&ids[8], false, &|n| n == 8);
    f(&ids[8][3..20], false, &|n| n == 8);
    f(&ids[8].to_uppercase(), true, &|n| n == 8);
    f(&ids[8].to_uppercase(), false, &|_| false);
    f("ffffffff-dead-4bad", false, &|_| false);
    // Over the end of a number: whether it is that one is not told.
    f("/items/12", false, &|n| n % 2 == 0);
    f("10.0.0.13", false, &|n| n == 13);
    f("id", false, &|n| n % 2 == 0);
}
