//! The engine as a whole: range queries against instant queries, limits, traces, threads.

use std::{collections::BTreeMap, time::Duration};

use masthead_model::{Labels, nearly_equal};
use masthead_ports::{AppendBatch, AppendRow, QueryLimits, SampleSink as _, testing::MemoryStore};
use masthead_sysio::SimClock;
use proptest::prelude::*;

use super::*;

fn ctx() -> QueryCtx {
    QueryCtx::new(Arc::new(SimClock::default()), QueryLimits::default())
}

fn engine(pool: Option<Arc<ThreadPool>>) -> Engine {
    Engine::new(EngineOptions { features: Features::ALL, pool, ..EngineOptions::default() })
}

/// Series of one metric, each with a value or nothing every ten seconds.
fn store(series: &[Vec<Option<f64>>]) -> MemoryStore {
    let store = MemoryStore::default();
    let mut batch = AppendBatch::default();
    for (number, values) in series.iter().enumerate() {
        let (group, number) = ((number % 3).to_string(), number.to_string());
        let labels: Labels =
            [("__name__", "m_total"), ("g", &group), ("i", &number)].into_iter().collect();
        let at = (0_i64..).map(|step| Millis(step * 10_000));
        let rows = at.zip(values).filter_map(|(at, value)| Some((at, (*value)?)));
        batch.rows.extend(rows.map(|(at, value)| AppendRow::float(labels.clone(), at, value)));
    }
    store.append(&mut batch).expect("appends");
    store
}

type Points = BTreeMap<(String, i64), f64>;

fn points(value: QueryValue, at: i64) -> Points {
    match value {
        QueryValue::Matrix(series) => series
            .into_iter()
            .flat_map(|one| {
                let labels = one.labels.to_string();
                one.floats.into_iter().map(move |(at, value)| ((labels.clone(), at), value))
            })
            .collect(),
        QueryValue::Vector(samples) => samples
            .into_iter()
            .filter_map(|sample| match sample.value {
                SampleValue::Float(value) => Some(((sample.labels.to_string(), at), value)),
                SampleValue::Histogram(_) => None,
            })
            .collect(),
        QueryValue::Scalar(value, _) => [((String::from("{}"), at), value)].into(),
        QueryValue::String(..) => Points::new(),
    }
}

/// Queries whose steps are computed together in one way or another.
const QUERIES: [&str; 34] = [
    "m_total",
    "m_total offset 15s",
    "rate(m_total[40s])",
    "increase(m_total[2m])",
    "delta(m_total[1m])",
    "irate(m_total[1m])",
    "idelta(m_total[1m])",
    "sum_over_time(m_total[3m])",
    "avg_over_time(m_total[3m])",
    "min_over_time(m_total[3m])",
    "max_over_time(m_total[3m])",
    "stddev_over_time(m_total[3m])",
    "quantile_over_time(0.3, m_total[3m])",
    "changes(m_total[3m])",
    "resets(m_total[3m])",
    "deriv(m_total[3m])",
    "predict_linear(m_total[3m], 60)",
    "last_over_time(m_total[25s])",
    "absent_over_time(m_total{i=\"0\"}[15s])",
    "sum by (g) (m_total)",
    "avg without (i) (m_total)",
    "stdvar(m_total)",
    "quantile(0.7, m_total)",
    "count_values(\"v\", m_total)",
    "topk by (g) (1, m_total)",
    "bottomk(2, m_total)",
    "m_total / on (i) group_left sum by (i) (m_total offset 20s)",
    "m_total > 2",
    "m_total and on (i) (m_total > 1)",
    "m_total unless on (i) (m_total offset 1m > 1)",
    "(m_total < 2) or on (i) -(m_total offset 20s)",
    "max_over_time(rate(m_total[30s])[2m:20s])",
    "label_replace(m_total, \"j\", \"$1\", \"i\", \"(.*)\") * 2",
    "time() - timestamp(m_total)",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn each_step_of_a_range_query_is_what_an_instant_query_gives(
        series in proptest::collection::vec(
            proptest::collection::vec(proptest::option::weighted(0.8, 0..5_u8), 25), 1..5),
        step_s in 5..40_i64, extra in any::<bool>(),
    ) {
        let value = |v: u8| if extra && v == 4 { f64::NAN } else { f64::from(v) + 0.1 };
        let series: Vec<Vec<_>> =
            series.iter().map(|one| one.iter().map(|v| v.map(value)).collect()).collect();
        let (store, engine) = (store(&series), engine(None));
        let (start, end, step) = (5_000, 290_000, step_s * 1000);
        for query in QUERIES {
            let ranged = engine.range(&ctx(), &store, query, Millis(start), Millis(end), step);
            let ranged = points(ranged.expect(query).value, 0);
            let mut single = Points::new();
            for at in (start..=end).step_by(usize::try_from(step).expect("positive")) {
                let instant = engine.instant(&ctx(), &store, query, Millis(at)).expect(query);
                single.extend(points(instant.value, at));
            }
            let keys = |points: &Points| points.keys().cloned().collect::<Vec<_>>();
            prop_assert_eq!(keys(&ranged), keys(&single), "{}", query);
            for (key, value) in &ranged {
                let other = single.get(key).copied().unwrap_or(f64::NAN);
                let near = nearly_equal(*value, other, 1e-9) || (value - other).abs() < 1e-9;
                prop_assert!(near, "{query} at {key:?}: {value}, alone {other}");
            }
        }
    }
}

