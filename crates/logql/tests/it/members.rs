//! Lines that are cut down to the members that a query looks at, and of which those that fail its
//! filters are left out, answer it as whole lines do, whatever is wrong with them.

use masthead_logql::Engine;
use masthead_model::Labels;

use super::engine::{Parts, ask, range};

const QUERIES: &[&str] = &[
    r#"sum by (level) (count_over_time({app="a"} | json [10s]))"#,
    r#"sum by (level, __error__) (count_over_time({app="a"} | json | __error__=~".*" [10s]))"#,
    r#"sum by (path) (count_over_time({app="a"} | json | status>=500 [10s]))"#,
    r#"sum by (http_path, status) (rate({app="a"} | json | level=~"I.*|W.*" [10s]))"#,
    r#"sum by (app_extracted) (count_over_time({app="a"} | json [10s]))"#,
    r#"sum(count_over_time({app="a"} | json | level!="INFO" or took > 5 [10s]))"#,
    r#"max_over_time({app="a"} | json | unwrap took | __error__="" [10s]) by (level)"#,
    r#"sum by (l) (count_over_time({app="a"} | json | label_format l=level | l!="" [10s]))"#,
    r#"sum by (a_b, _1x) (count_over_time({app="a"} | json | drop level [10s]))"#,
    r#"sum by (a_b_c) (bytes_over_time({app="a"} | json | keep a_b_c [10s]))"#,
    r#"sum(count_over_time({app="a"} | json [10s]))"#,
    r#"sum by (l, __error__) (count_over_time({app="a"} | json l="level" | __error__=~".*" [10s]))"#,
    r#"count_over_time({app="a"} | json l="a.b.c", path="http.path", x="http.deep.y[1]" | drop __error__ [10s])"#,
    r#"sum by (l) (count_over_time({app="a"} | json l="[\"a b\"]", n="[0]" | n!="1" [10s]))"#,
    r#"max_over_time({app="a"} | json t="took" | unwrap t | __error__="" [10s])"#,
    r#"sum by (path, __error__) (count_over_time({app="a"} | json | level="INFO" | __error__=~".*" [10s]))"#,
    r#"sum by (level) (count_over_time({app="a"} | json | status=200 and took<=6.5 [10s]))"#,
    r#"absent_over_time({app="a"} | json | path="/items/7" [10s])"#,
    r#"{app="a"} | json | status>=500"#,
    r#"{app="a"} |= "o" | json | level="WARN" | took>3.2"#,
    r#"{app="a"} | json | status="500""#,
    r#"{app="a"} | json | app="a" | n<100 | path="/items/1""#,
    r#"{app="a"} | json | app="other""#,
    r#"{app="a"} | json | a_b="x""#,
    r#"{app="a"} | json | http_path="/x1" or level="INFO""#,
    r#"{app="a"} | json | ok=1 | line_format "{{.level}}""#,
];

