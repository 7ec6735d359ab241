//! Rows for the language, its functions and its messages.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::functions::{Functions, LOKI, PROMTAIL};

mod collector;

#[derive(Debug)]
struct Labels(Vec<(&'static str, &'static str)>);

impl Object for Labels {
    fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        self.0.iter().find(|(name, _)| name.as_bytes() == key).map(|(_, v)| Value::text(*v))
    }

    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)> {
        self.0.iter().map(|(k, v)| (Cow::Borrowed(k.as_bytes()), Value::text(*v))).collect()
    }
}

impl Env for Labels {
    fn line(&self) -> &[u8] {
        b"the \xff line"
    }

    fn timestamp(&self) -> i64 {
        1_679_577_215_000_000_000
    }
}

fn labels() -> Labels {
    Labels(vec![
        ("bad", "%zz"),
        ("json", r#"{"k":[1,2,{"x":"y"}],"n":1e7}"#),
        ("msg", "  Hello World  "),
        ("n", "7"),
        ("name", "Alice"),
        ("zoe", "Zoë"),
    ])
}

fn run(text: &str) -> Result<String, String> {
    run_with(text, &LOKI)
}

fn run_with(text: &str, functions: &'static Functions) -> Result<String, String> {
    let labels = labels();
    let template = Template::parse("line", text, functions).map_err(|e| format!("parse: {e}"))?;
    let mut out = Vec::new();
    template.run(&labels, &labels, &mut out).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[track_caller]
fn f(text: &str, want: &str) {
    assert_eq!(run(text).as_deref(), Ok(want), "{text}");
}

#[track_caller]
fn fails(text: &str, want: &str) {
    assert_eq!(run(text).err().as_deref(), Some(want), "{text}");
}

#[test]
fn text_fields_and_trimming() {
    f("plain", "plain");
    f("{{.name}} {{ .missing }}|", "Alice |");
    f("a  {{- .name -}}  b", "aAliceb");
    f("a {{/* note */}} b", "a  b");
    f("a {{- /* note */ -}} b", "ab");
    f("{{ \"a\\tb\" }}{{ `c\\d` }}{{ '\\n' }}", "a\tbc\\d10");
    f(
        "{{$}}",
        "map[bad:%zz json:{\"k\":[1,2,{\"x\":\"y\"}],\"n\":1e7} msg:  Hello World   n:7 name:Alice zoe:Zoë]",
    );
    f("{{ (index . \"name\") }}", "Alice");
}

#[test]
fn branches_loops_and_variables() {
    f("{{if eq .name \"Bob\"}}B{{else if eq .name \"Alice\"}}A{{else}}?{{end}}", "A");
    f("{{with .name}}{{.}}{{end}}{{with .missing}}x{{else}}none{{end}}", "Alicenone");
    f("{{range $i, $e := (fromJson .json).k}}{{$i}}={{$e}};{{end}}", "0=1;1=2;2=map[x:y];");
    f("{{range $k, $v := .}}{{$k}},{{end}}", "bad,json,msg,n,name,zoe,");
    f("{{range fromJson \"[]\"}}x{{else}}empty{{end}}", "empty");
    f(
        "{{range fromJson \"[1,2,3,4]\"}}{{if eq . 2.0}}{{continue}}{{end}}{{if eq . 4.0}}{{break}}{{end}}{{.}}{{end}}",
        "13",
    );
    f("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2");
    f("{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}", "1");
    f("{{range 3}}{{.}}{{end}}", "012");
    f("{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .name}}", "<Alice>");
    f("{{block \"x\" .}}{{.name}}{{end}}", "Alice");
    f("{{with $y := .name}}{{$y}}{{end}}", "Alice");
}

#[test]
fn comparison_logic_and_printing() {
    f(
        "{{eq .name \"x\" \"Alice\"}} {{ne 1 2}} {{lt 1 2}} {{ge \"b\" \"a\"}}",
        "true true true true",
    );
    f("{{and .name .missing}}|{{or .missing .name}}|{{not .missing}}", "|Alice|true");
    f("{{or true (index 1 2)}}", "true");
}

#[test]
fn printing_follows_fmt() {
    f("{{printf \"%-10s|%5s|%q\" .name .n .name}}", "Alice     |    7|\"Alice\"");
    f("{{printf \"%d\" .n}} {{printf \"%s\"}}", "%!d(string=7) %!s(MISSING)");
    f("{{printf \"%d %x\" 7}}{{printf \"x\" 1}}", "7 %!x(MISSING)x%!(EXTRA int=1)");
    f("{{printf \"%05d|%+d|%x|%o|%b|%c\" 42 42 255 8 5 65}}", "00042|+42|ff|10|101|A");
    f(
        "{{printf \"%.2f|%8.3f|%e|%g\" 3.14159 2.5 1234.5 1e21}}",
        "3.14|   2.500|1.234500e+03|1e+21",
    );
    f("{{printf \"%10.3s|%.2s|\" .name .zoe}}", "       Ali|Zo|");
    f("{{printf \"%v %t %T\" 1.5 true .name}}", "1.5 true string");
    f("{{printf \"%[2]d %[1]d %%\" 1 2}}", "2 1 %");
    f("{{printf \"%*d|\" 5 42}}", "   42|");
    f("{{printf \"%\"}}", "%!(NOVERB)");
    f("{{print .name 1 2 .n}}{{println .name}}", "Alice1 27Alice\n");
    f("{{html \"<a>&\"}} {{js \"it's\"}} {{urlquery \"a b\"}}", "&lt;a&gt;&amp; it\\'s a+b");
    f("{{len .name}} {{slice .name 1 3}} {{index (fromJson \"[5,6]\") 1}}", "5 li 6");
}

#[test]
fn functions_on_text() {
    f("{{.name | ToLower}}{{.name | upper}} {{title .msg}}", "aliceALICE   Hello World  ");
    f(
        "{{trim .msg}}|{{Trim .msg \" d\"}}|{{TrimLeft \"xxy\" \"x\"}}|{{trimSuffix \"e\" .name}}",
        "Hello World|Hello Worl|y|Alic",
    );
    f("{{trunc 3 .name}} {{trunc -3 .name}} {{trunc 99 .name}}", "Ali ice Alice");
    f("{{trunc 3 .zoe}}", "Zo\u{fffd}");
    f(
        "{{substr 1 3 .name}} {{substr -1 2 .name}} {{substr 2 -1 .name}} {{substr 0 100 .name}}",
        "li Al ice Alice",
    );
    f("{{replace \"\" \"-\" \"ab\"}} {{Replace \"aaa\" \"a\" \"b\" 2}}", "-a-b- bba");
    f(
        "{{contains \"li\" .name}} {{hasPrefix \"A\" .name}} {{hasSuffix \"b\" .name}}",
        "true true false",
    );
    f("{{indent 2 \"a\\nb\"}}{{nindent 1 \"c\"}}", "  a\n  b\n c");
    f(
        "{{repeat 2 .n}}{{alignLeft 3 .n}}|{{alignRight 3 .n}}|{{alignLeft 2 .name}}{{alignRight 2 .zoe}}",
        "777  |  7|Aloë",
    );
    f(
        "{{regexReplaceAll \"([aeiou])\" .name \"<$1>\"}} {{regexReplaceAllLiteral \"l\" .name \"$1\"}}",
        "Al<i>c<e> A$1ice",
    );
    f(
        "{{count \"[a-z]\" .name}} {{urlencode \"a b&é\"}} {{urldecode \"a+b%26\"}}",
        "4 a+b%26%C3%A9 a b&",
    );
    f(
        "{{b64enc .name}} {{b64dec \"aGk\"}} {{b64dec \"!!\"}}",
        "QWxpY2U= hi illegal base64 data at input byte 0",
    );
    f(
        "{{.missing | default \"d\"}} {{.name | default \"d\"}} {{default \"only\"}}",
        "d Alice only",
    );
}

#[test]
fn expressions_see_characters_and_bytes_that_are_none() {
    f("{{ count `the . line` __line__ }} {{ count `.` __line__ }}", "1 10");
    f("{{ regexReplaceAll `the (.) (.*)` __line__ `$2<$1>` }}", "line<\u{fffd}>");
    f("{{ regexReplaceAllLiteral `[^a-z ]` __line__ `$1` }}", "the $1 line");
    f("{{ regexReplaceAll `x*` .zoe `-` }} {{ count `` .zoe }}", "-Z-o-ë- 4");
}

#[test]
fn functions_on_numbers() {
    f(
        "{{add .n 2 3}} {{add 1.9 1}} {{sub .n 2}} {{div 7 2}} {{mod .n 4}} {{mul 2 3 4}}",
        "12 2 5 3 3 24",
    );
    f("{{add 9223372036854775807 1}}", "-9223372036854775808");
    f(
        "{{int \"0x1F\"}} {{int \"1e3\"}} {{int true}} {{int \"3.00\"}} {{float64 \"abc\"}}",
        "31 0 1 3 0",
    );
    f(
        "{{mulf 0.1 3}} {{divf 10 4 2}} {{addf 1.5 2.25}} {{subf 0.3 0.1}} {{divf 2 3}}",
        "0.3 1.25 3.75 0.2 0.6666666666666667",
    );
    f("{{max 1 .n 3}} {{minf 1.5 0.5}} {{ceil 1.2}} {{floor -1.2}}", "7 0.5 2 -2");
    f("{{round 123.555555 3}} {{round 123.88571428571 5 .2}}", "123.556 123.88572");
    f("{{bytes \"10MB\"}} {{duration \"1m30s\"}} {{bytes \"2KiB\"}}", "1e+07 90 2048");
}

#[test]
fn functions_on_time_and_json() {
    f(
        "{{__timestamp__ | date \"02/Jan/06 3:04PM\"}} {{date \"2006-01-02\" 86400}}",
        "23/Mar/23 1:13PM 1970-01-02",
    );
    f(
        "{{unixEpoch (toDate \"2006-01-02\" \"2023-01-15\")}} {{toDate \"2006\" \"x\" | unixEpochMillis}}",
        "1673740800 -62135596800000",
    );
    f("{{unixToTime \"1679577215123456\"}}", "2023-03-23 13:13:35.123456 +0000 UTC");
    f("{{fromJson .json}} {{fromJson \"{bad\"}}", "map[k:[1 2 map[x:y]] n:1e+07] <no value>");
    f("{{__line__}}", "the \u{fffd} line");
}

#[test]
fn run_errors_name_the_place_as_go_does() {
    fails(
        "{{ ToLower }}",
        "template: line:1:3: executing \"line\" at <ToLower>: wrong number of args for ToLower: want 1 got 0",
    );
    fails(
        "{{ sub .n 2 3 }}",
        "template: line:1:3: executing \"line\" at <sub>: wrong number of args for sub: want 2 got 3",
    );
    fails(
        "{{ lower 5 }}",
        "template: line:1:9: executing \"line\" at <5>: expected string; found 5",
    );
    fails(
        "{{ .name.sub }}",
        "template: line:1:8: executing \"line\" at <.name.sub>: can't evaluate field sub in type string",
    );
    fails(
        "{{ (fromJson \"[]\").k }}",
        "template: line:1:13: executing \"line\" at <\"[]\">: can't evaluate field k in type []interface {}",
    );
    fails(
        "{{ .bad | urldecode }}",
        "template: line:1:10: executing \"line\" at <urldecode>: error calling urldecode: invalid URL escape \"%zz\"",
    );
    fails(
        "{{ urldecode .bad }}",
        "template: line:1:3: executing \"line\" at <urldecode .bad>: error calling urldecode: invalid URL escape \"%zz\"",
    );
    fails(
        "{{ .name | div 0 }}",
        "template: line:1:11: executing \"line\" at <div 0>: error calling div: runtime error: integer divide by zero",
    );
    fails(
        "{{ call .name }}",
        "template: line:1:3: executing \"line\" at <call .name>: error calling call: non-function .name of type string",
    );
    fails(
        "{{ count \"(\" .name }}",
        "template: line:1:3: executing \"line\" at <count \"(\" .name>: error calling count: error parsing regexp: missing closing ): `(`",
    );
    fails(
        "a\n{{ unixToTime \"12\" }}",
        "template: line:2:3: executing \"line\" at <unixToTime \"12\">: error calling unixToTime: unable to parse time '12': %!w(<nil>)",
    );
    fails(
        "{{template \"nope\"}}",
        "template: line:1:11: executing \"line\" at <{{template \"nope\"}}>: template \"nope\" not defined",
    );
    fails(
        "{{trunc (add 1 2) .name}}",
        "template: line:1:15: executing \"line\" at <2>: wrong type for value; expected int; got int64",
    );
}

#[test]
fn parse_errors_name_the_line_as_go_does() {
    let p = |text: &str, want: &str| fails(text, &format!("parse: template: line:{want}"));
    p("{{ nope .x }}", "1: function \"nope\" not defined");
    p("{{ .name", "1: unclosed action");
    p("{{ if .name }}x", "1: unexpected EOF");
    p("{{ break }}", "1: {{break}} outside {{range}}");
    p("\n{{ end }}", "2: unexpected {{end}}");
    p("{{ else }}", "1: unexpected {{else}}");
    p("{{ $x }}", "1: undefined variable \"$x\"");
    p("{{ }}", "1: missing value for command");
    p("{{ if }}x{{end}}", "1: missing value for if");
    p("{{ \"abc }}", "1: unterminated quoted string");
    p("{{ (.x }}", "1: unclosed left paren");
    p("{{ .x) }}", "1: unexpected right paren");
    p("{{ .x | 5 }}", "1: non executable command in pipeline stage 2");
    p("{{ 1x }}", "1: bad number syntax: \"1x\"");
    p("{{/* x", "1: unclosed comment");
    p("{{if true}}{{define \"x\"}}{{end}}{{end}}", "1: unexpected {{define}}");
}

#[test]
fn what_costs_too_much_is_refused() {
    let stopped = |text: &str, what: &str| {
        let error = run(text).err().unwrap_or_default();
        assert!(error.contains(what), "{text}: {error}");
    };
    stopped("{{ repeat 100000000 .name }}", "more than 16777216 bytes");
    stopped(
        "{{ range 100000 }}{{ repeat 100 \"x\" }}{{ end }}",
        "output of more than 4194304 bytes",
    );
    stopped("{{ range 1000000 }}{{ range 1000 }}{{ end }}{{ end }}", "more than 1000000 steps");
    stopped(
        "{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}",
        "template depth",
    );
    stopped("{{ indent 100000000 .name }}", "more than 16777216 bytes");
    let long = "(repeat 1000000 `x`)";
    for replaced in [
        format!("{{{{ regexReplaceAll `.` {long} (repeat 1000 `y`) }}}}"),
        format!("{{{{ regexReplaceAllLiteral `.` {long} (repeat 1000 `$`) }}}}"),
        format!("{{{{ regexReplaceAll `.*` {long} (repeat 1000 `$0`) }}}}"),
    ] {
        stopped(&replaced, "more than 16777216 bytes");
    }
    let deep = format!("{}1{}", "{{if true}}".repeat(500), "{{end}}".repeat(500));
    stopped(&deep, "nested more than 100 deep");
    stopped(
        &format!("{{{{{}1{}}}}}", "(".repeat(500), ")".repeat(500)),
        "nested more than 100 deep",
    );
}

#[test]
fn fields_are_told_apart_from_whole_data() {
    let fields = |text: &str| {
        let template = Template::parse("t", text, &LOKI).expect("a template");
        let mut names = Vec::new();
        let whole = template.fields(&mut |name| names.push(name.to_owned()));
        (names, whole)
    };
    let f = |text: &str, names: &[&str], whole: bool| {
        assert_eq!(
            fields(text),
            (names.iter().map(ToString::to_string).collect(), whole),
            "{text}"
        );
    };
    f("{{.a}}{{if .b}}{{.c | lower}}{{end}}", &["a", "b", "c"], false);
    f("{{range $k, $v := .}}{{$k}}{{end}}", &[], true);
    f("{{(fromJson .a).b}}{{$.d}}", &["b", "a", "d"], false);
    f("{{block \"x\" .}}{{.name}}{{end}}", &["name"], false);
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\{\\{|\\}\\}|[ -~é\n]|-|range|if|end|else|\\.|\\$|printf|%|\"){0,40}") {
        // Whatever it says, it says it without a panic.
        drop(run(&text));
    }

    #[test]
    fn no_format_panics(format in "[%0-9.*#+ \\[\\]a-zA-Zé-]{0,20}", number: i64, float: f64) {
        let args = [Value::Int(number), Value::text("é\u{0}x"), Value::Float(float), Value::Nil];
        prop_assert!(print::printf(format.as_bytes(), &args).len() < 10_000_000);
    }

    #[test]
    fn times_survive_writing_and_reading(seconds in -60_000_000_000_i64..200_000_000_000) {
        let time = Time::from_seconds(seconds);
        let layout = "2006-01-02T15:04:05Z07:00";
        prop_assert_eq!(Time::parse(layout, &time.format(layout), ""), Some(time));
    }
}

#[test]
fn the_reference_lists_every_function() {
    let page = include_str!("../../../docs/reference/template-functions.md");
    let row = |function: &'static functions::Function| {
        let args: Vec<&str> = function.args.iter().map(|kind| kind.type_name()).collect();
        let args = args.join(", ").replace("interface {}", "any");
        let more = if function.variadic { "…" } else { "" };
        format!("| `{}` | {args}{more} | {} |", function.name, function.doc)
    };
    let of_collectors =
        PROMTAIL.iter().filter(|f| LOKI.iter().all(|shared| !std::ptr::eq(*f, shared)));
    let all = LOKI.iter().chain(of_collectors).chain(functions::PROMETHEUS.iter());
    let rows: Vec<String> = all.map(row).collect();
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(listed, rows, "the page must hold:\n{}", rows.join("\n"));
}

