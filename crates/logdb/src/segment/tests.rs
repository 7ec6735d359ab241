//! Segments come back as far as they are wanted, and no bytes make the decoder panic.

use super::*;
use crate::rows::{Row, Rows};

fn rows() -> Rows {
    let mut rows = Rows::default();
    for at in 0..40_i64 {
        let metadata = Labels::from_iter([
            ("id", format!("{:08x}", at * 77)),
            ("odd", if at % 2 == 1 { "a=b \u{1f}\n".to_owned() } else { String::new() }),
        ]);
        let metadata = (at % 5 != 0).then_some(&metadata);
        rows.push(Row { time: at / 3, line: format!("line {at} of x{at}").as_bytes(), metadata });
    }
    rows
}

#[test]
fn as_much_as_is_wanted_comes_back() {
    let rows = rows();
    let sealed = Sealer::new(3).seal(&rows.columns).unwrap();
    let mut decoder = lines::Decoder::default();
    let mut into = LogColumns::default();
    open(&sealed.data, Want::ALL, &mut decoder, &mut into).unwrap();
    assert_eq!(into, rows.columns);
    let want = Want { lines: LineColumn::Count, metadata: false, ..Want::ALL };
    open(&sealed.data, want, &mut decoder, &mut into).unwrap();
    assert_eq!((into.len(), into.text.len(), into.metadata.len()), (40, 0, 0));
    let want = Want { lines: LineColumn::Count, metadata: true, ..Want::ALL };
    open(&sealed.data, want, &mut decoder, &mut into).unwrap();
    assert_eq!((into.text.len(), into.metadata(7)), (0, rows.columns.metadata(7)));
    let want = Want { lines: LineColumn::Length, ..Want::ALL };
    open(&sealed.data, want, &mut decoder, &mut into).unwrap();
    assert_eq!((into.text.len(), &into.ends), (0, &rows.columns.ends));
    assert_eq!(into.metadata(7), rows.columns.metadata(7));
}

#[test]
fn lines_that_can_hold_a_text_come_with_what_is_theirs() {
    let rows = rows();
    let sealed = Sealer::new(3).seal(&rows.columns).unwrap();
    let (mut decoder, mut into) = (lines::Decoder::default(), LogColumns::default());
    let mut f = |text: &[u8], want: &[usize]| {
        let needles: Vec<_> = lines::Needle::new(text, false).into_iter().collect();
        let holding = Want { holding: &needles, ..Want::ALL };
        assert_eq!(open(&sealed.data, holding, &mut decoder, &mut into), Ok(40));
        assert_eq!((into.ends.len(), into.times.len()), (want.len(), want.len()));
        for (at, place) in want.iter().enumerate() {
            assert_eq!(into.times[at], rows.columns.times[*place]);
            assert_eq!(into.line(at), rows.columns.line(*place));
            assert_eq!(into.metadata(at), rows.columns.metadata(*place));
        }
    };
    f(b"line", &(0..40).collect::<Vec<_>>());
    f(b"23", &[23]);
    f(b"absent", &[]);
}

#[test]
fn lines_that_fail_a_test_are_left_out_unless_it_is_about_what_came_with_them() {
    let test = |name: &str| MemberTest {
        name: name.into(),
        value: masthead_model::MemberValue::Text("b".into()),
    };
    let mut rows = Rows::default();
    for at in 0..40_i64 {
        let metadata = Labels::from_iter([("id", ["b", "c"][usize::from(at % 2 == 1)])]);
        let (id, level) = (["a", "b"][usize::from(at % 4 == 0)], ["a", "b"][usize::from(at < 9)]);
        let line = format!(r#"{{"id":"{id}","level":"{level}"}}"#);
        let metadata = (at > 7).then_some(&metadata);
        rows.push(Row { time: at, line: line.as_bytes(), metadata });
    }
    let sealed = Sealer::new(3).seal(&rows.columns).unwrap();
    let (mut decoder, mut into) = (lines::Decoder::default(), LogColumns::default());
    let mut f = |tests: &[MemberTest], metadata: bool, want: &dyn Fn(i64) -> bool| {
        let want: Vec<i64> = (0..40).filter(|at| want(*at)).collect();
        let wanted = Want { metadata, tests, ..Want::ALL };
        assert_eq!(open(&sealed.data, wanted, &mut decoder, &mut into), Ok(40));
        assert_eq!(into.times, want);
        for (at, place) in want.iter().enumerate() {
            let place = usize::try_from(*place).unwrap();
            assert_eq!(into.line(at), rows.columns.line(place));
            assert!(!metadata || into.metadata(at) == rows.columns.metadata(place));
        }
    };
    f(&[test("level")], true, &|at| at < 9);
    f(&[test("level"), test("id")], true, &|at| at < 9);
    f(&[test("id")], true, &|_| true);
    f(&[test("id")], false, &|at| at % 4 == 0);
    f(&[test("none")], true, &|_| false);
}

#[test]
fn cut_segments_are_refused_and_flipped_ones_never_panic() {
    let sealed = Sealer::new(3).seal(&rows().columns).unwrap();
    let mut decoder = lines::Decoder::default();
    let mut into = LogColumns::default();
    for at in 0..sealed.data.len() {
        let cut = &sealed.data[..at];
        assert!(open(cut, Want::ALL, &mut decoder, &mut into).is_err(), "{at}");
        let mut flipped = sealed.data.clone();
        flipped[at] ^= 1 << (at % 8);
        drop(open(&flipped, Want::ALL, &mut decoder, &mut into));
    }
}
