//! Lines that fail tests of their members are left out, and no others; what is left is as it was.

use std::ops::Bound;

use masthead_model::{MemberTest, MemberValue};

use super::*;

pub(super) fn text(name: &str, text: &str) -> MemberTest {
    MemberTest { name: name.into(), value: MemberValue::Text(text.into()) }
}

pub(super) fn at_least(name: &str, number: f64) -> MemberTest {
    let value = MemberValue::Number(Bound::Included(number), Bound::Unbounded);
    MemberTest { name: name.into(), value }
}

/// The places of lines that may pass.
fn passing(lines: &[String], tests: &[MemberTest], needles: &[Needle]) -> Vec<usize> {
    let texts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    chosen(&texts, Choice { needles, tests, ..Choice::default() })
}

#[test]
fn lines_that_fail_are_left_out() {
    let lines: Vec<String> = (0..400)
        .map(|n| {
            let (status, level) = ([200, 404, 503][n % 3], ["INFO", "WARN", "ERROR"][n % 3]);
            let path = [format!("/items/{n}"), "/login".to_owned()][n % 2].clone();
            format!(
                r#"{{"level":"{level}","path":"{path}","id":{},"n":{n},"took":{}.{:03},"status":{status}}}"#,
                n * 7919 % 10_007,
                n % 40,
                n % 1000,
            )
        })
        .collect();
    let f = |tests: &[MemberTest], want: &dyn Fn(usize) -> bool| {
        let want: Vec<usize> = (0..lines.len()).filter(|n| want(*n)).collect();
        assert_eq!(passing(&lines, tests, &[]), want, "{tests:?}");
    };
    f(&[at_least("status", 500.0)], &|n| n % 3 == 2);
    f(&[at_least("status", 100.0)], &|_| true);
    f(&[at_least("n", 399.0)], &|n| n == 399);
    f(&[at_least("id", 5000.0)], &|n| n * 7919 % 10_007 >= 5000);
    f(&[at_least("took", 39.239)], &|n| n % 40 == 39 && n >= 239);
    f(&[text("level", "WARN")], &|n| n % 3 == 1);
    f(&[text("path", "/login")], &|n| n % 2 == 1);
    // Only what stands around the number is looked at.
    f(&[text("path", "/items/4")], &|n| n % 2 == 0);
    f(&[text("path", "/items/4"), text("level", "INFO")], &|n| n % 6 == 0);
    f(&[text("level", "none")], &|_| false);
    f(&[text("absent", "x")], &|_| false);
    f(&[text("status", "503")], &|n| n % 3 == 2);
    // What numbers of many values are written like is not looked at.
    f(&[text("id", "5")], &|_| true);
    let needle = [Needle::new(b"/login", false).unwrap()];
    assert_eq!(
        passing(&lines, &[at_least("status", 500.0)], &needle),
        (0..400).filter(|n| n % 6 == 5).collect::<Vec<_>>()
    );
}

#[test]
fn what_is_not_known_for_sure_stays() {
    let f = |line: &dyn Fn(usize) -> String, test: MemberTest, left: usize| {
        for count in [5, 60] {
            let lines: Vec<String> = (0..count).map(line).collect();
            let want = if left > 0 { count } else { 0 };
            assert_eq!(
                passing(&lines, std::slice::from_ref(&test), &[]).len(),
                want,
                "{test:?} {lines:?}"
            );
        }
    };
    f(&|n| format!(r#"{{"status":{n}}}"#), at_least("status", 500.0), 0);
    // No objects, or none for sure.
    f(&|n| format!("status={n}"), at_least("status", 500.0), 1);
    f(&|n| format!(r#"{{"status":{n}}} x"#), at_least("status", 500.0), 1);
    f(&|n| format!(r#"{{"status":up{n}x{n}x}}"#), at_least("status", 500.0), 1);
    f(&|n| format!(r#"{{"x":up{n:05}x9,"status":{n}}}"#), at_least("status", 500.0), 1);
    // Other members may become the label, or how this one does is not known.
    f(&|n| format!(r#"{{"a.b":900,"a_b":{n}}}"#), at_least("a_b", 500.0), 1);
    f(&|n| format!(r#"{{"a":{{"b":900}},"a_b":{n}}}"#), at_least("a_b", 500.0), 1);
    f(&|n| format!(r#"{{"status":null,"status":{n}}}"#), at_least("status", 500.0), 1);
    f(&|n| format!(r#"{{"status":"4\u003{}"}}"#, n % 10), text("status", "47"), 1);
    f(&|n| format!(r#"{{"status":-{n}}}"#), at_least("status", 500.0), 1);
    f(&|n| format!(r#"{{"status":{n}e9}}"#), at_least("status", 500.0), 1);
    // The first of two counts.
    f(&|n| format!(r#"{{"status":{n},"status":900}}"#), at_least("status", 500.0), 0);
    f(&|n| format!(r#"{{"status":900,"status":{n}}}"#), at_least("status", 500.0), 1);
    f(&|n| format!(r#"{{"status":"{n}"}}"#), text("status", "none"), 1);
}

#[test]
fn of_lines_that_pass_members_can_be_left_out() {
    let lines: Vec<String> = (0..300)
        .map(|n| {
            let status = [200, 503][usize::from(n % 50 == 0)];
            format!(r#"{{"path":"/a/{n}","user":"u {n} x","status":{status},"n":{n}}}"#)
        })
        .collect();
    let texts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let (text, ends) = column(&texts);
    let mut bytes = Vec::new();
    Encoder::new(3).encode(&text, &ends, &mut bytes).unwrap();
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    let names = ["path".into(), "status".into()];
    let tests = [at_least("status", 500.0)];
    let choice = Choice { tests: &tests, members: Some(&names), ..Choice::default() };
    let mut decoder = Decoder::default();
    let decoded = decoder.decode_chosen(&bytes, (|| Ok(&[]), choice), &mut ends, &mut text);
    assert_eq!(decoded, Ok((bytes.len(), Some(vec![0, 50, 100, 150, 200, 250]))));
    let want =
        (0..6).map(|n| format!(r#"{{"path":"/a/{}","status":503}}"#, n * 50)).collect::<Vec<_>>();
    let want = want.concat();
    assert_eq!(String::from_utf8(text).unwrap(), want);
    assert_eq!(ends.last(), Some(&want.len()));
}
