//! What breaks where.

use crate::{parse, pretty};

fn check(query: &str, want: &str) {
    let expr = parse(query).expect("a query");
    assert_eq!(pretty(&expr), want);
    assert_eq!(parse(want), Ok(expr), "{want}");
}

const LONG: &str =
    "a-value-that-is-long-enough-to-need-most-of-a-line-for-itself-alone-in-any-query";

#[test]
fn what_fits_stays_on_a_line() {
    check("{a=\"b\"}|json|x=1", "{a=\"b\"} | json | x==1");
    check("1e6", "1e+06");
}

#[test]
fn stages_get_lines_of_their_own() {
    check(
        &format!("{{a=\"{LONG}\"}} |= \"x\" != \"y\" | logfmt | decolorize"),
        &format!("{{a=\"{LONG}\"}}\n  |= \"x\" != \"y\"\n  | logfmt\n| decolorize"),
    );
    check(
        &format!("{{a=\"b\"}} |= \"{LONG}\" |= \"x\" or \"{LONG}\" |= \"y\""),
        &format!("{{a=\"b\"}}\n  |= \"{LONG}\"\n  |= \"x\" or \"{LONG}\"\n  |= \"y\""),
    );
}

#[test]
fn arguments_get_lines_of_their_own() {
    check(
        &format!(
            "topk(3, sum by (a, b) (rate({{a=\"{LONG}\"}} | json | unwrap x | y=1 [5m] offset 1h)))"
        ),
        &format!(
            "topk(\n  3,\n  sum by (a, b)(\n    rate(\n      {{a=\"{LONG}\"}} | json\n        | unwrap x\n        | y==1 [5m] offset 1h\n    )\n  )\n)"
        ),
    );
    check(
        &format!("rate({{a=\"{LONG}\"}}[5m]) / on () group_left (c) vector(1)"),
        &format!("  rate({{a=\"{LONG}\"}}[5m])\n/ on () group_left (c)\n  vector(1.000000)"),
    );
    check(
        &format!("quantile_over_time(0.5, {{a=\"{LONG}\"}} | unwrap x [5m]) without ()"),
        &format!(
            "quantile_over_time(\n  0.5,\n  {{a=\"{LONG}\"}}\n    | unwrap x [5m]\n) without ()"
        ),
    );
}
