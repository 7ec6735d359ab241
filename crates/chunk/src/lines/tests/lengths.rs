//! Lengths without text are those of the lines, and cost less. `round_trip_at` compares them for
//! whatever the other tests encode.

use super::*;

fn lengths(bytes: &[u8], times: &[i64]) -> Result<Vec<usize>, Error> {
    let mut ends = Vec::new();
    Decoder::default().decode_lengths(bytes, times, &mut ends)?;
    Ok(ends)
}

#[test]
fn lengths_of_plain_lines_need_no_text() {
    let (text, ends) = column(&[b"", b"abc", b"\xff\xfe", b"", &[b'x'; 5000]]);
    let mut bytes = Vec::new();
    Encoder::plain(3).encode(&text, &ends, &mut bytes).unwrap();
    assert_eq!(lengths(&bytes, &[]), Ok(ends));
    for cut in 0..bytes.len() {
        assert!(lengths(&bytes[..cut], &[]).is_err(), "{cut}");
    }
}

#[test]
fn lengths_follow_every_kind_of_value() {
    let f = |value: &dyn Fn(usize) -> String| {
        for count in [1, 7, 8, 300, 2_000] {
            let lines: Vec<String> = (0..count)
                .map(|n| match n % 3 {
                    0 => format!("a {} b", value(n)),
                    1 => format!("{{\"k\":\"x {} y\"}}", value(n)),
                    _ => format!("k={} level={}", value(n), ["INFO", "é"][n % 2]),
                })
                .collect();
            round_trip(&lines.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    };
    f(&|n| n.to_string());
    f(&|n| (n * n * 7919 % 100_003).to_string());
    f(&|n| (200 + n % 55).to_string());
    f(&|n| (90 + n % 20).to_string());
    f(&|n| format!("{n:07}"));
    f(&|n| (u64::MAX / 20 - n as u64).to_string());
    f(&|n| format!("{}.{:03}", n * 3, n % 1000));
    f(&|n| format!("{:04}.{:02}", n, n % 100));
    f(&|n| format!("10.{}.{}.{}", n % 256, n / 7 % 256, n / 50 % 256));
    f(&|n| format!("{:08x}", n * 7_919_777));
    f(&|n| format!("{:010X}", n * 7_919_777));
    f(&|n| "word".repeat(n % 5 + 1));
    f(&|n| format!("w{n}x{}", "y".repeat(n % 9)));
    f(&|_| "same1x2".to_owned());
}

#[test]
fn lengths_of_moments_come_from_the_times_of_their_lines() {
    let mut random = fastrand::Rng::with_seed(21);
    let (lines, times) = dated(1_000, &mut random);
    let texts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let bytes = round_trip_at(&texts, &times);
    // Zeros at the end of fractions are left out, so lengths are not those of other times.
    assert!(lengths(&bytes, &times[1..]).is_err());
    let later: Vec<i64> = times.iter().map(|time| time + 1).collect();
    assert_ne!(lengths(&bytes, &later), lengths(&bytes, &times));
}

#[test]
fn damaged_columns_of_every_kind_have_no_lengths_or_others() {
    let mut random = fastrand::Rng::with_seed(22);
    let mut lines = made_up(&mut random, 60);
    lines.extend(dated(40, &mut random).0);
    damaged(&lines, |bytes, ends, _| Decoder::default().decode_lengths(bytes, &[], ends).is_ok());
}