/// Members of objects, some of which are none.
fn member(random: &mut fastrand::Rng) -> String {
    let n = random.u32(..) >> random.u32(0..32);
    let of = |random: &mut fastrand::Rng, of: &[&str]| of[random.usize(..of.len())].to_owned();
    match random.u32(0..14) {
        0..3 => {
            format!(r#""level":"{}""#, of(random, &["INFO", "WARN", "a \\\"b\\\"", "", "é\\u0041"]))
        }
        3 => format!(r#""path":"/items/{n}""#),
        4 => format!(
            r#""status":{}"#,
            of(random, &["200", "503", "up", "5x", "\"500\"", "-1", "null"])
        ),
        5 => format!(r#""took":{}.{}"#, n % 20, n % 7),
        6 => format!(r#""http":{{"path":"/x{n}","deep":{{"y":[1,"]",{n}]}}}}"#),
        7 => format!(r#""a":{{"b":{}}}"#, of(random, &["{\"c\":true}", "1", "\"x\"", "[2]"])),
        8 => format!(r#""a b":"{n}""#),
        9 => format!(r#""1x":{n},"app":"other""#),
        10 => format!(r#""id":"{n:08x}-{n:04x}","at":"2026-11-22T10:00:{:02}Z""#, n % 60),
        11 => format!(r#""p{}":1"#, n % 3),
        12 => {
            of(random, &[r#""x":tru"#, r#""x" "y""#, r#""x":"open"#, r#""x":{"y":1"#, "\u{1}", "x"])
        }
        _ => format!(r#""n":{}{n}"#, of(random, &["", "-", "1e", "1e-", "0x"])),
    }
}

fn line(random: &mut fastrand::Rng) -> String {
    let broken = random.u32(0..12) == 0;
    let members: Vec<String> = std::iter::repeat_with(|| member(random))
        .take(8)
        .filter(|member| {
            broken || serde_json::from_str::<serde_json::Value>(&format!("{{{member}}}")).is_ok()
        })
        .take(4)
        .collect();
    match random.u32(0..20) {
        0 => members.join(" "),
        1 => format!("{{{}}} and more", members.join(",")),
        2 => format!(" {{ {} }} ", members.join(" , ")),
        _ => format!("{{{}}}", members.join(",")),
    }
}

#[test]
fn what_is_left_of_lines_answers_as_the_lines_do() {
    let mut random = fastrand::Rng::with_seed(0x6d65_6d62);
    let mut answered = 0;
    for round in 0..60 {
        let count = random.usize(1..80);
        // Few different lines, so that columns of every kind come to be.
        let some: Vec<String> = (0..random.usize(1..40)).map(|_| line(&mut random)).collect();
        let lines: Vec<String> = (0..count)
            .map(|_| {
                if random.bool() {
                    line(&mut random)
                } else {
                    some[random.usize(..some.len())].clone()
                }
            })
            .collect();
        // Labels of the stream go before members of the same names.
        let stream = match round % 4 {
            0 => [("app", "a"), ("level", "INFO")].into_iter().collect(),
            1 => [("app", "a"), ("status", "500")].into_iter().collect(),
            _ => [("app", "a")].into_iter().collect::<Labels>(),
        };
        let store = |cuts| Parts {
            streams: vec![stream.clone()],
            runs: vec![(0, 0, lines.clone())],
            cuts,
            ..Parts::default()
        };
        for query in QUERIES {
            let of = |cuts| ask(&Engine::default(), &store(cuts), query, &range(100, 10));
            let (whole, cut) = (of(false), of(true));
            assert_eq!(format!("{cut:?}"), format!("{whole:?}"), "{query}\n{}", lines.join("\n"));
            answered += usize::from(whole.is_ok());
        }
    }
    assert!(answered > 200, "most of them must not fail: {answered}");
}

#[test]
fn members_are_asked_for_only_where_nothing_else_matters() {
    let asked = |query: &str| {
        let store =
            Parts { streams: vec![[("app", "a")].into_iter().collect()], ..Parts::default() };
        ask(&Engine::default(), &store, query, &range(100, 10)).expect("an answer");
        let hints = store.hints.lock().expect("no panic");
        hints.first().and_then(|hint| hint.hints.members.clone()).map(|names| names.join(" "))
    };
    let f = |query: &str, want: Option<&str>| {
        assert_eq!(asked(query).as_deref(), want, "{query}");
    };
    f(
        r#"sum by (level) (count_over_time({app="a"} | json | status>=500 [10s]))"#,
        Some("level status"),
    );
    f(r#"sum(rate({app="a"} | json | unwrap took [10s])) by (x)"#, Some("x took"));
    f(r#"count_over_time({app="a"} | json [10s])"#, None);
    f(r#"sum by (level) (count_over_time({app="a"} |= "x" | json [10s]))"#, None);
    f(r#"sum by (level) (bytes_over_time({app="a"} | json [10s]))"#, None);
    f(
        r#"count_over_time({app="a"} | json l="level", d="http.deep[0]", i="[0].x" [10s])"#,
        Some("level http"),
    );
    f(r#"sum by (l) (bytes_over_time({app="a"} | json l="level" [10s]))"#, None);
    f(r#"sum by (level) (count_over_time({app="a"} | json | line_format "{{.x}}" [10s]))"#, None);
    f(r#"sum by (l) (count_over_time({app="a"} | json | label_format l="{{.x}}" [10s]))"#, None);
    f(r#"sum by (level) (count_over_time({app="a"} | logfmt [10s]))"#, None);
    f(r#"{app="a"} | json | level="x""#, None);
}
