//! OpenMetrics text into a store.

use std::{collections::BTreeSet, fmt::Write as _};

use masthead_backfill::{
    Filter,
    import::{Options, Skipped},
};
use masthead_model::{Matcher, Millis, TimeRange};
use masthead_ports::{
    AppendBatch, AppendRow, QueryCtx, QueryLimits, SampleSink as _, SampleSource as _,
};
use masthead_sysio::SimFs;
use proptest::prelude::*;

use crate::support::{NOW_MS, clock, dump, import, import_sorted_in, open, to_text};

const TEXT: &str = "\
# HELP requests All of them.
# TYPE requests counter
requests_total{code=\"200\"} 1 1700000000
requests_total{code=\"200\"} 3 1700000030.5 # {trace_id=\"a\"} 1
requests_total{code=\"200\"} 2 1700000015
requests_created{code=\"200\"} 1600000000 1700000000
# TYPE old gauge
old 4 100
old 5 1700090000
# EOF
";

#[test]
fn any_age_and_any_order_and_metadata() {
    let fs = SimFs::new(1);
    let store = open(&fs);
    let report = import(&fs, &store, TEXT, &Options::default()).unwrap();
    assert_eq!((report.series, report.samples, report.blocks), (3, 6, 3));
    assert_eq!(report.times, Some((100_000, 1_700_090_000_000)));
    assert_eq!(report.skipped, [(Skipped::Exemplar, 1)].into());
    let want = r#"{__name__="old"} 100000 4.0
{__name__="old"} 1700090000000 5.0
{__name__="requests_created", code="200"} 1700000000000 1600000000.0
{__name__="requests_total", code="200"} 1700000000000 1.0
{__name__="requests_total", code="200"} 1700000015000 2.0
{__name__="requests_total", code="200"} 1700000030500 3.0
"#;
    assert_eq!(dump(&store), want);
    drop(store);
    let store = open(&fs.crash());
    assert_eq!(dump(&store), want);
    let ctx = QueryCtx::new(clock(), QueryLimits::default());
    let metadata = store.metadata(&ctx, Some("requests")).unwrap();
    assert_eq!((&*metadata[0].help, metadata[0].metric_type.as_str()), ("All of them.", "counter"));
}

#[test]
fn a_second_time_nothing_is_written_and_what_is_there_stays() {
    let fs = SimFs::new(2);
    let store = open(&fs);
    import(&fs, &store, TEXT, &Options::default()).unwrap();
    let before = dump(&store);
    let report = import(&fs, &store, TEXT, &Options::default()).unwrap();
    assert_eq!((report.samples, report.blocks), (0, 0));
    assert_eq!(report.skipped.get(&Skipped::AlreadyThere), Some(&6));
    let changed = TEXT.replace("old 4 100\n", "old 9 100\nold 1 160\n");
    let report = import(&fs, &store, &changed, &Options::default()).unwrap();
    assert_eq!((report.samples, report.blocks), (1, 1));
    assert_eq!(report.skipped.get(&Skipped::OtherValueThere), Some(&1));
    let added = "{__name__=\"old\"} 160000 1.0\n";
    assert_eq!(dump(&store).replace(added, ""), before);
}

#[test]
fn little_memory_makes_no_difference() {
    let all: BTreeSet<String> = [0, 100, 1000, usize::MAX]
        .into_iter()
        .map(|sort_bytes| {
            let fs = SimFs::new(3);
            let store = open(&fs);
            let options = Options::default();
            let text = TEXT.replace("old 4 100\n", "old 4 100\nold 6 100\n");
            let report = import_sorted_in(&fs, &store, &text, &options, sort_bytes).unwrap();
            assert_eq!(report.samples, 6);
            assert_eq!(report.skipped.get(&Skipped::GivenTwice), Some(&1));
            dump(&store)
        })
        .collect();
    assert_eq!(all.len(), 1);
    assert!(all.first().unwrap().starts_with("{__name__=\"old\"} 100000 6.0\n"));
}

#[test]
fn what_is_not_asked_for_or_lies_in_the_future_is_left_out() {
    let fs = SimFs::new(4);
    let store = open(&fs);
    let range = TimeRange { start: Millis(1_700_000_010_000), end: Millis::MAX };
    let selectors = vec![vec![Matcher::metric("requests_total")], vec![Matcher::metric("old")]];
    let options = Options { filter: Filter { selectors, range }, not_after: Some(NOW_MS) };
    let text = TEXT.replace("old 5 1700090000", "old 5 1800000000");
    let report = import(&fs, &store, &text, &options).unwrap();
    let skipped = [(Skipped::Future, 1), (Skipped::Filtered, 3), (Skipped::Exemplar, 1)];
    assert_eq!((report.samples, report.skipped), (2, skipped.into()));
}

#[test]
fn samples_that_are_only_in_memory_are_there_too() {
    let fs = SimFs::new(9);
    let store = open(&fs);
    let at = Millis(NOW_MS - 1000);
    let row = AppendRow::float("a".parse().unwrap(), at, 1.0);
    let mut batch = AppendBatch { group: 1, rows: vec![row], ..AppendBatch::default() };
    store.append(&mut batch).unwrap();
    let text = format!("a 1 {}\na 2 {}\n# EOF\n", NOW_MS / 1000 - 1, NOW_MS / 1000 - 2);
    let report = import(&fs, &store, &text, &Options::default()).unwrap();
    assert_eq!((report.samples, report.skipped), (1, [(Skipped::AlreadyThere, 1)].into()));
    assert_eq!(dump(&store).lines().count(), 2);
    // What is imported takes nothing away from what may still come.
    let row = AppendRow::float("b".parse().unwrap(), Millis(NOW_MS - 60_000), 1.0);
    let mut batch = AppendBatch { group: 1, rows: vec![row], ..AppendBatch::default() };
    assert_eq!(store.append(&mut batch).unwrap().appended, 1);
}

#[test]
fn the_ends_of_time() {
    let fs = SimFs::new(10);
    let store = open(&fs);
    let text = "a 1 -9.2e15\na 2 0\na 3 9.2e15\n# EOF\n";
    let report = import(&fs, &store, text, &Options::default()).unwrap();
    assert_eq!((report.samples, report.blocks), (3, 3));
    let last = 9_200_000_000_000_000_000;
    assert_eq!(report.times, Some((-last, last)));
    assert_eq!(dump(&store).lines().count(), 3);
}

#[test]
fn errors_name_the_line_and_nothing_is_written() {
    let f = |text: &str, want: &str| {
        let fs = SimFs::new(5);
        let store = open(&fs);
        let error = import(&fs, &store, text, &Options::default()).unwrap_err();
        assert_eq!(error.to_string().split(" while parsing").next(), Some(want), "{text:?}");
        assert_eq!(dump(&store), "");
    };
    f("", "line 1: data does not end with # EOF");
    f("a 1 1\n", "line 2: data does not end with # EOF");
    f(
        "a 1 -1e300\n# EOF\n",
        "line 1: the timestamp of a does not fit into 64 bits of milliseconds",
    );
    f("a 1 1\nb 2\n# EOF\n", "line 2: no timestamp for b; every sample needs one");
    f(
        "a 1 1\n# TYPE b gauge\nb x 1\n# EOF\n",
        "line 3: strconv.ParseFloat: parsing \"x\": invalid syntax",
    );
    f("a 1 1\n# EOF\nb 1 1\n", "line 2: unexpected data after # EOF");
    f("a{x=\"1\",x=\"2\"} 1 1\n# EOF\n", "line 1: label \"x\" is given twice");
    f("a 1 1\n\nb 1 1\n# EOF\n", "line 2: expected a valid start token, got \"\\n\" (\"INVALID\")");
}

#[test]
fn killed_or_failed_at_any_operation_and_started_again_everything_is_there_once() {
    let want = {
        let fs = SimFs::new(6);
        let store = open(&fs);
        import(&fs, &store, TEXT, &Options::default()).unwrap();
        dump(&store)
    };
    for nth in (1..200).step_by(3) {
        let fs = SimFs::new(nth);
        drop(open(&fs));
        let store = open(&fs);
        fs.fail_from(nth, std::io::ErrorKind::Other);
        let place = masthead_backfill::import::openmetrics::Place {
            store: &store,
            fs: std::sync::Arc::new(fs.clone()),
            clock: clock(),
            scratch: "/data/import.tmp".into(),
            sort_bytes: 200,
        };
        let _cut_off = masthead_backfill::import::openmetrics::import(
            &place,
            TEXT.as_bytes(),
            None,
            &Options::default(),
            &mut |_| (),
        );
        drop(store);
        let fs = fs.crash();
        let store = open(&fs);
        import(&fs, &store, TEXT, &Options::default()).unwrap();
        assert_eq!(dump(&store), want, "cut off at operation {nth}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_comes_out_goes_in_again(
        samples in proptest::collection::vec(
            (0..6_usize, -300_000_000..300_000_000_i64, any::<f64>()), 1..60,
        ),
    ) {
        let names = ["a", "a{x=\"1\"}", "b_total", "h_bucket{le=\"1.0\"}", "h_count", "{\"ü \\\"n\",y=\"z\\n\"}"];
        let mut text = String::from("# TYPE b counter\n# TYPE h histogram\n");
        for (name, time, value) in &samples {
            let seconds = masthead_model::format_exact(Millis(*time).as_seconds());
            let value = masthead_model::format_exact(*value);
            writeln!(text, "{} {value} {seconds}", names[*name]).unwrap();
        }
        text.push_str("# EOF\n");
        let fs = SimFs::new(7);
        let store = open(&fs);
        import(&fs, &store, &text, &Options::default()).unwrap();
        let (out, _) = to_text(&store, Filter::default());
        let other_fs = SimFs::new(8);
        let other = open(&other_fs);
        import(&other_fs, &other, &out, &Options::default()).unwrap();
        prop_assert_eq!(dump(&other), dump(&store));
    }
}
