//! Printing: canonical on one line, laid out on several.

use proptest::prelude::*;

use super::pretty::pretty_within;
use crate::{Features, parse, pretty};

#[test]
fn prints_as_upstream() {
    let f = |input: &str, want: &str| {
        let expr = parse(input, &Features::ALL).expect(input);
        assert_eq!(expr.to_string(), want, "{input}");
    };
    f(r#"sum by() (a:b{job="s"})"#, r#"sum(a:b{job="s"})"#);
    f("sum by(code) (a)", "sum by (code) (a)");
    f("sum without(instance) (a)", "sum without (instance) (a)");
    f("a - on() c", "a - on () c");
    f("a - on(b) group_left(x, y) c", "a - on (b) group_left (x, y) c");
    f("a - on(b) group_left c", "a - on (b) group_left () c");
    f("a - on(b) group_left() (c)", "a - on (b) group_left () (c)");
    f("a - ignoring(b) c", "a - ignoring (b) c");
    f("a - ignoring() c", "a - c");
    f("a - ignoring() group_right(x) c", "a - ignoring () group_right (x) c");
    f("up > bool 0", "up > bool 0");
    f("up == bool on (a) up", "up == bool on (a) up");
    f("a + fill(1) b", "a + fill (1) b");
    f("a + fill_left(1e21) b", "a + fill_left (1e+21) b");
    f("a + fill_left(1) fill_right(-2.5) b", "a + fill_left (1) fill_right (-2.5) b");
    f("a[1h:5m] offset 1m", "a[1h:5m] offset 1m");
    f("a[1m] @ 10", "a[1m] @ 10.000");
    f("a @ 1.5", "a @ 1.500");
    f(r#"{__name__="a"}"#, r#"{__name__="a"}"#);
    f(r#"a{b!~"c", a=""}"#, r#"a{a="",b!~"c"}"#);
    f(r#"sum by ("x y") (a)"#, r#"sum by ("x y") (a)"#);
}

#[test]
fn lays_out_what_is_too_long_for_a_line() {
    let f = |input: &str, want: &str| {
        let expr = parse(input, &Features::ALL).expect(input);
        assert_eq!(pretty_within(&expr, 10), want, "{input}");
    };
    f("sum(foo)", "sum(foo)");
    f("sum without(job,foo) (a_b:c)", "sum without (job, foo) (\n  a_b:c\n)");
    f("topk(10, abc:def:ghi)", "topk(\n  10,\n  abc:def:ghi\n)");
    f(
        "sum by(a) (sum by(b) (abc_def_ghi))",
        "sum by (a) (\n  sum by (b) (\n    abc_def_ghi\n  )\n)",
    );
    f("a+b", "a + b");
    f("a == bool 1", "  a\n== bool\n  1");
    f("a + ignoring(job) b", "  a\n+ ignoring (job)\n  b");
    f("foo_1 + foo_2 + foo_3", "    foo_1\n  +\n    foo_2\n+\n  foo_3");
    f("foo + baar + foo_3", "  foo + baar\n+\n  foo_3");
    f("rate(foo[1m])", "rate(\n  foo[1m]\n)");
    f("time() + time()", "  time()\n+\n  time()");
    f(
        "histogram_quantile(0.9, rate(foo[1m]))",
        "histogram_quantile(\n  0.9,\n  rate(\n    foo[1m]\n  )\n)",
    );
    f(
        "max_over_time(rate(demo_count[1m])[1m:] @ start() offset 1m)",
        "max_over_time(\n  rate(\n    demo_count[1m]\n  )[1m:] @ start() offset 1m\n)",
    );
    f("(foo)", "(foo)");
    f("((_foo_long_))", "(\n  (\n    _foo_long_\n  )\n)");
    f("vector_selector @ start()", "vector_selector @ start()");
    f("(foo_long + bar_long)", "(\n    foo_long\n  +\n    bar_long\n)");
    f("-vector_selector", "-vector_selector");
    f("(-vector_selector)", "(\n  -vector_selector\n)");
    f(
        "-histogram_quantile(0.9, -rate(foo[1m] @ start()))",
        "-histogram_quantile(\n  0.9,\n  -rate(\n    foo[1m] @ start()\n  )\n)",
    );
    f("rate(foo[-5m+35m])", "rate(\n  foo[-5m + 35m]\n)");
    f(
        "(a_long > 0.05 and deriv(b_long[5m]) >= 0) or (c < -0.05)",
        "  (\n        a_long\n      >\n        0.05\n    and\n        deriv(\n          b_long[5m]\n        )\n      >=\n        0\n  )\nor\n  (\n    c < -0.05\n  )",
    );
}

#[test]
fn a_line_has_a_hundred_bytes() {
    let f = |name_bytes: usize, lines: usize| {
        let input = format!("sum({})", "x".repeat(name_bytes));
        let expr = parse(&input, &Features::ALL).expect("valid");
        assert_eq!(pretty(&expr).lines().count(), lines, "{name_bytes}");
    };
    f(95, 1);
    f(96, 3);
}

/// Expressions as text, operands of operators in parentheses so that types are all that matters.
fn vectors() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("up".to_owned()),
        Just(r#"foo{a="b",c=~"d.*"} offset -5m"#.to_owned()),
        Just(r#"{"x.y","la bel"!="z"} @ 1.5"#.to_owned()),
        Just("rate(foo[5m:30s] @ end() offset 1h)".to_owned()),
        Just("rate(foo[step() * 2 + (1m)] smoothed)".to_owned()),
        Just("vector(-1.5e-7 ^ 2)".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op = prop::sample::select(
            &[
                "+",
                "-",
                "^",
                "== bool",
                "> on (a)",
                "* on (a, b) group_left (c)",
                "and",
                "unless on ()",
                "or",
                "atan2",
                "</",
                "/ fill_left (0)",
                "% ignoring (a) fill (1)",
            ][..],
        );
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(l, op, r)| format!("{l} {op} {r}")),
            inner.clone().prop_map(|e| format!("({e})")),
            inner.clone().prop_map(|e| format!("-({e})")),
            inner.clone().prop_map(|e| format!("sum by (a, \"b c\") ({e})")),
            inner.clone().prop_map(|e| format!("topk without () (2, {e})")),
            inner.clone().prop_map(|e| format!("max_over_time(({e})[1h30m:])")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("clamp_min({a}, scalar({b}))")),
        ]
    })
}

/// The tree without places.
fn shape(input: &str) -> String {
    let expr = parse(input, &Features::ALL).unwrap_or_else(|error| panic!("{input}: {error}"));
    let debug = format!("{expr:?}");
    let mut parts = debug.split("PosRange {");
    let mut shape = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shape.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    shape
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn printing_then_parsing_is_identity(input in vectors()) {
        let expr = parse(&input, &Features::ALL).unwrap_or_else(|error| panic!("{input}: {error}"));
        let line = expr.to_string();
        let again = parse(&line, &Features::ALL).unwrap_or_else(|error| panic!("{line}: {error}"));
        prop_assert_eq!(again.to_string(), line.clone());
        for text in [line, pretty(&expr), pretty_within(&expr, 10)] {
            // Conditions may have changed their order, so the printed text is compared first.
            let once = shape(&text);
            prop_assert_eq!(once, shape(&again.to_string()));
        }
    }
}
