//! What parses to what, and what is said of the rest.

use proptest::prelude::*;

use super::{MatchersError, QUERY_BYTES_MAX, parse, parse_matchers};

fn printed(query: &str) -> String {
    parse(query).map_or_else(|error| error.to_string(), |expr| expr.to_string())
}

#[test]
fn conditions_take_what_upstreams_grammar_gives_them() {
    let f = |filter: &str, want: &str| {
        let query = format!(r#"{{a="b"}} | {filter}"#);
        assert_eq!(printed(&query), format!(r#"{{a="b"}} | {want}"#), "{filter}");
    };
    f("a=1", "a==1");
    f("a=1 and b=2 or c=3", "( ( a==1 , b==2 ) or c==3 )");
    f("a=1 or b=2 and c=3", "( a==1 or ( b==2 , c==3 ) )");
    f("a=1, b=2 or c=3", "( a==1 , ( b==2 or c==3 ) )");
    f("a=1 or b=2, c=3", "( a==1 or ( b==2 , c==3 ) )");
    f("a=1 b=2 c=3", "( a==1 , ( b==2 , c==3 ) )");
    f("(a=1 or b=2) and c=3", "( ( a==1 or b==2 ) , c==3 )");
    f("a=1 and (b=2)", "( a==1 , b==2 )");
    f("a>=1.5KiB", "a>=1.5kB");
    f("a<1h30m", "a<1h30m0s");
    f("a<-1.5s", "a<-1.5s");
    f("a<1w", "a<168h0m0s");
    f("a=1 | b=2", "a==1 | b==2");
    f("a!=ip(\"10.0.0.0/8\")", "a!=ip(\"10.0.0.0/8\")");
    f("a!~\"x\"", "a!~\"x\"");
}

#[test]
fn operators_bind_as_upstreams() {
    let f = |query: &str, want: &str| assert_eq!(printed(query), want, "{query}");
    let (a, b) = (r#"rate({a="b"}[1m])"#, "vector(1.000000)");
    f(&format!("{a} + {b} * {a}"), &format!("({a} + ({b} * {a}))"));
    f(&format!("{a} ^ {b} ^ {a}"), &format!("({a} ^ ({b} ^ {a}))"));
    f(&format!("{a} - {b} - {a}"), &format!("(({a} - {b}) - {a})"));
    f(&format!("{a} or {b} and {a}"), &format!("({a} or ({b} and {a}))"));
    f(&format!("{a} > bool {b} + 1 + 1"), &format!("({a} > bool (({b} + 1) + 1))"));
    f(&format!("sum(2 * {a})"), &format!("sum((2 * {a}))"));
    f(
        &format!("{a} / on (x) group_left (y, z) {b}"),
        &format!("({a} / on (x) group_left (y,z) {b})"),
    );
    f(&format!("{a} / ignoring () {b}"), &format!("({a} / {b})"));
    f("1 + 2 * 3 - 2 ^ 3 ^ 2", "-505");
    f("1 / 0", "NaN");
    f("1 > bool 2", "0");
}

#[test]
fn the_parts_of_a_range_come_in_many_orders() {
    let f = |inner: &str, want: &str| {
        assert_eq!(printed(&format!("rate({inner})")), format!("rate({want})"), "{inner}");
    };
    let plain = r#"{a="b"} | json | unwrap x | y==1[1m] offset 5m0s"#;
    f(r#"{a="b"} | json | unwrap x | y=1 [1m] offset 5m"#, plain);
    f(r#"{a="b"}[1m] offset 5m | json | unwrap x | y=1"#, plain);
    f(r#"({a="b"} | json | unwrap x | y=1)[1m] offset 5m"#, plain);
    f(r#"(({a="b"} | json | unwrap x | y=1 [1m] offset 5m))"#, plain);
    f(
        r#"({a="b"})[1m] offset -5m | unwrap bytes(x)"#,
        r#"{a="b"} | unwrap bytes(x)[1m] offset -5m0s"#,
    );
    f(r#"{a="b"}[1m] |= "c""#, r#"{a="b"} |= "c"[1m]"#);
}

#[test]
fn stages_print_as_they_are_read() {
    let f = |stages: &str, want: &str| {
        let query = format!(r#"{{a="b"}} {stages}"#);
        assert_eq!(printed(&query), format!(r#"{{a="b"}} {want}"#), "{stages}");
    };
    f(r#"|="x" or ip("1.1.1.1") or "y""#, r#"|= "x" or ip("1.1.1.1") or "y""#);
    f(r#"!= "x" or "y" |~ `z`"#, r#"!= "x" != "y" |~ "z""#);
    f("| JSON a, b=\"c.d\"", "| json a=\"a\",b=\"c.d\"");
    f("| logfmt --keep-empty", "| logfmt --keep-empty");
    f(
        "| label_format a=b,c=\"{{.d}}\" | drop x,y=~\"z\"",
        "| label_format a=b,c=\"{{.d}}\" | drop x,y=~\"z\"",
    );
    f("|= \"\\xff\"", "|= \"\\xff\"");
    f("| rate=1 # rate is no function here", "| rate==1");
    f("/* nothing */ | decolorize // at all", "| decolorize");
}

#[test]
fn complaints_have_upstreams_words_and_places() {
    let f = |query: &str, want: &str| assert_eq!(printed(query), want, "{query}");
    f("", "parse error : syntax error: unexpected $end");
    f(
        "{a=\"b\"\n",
        "parse error at line 2, col 1: syntax error: unexpected $end, expecting } or ,",
    );
    f(
        "{a",
        "parse error at line 1, col 3: syntax error: unexpected $end, expecting = or =~ or !~ or !=",
    );
    f("é", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER");
    f("{é=\"b\"} x", "parse error at line 1, col 9: syntax error: unexpected IDENTIFIER");
    f(
        "rate({a=\"b\"} | unwrap [1m])",
        "parse error at line 0, col 23: syntax error: unexpected RANGE, expecting IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV",
    );
    f(
        "rate({a=\"b\"} | unwrap x)",
        "parse error at line 1, col 24: syntax error: unexpected ), expecting RANGE or |",
    );
    f(
        "rate(({a=\"b\"} | unwrap x",
        "parse error at line 1, col 25: syntax error: unexpected $end, expecting RANGE or ) or |",
    );
    f("{a=\"b\"} | x > 0b", "parse error at line 1, col 15: binary literal has no digits");
    f("{a=\"b\"} | x > 1__0", "parse error at line 1, col 15: '_' must separate successive digits");
    f("{a=\"b\"} | x > 09", "parse error at line 1, col 15: invalid digit '9' in octal literal");
    f("{a=\"b\"} | x > 1e", "parse error at line 1, col 15: exponent has no digits");
    f("{a=\"\\d\"}", "parse error at line 1, col 4: invalid char escape");
    f("{a='bc'}", "parse error at line 1, col 4: invalid char literal");
    f("/* ", "parse error at line 1, col 1: comment not terminated");
    f("sum(1)", &format!("parse error : {}", super::NOT_SELECTIVE));
    f("{a=~\"(\"} nonsense", "parse error : error parsing regexp: missing closing ): `(`");
    f(
        "topk(0, rate({a=\"\"}[1m]))",
        "parse error : invalid parameter (must be greater than 0) topk(0",
    );
}

#[test]
fn depth_and_length_are_limited() {
    let deep = "expression is nested deeper";
    let f = |query: &str, want: &str| {
        let got = printed(query);
        assert!(got.contains(want), "{got:.200}");
    };
    f(&"(".repeat(10_000), deep);
    f(&format!("vector(1){}", " + vector(1)".repeat(2_000)), deep);
    f(&format!("{{a=\"b\"}} | a=1{}", " or a=1".repeat(2_000)), deep);
    f(&format!("{{a=\"b\"}} | a=1{}", " a=1".repeat(2_000)), deep);
    f(&format!("{{a=\"b\"}} | {}", "(".repeat(2_000)), deep);
    f(&format!("rate({}", "(".repeat(2_000)), deep);
    f(&" ".repeat(QUERY_BYTES_MAX), "parse error : input size too long (131072 > 131072)");
    assert_eq!(printed(&format!("1{}", " + 1".repeat(2_000))), "2001");
}

#[test]
fn endpoints_for_labels_take_selectors_alone() {
    let matchers = parse_matchers(r#"{a="b", c!~"d"}"#).expect("a selector");
    assert_eq!(
        matchers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a=\"b\"", "c!~\"d\""]
    );
    assert_eq!(parse_matchers(r#"{a="b"} |= "c""#), Err(MatchersError::NotOnlyMatchers));
    assert_eq!(parse_matchers("vector(1)"), Err(MatchersError::NotOnlyMatchers));
    assert!(matches!(parse_matchers("{"), Err(MatchersError::Parse(_))));
}

/// Queries made of the grammar's pieces.
fn query() -> impl Strategy<Value = String> {
    let text =
        prop_oneof!["[a-z]{1,3}", Just("x\\\"y\\n".to_owned()), Just("\\xff\\u00e9".to_owned())];
    let name = "[a-e]";
    let filter = (
        name,
        prop_oneof![
            Just("=1".to_owned()),
            Just(">=2.5".to_owned()),
            Just("<1h".to_owned()),
            Just("!=4B".to_owned()),
            Just("=\"t\"".to_owned()),
            Just("=~\"t+\"".to_owned()),
            Just("=ip(\"1.1.1.1\")".to_owned()),
        ],
    )
        .prop_map(|(name, rest)| format!("{name}{rest}"));
    let filters = proptest::collection::vec(
        (filter, prop_oneof![Just(" or "), Just(" and "), Just(", "), Just(" ")]),
        1..4,
    )
    .prop_map(|parts| {
        let mut text = String::new();
        for (at, (filter, join)) in parts.into_iter().enumerate() {
            text = if at == 0 { filter } else { format!("{text}{join}{filter}") };
        }
        text
    });
    let stage = prop_oneof![
        (prop_oneof![Just("|="), Just("!="), Just("|>"), Just("!>")], text.clone(), text)
            .prop_map(|(op, a, b)| format!("{op} \"{a}\" or \"{b}\"")),
        filters.prop_map(|filters| format!("| {filters}")),
        Just("| json".to_owned()),
        Just("| json a=\"b.c\", d".to_owned()),
        Just("| logfmt --strict --keep-empty".to_owned()),
        Just("| regexp \"(?P<a>b)\"".to_owned()),
        Just("| line_format \"{{.a}}\"".to_owned()),
        Just("| label_format a=b, c=\"{{.d}}\"".to_owned()),
        Just("| drop a, b=\"c\" | keep d".to_owned()),
        Just("| unpack | decolorize".to_owned()),
    ];
    let log = proptest::collection::vec(stage, 0..5)
        .prop_map(|stages| format!("{{a=\"b\"}} {}", stages.join(" ")));
    let range = (
        log.clone(),
        prop_oneof![
            Just("count_over_time"),
            Just("rate"),
            Just("absent_over_time"),
            Just("bytes_rate")
        ],
        prop_oneof![Just(""), Just(" offset 1h")],
    )
        .prop_map(|(log, op, offset)| format!("{op}({log} [5m]{offset})"));
    let leaf = prop_oneof![
        range,
        (0..9_u8).prop_map(|n| format!("vector({n}.5)")),
        (0..9_u8).prop_map(|n| n.to_string())
    ];
    let metric = leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            (
                inner.clone(),
                inner.clone(),
                prop_oneof![
                    Just("+"),
                    Just("/ on (a, b) group_left (c)"),
                    Just("> bool"),
                    Just("!="),
                    Just("^"),
                    Just("and ignoring (a)")
                ]
            )
                .prop_map(|(a, b, op)| format!("({a}) {op} ({b})")),
            (
                inner.clone(),
                prop_oneof![Just("sum by (a, b)"), Just("avg without (a)"), Just("max")]
            )
                .prop_map(|(of, op)| format!("{op} ({of})")),
            inner.clone().prop_map(|of| format!("topk(3, {of}) by (a)")),
            inner.prop_map(|of| format!("label_replace({of}, \"a\", \"$1\", \"b\", \"(.*)\")")),
        ]
    });
    prop_oneof![log, metric]
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(query in query()) {
        if let Ok(expr) = parse(&query) {
            let line = expr.to_string();
            prop_assert_eq!(parse(&line), Ok(expr.clone()), "{}", line);
            let lines = crate::pretty(&expr);
            prop_assert_eq!(parse(&lines), Ok(expr), "{}", lines);
        }
    }

    #[test]
    fn no_text_panics(text in "([{}()|=!~><,+/^0-9a-z\"`'\\[\\]\n é-]|\\{a=\"b\"\\}|rate\\(|sum|\\[5m\\]| \\| | by ){0,24}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.offset.is_none_or(|at| text.is_char_boundary(at)));
        }
    }
}
