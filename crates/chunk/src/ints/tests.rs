//! Integer columns: which shape wins, and that every value comes back.

use proptest::prelude::*;

use super::*;
use crate::frame::Encoding;
use crate::{COUNT_MAX, peek};

fn encoded(values: &[i64]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    encode(values, &mut out).unwrap();
    out.split_off(6)
}

/// Encodes, decodes, and returns the encoding with its bytes.
fn check(values: &[i64]) -> (Encoding, usize) {
    let bytes = encoded(values);
    let mut followed = bytes.clone();
    followed.extend_from_slice(b"after");
    let column = peek(&followed).unwrap();
    assert_eq!((column.values, column.bytes), (values.len(), bytes.len()));
    let mut back = vec![-7];
    assert_eq!(decode_into(&followed, &mut back), Ok(bytes.len()));
    assert_eq!(back.remove(0), -7, "what was there stays");
    assert_eq!(back, values);
    (Encoding::of(bytes[0], "test").unwrap(), bytes.len())
}

#[test]
fn each_shape_takes_the_encoding_that_suits_it() {
    let f = |name: &str, values: Vec<i64>, encoding: Encoding, bytes_max: usize| {
        let (got, bytes) = check(&values);
        assert_eq!(got, encoding, "{name}");
        assert!(bytes <= bytes_max, "{name}: {bytes} bytes");
    };
    let mut random = fastrand::Rng::with_seed(4);
    f("none", vec![], Encoding::IntConstant, 3);
    f("zeros", vec![0; 480], Encoding::IntConstant, 4);
    f("one value", vec![i64::MIN], Encoding::IntConstant, 13);
    f("constant", vec![1_700_000_000_123; 480], Encoding::IntConstant, 10);
    f("stride", (0..480).map(|at| at * 15_000).collect(), Encoding::IntStride, 8);
    f("falling", (0..480).map(|at| at * -3).collect(), Encoding::IntStride, 6);
    let restart = (0..480).map(|at| if at < 100 { 5_000 } else { 90_000 });
    f("one change", restart.collect(), Encoding::IntSparse, 16);
    f("one spike", (0..480).map(|at| i64::from(at == 77) * 999).collect(), Encoding::IntSparse, 16);
    f("a few", (0..40).map(|at| at * at % 7).collect(), Encoding::IntPacked, 30);
    let noise: Vec<i64> = (0..480).map(|_| (0..4).map(|_| random.i64(0..16)).sum()).collect();
    f("noise", noise.clone(), Encoding::IntPco, 350);
    let scaled: Vec<i64> = noise.iter().map(|value| value * 4_096 + 17).collect();
    f("scaled noise", scaled, Encoding::IntPco, 355);
    f("any bits", (0..480).map(|_| random.i64(0..)).collect(), Encoding::IntPacked, 480 * 8 + 24);
}

#[test]
fn extremes_follow_each_other() {
    let f = |values: &[i64]| assert!(check(values).1 > 0);
    f(&[i64::MIN, i64::MAX]);
    f(&[i64::MAX, i64::MIN, i64::MAX, i64::MIN, 0, -1, 1]);
    f(&[0, i64::MIN, 0, i64::MAX, 0]);
    f(&[i64::MIN; 3]);
    let mut long: Vec<i64> = vec![i64::MAX; 300];
    long.extend([i64::MIN; 300]);
    f(&long);
    let alternating: Vec<i64> =
        (0..500).map(|at| if at % 2 == 0 { i64::MIN } else { i64::MAX }).collect();
    f(&alternating);
}

#[test]
fn a_column_has_a_limit() {
    let (_, bytes) = check(&vec![3; COUNT_MAX]);
    assert!(bytes < 12, "constants stay small at any length");
    let mut random = fastrand::Rng::with_seed(6);
    let noise: Vec<i64> = (0..COUNT_MAX).map(|_| (0..3).map(|_| random.i64(0..9)).sum()).collect();
    assert_eq!(check(&noise).0, Encoding::IntPco, "the longest column is one page of pco");
    let mut out = b"kept".to_vec();
    let error = encode(&vec![3; COUNT_MAX + 1], &mut out);
    assert_eq!(
        error,
        Err(Error::TooMany { what: "values", count: COUNT_MAX + 1, limit: COUNT_MAX })
    );
    assert_eq!(out, b"kept");
    // The same number of values, claimed by bytes.
    let claim = [Encoding::IntConstant.tag(), 0x81, 0x80, 0x08, 0];
    assert!(matches!(peek(&claim), Err(Error::Corrupt { what: "count of values", offset: 1 })));
    let mut values = Vec::new();
    assert!(decode_into(&claim, &mut values).is_err() && values.capacity() == 0);
}

#[test]
fn other_columns_and_other_versions_are_refused_by_name() {
    let mut values = vec![1];
    let f = |tag: u8, values: &mut Vec<i64>| decode_into(&[tag, 1, 0], values);
    for tag in [0, 0x20, Encoding::IntConstant as u8, 0x41, 0xff, Encoding::FloatXor.tag()] {
        assert_eq!(
            f(tag, &mut values),
            Err(Error::UnknownEncoding { kind: "integers", tag }),
            "{tag:#x}"
        );
    }
    assert_eq!(values, [1]);
    let text = Error::UnknownEncoding { kind: "integers", tag: 0x41 }.to_string();
    assert_eq!(text, "tag 0x41 is no encoding of integers; written by a newer version, or corrupt");
}

#[test]
fn cuts_are_errors_and_flips_never_panic() {
    let mut random = fastrand::Rng::with_seed(9);
    let columns: [Vec<i64>; 6] = [
        vec![],
        vec![77; 9],
        (0..300).map(|at| at * 15_000).collect(),
        (0..300).map(|at| i64::from(at / 100)).collect(),
        (0..33).map(|_| random.i64(0..9)).collect(),
        (0..300).map(|_| random.i64(0..1_000) + random.i64(0..1_000)).collect(),
    ];
    for column in columns {
        crate::testing::cut_and_flip(&encoded(&column), decode_into);
    }
}

fn any_column() -> impl Strategy<Value = Vec<i64>> {
    prop_oneof![
        prop::collection::vec(any::<i64>(), 0..300),
        prop::collection::vec(-20_i64..20, 0..600),
        prop::collection::vec(prop_oneof![20 => Just(0_i64), 1 => any::<i64>()], 0..600),
        (any::<i64>(), 1_i64..100_000, prop::collection::vec(0_i64..50, 0..600)).prop_map(
            |(start, scale, steps)| {
                let mut value = start;
                steps
                    .into_iter()
                    .map(|step| {
                        value = value.wrapping_add(step.wrapping_mul(scale));
                        value
                    })
                    .collect()
            }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_goes_in_comes_out(values in any_column()) {
        let (_, bytes) = check(&values);
        prop_assert!(bytes <= values.len() * 8 + 64, "{bytes} bytes");
    }

    #[test]
    fn any_bytes_are_values_or_an_error(tag in 0x20_u8..0x40, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut all = vec![tag];
        all.extend(bytes);
        let mut out = Vec::new();
        if decode_into(&all, &mut out).is_err() {
            prop_assert!(out.is_empty());
        }
        prop_assert!(out.len() <= COUNT_MAX);
    }
}
