//! What a query will read, as rows.

use super::*;
use crate::Features;

/// The tree stands in a box, because plans know its nodes by their addresses.
fn plan(query: &str, start: i64, end: i64, step_ms: i64) -> (Box<Expr>, Plan) {
    let expr = Box::new(crate::parse(query, &Features::ALL).expect("a query"));
    let times = QueryTimes { start: Millis(start), end: Millis(end), step_ms };
    let plan = Plan::new(&expr, times, &EngineOptions::default()).expect("a plan");
    (expr, plan)
}

#[test]
fn each_selector_reads_the_range_that_it_can_need_and_no_millisecond_more() {
    let f = |query, want: &[(i64, i64)]| {
        let (_expr, plan) = plan(query, 1_000_000, 2_000_000, 10_000);
        let ranges: Vec<_> =
            plan.selections.iter().map(|s| (s.range.start.0, s.range.end.0)).collect();
        assert_eq!(ranges, want, "{query}");
    };
    f("x", &[(700_001, 2_000_000)]);
    f("x offset 1m", &[(640_001, 1_940_000)]);
    f("x @ 500", &[(200_001, 500_000)]);
    f("x @ end() offset -1m", &[(1_760_001, 2_060_000)]);
    f("rate(x[1m])", &[(940_001, 2_000_000)]);
    f("rate(x[1m] anchored)", &[(640_001, 2_000_000)]);
    f("rate(x[1m] smoothed)", &[(640_001, 2_300_000)]);
    f("x smoothed", &[(700_001, 2_300_000)]);
    f("max_over_time(x[5m:1m])", &[(400_001, 2_000_000)]);
    f("max_over_time(rate(x[1m] offset 2m)[5m:1m] offset 3m)", &[(340_001, 1_700_000)]);
    f("max_over_time(x[5m:1m] @ 900)", &[(300_001, 900_000)]);
    f("a + on (b) c", &[(700_001, 2_000_000), (700_001, 2_000_000)]);
    f("info(x offset 1m)", &[(640_001, 1_940_000), (640_001, 1_940_000)]);
}

#[test]
fn stores_are_told_the_function_above_and_the_distance_of_steps() {
    let f = |query, want: (&str, i64, i64)| {
        let (_expr, plan) = plan(query, 0, 100_000, 10_000);
        let hints = &plan.selections.first().expect("one").hints;
        let function = hints.function.as_deref().unwrap_or("");
        assert_eq!((function, hints.step_ms, hints.range_ms), want, "{query}");
    };
    f("x", ("", 10_000, 0));
    f("sum(x)", ("sum", 10_000, 0));
    f("sum(rate(x[1m]))", ("rate", 10_000, 60_000));
    f("sum(x + y)", ("", 10_000, 0));
    f("max_over_time(rate(x[1m])[5m:30s])", ("rate", 30_000, 60_000));
    f("max_over_time(x[5m:])", ("max_over_time", 60_000, 0));
}

#[test]
fn what_is_pinned_is_the_same_at_every_step_unless_a_function_reads_the_clock() {
    let f = |query, want| {
        let (expr, plan) = plan(query, 0, 100_000, 10_000);
        assert_eq!(plan.is_invariant(&expr), want, "{query}");
    };
    f("x @ 5", true);
    f("x", false);
    f("sum(x @ 5) + 1", true);
    f("sum(x @ 5) + y", false);
    f("topk(scalar(y), x @ 5)", false);
    f("rate(x[5m] @ 5)", true);
    f("hour(x @ 5)", false);
    f("timestamp(x @ 5)", false);
    f("predict_linear(x[5m] @ 5, 1)", false);
    f("max_over_time(x[5m:1m] @ 5)", true);
    f("max_over_time((x @ 5)[5m:1m])", false);
}

#[test]
fn buckets_are_left_aside_only_where_nothing_looks_at_them() {
    let f = |query, want| {
        let (_expr, plan) = plan(query, 0, 0, 0);
        let stats: Vec<_> = plan.selectors.values().map(|planned| planned.stats_only).collect();
        assert_eq!(stats, [want], "{query}");
    };
    f("histogram_count(x)", true);
    f("histogram_sum(sum(rate(x[5m])))", true);
    f("x", false);
    f("histogram_quantile(0.5, x)", false);
    f("histogram_count(histogram_quantile(0.5, x))", false);
    f("histogram_count(rate(x[5m:1m]))", false);
    f("histogram_count(x </ 5)", false);
    f("sum_over_time(histogram_count(x)[5m:1m])", false);
}

#[test]
fn modifiers_that_are_switched_off_are_refused() {
    let expr = crate::parse("x @ 5", &Features::ALL).expect("a query");
    let times = QueryTimes { start: Millis(0), end: Millis(0), step_ms: 0 };
    let options = EngineOptions { at_modifier: false, ..EngineOptions::default() };
    assert!(matches!(Plan::new(&expr, times, &options), Err(Error::AtModifierDisabled)));
    let expr = crate::parse("x offset -5m", &Features::ALL).expect("a query");
    let options = EngineOptions { negative_offset: false, ..EngineOptions::default() };
    assert!(matches!(Plan::new(&expr, times, &options), Err(Error::NegativeOffsetDisabled)));
}