#[test]
fn threads_change_neither_answers_nor_notes_nor_their_order() {
    let series: Vec<Vec<Option<f64>>> = (0..100_u32)
        .map(|i| (0..40_u32).map(|t| (t % 7 != i % 7).then(|| f64::from(t * i % 13))).collect())
        .collect();
    let store = store(&series);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("a pool");
    let (alone, together) = (engine(None), engine(Some(Arc::new(pool))));
    for query in QUERIES {
        let ask = |engine: &Engine| {
            let answer = engine.range(&ctx(), &store, query, Millis(0), Millis(400_000), 10_000);
            answer.expect(query)
        };
        // NaN is not equal to itself, so texts are compared.
        assert_eq!(format!("{:?}", ask(&alone)), format!("{:?}", ask(&together)), "{query}");
    }
}

#[test]
fn an_attempt_waits_for_no_thread_of_the_pool() {
    let store = store(&vec![vec![Some(1.0); 40]; 100]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
    let pool = Arc::new(pool);
    let busy = Arc::new(Mutex::new(()));
    let held = busy.lock().expect("nobody has it");
    let other = Arc::clone(&busy);
    pool.spawn_broadcast(move |_| drop(other.lock()));
    let ctx = ctx();
    ctx.attempt(Duration::from_mins(1));
    for query in QUERIES {
        let (start, end) = (Millis(0), Millis(400_000));
        let engine = engine(Some(Arc::clone(&pool)));
        assert!(engine.range(&ctx, &store, query, start, end, 1_000).is_ok(), "{query}");
    }
    drop(held);
}

#[test]
fn a_query_stops_at_its_budget_at_its_deadline_and_when_nobody_waits() {
    let store = store(&[vec![Some(1.0); 100]]);
    let ask = |ctx: &QueryCtx| {
        let (start, end) = (Millis(0), Millis(990_000));
        engine(None).range(ctx, &store, "max_over_time(m_total[1m])", start, end, 1_000)
    };
    let limits = QueryLimits { samples: 50, ..QueryLimits::default() };
    let poor = QueryCtx::new(Arc::new(SimClock::default()), limits);
    let error = ask(&poor).expect_err("too many samples");
    assert!(error.to_string().contains("--query.max-samples"), "{error}");
    assert_eq!(error.class(), masthead_model::ErrorClass::Limit);

    // The samples that are read would do, but not the steps that are made of them.
    let limits = QueryLimits { samples: 500, ..QueryLimits::default() };
    assert!(ask(&QueryCtx::new(Arc::new(SimClock::default()), limits)).is_err());

    let limits = QueryLimits { timeout: Duration::from_millis(10), ..QueryLimits::default() };
    let clock = Arc::new(SimClock::default());
    let late = QueryCtx::new(clock.clone(), limits);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&late).expect_err("late").class(), masthead_model::ErrorClass::Timeout);

    let left = ctx();
    left.cancellation().store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(ask(&left).expect_err("left").class(), masthead_model::ErrorClass::Cancelled);
    assert!(ask(&ctx()).is_ok());
}

