//! Rows for the functions that Promtail's stages have and LogQL has not.

use super::*;
use crate::functions::PROMTAIL;

fn run(text: &str) -> Result<String, String> {
    run_with(text, &PROMTAIL)
}

#[track_caller]
fn f(text: &str, want: &str) {
    assert_eq!(run(text).as_deref(), Ok(want), "{text}");
}

#[track_caller]
fn stopped(text: &str, what: &str) {
    let error = run(text).err().unwrap_or_default();
    assert!(error.contains(what), "{text}: {error}");
}

#[test]
fn hashes() {
    f("{{ Hash `salt` `a` | trunc 16 }} {{ Hash `salt` `a` | len }}", "fa7355eddced2ec6 64");
    f("{{ Sha2Hash `salt` `a` | trunc 16 }}", "c48e22d109fbdc9e");
    f("{{ sha1sum `a` }}", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");
    f(
        "{{ sha256sum `a` | trunc 16 }} {{ sha512sum `a` | trunc 16 }}",
        "ca978112ca1bbdca 1f40fc92da241694",
    );
    f("{{ `Hello World` | adler32sum }} {{ adler32sum `` }}", "403375133 1");
}

#[test]
fn words() {
    let case = |text: &str, want: &str| {
        f(&format!("{{{{ snakecase `{text}` }}}}"), want);
        f(&format!("{{{{ kebabcase `{text}` }}}}"), &want.replace('_', "-"));
    };
    case("HTTPServer", "http_server");
    case("_camelCase", "_camel_case");
    case("NoHTTPS", "no_https");
    case("Wi_thF", "wi_th_f");
    case("_AnotherTES_TCaseP", "_another_tes_t_case_p");
    case("HELLO____WORLD", "hello____world");
    case("http2xx", "http_2xx");
    case("HTTP2XX", "http_2xx");
    case("HTTP20xOK", "http_20x_ok");
    case("HTTP20XStatus", "http_20x_status");
    case("HTTP-20xStatus", "http_20x_status");
    case("  sentence case  ", "__sentence_case__");
    case("Bld4Floor", "bld4_floor");
    case("user1", "user1");
    case("", "");
    f(
        "{{ camelcase `http_server` }} {{ camelcase `GOLANG_IS_GREAT` }}",
        "HttpServer GolangIsGreat",
    );
    f(
        "{{ camelcase `_complex__case_` }} {{ camelcase `_camel_case` }}",
        "_Complex_Case_ _CamelCase",
    );
    f("{{ camelcase `` }}{{ camelcase `__` }} {{ camelcase `é` }}", "__ É");
    f("{{ swapcase `swapCase é` }} {{ untitle `Two Words` }}", "SWAPcASE É two words");
    f("{{ nospace ` a\tb c ` }} {{ initials `First  second Third` }}", "abc FsT");
    f(
        "{{ abbrev 8 `one two three` }} {{ abbrev 3 `long` }} {{ abbrev 4 `long` }}",
        "one t... long long",
    );
    f("{{ trimall `$` `$5.00$` }}", "5.00");
    f(
        "{{ quote .name 1 nil `a\"b` }} {{ squote .name 1.5 }}",
        r#""Alice" "1" "a\"b" 'Alice' '1.5'"#,
    );
    f("{{ cat .name nil 7 true }}", "Alice 7 true");
}

#[test]
fn choices() {
    f(
        "{{ empty `` }} {{ empty 0 }} {{ empty nil }} {{ empty .name }} {{ empty (list) }}",
        "true true true false true",
    );
    f("{{ coalesce 0 `` .name `b` }} {{ coalesce 0 }}", "Alice <no value>");
    f("{{ all 1 `` }} {{ any 1 `` }} {{ all }} {{ any }}", "false true true false");
    f("{{ ternary `yes` `no` (eq .name `Alice`) }} {{ false | ternary `yes` `no` }}", "yes no");
    f("{{ plural `one` `many` 1 }} {{ 2 | plural `one` `many` }}", "one many");
    f(
        "{{ toString 1.5 | printf `%q` }} {{ atoi .n | printf `%T` }} {{ atoi `x` }}",
        "\"1.5\" int 0",
    );
    f("{{ printf `%T` (int64 .n) }} {{ add1 .n }}", "int64 8");
    f("{{ duration `95` }} {{ duration (int64 3600) }} {{ duration 1 }}", "1m35s 1h0m0s 0s");
    f("{{ typeOf .n }} {{ typeOf nil }} {{ typeIs `int` 1 }}", "string <nil> true");
    f(
        "{{ kindOf (list 1) }} {{ kindOf (dict) }} {{ kindOf now }} {{ kindIs `string` .n }}",
        "slice map struct true",
    );
    stopped("{{ fail `no such level` }}", "error calling fail: no such level");
    stopped("{{ ternary 1 2 `true` }}", "expected bool; found `true`");
    stopped("{{ ternary 1 2 .n }}", "wrong type for value; expected bool; got string");
}

#[test]
fn expressions() {
    f("{{ regexMatch `^A.*e$` .name }} {{ regexMatch `x` .name }}", "true false");
    f("{{ regexFind `[a-c]+` .name }}|{{ regexFind `x` .name }}|", "c||");
    f(
        "{{ regexFindAll `[aeiou]` `alphabet` -1 }} {{ regexFindAll `[aeiou]` `alphabet` 2 }}",
        "[a a e] [a a]",
    );
    f("{{ regexSplit `a+` `baaad` -1 }} {{ regexSplit `,` `a,b,c` 2 }}", "[b d] [a b,c]");
    f(
        "{{ regexSplit `` `abc` -1 }} {{ regexSplit `,` `` -1 | len }} {{ regexSplit `,` `a` 0 }}",
        "[a b c] 1 []",
    );
    f("{{ regexSplit `,` `a,b,` -1 | join `|` }}", "a|b|");
    f("{{ regexQuoteMeta `1.5*(x)` }}", r"1\.5\*\(x\)");
    stopped("{{ regexFind `(` .name }}", "missing closing ): `(`");
}

#[test]
fn lists_and_maps() {
    f("{{ splitList `/` `a/b/c` }} {{ `a/b/c` | splitList `/` | last }}", "[a b c] c");
    f(
        "{{ splitList `` `aé` }} {{ splitList `` `` | len }} {{ splitList `,` `` | len }}",
        "[a é] 0 1",
    );
    f("{{ (split `/` `a/b`)._1 }} {{ (splitn `/` 2 `a/b/c`)._1 }}", "b b/c");
    f("{{ splitn `/` 0 `a` | len }} {{ splitn `/` -1 `a/b/c` | len }}", "0 3");
    f(
        "{{ $l := list 1 nil `` 2 1 }}{{ first $l }} {{ rest $l }} {{ initial $l | len }}",
        "1 [<nil>  2 1] 4",
    );
    f(
        "{{ list 3 1 | reverse }} {{ list 0 1 `` | compact }} {{ list 1 `1` 1 | uniq | len }}",
        "[1 3] [1] 2",
    );
    f(
        "{{ has 1 (list 1 2) }} {{ has `1` (list 1 2) }} {{ sortAlpha (list 10 9 `a`) }}",
        "true false [10 9 a]",
    );
    f("{{ join `-` (list 1 nil .name) }} {{ join `-` 7 }} {{ join `-` nil }}|", "1-Alice 7 |");
    f("{{ toStrings (list 1 2) | first | kindOf }} {{ first (list) }}", "string <no value>");
    f(
        "{{ $d := dict `a` 1 `b` }}{{ get $d `a` }} {{ get $d `x` }}| {{ hasKey $d `b` }} {{ $d }}",
        "1 | true map[a:1 b:]",
    );
    f(
        "{{ keys (dict `b` 1 `a` 2) }} {{ values (dict `b` 1 `a` 2) }} {{ hasKey . `name` }}",
        "[a b] [2 1] true",
    );
    f(
        "{{ dict `m` .name `l` (list 1 1.5 nil true `<`) | toJson }}",
        r#"{"l":[1,1.5,null,true,"\u003c"],"m":"Alice"}"#,
    );
    stopped("{{ first .name }}", "Cannot find first on type string");
    stopped("{{ get 1 `a` }}", "expected map[string]interface {}; got int");
}

#[test]
fn paths() {
    f("{{ base `/var/log/a.log` }} {{ base `` }} {{ base `//` }} {{ base `a/b/` }}", "a.log . / b");
    f("{{ dir `/var/log/a.log` }} {{ dir `a` }} {{ dir `/a` }}", "/var/log . /");
    f("{{ ext `/var.d/a.tar.gz` }} {{ ext `/var.d/a` }}|", ".gz |");
    f("{{ clean `/a/../../b//./c/` }} {{ clean `../a/..` }} {{ clean `` }}", "/b/c .. .");
    f("{{ isAbs `/a` }} {{ isAbs `a` }}", "true false");
}

#[test]
fn what_the_language_of_logs_has_is_there_too() {
    f(
        "{{ .name | ToUpper }} {{ Replace .name `A` `a` -1 }} {{ `x` | repeat 2 }}",
        "ALICE alice xx",
    );
    for name in ["Hash", "quote", "splitList", "regexMatch", "base", "kindOf"] {
        assert!(LOKI.get(name).is_none(), "{name}");
    }
    for name in ["env", "expandenv", "uuidv4", "randAlpha", "getHostByName", "genPrivateKey"] {
        assert!(PROMTAIL.get(name).is_none(), "{name}");
    }
}

#[test]
fn lists_that_cost_too_much_are_refused() {
    let long = "(repeat 1000000 `x`)";
    stopped(&format!("{{{{ splitList `` {long} }}}}"), "list of more than 100000 items");
    stopped(&format!("{{{{ split `` {long} }}}}"), "list of more than 100000 items");
    stopped(&format!("{{{{ regexFindAll `` {long} -1 }}}}"), "list of more than 100000 items");
    stopped(&format!("{{{{ regexSplit `` {long} -1 }}}}"), "list of more than 100000 items");
    // Parts that are shared count as often as they are there.
    let doubled = "{{ $l := list 1 }}{{ range 15 }}{{ $l = list $l $l $l }}{{ end }}";
    stopped(doubled, "list of more than 100000 items");
    stopped(
        "{{ $l := list 1 }}{{ range 99 }}{{ $l = list $l }}{{ end }}",
        "more than 16 lists or maps in each other",
    );
    stopped(
        "{{ $l := list 1 }}{{ range 99 }}{{ $l = dict `a` $l }}{{ end }}",
        "more than 16 lists or maps",
    );
    let wide = format!(
        "{{{{ $x := {long} }}}}{{{{ $l := list $x $x $x $x $x $x $x $x $x }}}}{{{{ list $l $l }}}}"
    );
    stopped(&wide, "more than 16777216 bytes");
    stopped(
        &format!("{{{{ $x := {long} }}}}{{{{ cat {} }}}}", "$x ".repeat(17)),
        "more than 16777216 bytes",
    );
    stopped(
        &format!("{{{{ join {long} (splitList `` (repeat 100 `y`)) }}}}"),
        "more than 16777216 bytes",
    );
    // A long text is looked at once, not once for each character.
    f(&format!("{{{{ replace `` `-` {long} | len }}}}"), "2000001");
    // What one run holds counts together.
    let many = "{{ $x := repeat 90000 `x` }}{{ range 100 }}{{ $l := splitList `` $x }}{{ end }}";
    stopped(many, "values of more than 16777216 bytes");
}

proptest! {
    #[test]
    fn no_arguments_panic(
        name in 0..PROMTAIL.iter().count(),
        args in prop::collection::vec("(-?[0-9]{1,3}|`[ -_a-zé]{0,6}`|nil|true|\\.name|\\.missing|\\(list 1 `a`\\)|\\(dict `a` 1\\))", 0..4),
    ) {
        let name = PROMTAIL.iter().nth(name).map_or("", |function| function.name);
        drop(run(&format!("{{{{ {name} {} }}}}", args.join(" "))));
    }
}
