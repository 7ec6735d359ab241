//! Rows for every rule of the stages, each checked on one line with its labels.

use std::sync::LazyLock;

use masthead_model::{Labels, MatchOp, Matcher};
use proptest::prelude::*;

use super::*;

/// A label with its group.
type OwnedLabel = (Group, String, Vec<u8>);

/// What became of a line: `None` if it was dropped, else its text and labels by group.
type Outcome = Option<(String, String)>;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

fn stream() -> Labels {
    labels(&[("app", "api"), ("env", "prod")])
}

fn run_on(
    stages: &[&dyn Stage],
    needed: &Needed,
    metadata: &Labels,
    text: &[u8],
) -> Option<(Vec<u8>, Vec<OwnedLabel>)> {
    let stream = stream();
    let mut line = Line::new(needed).at(1_700_000_000_000_000_000);
    line.reset(&stream, Some(metadata), text, 1_600_000_000_000_000_000);
    for stage in stages {
        if stage.process(&mut line) == Keep::No {
            return None;
        }
    }
    let all = line.labels().map(|l| (l.group, l.name.to_owned(), l.value.to_vec())).collect();
    Some((line.text().to_vec(), all))
}

/// Parsed labels as `name=value`, in the order in which they were made.
fn parsed_with(stages: &[&dyn Stage], needed: &Needed, text: &[u8]) -> Outcome {
    let (text, all) = run_on(stages, needed, &Labels::default(), text)?;
    let parsed: Vec<String> = all
        .iter()
        .filter(|(group, ..)| *group == Group::Parsed)
        .map(|(_, name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
        .collect();
    Some((String::from_utf8_lossy(&text).into_owned(), parsed.join(" ")))
}

#[track_caller]
fn parses(stage: &dyn Stage, text: &str, want: &str) {
    let got = parsed_with(&[stage], &Needed::everything(), text.as_bytes());
    assert_eq!(got.map(|(_, labels)| labels).as_deref(), Some(want), "{text}");
}

#[track_caller]
fn rewrites(stages: &[&dyn Stage], text: &str, want: &str) {
    let got = parsed_with(stages, &Needed::everything(), text.as_bytes());
    assert_eq!(got.map(|(text, _)| text).as_deref(), Some(want), "{text}");
}

fn kept(stages: &[&dyn Stage], text: &str) -> bool {
    parsed_with(stages, &Needed::everything(), text.as_bytes()).is_some()
}

fn needed(names: &[&str]) -> Needed {
    let mut needed = Needed::nothing();
    for name in names {
        needed.add(name);
    }
    needed
}

#[test]
fn json_labels() {
    let f = |text: &str, want: &str| parses(&Json, text, want);
    f(r#"{"a":1,"b":"two","c":true,"d":false,"e":null}"#, "a=1 b=two c=true d=false");
    f(r#"{"nested":{"x":{"y":"deep"}},"top":"t"}"#, "nested_x_y=deep top=t");
    f(r#"{"arr":[1,{"k":"v"}],"empty":"","obj":{}}"#, "empty=");
    f(r#"{"1st":"d","ключ":"c","":"e","  ":"b","a b":"s"}"#, "_1st=d ____=c a_b=s");
    f(r#"{"a":{"":{"b":1}},"":{"c":2}}"#, "a_b=1 c=2");
    f(r#"{"a":"1","a":{"b":"2"},"a":"3"}"#, "a=1 a_b=2");
    f(r#"{"app":"x","env":{"y":1},"env":"z"}"#, "app_extracted=x env_y=1 env_extracted=z");
    f(r#"{"n":1E5,"z":-0,"big":1e400,"f":0.10}"#, "n=1E5 z=-0 big=1e400 f=0.10");
    f(
        r#"{"esc":"t\tq\"u\u00e9\ud83d\ude00\/","bad":"\ud83d","wrong":"\x"}"#,
        "esc=t\tq\"ué😀/ bad= wrong=",
    );
    f("{\"fffd\":\"a\u{fffd}b\"}", "fffd=a b");
    f(r#"{"k\u0041":"v"}"#, "kA=v");
    f(r#"  {"lead":"space"}"#, "lead=space");
    f(r#"{"k":"v"}{"k2":"v2"} xyz"#, "k=v");
    f(r#"{"trail":"comma",}"#, "trail=comma");
    f("{}", "");
}

#[test]
fn json_that_is_cut_or_none() {
    let f = |text: &str, labels: &str, details: &str| {
        let error = format!("__error__=JSONParserErr __error_details__={details}");
        let want = if labels.is_empty() { error } else { format!("{labels} {error}") };
        parses(&Json, text, &want);
    };
    f(r#"{"trunc":"ated","x":"#, "trunc=ated", "Malformed JSON error");
    f(r#"{"trunc":"at"#, "", "Value is string, but can't find closing '\"' symbol");
    f("not json", "", "Value looks like object, but can't find closing '}' symbol");
    f(r#"{"a":1,"b":[1,2"#, "a=1", "Value is array, but can't find closing ']' symbol");
    f(r#"{"a":1,"b":{"c":2"#, "a=1", "Value looks like object, but can't find closing '}' symbol");
    f(r#"{"a":1 "b":2}"#, "a=1", "Value looks like object, but can't find closing '}' symbol");
    f(r#"{"a":nope}"#, "", "Unknown value type");
    f("", "", "Value looks like object, but can't find closing '}' symbol");
}

#[test]
fn parsers_extract_what_is_needed_and_then_stop() {
    let f = |names: &[&str], text: &str, want: &str| {
        let got = parsed_with(&[&Json], &needed(names), text.as_bytes());
        assert_eq!(got.map(|(_, labels)| labels).as_deref(), Some(want), "{text}");
    };
    f(&["b"], r#"{"a":1,"b":2,"c":3}"#, "b=2");
    f(&["b"], r#"{"b":2,"c":"broken"#, "b=2");
    f(&["a_b_c"], r#"{"x":{"y":1},"a":{"b":{"c":2,"d":3}}}"#, "a_b_c=2");
    f(&["app_extracted"], r#"{"app":"x"}"#, "app_extracted=x");
    f(&["app"], r#"{"app":"x"}"#, "");
    f(&[], "not json", "");
    let logfmt = Logfmt::default();
    let got = parsed_with(&[&logfmt], &needed(&["b"]), b"a=1 b=2 c=3");
    assert_eq!(got.map(|(_, labels)| labels).as_deref(), Some("b=2"));
}

#[test]
fn json_expressions() {
    let stage = |pairs: &[(&'static str, &'static str)]| {
        JsonExpressions::new(pairs.iter().copied()).expect("good paths")
    };
    let f = |pairs: &[(&'static str, &'static str)], text: &str, want: &str| {
        parses(&stage(pairs), text, want);
    };
    f(&[("z", "a.b")], r#"{"a":{"b":"deep"}}"#, "z=deep");
    f(&[("z", r#"["a.b"]"#), ("i", "l[1].k")], r#"{"a.b":1,"l":[0,{"k":"v"}]}"#, "z=1 i=v");
    f(
        &[("o", "o"), ("l", "l"), ("n", "n")],
        r#"{"o":{"x": 1},"l":[1, 2],"n":null}"#,
        r#"o={"x": 1} l=[1, 2] n="#,
    );
    f(&[("a", "a"), ("b", "b")], r#"{"a":1}"#, "a=1 b=");
    f(&[("d", "d")], r#"{"d":"first","d":"second"}"#, "d=first");
    f(&[("app", "app")], r#"{"app":"x"}"#, "app_extracted=x");
    f(&[("app", "app")], r#"{"x":1}"#, "");
    f(&[("a", "a"), ("b", "b")], r#"{"a":1,"b":"#, "a=1 b=");
    f(&[("a", "[0]")], r#"["x","y"]"#, "a=x");
    f(&[("p", "p"), ("q", "p.q")], r#"{"p":{"q":1}}"#, r#"p={"q":1} q=1"#);
    f(&[("a", "a")], " {\"a\":1}", "__error__=JSONParserErr");
    f(&[("a", "a")], "text", "__error__=JSONParserErr");
    f(&[("a", "a")], "", "");
    let many: Vec<(String, String)> =
        (0..100).map(|n| (format!("l{n}"), format!("k{n}"))).collect();
    let stage = JsonExpressions::new(many.iter().map(|(a, b)| (&**a, &**b))).expect("good paths");
    let (_, labels) =
        parsed_with(&[&stage], &Needed::everything(), b"{\"k99\":1,\"k0\":2}").expect("kept");
    assert!(labels.contains("l99=1") && labels.contains("l0=2"), "{labels}");
}

#[test]
fn logfmt_labels() {
    let flags = |strict, keep_empty| Logfmt::new(LogfmtFlags { strict, keep_empty });
    let f = |text: &str, want: &str| parses(&Logfmt::default(), text, want);
    f(r#"a=1 b="two words" c=3"#, "a=1 b=two words c=3");
    f(r#"q="a\"b\n\u00e9" p=x"#, "q=a\"b\né p=x");
    f(r#"bad"key=1 ok=2 a=b=c x=y"#, "ok=2 x=y");
    f("standalone key= empty=\"\" k=v", "k=v");
    f("d= d=1 d=2", "d=1");
    f("a.b=1 9x=2 app=in", "a_b=1 _9x=2 app_extracted=in");
    f("=x y=1 \"q\" z=2", "y=1 z=2");
    f("open=\"never closed", "");
    parses(&flags(false, true), "standalone k= v=1", "standalone= k= v=1");
    let strict = flags(true, false);
    parses(
        &strict,
        "a=1 b=c=d e=2",
        "a=1 __error__=LogfmtParserErr __error_details__=logfmt syntax error at pos 8 : unexpected '='",
    );
    parses(
        &strict,
        "a=1 b=\"x",
        "a=1 __error__=LogfmtParserErr __error_details__=logfmt syntax error at pos 9 : unterminated quoted value",
    );
    parses(&strict, "a=1 ", "a=1");
    let (_, labels) =
        parsed_with(&[&Logfmt::default()], &Needed::everything(), b"a=x\xffy k\xff=1 b=2")
            .expect("kept");
    assert_eq!(labels, "a=x y b=2");
}

#[test]
fn logfmt_expressions() {
    let stage = |pairs: &[(&'static str, &'static str)]| {
        LogfmtExpressions::new(LogfmtFlags::default(), pairs.iter().copied()).expect("good keys")
    };
    parses(&stage(&[("a", "a"), ("bee", "b")]), "b=1 b=2 c=3", "a= bee=2");
    parses(&stage(&[("app", "app")]), "app=x", "app_extracted=x");
    parses(&stage(&[("x", "k"), ("y", "k")]), "k=1", "x=1 y=1");
    let bad = LogfmtExpressions::new(LogfmtFlags::default(), [("a", "not.there")]);
    assert_eq!(
        bad.err().map(|e| e.to_string()).as_deref(),
        Some("cannot parse expression [not.there]: unexpected char .")
    );
}

#[test]
fn regexp_and_pattern_labels() {
    let regexp =
        RegexpParser::new(r"(?P<m>[A-Z]+) (?P<p>\S+)( (?P<rest>x))?").expect("an expression");
    parses(&regexp, "GET /a", "m=GET p=/a rest=");
    parses(&regexp, "nothing", "");
    let refused = |pattern: &str| RegexpParser::new(pattern).err().map(|e| e.to_string());
    assert_eq!(refused("(x)").as_deref(), Some("at least one named capture must be supplied"));
    assert_eq!(refused("(?P<a>x)(?P<a>y)").as_deref(), Some("duplicate extracted label name 'a'"));
    assert_eq!(refused("(?P<1a>x)").as_deref(), Some("invalid extracted label name '1a'"));
    assert_eq!(
        refused("(?P<a>").as_deref(),
        Some("error parsing regexp: missing closing ): `(?P<a>`")
    );
    assert_eq!(refused(r"(?P<a>[(?P<a>]\(?P<a>)"), None);

    let pattern = |text: &str| PatternParser::new(text).expect("a pattern");
    parses(&pattern("<ip> - <_> <path>"), "1.2.3.4 - bob /x y", "ip=1.2.3.4 path=/x y");
    parses(&pattern("[<a>] <b>;"), "[x] y; z", "a=x b=y");
    parses(&pattern("<a>,<b>,<c>"), "1,2", "a=1 b=2");
    parses(&pattern("x<a>"), "yx1", "");
    parses(&pattern("<app>"), "v", "app_extracted=v");
    parses(&pattern("<1a> <b>"), "<1a> v", "b=v");
    parses(&pattern("<a>"), "", "");
    let refused = |text: &str| PatternParser::new(text).err().map(|e| e.to_string());
    assert_eq!(refused("<_>").as_deref(), Some("at least one capture is required"));
    assert_eq!(
        refused("<a><b>").as_deref(),
        Some("found consecutive capture '<a><b>': invalid expression")
    );
    assert_eq!(
        refused("<f> f<f>").as_deref(),
        Some("duplicate capture name (f): invalid expression")
    );
}

#[test]
fn unpacked_and_decolorized_lines() {
    let packed = r#"{"pod":"p-1","n":5,"app":"x","_entry":"the \"line\""}"#;
    rewrites(&[&Unpack], packed, "the \"line\"");
    parses(&Unpack, packed, "pod=p-1 app_extracted=x");
    parses(&Unpack, r#"{"a":"b"}"#, "");
    parses(&Unpack, r#"{"_entry":5}"#, "");
    parses(
        &Unpack,
        "plain",
        "__error__=JSONParserErr __error_details__=expecting json object(6), but it is not",
    );
    rewrites(&[&Unpack], r#"{"_entry":"x","y":"#, r#"{"_entry":"x","y":"#);
    rewrites(&[&Decolorize], "\u{1b}[31mERROR\u{1b}[0m[2] \u{1b}[38;5;2mx\u{9b}1mé", "ERROR[2] xé");
    rewrites(&[&Decolorize], "\u{1b}]0;title\u{7}x", "x");
    rewrites(&[&Decolorize], "plain é", "plain é");
}

#[test]
fn line_filters() {
    use LineOp::*;
    let f = |op: LineOp, texts: &[&str], line: &str, want: bool| {
        let filter = LineFilter::new(op, texts.iter().map(|t| LineOperand::Text(t)));
        assert_eq!(
            filter.map(|f| f.matches(line.as_bytes())),
            Ok(want),
            "{op:?} {texts:?} in {line}"
        );
    };
    f(Contains, &["err"], "an error", true);
    f(Contains, &["ERR"], "an error", false);
    f(Contains, &["x", "err"], "an error", true);
    f(Contains, &["a1", "b2", "c3", "d4", "ror"], "an error", true);
    f(NotContains, &["a1", "b2", "c3", "d4", "ror"], "an error", false);
    f(NotContains, &["x", "y"], "an error", true);
    f(Contains, &[""], "", true);
    f(NotContains, &[""], "x", false);
    f(Matches, &["first.second"], "first\nsecond", false);
    f(Matches, &["(?s)first.second"], "first\nsecond", true);
    f(Matches, &["^second"], "first\nsecond", false);
    f(Matches, &["err.*"], "an error", true);
    f(Matches, &[".*(err|warn).*"], "a warning", true);
    f(Matches, &["fi.st|.*cond"], "second", true);
    f(Matches, &["(first)?"], "x", true);
    f(Matches, &["(?i)ÀÉ"], "àé", true);
    f(Matches, &["a{2}"], "caat", true);
    f(Matches, &["ab?c"], "ac", true);
    f(Matches, &["a.*b"], "b a", false);
    f(NotMatches, &["(?i)err", "o"], "An ERR", false);
    f(LooksLike, &["foo"], "bar foo", true);
    f(LooksLike, &["foo"], "foo bar", false);
    f(LooksLike, &["foo<_>"], "a foo b", true);
    f(LooksLike, &["<_>foo<_>"], "foo bar", false);
    f(LooksLike, &["<_> foo"], "bar foo", true);
    f(LooksLike, &["<_>=<_>; <_>"], "a=1; b", true);
    f(LooksLike, &["<_>=<_>; <_>"], "a=; b", false);
    f(LooksLike, &[""], "", true);
    f(LooksLike, &[""], "x", false);
    f(LooksLike, &["<_>"], "", false);
    f(NotLooksLike, &["<_>o<_>", "<_>,<_>"], "a,b", false);
    let ip = |op, text| LineFilter::new(op, [LineOperand::Ip(text)]);
    assert_eq!(ip(Contains, "10.0.0.0/8").map(|f| f.matches(b"from 10.1.2.3:80")), Ok(true));
    assert_eq!(
        ip(Matches, "10.0.0.0/8").err().map(|e| e.to_string()).as_deref(),
        Some("ip: invalid operation")
    );
    assert_eq!(
        LineFilter::new(Contains, [LineOperand::Bytes(b"\xff")]).map(|f| f.matches(b"a\xffb")),
        Ok(true)
    );
    assert!(LineFilter::new(Matches, [LineOperand::Text(".*")]).is_ok_and(|f| f.is_always()));
    let named = LineFilter::new(LooksLike, [LineOperand::Text("foo <bar>")]);
    assert_eq!(
        named.err().map(|e| e.to_string()).as_deref(),
        Some("named captures are not allowed: found '<bar>'")
    );
}

#[test]
fn a_byte_that_is_no_text_is_a_character_for_expressions() {
    use LineOp::{Contains, Matches, NotMatches};
    let line = b"GET /caf\xe9 200";
    let f = |op, text: &str, want: bool| {
        let filter = LineFilter::new(op, [LineOperand::Text(text)]);
        assert_eq!(filter.map(|f| f.matches(line)), Ok(want), "{op:?} {text}");
    };
    f(Matches, "GET.*200", true);
    f(NotMatches, "GET.*200", false);
    f(Matches, "(?i)get.*CAF. ", true);
    f(Matches, r"\x{FFFD}", true);
    f(Matches, r".*(\x{FFFD}|x).*", true);
    f(Matches, "caf. 300", false);
    f(Matches, "é", false);
    f(Contains, "\u{fffd}", false);

    let regexp = RegexpParser::new(r"(?P<m>GET) (?P<path>.*) (?P<code>\d+)").expect("valid");
    let filter = |pattern: &str| {
        let matcher = Matcher::new(MatchOp::Matches, "path", pattern).expect("valid");
        LabelFilter::text(matcher)
    };
    let run = |stages: &[&dyn Stage], line: &[u8]| {
        let (_, all) = run_on(stages, &Needed::everything(), &Labels::default(), line)?;
        let parsed = all.into_iter().filter(|(group, ..)| *group == Group::Parsed);
        Some(parsed.map(|(_, _, value)| value).collect::<Vec<_>>())
    };
    let labels = Some(vec![b"GET".to_vec(), b"/caf\xe9".to_vec(), b"200".to_vec()]);
    assert_eq!(run(&[&regexp], line), labels);
    assert_eq!(run(&[&regexp, &filter("/caf.")], line), labels);
    assert_eq!(run(&[&regexp, &filter("/caf..")], line), None);
    // Two bytes that together start a character are two.
    assert!(run(&[&regexp, &filter("/..")], b"GET /\xe2\x82 200").is_some());
}

#[test]
fn label_filters() {
    let logfmt = Logfmt::default();
    let f = |filter: LabelFilter, line: &str, want: Option<&str>| {
        let got = parsed_with(&[&logfmt, &filter], &Needed::everything(), line.as_bytes());
        let error = got.map(|(_, l)| {
            l.split_once("__error_details__=").map_or(String::new(), |(_, e)| e.to_owned())
        });
        assert_eq!(error.as_deref(), want, "{filter:?} on {line}");
    };
    let over = |n| LabelFilter::number("v", CompareOp::Greater, n);
    f(over(1.0), "v=2", Some(""));
    f(over(2.0), "v=2", None);
    f(over(2.0), "w=2", None);
    f(over(2.0), "v=x", Some("strconv.ParseFloat: parsing \"x\": invalid syntax"));
    f(LabelFilter::number("v", CompareOp::NotEqual, 1.0), "v=NaN", Some(""));
    f(LabelFilter::duration("v", CompareOp::LessOrEqual, 1_500_000_000), "v=1.5s", Some(""));
    f(
        LabelFilter::duration("v", CompareOp::Less, 1),
        "v=5",
        Some("time: missing unit in duration \"5\""),
    );
    f(LabelFilter::bytes("v", CompareOp::Equal, 1000), "v=1KB", Some(""));
    f(LabelFilter::bytes("v", CompareOp::Equal, 1000), "v=1KiB", None);
    let text = |op, value| LabelFilter::text(Matcher::new(op, "v", value).expect("a matcher"));
    f(text(MatchOp::Equal, ""), "w=1", Some(""));
    f(text(MatchOp::NotEqual, "x"), "w=1", Some(""));
    f(text(MatchOp::Matches, "[0-9]"), "v=12", None);
    f(text(MatchOp::Matches, ""), "v=12", Some(""));
    f(text(MatchOp::NotMatches, ".*"), "v=12", None);
    f(text(MatchOp::Matches, "foo.*"), "v=xfoo", Some(""));
    let ip = |negated| LabelFilter::ip("v", negated, "10.0.0.0/8").expect("a network");
    f(ip(false), "v=10.1.1.1", Some(""));
    f(ip(true), "v=10.1.1.1", None);
    f(ip(true), "w=1", None);
    f(over(1.0).and(over(3.0)), "v=2", None);
    f(over(3.0).or(over(1.0)), "v=2", Some(""));
    // The first error stays, and only strings filter a line that has one.
    let bad = LabelFilter::number("a", CompareOp::Equal, 1.0);
    let line = "a=x v=y";
    let got = parsed_with(
        &[&logfmt, &bad, &over(1.0), &ip(false)],
        &Needed::everything(),
        line.as_bytes(),
    );
    assert_eq!(
        got.map(|(_, l)| l).as_deref(),
        Some(
            "a=x v=y __error__=LabelFilterErr __error_details__=strconv.ParseFloat: parsing \"x\": invalid syntax"
        )
    );
    let error = LabelFilter::text(Matcher::equal("__error__", ""));
    assert!(!kept(&[&logfmt, &bad, &error], line) && kept(&[&logfmt, &error], line));
}

#[test]
fn formats() {
    use LabelSource::{Rename, Template};
    let logfmt = Logfmt::default();
    let line = |template: &str| LineFormat::new(template).expect("a template");
    rewrites(
        &[
            &logfmt,
            &line(
                "{{.a}} {{.missing}}| {{__line__}} {{__timestamp__ | unixEpoch}} {{now | unixEpoch}}",
            ),
        ],
        "a=1",
        "1 | a=1 1600000000 1700000000",
    );
    rewrites(&[&logfmt, &line("{{.a}}")], "a=1", "1");
    rewrites(&[&line("x{{.app}}"), &line("[{{__line__}}]")], "", "[xapi]");
    rewrites(&[&line("{{.app | div 0}}")], "kept", "kept");
    assert_eq!(
        LineFormat::new("{{ nope }}").err().map(|e| e.to_string()).as_deref(),
        Some("invalid line template: template: line:1: function \"nope\" not defined")
    );

    let label = |formats: &[(&'static str, LabelSource<'static>)]| {
        LabelFormat::new(formats.iter().copied()).expect("formats")
    };
    let f = |formats: &[(&'static str, LabelSource<'static>)], text: &str, want: &str| {
        let got = parsed_with(&[&logfmt, &label(formats)], &Needed::everything(), text.as_bytes());
        assert_eq!(got.map(|(_, l)| l).as_deref(), Some(want), "{formats:?}");
    };
    f(&[("x", Rename("a"))], "a=1", "x=1");
    f(&[("x", Rename("missing"))], "a=1", "a=1");
    f(&[("x", Rename("a")), ("y", Rename("x"))], "a=1", "y=1");
    f(&[("x", Template("{{.a}}")), ("y", Template("{{.x}}"))], "a=1", "a=1 x=1 y=");
    f(&[("x", Rename("a")), ("y", Template("{{.x}}"))], "a=1", "x=1 y=1");
    f(&[("app", Template("{{.app}}!"))], "", "app=api!");
    f(&[("x", Template("{{__line__}}"))], "a=1", "a=1 x=a=1");
    f(
        &[("x", Template("{{.app | div 0}}"))],
        "a=1",
        "a=1 __error__=TemplateFormatErr __error_details__=template: label:1:9: executing \"label\" at <div 0>: error calling div: runtime error: integer divide by zero",
    );
    let refused = |formats: &[(&'static str, LabelSource<'static>)]| {
        LabelFormat::new(formats.iter().copied()).err().map(|e| e.to_string())
    };
    assert_eq!(
        refused(&[("__error__", Rename("a"))]).as_deref(),
        Some("__error__ cannot be formatted")
    );
    assert_eq!(
        refused(&[("x", Rename("a")), ("x", Rename("b"))]).as_deref(),
        Some("multiple label name 'x' not allowed in a single format operation")
    );
    let x = LabelFormat::new([("x", Template("{{__line__}}"))]).expect("formats");
    let got = parsed_with(&[&line("new"), &x], &Needed::everything(), b"old");
    assert_eq!(got.map(|(_, l)| l).as_deref(), Some("x=new"));
}

#[test]
fn keep_and_drop() {
    let all = |stages: &[&dyn Stage], text: &str| {
        let metadata = labels(&[("user", "ann"), ("app", "meta")]);
        let (_, all) =
            run_on(stages, &Needed::everything(), &metadata, text.as_bytes()).expect("kept");
        let mut all: Vec<String> =
            all.iter().map(|(_, n, v)| format!("{n}={}", String::from_utf8_lossy(v))).collect();
        all.sort_unstable();
        all.join(" ")
    };
    let name = |name: &str| LabelRef::Name(name.into());
    let matching = |name: &str, value: &str| LabelRef::Matching(Matcher::equal(name, value));
    assert_eq!(all(&[], ""), "app=api app_extracted=meta env=prod user=ann");
    assert_eq!(
        all(&[&DropLabels::new([name("app"), name("nope")])], ""),
        "app_extracted=meta env=prod user=ann"
    );
    assert_eq!(
        all(&[&DropLabels::new([matching("env", "dev"), matching("user", "ann")])], ""),
        "app=api app_extracted=meta env=prod"
    );
    assert_eq!(all(&[&KeepLabels::new([name("user"), matching("env", "dev")])], ""), "user=ann");
    let strict = Logfmt::new(LogfmtFlags { strict: true, keep_empty: false });
    assert_eq!(
        all(&[&strict, &KeepLabels::new([name("a")])], "a=1 =").split(' ').next(),
        Some("__error__=LogfmtParserErr")
    );
    let dropped = all(
        &[
            &strict,
            &DropLabels::new([name("__error__"), name("app")]),
            &KeepLabels::new([name("a")]),
        ],
        "a=1 =",
    );
    assert_eq!(dropped, "__error_details__=logfmt syntax error at pos 5 : unexpected '=' a=1");
}

#[test]
fn unwrapped_values() {
    let f = |conversion, text: &str, want: Option<(f64, bool)>| {
        let (stream, needed) = (stream(), Needed::everything());
        let mut line = Line::new(&needed);
        line.reset(&stream, None, text.as_bytes(), 0);
        Logfmt::default().process(&mut line);
        let value = Unwrap::new("v", conversion).value(&mut line);
        assert_eq!(value.map(|v| (v, line.error().is_some())), want, "{text}");
    };
    f(Conversion::Number, "v=1.5", Some((1.5, false)));
    f(Conversion::Number, "v=+Inf", Some((f64::INFINITY, false)));
    f(Conversion::Number, "v=1s", Some((0.0, true)));
    f(Conversion::Number, "w=1", None);
    f(Conversion::Number, "v=", None);
    f(Conversion::Duration, "v=1m30s", Some((90.0, false)));
    f(Conversion::Bytes, "v=2KiB", Some((2048.0, false)));
}

#[test]
fn groups_of_labels_and_reuse_of_a_line() {
    let (stream, other) = (stream(), labels(&[("job", "x")]));
    let metadata = labels(&[("app", "m"), ("__error__", "x"), ("user", "ann")]);
    let needed = Needed::everything();
    let mut line = Line::new(&needed);
    line.reset(&stream, Some(&metadata), b"a=1 user=bob", 5);
    assert!(line.is_changed() && line.error() == Some("x"));
    Logfmt::default().process(&mut line);
    let groups: Vec<_> = line.labels().map(|l| (l.group, l.name.to_owned())).collect();
    let named = |group, name: &str| (group, name.to_owned());
    assert_eq!(
        groups,
        [
            named(Group::Stream, "app"),
            named(Group::Stream, "env"),
            named(Group::Metadata, "app_extracted"),
            named(Group::Metadata, "user"),
            named(Group::Parsed, "a"),
            named(Group::Parsed, "user_extracted"),
            named(Group::Parsed, "__error__"),
        ]
    );
    DropLabels::new([LabelRef::Name("app".into())]).process(&mut line);
    assert_eq!(line.get("app"), None);
    line.reset(&stream, None, b"x", 6);
    assert!(!line.is_changed() && line.error().is_none());
    assert_eq!(line.get("app"), Some(&b"api"[..]));
    line.reset(&other, None, b"y", 7);
    assert_eq!((line.get("app"), line.get("job"), line.timestamp()), (None, Some(&b"x"[..]), 7));
}

#[test]
fn a_hostile_line_does_not_grow_without_limit() {
    let deep =
        format!("{}1{}", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":".repeat(3000), "}".repeat(3000));
    assert!(kept(&[&Json], &deep));
    let wide: Vec<String> = (0..20_000).map(|n| format!("k{n}=1")).collect();
    let wide = wide.join(" ");
    let (_, all) =
        run_on(&[&Logfmt::default()], &Needed::everything(), &Labels::default(), wide.as_bytes())
            .expect("kept");
    assert_eq!(all.len(), 2 + line::LABELS_MAX);
}

#[test]
fn every_stage_is_documented_once() {
    let mut names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), STAGES.len());
    assert!(STAGES.iter().all(|s| s.doc.ends_with('.') && s.example.contains(s.name)));
}

/// One of each stage that changes a line.
static EVERY: LazyLock<Vec<Box<dyn Stage>>> = LazyLock::new(|| {
    let pairs = [("x", "k"), ("y", "k[0].a"), ("z", "[1]")];
    vec![
        Box::new(Decolorize),
        Box::new(Json),
        Box::new(JsonExpressions::new(pairs).expect("paths")),
        Box::new(Logfmt::new(LogfmtFlags { strict: true, keep_empty: true })),
        Box::new(LogfmtExpressions::new(LogfmtFlags::default(), [("e", "level")]).expect("keys")),
        Box::new(PatternParser::new("<p>\"<q>=<_>").expect("a pattern")),
        Box::new(RegexpParser::new("(?P<r>[a-z]+)=?(?P<s>.*)").expect("an expression")),
        Box::new(
            LabelFormat::new([("f", LabelSource::Template("{{.k}}{{__line__}}"))])
                .expect("formats"),
        ),
        Box::new(LineFormat::new("{{.r}} {{trunc 5 __line__}}").expect("a template")),
        Box::new(Unpack),
    ]
});

/// Bytes that look like logs: much structure, little sense.
fn line_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b"\"",
        b":",
        b",",
        b"=",
        b"\\",
        b"\\u00",
        b"\\ud83d",
        b" ",
        b"\"k\":",
        b"level=",
        b"error",
        b"_entry",
        b"null",
        b"true",
        b"-1.5e3",
        b"\xff",
        b"\xc2\x9b1m",
        b"\x1b[31m",
        b"k=v ",
        b"\"x\"",
        b"1.2.3.4",
        b"::1",
        b"\n",
        b"a",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_line_panics_and_names_stay_distinct(text in line_like(), only: bool) {
        let needed = if only { needed(&["k", "a_k", "level", "x"]) } else { Needed::everything() };
        for stage in EVERY.iter() {
            let (_, all) = run_on(&[&**stage], &needed, &Labels::default(), &text).expect("kept");
            let mut names: Vec<_> = all.iter().map(|(_, name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            prop_assert!(names.len() == all.len() || all.iter().any(|(_, n, _)| n.starts_with("__error")));
        }
        let all: Vec<&dyn Stage> = EVERY.iter().map(AsRef::as_ref).collect();
        prop_assert!(run_on(&all, &needed, &Labels::default(), &text).is_some());
        level::detect(&Labels::default(), &Labels::default(), &text);
        LineFilter::new(LineOp::Contains, [LineOperand::Ip("0.0.0.0/0")]).expect("a network").matches(&text);
    }

    #[test]
    fn json_agrees_with_a_strict_reader(text in "\\{(\"[a-c]\":(1|true|\"[a-z\u{e9}\\\\]{0,12}\"|\\{\"[a-c]\":2\\}),?){0,4}\\}") {
        if let Ok(serde_json::Value::Object(members)) = serde_json::from_str(&text) {
            let (_, all) = run_on(&[&Json], &Needed::everything(), &Labels::default(), text.as_bytes()).expect("kept");
            for (key, value) in &members {
                if let serde_json::Value::Object(_) = value { continue; }
                // Only the first of equal keys counts here, and the last there.
                if text.matches(&format!("\"{key}\":")).count() > 1 { continue; }
                let want = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let got = all.iter().find(|(_, name, _)| name == key).map(|(_, _, v)| String::from_utf8_lossy(v));
                prop_assert_eq!(got.as_deref(), Some(&*want));
            }
        }
    }
}