#[test]
fn a_trace_tells_what_was_selected_and_computed() {
    let store = store(&[vec![Some(1.0); 10], vec![Some(2.0); 10]]);
    let traced = ctx().with_trace();
    let query = "sum(rate(m_total[1m])) + m_total";
    engine(None).instant(&traced, &store, query, Millis(90_000)).expect("an answer");
    let what: Vec<String> = traced.trace().into_iter().map(|span| span.what).collect();
    assert_eq!(
        what,
        [
            "find series of 2 selectors",
            "rate over 2 series",
            "sum over 2 series",
            "select {__name__=\"m_total\"}",
            "+ over 1 and 2 series"
        ]
    );
}

#[test]
fn names_can_be_dropped_by_each_function_at_once() {
    let store = MemoryStore::default();
    let row = |name, at, value| {
        let labels: Labels = [("__name__", name), ("i", "0")].into_iter().collect();
        AppendRow::float(labels, Millis(at), value)
    };
    let rows = vec![row("a", 0, 1.0), row("b", 0, 2.0), row("c", 600_000, 3.0)];
    store.append(&mut AppendBatch { rows, ..AppendBatch::default() }).expect("appends");
    let options = EngineOptions {
        delayed_name_removal: false,
        features: Features::ALL,
        ..EngineOptions::default()
    };
    let eager = Engine::new(options);
    let ask = |engine: &Engine, query: &str| {
        let answer = engine.range(&ctx(), &store, query, Millis(0), Millis(600_000), 600_000)?;
        Ok::<_, Error>(points(answer.value, 0).into_keys().collect::<Vec<_>>())
    };
    for query in ["abs({i=\"0\"})", "-{i=\"0\"}", "{i=\"0\"} * 2", "count_over_time({i=\"0\"}[1m])"]
    {
        assert!(matches!(ask(&eager, query), Err(Error::SameLabelset)), "{query}");
        // Without the one that is in the way, two metrics become one series over time.
        let query = query.replace('}', ", __name__!=\"b\"}");
        let series = ask(&eager, &query).expect("no two at a step");
        let one = String::from("{i=\"0\"}");
        assert_eq!(series, [(one.clone(), 0), (one, 600_000)], "{query}");
    }
    // The name is gone before the group is made, or only after.
    let by_name = "sum by (__name__) (abs({i=\"0\", __name__!=\"b\"}))";
    assert_eq!(ask(&eager, by_name).expect("one group").len(), 2);
    assert_eq!(ask(&engine(None), by_name).expect("two groups, then one").len(), 2);
    assert!(ask(&engine(None), "sum by (__name__) (abs({i=\"0\"}))").is_err());
}

#[test]
fn range_queries_answer_with_series_of_numbers_only() {
    let store = store(&[vec![Some(1.0)]]);
    let ask = |query: &str| engine(None).range(&ctx(), &store, query, Millis(0), Millis(0), 1000);
    let error = ask("m_total[5m]").expect_err("a range vector");
    assert_eq!(
        error.to_string(),
        "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"
    );
    assert!(ask("\"text\"").is_err());
    let inverted = engine(None).range(&ctx(), &store, "m_total", Millis(5), Millis(0), 1000);
    assert!(
        matches!(inverted.map(|answer| answer.value), Ok(QueryValue::Matrix(v)) if v.is_empty())
    );
}

