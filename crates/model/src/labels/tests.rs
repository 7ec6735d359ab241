//! Label sets: order, absence, text form.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

fn set(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

#[test]
fn labels_are_sorted_and_the_last_value_wins() {
    let labels = set(&[("b", "1"), ("a", "2"), ("b", "3")]);
    let pairs: Vec<_> = labels.iter().map(|l| (l.name, l.value)).collect();
    assert_eq!(pairs, [("a", "2"), ("b", "3")]);
    assert_eq!(labels.len(), 2);
}

#[test]
fn an_empty_value_is_an_absent_label() {
    assert_eq!(set(&[("a", ""), ("b", "1")]), set(&[("b", "1")]));
    assert_eq!(set(&[("a", "1"), ("a", "")]), Labels::default());
    assert_eq!(set(&[("", "1")]), Labels::default());
    assert!(set(&[]).is_empty() && !set(&[("a", "b")]).is_empty());
}

#[test]
fn get_finds_only_what_is_there() {
    let labels = set(&[("__name__", "up"), ("job", "api"), ("zone", "é")]);
    assert_eq!(labels.get("job"), Some("api"));
    assert_eq!(labels.get("zone"), Some("é"));
    assert_eq!(labels.get("instance"), None);
    assert_eq!(labels.get("zz"), None);
    assert_eq!(labels.metric_name(), Some("up"));
    assert_eq!(labels.without_metric_name(), set(&[("job", "api"), ("zone", "é")]));
    assert_eq!(set(&[("a", "b")]).without_metric_name(), set(&[("a", "b")]));
}

#[test]
fn what_is_left_without_some_labels_is_whole() {
    let long = "x".repeat(70);
    let labels = set(&[("__name__", "up"), ("a", "1"), ("b", &long), ("c", "é"), ("d", "4")]);
    let f = |gone: &[&str], want: &[(&str, &str)]| {
        assert_eq!(labels.without(|name| gone.contains(&name)), set(want), "{gone:?}");
    };
    f(&[], &[("__name__", "up"), ("a", "1"), ("b", &long), ("c", "é"), ("d", "4")]);
    f(&["__name__"], &[("a", "1"), ("b", &long), ("c", "é"), ("d", "4")]);
    f(&["a", "d"], &[("__name__", "up"), ("b", &long), ("c", "é")]);
    f(&["__name__", "b", "c"], &[("a", "1"), ("d", "4")]);
    f(&["__name__", "a", "b", "c", "d"], &[]);
    assert_eq!(Labels::default().without(|_| true), Labels::default());
}

#[test]
fn long_fields_need_more_than_one_digit() {
    for len in [63, 64, 65, 4095, 4096, 300_000] {
        let value = "x".repeat(len);
        let labels = set(&[("a", &value), ("b", "1")]);
        assert_eq!(labels.get("a").map(str::len), Some(len));
        assert_eq!(labels.get("b"), Some("1"));
    }
}

#[test]
fn order_is_by_name_then_value_then_number_of_labels() {
    let f = |less: &[(&str, &str)], more: &[(&str, &str)]| assert!(set(less) < set(more));
    f(&[("a", "b")], &[("a", "c")]);
    f(&[("a", "b")], &[("b", "a")]);
    f(&[("a", "b")], &[("a", "b"), ("c", "d")]);
    f(&[], &[("a", "b")]);
    f(&[("aa", "b")], &[("b", "a")]); // By name, although its encoding starts with a larger length.
}

#[test]
fn prints_as_prometheus_does() {
    let f = |pairs: &[(&str, &str)], want: &str| assert_eq!(set(pairs).to_string(), want);
    f(&[], "{}");
    f(&[("__name__", "up"), ("job", "a\"b")], r#"{__name__="up", job="a\"b"}"#);
    f(&[("a.b", "1"), ("0", "2")], r#"{"0"="2", "a.b"="1"}"#);
}

#[test]
fn parses_what_people_write() {
    let f = |text: &str, want: &[(&str, &str)]| assert_eq!(text.parse(), Ok(set(want)), "{text}");
    f("{}", &[]);
    f("up", &[("__name__", "up")]);
    f("ns:up{ }", &[("__name__", "ns:up")]);
    f(r#" up { job = "a" , b='c', } "#, &[("__name__", "up"), ("job", "a"), ("b", "c")]);
    f(r#"{"my.metric", "la bel"=`x\`}"#, &[("__name__", "my.metric"), ("la bel", "x\\")]);
    f(r#"{a="}\"{"}"#, &[("a", "}\"{")]);
    f(r#"{a=""}"#, &[]);
}

#[test]
fn refuses_with_the_position() {
    let f = |text: &str, want: Option<usize>| {
        let error = text.parse::<Labels>().expect_err(text);
        let offset = match error {
            LabelsError::Syntax { offset, .. } => Some(offset),
            LabelsError::Duplicate { .. } => None,
        };
        assert_eq!(offset, want, "{text}");
    };
    f("", Some(0));
    f("1up", Some(0));
    f("{", Some(1));
    f("{a}", Some(2));
    f("{a=b}", Some(3));
    f(r#"{a="b}"#, Some(3));
    f(r#"{a="\q"}"#, Some(3));
    f(r#"{a="b" c="d"}"#, Some(7));
    f(r#"{a="b"} x"#, Some(8));
    f(r#"{a="b",,}"#, Some(7));
    f(r#"{1a="b"}"#, Some(1));
    f(r#"{a="b", a="c"}"#, None);
    f(r#"up{__name__="c"}"#, None);
}

#[test]
fn legacy_names() {
    let f = |name: &str, label: bool, metric: bool| {
        assert_eq!((is_legacy_label_name(name), is_legacy_metric_name(name)), (label, metric));
    };
    f("a_1", true, true);
    f("_", true, true);
    f("a:b", false, true);
    f(":", false, true);
    f("1a", false, false);
    f("", false, false);
    f("é", false, false);
    f("a-b", false, false);
}

#[test]
fn pairs_given_twice_are_named() {
    let pair = |n: &'static str, v: &'static str| (Cow::from(n), Cow::from(v));
    let mut pairs = vec![pair("b", "1"), pair("a", "2"), pair("b", "3")];
    let error = LabelsError::Duplicate { name: "b".to_owned() };
    assert_eq!(Labels::from_pairs(&mut pairs), Err(error.clone()));
    let mut adjacent = vec![pair("b", "1"), pair("b", "1")];
    assert_eq!(Labels::from_pairs(&mut adjacent), Err(error));
    let mut sound = vec![pair("b", "1"), pair("a", "2"), pair("c", ""), pair("", "x")];
    assert_eq!(Labels::from_pairs(&mut sound), Ok(set(&[("a", "2"), ("b", "1")])));
}

#[test]
fn a_builder_changes_a_copy() {
    let labels = set(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let mut builder = labels.to_builder();
    builder.set("b", "9").remove("a").set("d", "4").retain(|l| l.name != "c");
    assert_eq!(builder.get("b"), Some("9"));
    assert_eq!(builder.get("a"), None);
    assert_eq!(builder.build(), set(&[("b", "9"), ("d", "4")]));
    assert_eq!(labels.len(), 3);
}

fn any_labels() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof!["[a-zA-Z_][a-zA-Z0-9_]{0,8}", any::<String>()];
    prop::collection::vec((name, any::<String>()), 0..6)
}

proptest! {
    #[test]
    fn print_then_parse_is_identity(pairs in any_labels()) {
        let labels: Labels = pairs.into_iter().collect();
        prop_assert_eq!(labels.to_string().parse(), Ok(labels));
    }

    #[test]
    fn a_set_behaves_as_a_sorted_map(pairs in any_labels(), probe in "[a-c]") {
        let map: std::collections::BTreeMap<_, _> =
            pairs.iter().filter(|(n, _)| !n.is_empty()).cloned().collect();
        let labels: Labels = pairs.into_iter().collect();
        let want: Vec<_> = map.iter().filter(|(_, v)| !v.is_empty()).collect();
        let got: Vec<_> = labels.iter().collect();
        prop_assert_eq!(got.len(), want.len());
        for (got, (name, value)) in got.iter().zip(&want) {
            prop_assert_eq!((got.name, got.value), (name.as_str(), value.as_str()));
        }
        let value = map.get(&probe).filter(|v| !v.is_empty());
        prop_assert_eq!(labels.get(&probe), value.map(String::as_str));
    }

    #[test]
    fn no_text_panics(text in "[a-z{}=\",\\\\` é]{0,16}") {
        if let Ok(labels) = text.parse::<Labels>() {
            prop_assert_eq!(labels.to_string().parse(), Ok(labels));
        }
    }
}