#[test]
fn functions_of_alerting_rules_say_what_upstreams_say() {
    #[derive(Debug)]
    struct Labels;
    impl Object for Labels {
        fn get(&self, key: &[u8]) -> Option<Value<'_>> {
            (key == b"job").then(|| Value::text("api"))
        }
        fn entries(&self) -> Vec<(std::borrow::Cow<'_, [u8]>, Value<'_>)> {
            Vec::new()
        }
    }
    #[derive(Debug)]
    struct Sample;
    impl Object for Sample {
        fn get(&self, key: &[u8]) -> Option<Value<'_>> {
            Some(if key == b"Labels" { Value::Object(&Labels) } else { Value::Float(2.5) })
        }
        fn entries(&self) -> Vec<(std::borrow::Cow<'_, [u8]>, Value<'_>)> {
            Vec::new()
        }
    }
    #[derive(Debug)]
    struct Server;
    impl Env for Server {
        fn query(&self, expression: &str) -> Result<Value<'_>, String> {
            match expression {
                "none" => Ok(crate::exec::list(Vec::new())),
                "up" => Ok(crate::exec::list(vec![Value::Object(&Sample)])),
                other => Err(format!("no {other}")),
            }
        }
        fn external_url(&self) -> &'static str {
            "http://host:1/pre/fix?x"
        }
    }
    let f = |text: &str, want: &str| {
        let template = Template::parse("t", text, &functions::PROMETHEUS).expect(text);
        let mut out = Vec::new();
        let done = template.run(&Labels, &Server, &mut out).map_err(|error| error.to_string());
        let got = done.err().unwrap_or_else(|| String::from_utf8_lossy(&out).into_owned());
        assert!(got == want || got.ends_with(&format!(": {want}")), "{text}: {got}");
    };
    f(r#"{{ query "up" | first | value }}"#, "2.5");
    f(r#"{{ with query "up" }}{{ . | first | label "job" }}{{ end }}"#, "api");
    f(
        r#"{{ range query "up" | sortByLabel "job" }}{{ .Labels.job }}{{ .Labels.x }}{{ .Value }}{{ end }}"#,
        "api2.5",
    );
    f(r#"{{ query "none" | first }}"#, "first() called on vector with no elements");
    f(r#"{{ query "bad" }}"#, "no bad");
    f("{{ first 1 }}", "wrong type for value; expected template.queryResult; got int");
    f("{{ humanize 1234567.0 }} {{ humanize 0.012345 }} {{ humanize 0 }}", "1.235M 12.35m 0");
    f("{{ humanize -1e30 }} {{ humanize \"1e3\" }}", "-1e+06Y 1k");
    f("{{ humanize1024 1048576 }} {{ humanize1024 1 }} {{ humanize1024 1536.0 }}", "1Mi 1 1.5ki");
    f(
        "{{ humanizeDuration 0 }} {{ humanizeDuration 3661 }} {{ humanizeDuration 90061.5 }}",
        "0s 1h 1m 1s 1d 1h 1m 1s",
    );
    f(
        "{{ humanizeDuration -61 }} {{ humanizeDuration 12.34567 }} {{ humanizeDuration .000123 }}",
        "-1m 1s 12.35s 123us",
    );
    f("{{ humanizePercentage 0.1234567 }}", "12.35%");
    f("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC");
    f(r#"{{ humanize "x" }}"#, r#"strconv.ParseFloat: parsing "x": invalid syntax"#);
    f(r#"{{ "a1b2" | reReplaceAll "[0-9]" "-$0" }} {{ match "a.c" "xabcx" }}"#, "a-1b-2 true");
    f(r#"{{ stripPort "[::1]:80" }} {{ stripPort "h:80" }} {{ stripPort "h" }}"#, "::1 h h");
    f(
        r#"{{ stripDomain "a.b.c:80" }} {{ stripDomain "a.b" }} {{ stripDomain "10.0.0.1:9" }}"#,
        "a:80 a 10.0.0.1:9",
    );
    f(r#"{{ tableLink "up == 0" }}"#, "/graph?g0.expr=up+%3D%3D+0&g0.tab=1");
    f("{{ pathPrefix }} {{ externalURL }}", "/pre/fix http://host:1/pre/fix?x");
    f(
        r#"{{ parseDuration "1h30m" }} {{ toDuration 90 }} {{ (toTime 0).Year }}"#,
        "can't evaluate field Year in type time.Time",
    );
    f(r#"{{ title "two words" }} {{ toUpper "x" }}{{ (args 1 "b").arg1 }}"#, "Two Words Xb");
}
