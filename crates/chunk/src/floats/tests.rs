//! Float columns: what each encoding is chosen for, and that every bit comes back.

use masthead_model::{STALE_NAN_BITS, stale_nan};
use proptest::prelude::*;

use super::*;
use crate::{COUNT_MAX, peek};

fn encoded(values: &[f64]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(values, &mut out).unwrap();
    out
}

/// Encodes, decodes, compares bits, and returns the encoding with its bytes.
fn check(values: &[f64]) -> (Encoding, usize) {
    let bytes = encoded(values);
    assert_eq!(peek(&bytes).map(|column| column.values), Ok(values.len()));
    let mut back = vec![0.5];
    assert_eq!(decode_into(&bytes, &mut back), Ok(bytes.len()));
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back[1..]), bits(values));
    assert_eq!(back[0].to_bits(), 0.5_f64.to_bits(), "what was there stays");
    (Encoding::of(bytes[0], "test").unwrap(), bytes.len())
}

#[test]
fn each_shape_takes_the_encoding_that_suits_it() {
    let f = |name: &str, values: Vec<f64>, encoding: Encoding, bytes_max: usize| {
        let (got, bytes) = check(&values);
        assert_eq!(got, encoding, "{name}");
        assert!(bytes <= bytes_max, "{name}: {bytes} bytes");
    };
    let mut random = fastrand::Rng::with_seed(2);
    f("none", vec![], Encoding::FloatConstant, 3);
    f("zeros", vec![0.0; 480], Encoding::FloatConstant, 4);
    f("minus zeros", vec![-0.0; 480], Encoding::FloatConstant, 13);
    f("ones", vec![1.0; 480], Encoding::FloatConstant, 6);
    f("constant cents", vec![19.99; 480], Encoding::FloatConstant, 7);
    f("constant third", vec![1.0 / 3.0; 480], Encoding::FloatConstant, 13);
    f("stale", vec![stale_nan(); 480], Encoding::FloatConstant, 13);
    f("straight", (0..480).map(f64::from).collect(), Encoding::FloatDecimal, 9);
    let cents: Vec<f64> = (0..480).map(|at| f64::from(at * 3) / 100.0).collect();
    f("straight cents", cents, Encoding::FloatDecimal, 9);
    let mut ends: Vec<f64> = (0..480).map(f64::from).collect();
    ends[479] = stale_nan();
    f("straight, then stale", ends, Encoding::FloatDecimal, 20);
    let mut holes: Vec<f64> = vec![5.0; 480];
    holes[0] = f64::NAN;
    holes[7] = -0.0;
    holes[8] = f64::INFINITY;
    f("holes", holes, Encoding::FloatDecimal, 50);
    let thirds: Vec<f64> = (0..480).map(|_| random.f64() / 3.0).collect();
    f("thirds", thirds, Encoding::FloatOrdered, 480 * 8);
    let singles: Vec<f64> = (0..480).map(|_| f64::from(random.f32())).collect();
    f("32-bit floats", singles, Encoding::FloatOrdered, 480 * 4);
    let switch: Vec<f64> =
        (0..480).map(|at| if at < 200 { 0.1 + 0.2 } else { 1.0 / 3.0 }).collect();
    f("two odd values", switch, Encoding::FloatOrdered, 40);
}

#[test]
fn odd_values_keep_their_bits() {
    let odd = [
        0.0,
        -0.0,
        f64::NAN,
        -f64::NAN,
        stale_nan(),
        f64::from_bits(STALE_NAN_BITS + 1),
        f64::from_bits(u64::MAX),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        9_007_199_254_740_993.0,
        2_251_799_813_685_247.0,
        2_251_799_813_685_248.0,
        -2_251_799_813_685_247.5,
        0.1 + 0.2,
        1e-12,
        1e-13,
        1e22,
    ];
    for one in odd {
        check(&[one]);
        for other in odd {
            check(&[one, other]);
            let alternating: Vec<f64> =
                (0..40).map(|at| if at % 2 == 0 { one } else { other }).collect();
            check(&alternating);
            let mut rare = vec![one; 100];
            rare[50] = other;
            check(&rare);
        }
    }
    check(&odd);
}

#[test]
fn a_power_of_ten_is_found_where_decimals_vary() {
    let f = |values: &[f64], exponent: u8| {
        assert_eq!(
            encoded(values).get(3).map(|control| control & 0x7f),
            Some(exponent),
            "{values:?}"
        );
        check(values);
    };
    f(&[1.0, 2.0, 4.0], 0);
    f(&[1.0, 2.5, 4.0], 1);
    f(&[1.25, 2.5, 4.0], 2);
    f(&[0.001, 100.0, 0.3], 3);
    f(&[1e-12, 3e-12, 8e-12], 12);
}

#[test]
fn a_column_has_a_limit() {
    assert!(check(&vec![3.0; COUNT_MAX]).1 < 10);
    let error = encode(&vec![3.0; COUNT_MAX + 1], &mut Vec::new());
    assert!(matches!(error, Err(Error::TooMany { limit: COUNT_MAX, .. })));
}

#[test]
fn cuts_are_errors_and_flips_never_panic() {
    let mut random = fastrand::Rng::with_seed(9);
    let mut holes: Vec<f64> = (0..300).map(|_| f64::from(random.u16(..)) / 100.0).collect();
    holes[3] = stale_nan();
    let columns = [
        vec![],
        vec![19.99; 9],
        vec![stale_nan(); 9],
        holes,
        (0..300).map(|_| random.f64()).collect(),
        (0..30).map(|at| f64::from(at) / 3.0).collect(),
    ];
    for column in columns {
        crate::testing::cut_and_flip(&encoded(&column), decode_into);
    }
}

fn any_column() -> impl Strategy<Value = Vec<f64>> {
    let bits = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![
        prop::collection::vec(bits.clone(), 0..200),
        prop::collection::vec(any::<f64>(), 0..200),
        (0..6_i32, prop::collection::vec(-1_000_000_i32..1_000_000, 0..600)).prop_map(
            |(decimals, values)| {
                values.into_iter().map(|value| f64::from(value) / 10_f64.powi(decimals)).collect()
            }
        ),
        prop::collection::vec(prop_oneof![30 => (0_u8..9).prop_map(f64::from), 1 => bits], 0..600),
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