#[test]
fn the_highest_tree_that_the_parser_lets_through_fits_a_small_stack() {
    let run = || {
        let store = store(&[vec![Some(1.0)]]);
        let nested = |open: &str, close: &str, levels: usize| {
            format!("{}m_total{}", open.repeat(levels), close.repeat(levels))
        };
        // The greatest height is one more than the levels around the selector.
        let levels = crate::DEPTH_MAX - 1;
        for (open, close) in [("abs(", ")"), ("(", ")"), ("1 + ", ""), ("sum(", ")"), ("-", "")] {
            let query = nested(open, close, levels);
            let answer = engine(None).instant(&ctx(), &store, &query, Millis(0));
            assert!(answer.is_ok() || matches!(answer, Err(Error::Parse(_))), "{open}: {answer:?}");
            let query = nested(open, close, levels / 2);
            engine(None).instant(&ctx(), &store, &query, Millis(0)).expect(open);
        }
    };
    // What pools of threads give by default.
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn histograms_are_paid_for_by_their_size() {
    let store = MemoryStore::default();
    let histogram = Histogram {
        count: 1.0,
        positive_spans: vec![masthead_model::Span { offset: 0, length: 200 }],
        positive_buckets: vec![1.0; 200],
        ..Histogram::default()
    };
    let labels: Labels = [("__name__", "h")].into_iter().collect();
    let mut row = AppendRow::float(labels, Millis(0), 0.0);
    row.value = SampleValue::Histogram(Box::new(histogram));
    store.append(&mut AppendBatch { rows: vec![row], ..AppendBatch::default() }).expect("appends");
    let ask = |samples| {
        let limits = QueryLimits { samples, ..QueryLimits::default() };
        let ctx = QueryCtx::new(Arc::new(SimClock::default()), limits);
        engine(None).instant(&ctx, &store, "h * 2", Millis(0)).map(|_| ())
    };
    assert!(ask(150).is_err());
    assert!(ask(500).is_ok());
}

#[test]
fn labels_do_not_grow_without_a_limit() {
    let long = "x".repeat(10_000);
    let labels: Labels = [("__name__", "m"), ("x", &long)].into_iter().collect();
    let rows = vec![AppendRow::float(labels, Millis(0), 1.0)];
    let store = MemoryStore::default();
    store.append(&mut AppendBatch { rows, ..AppendBatch::default() }).expect("appends");
    // So many times the value stay below the limit, and ten times as many do not.
    let times = LABEL_BYTES_MAX / long.len() / 5;
    let queries: [fn(usize) -> String; 3] = [
        |times| format!("label_replace(m, 'y', '{}', 'x', '(.*)')", "$1".repeat(times)),
        |times| format!("label_join(m, 'y', ''{})", ", 'x'".repeat(times)),
        |times| format!("m * on () group_left (x{}) m", ", x".repeat(times)),
    ];
    for query in queries {
        let ask = |times| engine(None).instant(&ctx(), &store, &query(times), Millis(0));
        assert!(matches!(ask(10 * times), Err(Error::LabelBytes)));
        assert!(ask(times / 100).is_ok());
    }
    // All calls of a query together: there is no group 2, so nothing is made of what is paid for.
    let replace = |inner: &str, label: &str| {
        let nothing = "$2".repeat(3 * times);
        format!("label_replace({inner}, '{label}', '{nothing}', 'x', '(.*)')")
    };
    let once = replace("m", "y");
    assert!(engine(None).instant(&ctx(), &store, &once, Millis(0)).is_ok());
    let asked = engine(None).instant(&ctx(), &store, &replace(&once, "z"), Millis(0));
    assert!(matches!(asked, Err(Error::LabelBytes)));
}

#[test]
fn a_range_query_must_get_from_its_start_to_its_end() {
    let store = store(&[vec![Some(1.0)]]);
    let ask = |step| engine(None).range(&ctx(), &store, "1", Millis(0), Millis(10), step);
    assert!(matches!(ask(0), Err(Error::Step)));
    assert!(matches!(ask(-5), Err(Error::Step)));
    assert!(ask(5).is_ok());
}

/// A store with a float series, a histogram series, buckets and one that changes its kind.
fn motley() -> MemoryStore {
    let store = MemoryStore::default();
    let mut batch = AppendBatch::default();
    let histogram = |count: u32, custom: bool| {
        let count = f64::from(count);
        let mut histogram = Histogram {
            count,
            sum: count * 2.0,
            positive_spans: vec![masthead_model::Span { offset: 0, length: 1 }],
            positive_buckets: vec![count],
            ..Histogram::default()
        };
        if custom {
            histogram.schema = masthead_model::Schema::CUSTOM;
            histogram.custom_values = vec![5.0];
        }
        SampleValue::Histogram(Box::new(histogram))
    };
    for (at, step) in (0..40_i64).zip(0_u32..) {
        let kinds: [(&[(&str, &str)], SampleValue); 6] = [
            (&[("__name__", "m"), ("i", "1")], SampleValue::Float(f64::from(step % 7))),
            (&[("__name__", "m"), ("i", "2")], histogram(step % 9, false)),
            (&[("__name__", "m"), ("i", "3")], histogram(step, step % 5 == 0)),
            (&[("__name__", "b"), ("le", "1")], SampleValue::Float(f64::from(step))),
            (&[("__name__", "b"), ("le", "+Inf")], SampleValue::Float(f64::from(step / 2))),
            (
                &[("__name__", "x_info"), ("i", "1")],
                if step % 3 == 0 { histogram(step, true) } else { SampleValue::Float(f64::NAN) },
            ),
        ];
        for (labels, value) in kinds {
            let labels = labels.iter().copied().collect();
            let row = AppendRow::float(labels, Millis(at * 10_000), 0.0);
            batch.rows.push(AppendRow { value, start: Some(Millis(at * 9_000)), ..row });
        }
    }
    store.append(&mut batch).expect("appends");
    store
}

/// Runs a query that may fail, at ordinary and at absurd instants; it must come back, and it must
/// have been a query.
fn survive(engine: &Engine, store: &MemoryStore, query: &str) {
    let must_be_read = |answer: Result<Answer, Error>| {
        assert!(!matches!(answer, Err(Error::Parse(_))), "{query}: {answer:?}");
    };
    for (start, end, step) in
        [(100_000, 400_000, 23_000), (i64::MIN, i64::MIN, 1), (-1, i64::MAX, i64::MAX / 2)]
    {
        must_be_read(engine.range(&ctx(), store, query, Millis(start), Millis(end), step));
    }
    must_be_read(engine.instant(&ctx(), store, query, Millis(200_000)));
    must_be_read(engine.instant(&ctx(), store, query, Millis(i64::MAX)));
}

#[test]
fn every_function_and_operator_takes_every_kind_of_sample_and_every_time() {
    let store = motley();
    let options = EngineOptions {
        features: Features::ALL,
        start_timestamps: true,
        type_and_unit_labels: true,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options);
    for function in crate::FUNCTIONS {
        for (vector, matrix) in [
            ("{i=~\"..*\"}", "{i=~\"..*\"}[1m]"),
            ("m", "m[1m]"),
            ("b", "b[1m]"),
            ("m @ 9e15", "m[1m] @ 9e15"),
            ("m offset -290y", "m[1m] offset -290y"),
        ] {
            // The second argument of `info` is a filter, not a vector.
            let arg = |(at, kind): (usize, &ValueType)| match kind {
                ValueType::Vector if at > 0 && function.name == "info" => "{i=\"1\"}",
                ValueType::Vector => vector,
                ValueType::Matrix => matrix,
                ValueType::Scalar => "0.5",
                ValueType::String => "\"i\"",
            };
            let args: Vec<&str> = function.args.iter().enumerate().map(arg).collect();
            survive(&engine, &store, &format!("{}({})", function.name, args.join(", ")));
        }
    }
    let operators = [
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "atan2",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "> bool",
        "</",
        ">/",
        "and",
        "or",
        "unless",
        "+ on (i) group_left",
        "* on () group_right",
        "- fill(1)",
    ];
    for operator in operators {
        for right in ["m", "b"] {
            survive(&engine, &store, &format!("m {operator} {right}"));
            survive(&engine, &store, &format!("{right} {operator} m"));
        }
        let between_vectors = matches!(operator, "and" | "or" | "unless");
        if !between_vectors && !operator.contains(' ') {
            survive(&engine, &store, &format!("m {operator} 2"));
            survive(&engine, &store, &format!("2 {operator} m"));
        }
    }
    for aggregation in ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"] {
        survive(&engine, &store, &format!("{aggregation} by (i) (m)"));
        survive(&engine, &store, &format!("{aggregation} ({{i=~\"..*\"}})"));
    }
    for aggregation in ["topk", "bottomk", "limitk", "limit_ratio", "quantile"] {
        for param in ["1", "-1", "NaN", "Inf", "0.5", "scalar(m)"] {
            survive(&engine, &store, &format!("{aggregation} without (i) ({param}, m)"));
        }
    }
    survive(&engine, &store, "count_values(\"v\", {i=~\"..*\"})");
    survive(&engine, &store, "max_over_time(rate(m[1m])[5m:7s] @ 100 offset -1y)");
    survive(&engine, &store, "last_over_time(m[5m:1s])");
    survive(&engine, &store, "sum_over_time(m[290y:1ms])");
}
