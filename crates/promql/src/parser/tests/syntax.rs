//! What parses, and how it is understood.

use super::*;
use crate::ast::{Cardinality, FillValues};

/// The tree with brackets around every operator and sign, which printing leaves out.
fn grouped(expr: &Expr) -> String {
    match expr {
        Expr::Binary(b) => format!("[{} {} {}]", grouped(&b.lhs), b.op, grouped(&b.rhs)),
        Expr::Unary(u) => format!("[{}{}]", u.op, grouped(&u.expr)),
        Expr::Paren(p) => format!("({})", grouped(&p.expr)),
        other => other.to_string(),
    }
}

#[test]
fn numbers_and_strings() {
    let f = |input: &str, want: &str| assert_eq!(printed(input), Ok(want.into()), "{input}");
    f("1", "1");
    f("+Inf", "+Inf");
    f("-Inf", "-Inf");
    f("iNf", "+Inf");
    f("NaN", "NaN");
    f(".5", "0.5");
    f("5.", "5");
    f("123.4567", "123.4567");
    f("5e-3", "0.005");
    f("5e3", "5000");
    f("1_000", "1000");
    f("0xc", "12");
    f("0755", "493");
    f("-0755", "-493");
    f("+5.5e-3", "0.0055");
    f("1e21", "1000000000000000000000");
    f("# before\n1 # after", "1");
    f("1m30s", "1m30s");
    f("-1h", "-1h");
    f("4s180ms", "4s180ms");
    f(r#""a \" b""#, r#""a \" b""#);
    f(r"'a \' b'", r#""a ' b""#);
    f(r"`a \n b`", r#""a \\n b""#);
    f(r#""\a\b\f\n\r\t\v\\\" - \u1234\U00010111☺""#, r#""\a\b\f\n\r\t\v\\\" - ሴ𐄑☺""#);
    // Escapes may spell bytes that are not text; the literal keeps them.
    f(r#""a\xc5z\377""#, r#""a\xc5z\xff""#);
}

#[test]
fn operators_bind_as_upstream() {
    let f = |input: &str, want: &str| {
        let got = parse(input, &Features::ALL).map(|expr| grouped(&expr));
        assert_eq!(got.map_err(|error| error.to_string()), Ok(want.into()), "{input}");
    };
    f("1 + 1", "[1 + 1]");
    f("-1^2", "[-[1 ^ 2]]");
    f("-1*2", "[-1 * 2]");
    f("-1+2", "[-1 + 2]");
    f("-1^-2", "[-[1 ^ -2]]");
    f("+1 + -2 * 1", "[1 + [-2 * 1]]");
    f("1 + 2/(3*1)", "[1 + [2 / ([3 * 1])]]");
    f("1 < bool 2 - 1 * 2", "[1 < [2 - [1 * 2]]]");
    f("2 ^ 3 ^ 2", "[2 ^ [3 ^ 2]]");
    f("2 * 3 % 2", "[[2 * 3] % 2]");
    f("1 - 2 - 3", "[[1 - 2] - 3]");
    f("2 ^ -3 * 4", "[[2 ^ -3] * 4]");
    f("-a * b", "[[-a] * b]");
    f("- - a", "[-[-a]]");
    f("- -1", "1");
    f("-(1)", "[-(1)]");
    f("a atan2 b + c", "[[a atan2 b] + c]");
    f("a + b atan2 c", "[a + [b atan2 c]]");
    f("a > b > c", "[[a > b] > c]");
    f("a </ 1 + 2", "[a </ [1 + 2]]");
    f("a >/ b == c", "[[a >/ b] == c]");
    f("a</b", "[a </ b]");
    f("foo + bar or bla and blub", "[[foo + bar] or [bla and blub]]");
    f("foo and bar unless baz or qux", "[[[foo and bar] unless baz] or qux]");
    f("bar + on(foo) bla / on(baz, buz) group_right(test) blub", "[bar + [bla / blub]]");
    f("a AND b", "[a and b]");
    // What follows a value belongs to it alone.
    f("a ^ b offset 5m", "[a ^ b offset 5m]");
    f("a + b @ 10", "[a + b @ 10.000]");
    f("-a offset 5m", "[-a offset 5m]");
    f("foo offset 5s-8", "[foo offset 5s - 8]");
    f("foo offset -1^1", "[foo offset -1s ^ 1]");
    f("foo offset (100 + 2) * 2", "[foo offset (100 + 2) * 2]");
    f("foo offset step()*0", "[foo offset step() * 0]");
    f("foo offset -min_of(step(), 1s)^0", "[foo offset -min_of(step(), 1s) ^ 0]");
}

#[test]
fn matching_modifiers() {
    let f = |input: &str, card, on, labels: &[&str], include: &[&str]| {
        let expr = parse(input, &Features::ALL).expect(input);
        let Expr::Binary(binary) = expr else { panic!("{input}: {expr:?}") };
        let matching = binary.matching.expect(input);
        assert_eq!((matching.card, matching.on), (card, on), "{input}");
        assert_eq!(
            (&matching.labels[..], &matching.include[..]),
            (&strings(labels)[..], &strings(include)[..]),
            "{input}"
        );
    };
    let strings_none: &[&str] = &[];
    f("foo * bar", Cardinality::OneToOne, false, &[], strings_none);
    f("foo * sum", Cardinality::OneToOne, false, &[], &[]);
    f("foo and bar", Cardinality::ManyToMany, false, &[], &[]);
    f("foo * on(test,blub) bar", Cardinality::OneToOne, true, &["test", "blub"], &[]);
    f("foo * on(test,blub) group_left bar", Cardinality::ManyToOne, true, &["test", "blub"], &[]);
    f("foo and on(test,blub) bar", Cardinality::ManyToMany, true, &["test", "blub"], &[]);
    f("foo and on() bar", Cardinality::ManyToMany, true, &[], &[]);
    f("foo and ignoring(a, b,) bar", Cardinality::ManyToMany, false, &["a", "b"], &[]);
    f("foo and ignoring() bar", Cardinality::ManyToMany, false, &[], &[]);
    f("foo unless on(start) bar", Cardinality::ManyToMany, true, &["start"], &[]);
    f("foo / on(a) group_left(bar) bar", Cardinality::ManyToOne, true, &["a"], &["bar"]);
    f("foo / ignoring(a) group_left(a) bar", Cardinality::ManyToOne, false, &["a"], &["a"]);
    f("foo - on(a) group_right(b,c) bar", Cardinality::OneToMany, true, &["a"], &["b", "c"]);
    f("foo - on(\"a b\") group_right('c d') bar", Cardinality::OneToMany, true, &["a b"], &["c d"]);
    f(
        "foo == bool on(bool, by, atan2) bar",
        Cardinality::OneToOne,
        true,
        &["bool", "by", "atan2"],
        &[],
    );
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn matching_means_nothing_beside_a_scalar() {
    let f = |input: &str| {
        let expr = parse(input, &Features::ALL).expect(input);
        assert!(matches!(&expr, Expr::Binary(binary) if binary.matching.is_none()), "{input}");
    };
    f("foo == 1");
    f("foo == bool 1");
    f("2.5 / bar");
    f("1 + 1");
}

#[test]
fn fill_modifiers() {
    let f = |input: &str, lhs, rhs| {
        let expr = parse(input, &Features::ALL).expect(input);
        let Expr::Binary(binary) = expr else { panic!("{input}: {expr:?}") };
        assert_eq!(binary.matching.expect(input).fill, FillValues { lhs, rhs }, "{input}");
    };
    f("a + fill(0) b", Some(0.0), Some(0.0));
    f("a + fill (-1.5) b", Some(-1.5), Some(-1.5));
    f("a + fill_left(1) b", Some(1.0), None);
    f("a + fill_right(1m) b", None, Some(60.0));
    f("a + on(x) fill_left(1) fill_right(2) b", Some(1.0), Some(2.0));
    f("a + on(x) group_left(y) fill_right(2) fill_left(+1) b", Some(1.0), Some(2.0));
    f("a == bool fill(3) b", Some(3.0), Some(3.0));
    // Names that existed before the modifiers did.
    f("fill + fill", None, None);
    f("fill_left - fill_right", None, None);
}

#[test]
fn selectors() {
    let f = |input: &str, want: &str| assert_eq!(printed(input), Ok(want.into()), "{input}");
    f("foo", "foo");
    f("foo{}", "foo");
    f(r#"foo:bar{a="bc"}"#, r#"foo:bar{a="bc"}"#);
    f(r#"{"foo"}"#, r#"{__name__="foo"}"#);
    f(r#"{"my.metric", "la bel"="x"}"#, r#"{"la bel"="x",__name__="my.metric"}"#);
    f(r"{'foo\'bar', 'a\\b'='c\\d'}", r#"{"a\\b"="c\\d",__name__="foo'bar"}"#);
    f(r#"{"foo", a="bc"}"#, r#"{__name__="foo",a="bc"}"#);
    f("foo{NaN='bc'}", r#"foo{NaN="bc"}"#);
    f("foo{bar='}'}", r#"foo{bar="}"}"#);
    f(
        r#"foo{a="b", foo!="bar", test=~"test", bar!~"baz",}"#,
        r#"foo{a="b",bar!~"baz",foo!="bar",test=~"test"}"#,
    );
    f(r#"{a="b", "foo", test=~"t"}"#, r#"{__name__="foo",a="b",test=~"t"}"#);
    f(r#"{__name__=~"bar", __name__!~"baz"}"#, r#"{__name__!~"baz",__name__=~"bar"}"#);
    f(r#"{"bar", __name__="baz"}"#, r#"{__name__="bar",__name__="baz"}"#);
    f("foo { # comment\n a = 'b' }", r#"foo{a="b"}"#);
    f("foo offset 5m", "foo offset 5m");
    f("foo offset -7m", "foo offset -7m");
    f("foo OFFSET 1h30m", "foo offset 1h30m");
    f("foo offset 0s", "foo");
    f("foo @ 1603774568", "foo @ 1603774568.000");
    f("foo @ -100", "foo @ -100.000");
    f("foo @ .3", "foo @ 0.300");
    f("foo @ 3.", "foo @ 3.000");
    f("foo @ 3.3333", "foo @ 3.333");
    f("foo @ 3.3335", "foo @ 3.334");
    f("foo @ 3e-1", "foo @ 0.300");
    f("foo @ 0xA", "foo @ 10.000");
    f("foo @ -3.3e1", "foo @ -33.000");
    f("foo @ 1m", "foo @ 60.000");
    f("foo @ start()", "foo @ start()");
    f("foo @ end()", "foo @ end()");
    f("foo offset 1m @ 123", "foo @ 123.000 offset 1m");
    f("foo anchored", "foo anchored");
    f("foo[5m] smoothed", "foo[5m] smoothed");
    f("foo[5m] offset 1m anchored @ 10", "foo[5m] anchored @ 10.000 offset 1m");
    f("foo smoothed offset 1m @ end()", "foo @ end() smoothed offset 1m");
}

#[test]
fn ranges_and_subqueries() {
    let f = |input: &str, want: &str| assert_eq!(printed(input), Ok(want.into()), "{input}");
    f("test[1000ms]", "test[1s]");
    f("test[1001ms]", "test[1s1ms]");
    f("test[5]", "test[5s]");
    f("foo[5m30s]", "foo[5m30s]");
    f("test[5h] OFFSET 5m", "test[5h] offset 5m");
    f("test[5w] offset 2w", "test[5w] offset 2w");
    f(r#"test{a="b"}[5y] OFFSET 3d"#, r#"test{a="b"}[5y] offset 3d"#);
    f("test[5m] OFFSET 3600", "test[5m] offset 1h");
    f("foo[4.18] @ 2.345", "foo[4s180ms] @ 2.345");
    f("foo[4.018]", "foo[4s18ms]");
    f("foo [ 5m ]", "foo[5m]");
    f("foo[10m:6s]", "foo[10m:6s]");
    f("foo[10m:]", "foo[10m:]");
    f("foo[10m5s:1h6ms]", "foo[10m5s:1h6ms]");
    f("foo[10m:5s] offset 1m @ 123", "foo[10m:5s] @ 123.000 offset 1m");
    f("foo @ 123 offset 1m [10m:5s]", "foo @ 123.000 offset 1m[10m:5s]");
    f("(foo + bar @ 1234)[5m:] @ 1603775019", "(foo + bar @ 1234.000)[5m:] @ 1603775019.000");
    f(
        "min_over_time(rate(foo[2s])[5m:] offset 4m)[4m:3s]",
        "min_over_time(rate(foo[2s])[5m:] offset 4m)[4m:3s]",
    );
    f("sum without(and, by)(foo) [30m:10s]", "sum without (and, by) (foo)[30m:10s]");
}

#[test]
fn arithmetic_in_durations() {
    let f = |input: &str, want: &str| assert_eq!(printed(input), Ok(want.into()), "{input}");
    f("foo[11s+10s-5*2^2]", "foo[11s + 10s - 5 * 2 ^ 2]");
    f("foo[-(10s-5s)+20s]", "foo[-(10s - 5s) + 20s]");
    f("foo[-10s+15s]", "foo[-10s + 15s]");
    f("foo[0+-2^2]", "foo[0 + -2 ^ 2]");
    f("foo[-2^2]", "foo[-2 ^ 2]");
    f("foo[(5s)]", "foo[(5s)]");
    f("foo[((5s))]", "foo[(5s)]");
    f("foo[  -  step  (  )  ]", "foo[-step()]");
    f("foo[STep()+1]", "foo[step() + 1]");
    f("foo[2m/range()]", "foo[2m / range()]");
    f("foo[max_of(step(),5s)]", "foo[max_of(step(), 5s)]");
    f("foo[step():range()]", "foo[step():range()]");
    f("foo[4s+4s:1s*2] offset (5s-8)", "foo[4s + 4s:1s * 2] offset (5s - 8)");
    f("foo offset +(5)", "foo offset (5)");
    f("foo offset -(5)", "foo offset -(5)");
    f("foo offset -(1^2)", "foo offset -(1 ^ 2)");
    f("foo offset (-1^2)", "foo offset (-1 ^ 2)");
    f("foo offset -step()", "foo offset -step()");
    f("foo offset -min_of(5s,step()+8s)", "foo offset -min_of(5s, step() + 8s)");
    f("foo[30m1s-30m1s % 1m]", "foo[30m1s - 30m1s % 1m]");
}

#[test]
fn aggregations_and_calls() {
    let f = |input: &str, want: &str| assert_eq!(printed(input), Ok(want.into()), "{input}");
    f("sum by (foo)(bar)", "sum by (foo) (bar)");
    f("sum (bar) by (foo)", "sum by (foo) (bar)");
    f("sum by ()(bar)", "sum(bar)");
    f("sum without ()(bar)", "sum without () (bar)");
    f("avg by (foo,bar,)(baz)", "avg by (foo, bar) (baz)");
    f("sum by (anchored, smoothed, fill)(bar)", "sum by (anchored, smoothed, fill) (bar)");
    f(
        r#"sum by ("foo bar", baz, 'x')({"a.b"})"#,
        r#"sum by ("foo bar", baz, x) ({__name__="a.b"})"#,
    );
    f("topk(5, foo)", "topk(5, foo)");
    f(r#"count_values("value", foo)"#, r#"count_values("value", foo)"#);
    f(r#"count_values("a\xc5z", foo)"#, r#"count_values("a\xc5z", foo)"#);
    f("SUM(foo)", "sum(foo)");
    f("limitk by (a) (1, foo)", "limitk by (a) (1, foo)");
    f("limit_ratio(0.5, foo)", "limit_ratio(0.5, foo)");
    f("sum(sum)", "sum(sum)");
    f("time()", "time()");
    f(r#"floor(foo{a!="b"})"#, r#"floor(foo{a!="b"})"#);
    f("round(foo, 5)", "round(foo, 5)");
    f("hour()", "hour()");
    f("label_join(a, 'b', ',', 'c', 'd', 'e')", r#"label_join(a, "b", ",", "c", "d", "e")"#);
    f("start() + end() + step() + range()", "start() + end() + step() + range()");
    f("min_of(1, max_of(2, 3))", "min_of(1, max_of(2, 3))");
    f("info(rate(foo{}[5m]))", "info(rate(foo[5m]))");
    f(r#"info(foo, {a=~".*"})"#, r#"info(foo, {a=~".*"})"#);
    f("rate(foo[2m+2m])", "rate(foo[2m + 2m])");
}

#[test]
fn words_of_the_syntax_are_names_where_nothing_else_can_be_meant() {
    for name in [
        "min",
        "sum",
        "offset",
        "step",
        "start",
        "end",
        "range",
        "anchored",
        "smoothed",
        "by",
        "without",
        "and",
        "or",
        "unless",
        "limitk",
        "fill",
        "fill_left",
        "min_of",
        "MAX_OF",
    ] {
        for input in [
            name.to_owned(),
            format!("{name}{{job=\"a\"}}[5m]"),
            format!("foo + {name}"),
            format!("sum({name})"),
            format!("foo{{{name}=\"x\"}}"),
        ] {
            assert!(
                printed(&input).is_ok_and(|text| text.contains(name)),
                "{input}: {:?}",
                printed(&input)
            );
        }
    }
    for name in ["bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf"] {
        assert!(parse(&format!("{name} == {name}{{}}"), &Features::ALL).is_err(), "{name}");
    }
}

#[test]
fn selectors_of_match_parameters() {
    let f = |input: &str, want: Result<&[&str], &str>| {
        let got = parse_selector(input)
            .map(|matchers| matchers.iter().map(ToString::to_string).collect::<Vec<_>>())
            .map_err(|error| error.to_string());
        assert_eq!(got, want.map(strings).map_err(str::to_owned), "{input}");
    };
    f("up", Ok(&[r#"__name__="up""#]));
    f(r#"up{job="api",a!~"b"}"#, Ok(&[r#"job="api""#, r#"a!~"b""#, r#"__name__="up""#]));
    f("{}", Ok(&[]));
    f(r#" {"a.b"} # x"#, Ok(&[r#"__name__="a.b""#]));
    f("up[5m]", Err(r#"1:3: parse error: unexpected "[""#));
    f("rate(up)", Err(r#"1:5: parse error: unexpected "(""#));
    f("1", Err(r#"1:1: parse error: unexpected number "1""#));
    f("", Err("unknown position: parse error: unexpected end of input"));
    f("up{", Err("1:4: parse error: unexpected end of input inside braces"));
}
