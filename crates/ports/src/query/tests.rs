//! Budgets, deadlines and what a query says beside its answer.

use masthead_sysio::SimClock;

use super::*;

fn ctx(samples: u64) -> (Arc<SimClock>, QueryCtx) {
    let clock = Arc::new(SimClock::default());
    let limits = QueryLimits { timeout: Duration::from_secs(10), samples };
    let shared: Arc<dyn Clock> = clock.clone();
    (clock, QueryCtx::new(shared, limits))
}

#[test]
fn the_budget_is_spent_to_the_last_sample_and_no_further() {
    let (_, ctx) = ctx(10);
    assert!(ctx.charge(4).is_ok() && ctx.charge(6).is_ok());
    let error = ctx.charge(1).expect_err("spent");
    assert_eq!(error.class(), ErrorClass::Limit);
    assert!(error.to_string().contains("limit 10"), "{error}");
    assert!(ctx.charge(u64::MAX).is_err());
}

#[test]
fn the_deadline_ends_it() {
    let (clock, ctx) = ctx(2 * SAMPLES_A_LOOK);
    clock.sleep(Duration::from_secs(10));
    assert!(ctx.check().is_ok());
    clock.sleep(Duration::from_millis(1));
    assert_eq!(ctx.check().map_err(|e| e.class()), Err(ErrorClass::Timeout));
    // Whoever pays learns of it too, but not at once.
    let paid = (0..SAMPLES_A_LOOK).find_map(|_| ctx.charge(1).err());
    assert_eq!(paid.map(|e| e.class()), Some(ErrorClass::Timeout));
}

#[test]
fn a_cancelled_query_stops_at_its_next_check() {
    let (_, ctx) = ctx(10);
    ctx.cancellation().store(true, Ordering::Relaxed);
    assert_eq!(ctx.check().map_err(|e| e.class()), Err(ErrorClass::Cancelled));
    assert_eq!(ctx.charge(1).map_err(|e| e.class()), Err(ErrorClass::Cancelled));
}

#[test]
fn all_queries_that_share_it_end_together() {
    let ending = Arc::new(AtomicBool::new(false));
    let [one, other] = [(); 2].map(|()| ctx(10).1.ended_by(Arc::clone(&ending)));
    assert!(one.check().is_ok() && other.charge(1).is_ok());
    ending.store(true, Ordering::Relaxed);
    assert_eq!(one.check().map_err(|e| e.class()), Err(ErrorClass::Cancelled));
    assert_eq!(other.charge(1).map_err(|e| e.class()), Err(ErrorClass::Cancelled));
    assert!(!one.cancellation().load(Ordering::Relaxed), "nobody meant this one");
}

#[test]
fn warnings_are_kept_once_and_counts_add_up() {
    let (_, ctx) = ctx(10);
    ctx.warn("a");
    ctx.warn("b");
    ctx.warn("a");
    assert_eq!(ctx.warnings(), ["a", "b"]);
    ctx.count(1, 2, 3);
    ctx.count(1, 0, 0);
    ctx.charge(5).expect("within the budget");
    assert_eq!(ctx.stats(), QueryStats { samples: 5, series: 2, blocks: 2, bytes: 3 });
}

#[test]
fn a_trace_is_kept_only_when_asked_for() {
    let (clock, plain) = ctx(10);
    assert_eq!(plain.traced(|| "x".to_owned(), || 7), 7);
    assert!(plain.trace().is_empty());
    let traced = plain.with_trace();
    traced.traced(|| "read".to_owned(), || clock.sleep(Duration::from_secs(1)));
    let spans = traced.trace();
    assert_eq!(spans.len(), 1);
    assert_eq!((spans[0].what.as_str(), spans[0].took), ("read", Duration::from_secs(1)));
}

#[test]
fn an_attempt_ends_before_the_deadline_and_is_forgotten() {
    let (clock, ctx) = ctx(10);
    let ctx = ctx.with_trace();
    assert!(!ctx.is_attempt());
    ctx.attempt(Duration::from_millis(1));
    assert!(ctx.is_attempt());
    ctx.traced(|| "x".to_owned(), || ctx.warn("y"));
    ctx.charge(10).expect("within the budget");
    clock.sleep(Duration::from_millis(2));
    assert_eq!(ctx.check().map_err(|e| e.class()), Err(ErrorClass::Timeout));
    ctx.begin_again();
    assert!(!ctx.is_attempt());
    assert!(ctx.check().is_ok() && ctx.charge(10).is_ok());
    assert!(ctx.trace().is_empty() && ctx.warnings().is_empty());
    assert_eq!(ctx.elapsed(), Duration::from_millis(2));
}
