//! Classic histograms of the text formats as native ones.

use super::*;

fn convert(body: &str, keep: bool) -> Vec<String> {
    let options = Options {
        convert_classic_histograms: true,
        keep_classic_histograms: keep,
        ..Options::default()
    };
    let (rows, error) = read(body.as_bytes(), Format::Text, options);
    assert_eq!(error, None);
    rows
}

#[test]
fn members_of_a_family_become_one_sample_each() {
    let body = concat!(
        "# TYPE h histogram\n",
        "h_bucket{a=\"1\",le=\"1\"} 2\nh_bucket{a=\"1\",le=\"5\"} 2\nh_bucket{a=\"1\",le=\"+Inf\"} 5\nh_sum{a=\"1\"} 9\nh_count{a=\"1\"} 5 77\n",
        "h_bucket{a=\"2\",le=\"1\"} 1\nh_count{a=\"2\"} 1\n",
        "other 3\n",
        "# TYPE g gauge\n",
        "g_count 4\n",
        "# TYPE last histogram\n",
        "last_bucket{le=\"0.5\"} 1.5\n",
    );
    assert_eq!(
        convert(body, false),
        [
            "type h histogram",
            r#"{__name__="h", a="1"} count 5 sum 9 zero 0 [(1.0, 2.0), (inf, 3.0)]"#,
            r#"{__name__="h", a="2"} count 1 sum 0 zero 0 [(1.0, 1.0)]"#,
            r#"{__name__="other"} 3"#,
            "type g gauge",
            r#"{__name__="g_count"} 4"#,
            "type last histogram",
            r#"{__name__="last"} count 1.5 sum 0 zero 0 [(0.5, 1.5)]"#,
        ]
    );
    let kept = convert("# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_count 2\nx 1\n", true);
    assert_eq!(
        kept,
        [
            "type h histogram",
            r#"{__name__="h_bucket", le="1.0"} 2"#,
            r#"{__name__="h_count"} 2"#,
            r#"{__name__="h"} count 2 sum 0 zero 0 [(1.0, 2.0)]"#,
            r#"{__name__="x"} 1"#,
        ]
    );
}

#[test]
fn lines_that_contradict_each_other_become_nothing() {
    let f = |lines: &str, want: usize| {
        let rows = convert(&format!("# TYPE h histogram\n{lines}"), false);
        assert_eq!(rows.len() - 1, want, "{rows:?}");
    };
    f("h_bucket{le=\"1\"} 2\nh_count 2\n", 1);
    f("h_bucket{le=\"5\"} 3\nh_bucket{le=\"1\"} 2\n", 1);
    f("h_bucket{le=\"1\"} 2\nh_bucket{le=\"5\"} 1\n", 0);
    f("h_bucket{le=\"5\"} 1\nh_bucket{le=\"1\"} 2\n", 0);
    f("h_bucket{le=\"1\"} -2\n", 0);
    f("h_bucket{le=\"+Inf\"} 2\nh_count 3\n", 0);
    f("h_count -1\n", 0);
    f("h_sum 1\n", 0);
    f("h_count 1\n", 1);
    // A bound that is none stays a classic line.
    f("h_bucket{le=\"x\"} 2\n", 1);
}
