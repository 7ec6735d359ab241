//! Whether the query may go on, asked after so much work rather than after so many series.
//!
//! Windows that overlap are worked through anew at every step, so one series of a long subquery can
//! take minutes. What is asked stands in [`QueryCtx::check`].

use std::cell::{Cell, OnceCell};

use masthead_ports::{QueryCtx, QueryError};

/// Samples that are worked through between two questions: some microseconds to half a millisecond of
/// work, beside which a look at the clock is nothing.
pub(super) const SAMPLES_A_CHECK: usize = 16_384;

/// The work on one series, on one thread.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    ctx: &'a QueryCtx,
    /// Samples until the next question.
    left: Cell<usize>,
    /// Why it is to end.
    ended: OnceCell<QueryError>,
}

impl<'a> Pace<'a> {
    pub(super) fn new(ctx: &'a QueryCtx) -> Self {
        Self { ctx, left: Cell::new(SAMPLES_A_CHECK), ended: OnceCell::new() }
    }

    /// Whether the next `samples` may be worked through. After the first no there is no yes.
    #[inline]
    pub(crate) fn goes_on(&self, samples: usize) -> bool {
        match self.left.get().checked_sub(samples) {
            Some(left @ 1..) => {
                self.left.set(left);
                true
            }
            Some(0) | None => self.ask(),
        }
    }

    fn ask(&self) -> bool {
        if self.ended.get().is_some() {
            return false;
        }
        match self.ctx.check() {
            Ok(()) => {
                self.left.set(SAMPLES_A_CHECK);
                true
            }
            Err(error) => {
                self.left.set(0);
                // Nobody has set it, as was seen above.
                self.ended.get_or_init(|| error);
                false
            }
        }
    }

    /// The end of the work.
    ///
    /// # Errors
    /// Why some of it was left out.
    pub(super) fn end(self) -> Result<(), QueryError> {
        self.ended.into_inner().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use masthead_model::{ErrorClass, Histogram, Labels, Millis, Value};
    use masthead_ports::{
        AppendBatch, AppendRow, SampleSink as _,
        testing::{MemoryStore, ctx_of_looks as ctx},
    };

    use super::*;
    use crate::{
        Engine, EngineOptions, Features,
        ast::ValueType,
        functions::{FUNCTIONS, range_functions},
    };

    /// One series of `samples` a second apart, which fall at every second one.
    fn store(samples: i64, histograms: bool) -> MemoryStore {
        let store = MemoryStore::default();
        let mut batch = AppendBatch::default();
        let labels: Labels = [("__name__", "m_total")].into_iter().collect();
        batch.rows.extend((0..samples).map(|at| {
            let (time, value) = (Millis(at * 1_000), if at % 2 == 0 { 5.0 } else { 1.0 });
            let mut row = AppendRow::float(labels.clone(), time, value);
            if histograms {
                let histogram = Histogram { count: value, sum: value, ..Histogram::default() };
                row.value = Value::Histogram(Box::new(histogram));
            }
            row
        }));
        store.append(&mut batch).expect("appends");
        store
    }

    fn ask(store: &MemoryStore, ctx: &QueryCtx, query: &str) -> Option<ErrorClass> {
        let engine =
            Engine::new(EngineOptions { features: Features::ALL, ..EngineOptions::default() });
        let (start, end) = (Millis(1_000_000), Millis(1_999_000));
        let answer = engine.range(ctx, store, query, start, end, 1_000);
        answer.err().map(|error| error.class())
    }

    fn call(name: &str) -> String {
        let function = FUNCTIONS.iter().find(|function| function.name == name).expect("known");
        let args = function.args.iter().map(|kind| match kind {
            ValueType::Matrix => "m_total[1000s]",
            _ => "0.5",
        });
        format!("{name}({})", args.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn one_series_is_left_as_soon_as_the_query_is_to_end_however_long_its_windows_are() {
        // Half a million samples in all windows: some thirty looks at the clock, twelve without them.
        let store = store(2_000, false);
        for name in range_functions(|_| true) {
            let want = if name == "delta" { None } else { Some(ErrorClass::Timeout) };
            assert_eq!(ask(&store, &ctx(20), &call(name)), want, "{name}");
            assert_eq!(ask(&store, &ctx(200), &call(name)), None, "{name}");
        }
    }

    #[test]
    fn histograms_are_worth_many_samples() {
        let store = store(1_100, true);
        for query in ["sum_over_time(m_total[100s])", "rate(m_total[100s])"] {
            assert_eq!(ask(&store, &ctx(20), query), Some(ErrorClass::Timeout), "{query}");
            assert_eq!(ask(&store, &ctx(2_000), query), None, "{query}");
        }
    }

    #[test]
    fn counting_what_steps_see_ends_as_well() {
        let store = store(1_100, true);
        let query = "last_over_time(m_total[100s])";
        assert_eq!(ask(&store, &ctx(2_000).with_step_counts(), query), None);
        let class = ask(&store, &ctx(8).with_step_counts(), query);
        assert_eq!(class, Some(ErrorClass::Timeout));
    }

    #[test]
    fn after_the_first_no_there_is_no_yes() {
        let ctx = ctx(1);
        let pace = Pace::new(&ctx);
        assert!(pace.goes_on(SAMPLES_A_CHECK - 1), "nobody asks");
        assert!(pace.goes_on(0) && pace.goes_on(1), "asks, in time");
        assert!(pace.goes_on(SAMPLES_A_CHECK - 1));
        assert!(!pace.goes_on(usize::MAX) && !pace.goes_on(0));
        assert_eq!(pace.end().expect_err("late").class(), ErrorClass::Timeout);
        assert!(Pace::new(&ctx).end().is_ok(), "nobody asked");
    }
}
