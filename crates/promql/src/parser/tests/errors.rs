//! What does not parse: places and texts are upstream's.
//!
//! Upstream goes on after some syntax errors and adds further ones that nobody is shown; here the
//! first ends the parse, so that some rows have fewer errors than upstream's.

use super::*;

/// The first and last byte and the text of each error, with everything experimental switched on.
#[track_caller]
fn refused(input: &str, want: &[(usize, usize, &str)]) {
    let want: Vec<_> =
        want.iter().map(|(from, to, text)| (*from, *to, (*text).to_owned())).collect();
    assert_eq!(errors(input, Features::ALL), want, "{input}");
}

#[test]
fn nothing_to_read() {
    refused("", &[(0, 0, "no expression found in input")]);
    refused("# just a comment\n\n", &[(0, 0, "no expression found in input")]);
}

#[test]
fn characters_that_are_no_token() {
    let f = refused;
    f(".", &[(0, 1, "unexpected character: '.'")]);
    f("2.5.", &[(0, 4, r#"bad number or duration syntax: "2.5.""#)]);
    f("100..4", &[(0, 6, r#"bad number or duration syntax: "100..""#)]);
    f("0deadbeef", &[(0, 9, r#"bad number or duration syntax: "0de""#)]);
    f("1 !~ 1", &[(2, 6, "unexpected character after '!': '~'")]);
    f("1 =~ 1", &[(2, 6, "unexpected character after '=': '~'")]);
    f("1 !", &[(2, 3, "unexpected character after '!': '\u{fffd}'")]);
    f("}", &[(0, 1, "unexpected character: '}'")]);
    f("some}", &[(4, 5, "unexpected character: '}'")]);
    f("a ; b", &[(2, 5, "unexpected character: ';'")]);
    f("a\u{a0}", &[(1, 3, r"unexpected character: '\u00a0'")]);
    f("(1))", &[(4, 4, "unexpected right parenthesis ')'")]);
    f("((1)", &[(4, 4, "unclosed left parenthesis")]);
    f("(", &[(1, 1, "unclosed left parenthesis")]);
    f("sum(", &[(4, 4, "unclosed left parenthesis")]);
    f("sum(rate(", &[(9, 9, "unclosed left parenthesis")]);
    f("a]", &[(1, 2, "unexpected right bracket ']'")]);
    f("foo[5m", &[(6, 6, "unclosed left bracket")]);
    f("foo[5m[", &[(6, 7, "unexpected left bracket '['")]);
}

#[test]
fn strings() {
    let f = refused;
    f("`\\``", &[(3, 4, "unterminated raw string")]);
    f(r#""\"#, &[(0, 2, "escape sequence not terminated")]);
    f(r#""\c""#, &[(0, 4, "unknown escape sequence U+0063 'c'")]);
    f("\"\\\n\"", &[(0, 4, "unknown escape sequence U+000A")]);
    f(r#""\x.""#, &[(0, 5, "illegal character U+002E '.' in escape sequence")]);
    f(r#""\400""#, &[(0, 6, "escape sequence is an invalid Unicode code point")]);
    f(r#""\ud800""#, &[(0, 8, "escape sequence is an invalid Unicode code point")]);
    f("'a\nb'", &[(0, 5, "unterminated quoted string")]);
    f(r#"sum by ("foo)(some_metric{})"#, &[(8, 28, "unterminated quoted string")]);
    f("foo{a=\"\u{fffd}\"}", &[(6, 12, "invalid UTF-8 rune")]);
    f(
        "label_replace(a, `b`, `\u{fffd}`)",
        &[
            (22, 28, "invalid UTF-8 rune"),
            (20, 21, "trailing commas not allowed in function call args"),
        ],
    );
    f(
        r#"foo{a="\xff"}"#,
        &[(6, 12, r#"error unquoting string "\"\\xff\"": the quoted string is not valid UTF-8"#)],
    );
}

#[test]
fn numbers_and_durations() {
    let f = refused;
    let nines = "9".repeat(309);
    let text = format!(
        "error parsing number: strconv.ParseFloat: parsing \"{nines}\": value out of range"
    );
    f(&nines, &[(0, 309, &text)]);
    f("5y1hs", &[(0, 5, r#"unknown unit "hs" in duration "5y1hs""#)]);
    f("foo[5mm]", &[(4, 8, r#"bad number or duration syntax: "5mm""#)]);
    f("foo[5m1]", &[(4, 8, r#"bad number or duration syntax: "5m1""#)]);
    f("foo[5m:1m1]", &[(7, 11, r#"bad number or duration syntax: "1m1""#)]);
    f(
        "foo[5y1hs]",
        &[
            (4, 9, r#"unknown unit "hs" in duration "5y1hs""#),
            (4, 9, "duration must be greater than 0"),
        ],
    );
    f(
        "foo[5m1h]",
        &[
            (4, 8, r#"not a valid duration string: "5m1h""#),
            (4, 8, "duration must be greater than 0"),
        ],
    );
    f("foo[0m]", &[(4, 6, "duration must be greater than 0")]);
    f("foo[-1]", &[(4, 6, "duration must be greater than 0")]);
    f("foo[5m:0]", &[(7, 8, "duration must be greater than 0")]);
    f("foo offset 9.5e10", &[(11, 17, "duration out of range")]);
    f("foo offset -9.5e10", &[(12, 18, "duration out of range")]);
    f("foo offset NaN", &[(11, 14, "duration out of range")]);
    f(
        "foo[9.5e10]",
        &[(4, 10, "duration out of range"), (0, 0, "duration must be greater than 0")],
    );
    f("foo[step()/0d]", &[(10, 11, "division by zero"), (0, 0, "duration must be greater than 0")]);
    f("foo[5s%0d]", &[(6, 7, "modulo by zero"), (0, 0, "duration must be greater than 0")]);
    f("foo offset (4d/0)", &[(14, 15, "division by zero")]);
}

#[test]
fn tokens_in_the_wrong_place() {
    let f = refused;
    f("1+", &[(2, 2, "unexpected end of input")]);
    f("1 /", &[(3, 3, "unexpected end of input")]);
    f("*1", &[(0, 1, "unexpected <op:*>")]);
    f("*test", &[(0, 1, "unexpected <op:*>")]);
    f("@@", &[(0, 1, "unexpected <op:@>")]);
    f("-=", &[(1, 2, r#"unexpected "=""#)]);
    f("++-++-+-+-<", &[(10, 11, "unexpected <op:<>")]);
    f("e-+=/(0)", &[(3, 4, r#"unexpected "=""#)]);
    f("a - on(b) ignoring(c) d", &[(10, 18, "unexpected <ignoring>")]);
    f("foo + group_left(baz) bar", &[(6, 16, "unexpected <group_left>")]);
    f("foo bar", &[(4, 7, r#"unexpected identifier "bar""#)]);
    f("foo a:b", &[(4, 7, r#"unexpected metric identifier "a:b""#)]);
    f("foo 5m", &[(4, 6, r#"unexpected duration "5m""#)]);
    f("foo 12345678901", &[(4, 15, r#"unexpected number "1234567890"..."#)]);
    f("foo 'some long text'", &[(4, 20, r#"unexpected string "'some long"..."#)]);
    f("foo sum(bar)", &[(4, 7, "unexpected <aggr:sum>")]);
    f("foo start", &[(4, 9, r#"unexpected "start""#)]);
    f("(a b)", &[(3, 4, r#"unexpected identifier "b""#)]);
    f("rate(a b)", &[(7, 8, r#"unexpected identifier "b""#)]);
    f("sum(a b)", &[(6, 7, r#"unexpected identifier "b" in aggregation"#)]);
    f("sum(rate(a b))", &[(11, 12, r#"unexpected identifier "b" in aggregation"#)]);
    f("sum by (a) b", &[(11, 12, r#"unexpected identifier "b" in aggregation"#)]);
    f("sum(a +)", &[(7, 8, r#"unexpected ")" in aggregation"#)]);
    f("sum(a) b", &[(7, 8, r#"unexpected identifier "b""#)]);
    f("sum some_metric by (test)", &[(4, 15, r#"unexpected identifier "some_metric""#)]);
    f("MIN keep_common (foo)", &[(4, 15, r#"unexpected identifier "keep_common""#)]);
    f("MIN (some_metric) keep_common", &[(18, 29, r#"unexpected identifier "keep_common""#)]);
    f("sum (foo) without (test) by (test)", &[(25, 27, "unexpected <by>")]);
    f("sum without (test) (foo) by (test)", &[(25, 27, "unexpected <by>")]);
    f("a + fill() b", &[(9, 10, r#"unexpected ")""#)]);
}

#[test]
fn inside_braces() {
    let f = refused;
    f("{", &[(1, 1, "unexpected end of input inside braces")]);
    f("some{", &[(5, 5, "unexpected end of input inside braces")]);
    f(
        "some_metric{a=b}",
        &[(14, 15, r#"unexpected identifier "b" in label matching, expected string"#)],
    );
    f(r#"some_metric{a:b="b"}"#, &[(13, 20, "unexpected character inside braces: ':'")]);
    f(r#"foo{a*"b"}"#, &[(5, 10, "unexpected character inside braces: '*'")]);
    f(r#"foo{a>="b"}"#, &[(5, 11, "unexpected character inside braces: '>'")]);
    f(r#"foo{a!"b"}"#, &[(5, 10, "unexpected character after '!' inside braces: '\"'")]);
    f("foo{{", &[(4, 5, "unexpected left brace '{'")]);
    f("foo{1}", &[(4, 6, "unexpected character inside braces: '1'")]);
    f(
        "foo{gibberish}",
        &[(13, 14, r#"unexpected "}" in label matching, expected label matching operator"#)],
    );
    f("foo{__name__= =}", &[(14, 15, r#"unexpected "=" in label matching, expected string"#)]);
    f("foo{,}", &[(4, 5, r#"unexpected "," in label matching, expected identifier or "}""#)]);
    f(
        r#"foo{a="b",,}"#,
        &[(10, 11, r#"unexpected "," in label matching, expected identifier or "}""#)],
    );
    f(
        r#"foo{__name__ == "bar"}"#,
        &[(14, 15, r#"unexpected "=" in label matching, expected string"#)],
    );
    f(
        r#"foo{__name__="bar" lol}"#,
        &[(19, 22, r#"unexpected identifier "lol" in label matching, expected "," or "}""#)],
    );
    f(r#"foo{"a"=}"#, &[(8, 9, r#"unexpected "}" in label matching, expected string"#)]);
    f(r#"foo{a=~"("}"#, &[(4, 10, "error parsing regexp: missing closing ): `(`")]);
}

#[test]
fn selectors_that_match_too_much() {
    let f = |input: &str| {
        refused(
            input,
            &[(0, input.len(), "vector selector must contain at least one non-empty matcher")],
        );
    };
    f("{}");
    f(r#"{x=""}"#);
    f(r#"{x=~".*"}"#);
    f(r#"{x!~".+"}"#);
    f(r#"{x!="a"}"#);
    refused(
        r#"foo{__name__="bar"}"#,
        &[(0, 19, r#"metric name must not be set twice: "foo" or "bar""#)],
    );
}

#[test]
fn ranges_and_modifiers() {
    let f = refused;
    let in_range = "in subquery or range selector, expected number, duration, step(), or range()";
    f("foo[]", &[(4, 5, &format!("unexpected \"]\" {in_range}"))]);
    f("foo[step]", &[(8, 9, &format!("unexpected \"]\" {in_range}"))]);
    f("foo[5m+]", &[(7, 8, &format!("unexpected \"]\" {in_range}"))]);
    f("foo[", &[(4, 4, "unexpected end of input in duration expression")]);
    f(r#"foo["5m"]"#, &[(4, 9, "unexpected character in duration expression: '\"'")]);
    f("foo[bar]", &[(4, 8, "unexpected character in duration expression: 'b'")]);
    f("foo[:5m]", &[(5, 8, "unexpected colon before duration in duration expression")]);
    f("foo[5s x 5s]", &[(7, 12, "unexpected character: 'x', expected ':'")]);
    f("foo[5s s 5s]", &[(7, 12, "unexpected character: 's', expected ':'")]);
    f("foo[5m:1m:]", &[(9, 11, "unexpected colon ':'")]);
    f(
        "foo[5m 5m]",
        &[(7, 9, r#"unexpected duration "5m" in subquery or range, expected ":" or "]""#)],
    );
    f("foo[5m:)]", &[(8, 9, "unexpected right parenthesis ')'")]);
    f(
        "(foo[5m:)]",
        &[(
            8,
            9,
            r#"unexpected ")" in subquery selector, expected number, duration, step(), range(), or "]""#,
        )],
    );
    f(
        "foo[5m:1m 1m]",
        &[(10, 12, r#"unexpected duration "1m" in subquery selector, expected "]""#)],
    );
    f("some_metric[5m] OFFSET 1mm", &[(23, 26, r#"bad number or duration syntax: "1mm""#)]);
    f(
        "some_metric[5m] OFFSET",
        &[(
            22,
            22,
            "unexpected end of input in offset, expected number, duration, step(), or range()",
        )],
    );
    f("some_metric[5m] @", &[(17, 17, "unexpected end of input in @, expected timestamp")]);
    f("foo @ start", &[(11, 11, "unexpected end of input in @, expected timestamp")]);
    f("foo @ -start()", &[(7, 12, r#"unexpected "start" in @, expected timestamp"#)]);
    f("some_metric OFFSET 1m[5m]", &[(21, 25, "no offset modifiers allowed before range")]);
    f("foo offset step()[5m]", &[(17, 21, "no offset modifiers allowed before range")]);
    f("some_metric @ 1234 [5m]", &[(19, 23, "no @ modifiers allowed before range")]);
    f("some_metric @ start() [5m]", &[(22, 26, "no @ modifiers allowed before range")]);
    f("some_metric @ end()[5m]", &[(19, 23, "no @ modifiers allowed before range")]);
    f("(foo + bar)[5m]", &[(11, 15, "ranges only allowed for vector selectors")]);
    f("1[5m] smoothed", &[(1, 5, "ranges only allowed for vector selectors")]);
    f("rate(food[1m])[1h] offset 1h", &[(14, 18, "ranges only allowed for vector selectors")]);
    let selectable = "modifier must be preceded by an instant vector selector or range vector selector or a subquery";
    f("1 offset 1d", &[(0, 1, &format!("offset {selectable}"))]);
    f("rate(some_metric[5m]) @ 1234", &[(0, 21, &format!("@ {selectable}"))]);
    f("foo offset 1s offset 2s", &[(0, 13, "offset may not be set multiple times")]);
    f("foo @ 1 @ 2", &[(0, 7, "@ <timestamp> may not be set multiple times")]);
    f("foo @ start() @ 2", &[(0, 13, "@ <timestamp> may not be set multiple times")]);
    f("foo @ +Inf", &[(0, 3, "timestamp out of bounds for @ modifier: +Inf")]);
    f("foo @ -Inf", &[(0, 3, "timestamp out of bounds for @ modifier: -Inf")]);
    f("foo @ NaN", &[(0, 3, "timestamp out of bounds for @ modifier: NaN")]);
    f(
        "foo @ 9223372036854775808",
        &[(0, 3, "timestamp out of bounds for @ modifier: 9223372036854775808.000000")],
    );
    f(
        "foo anchored smoothed",
        &[(0, 12, "anchored and smoothed modifiers cannot be used together")],
    );
    f("foo[5m:] anchored", &[(0, 8, "anchored modifier is not supported for subqueries")]);
    f("1 smoothed", &[(0, 1, "smoothed modifier not implemented")]);
}

#[test]
fn aggregations() {
    let f = refused;
    let grouping = |token: &str, expected: &str| {
        format!("unexpected {token} in grouping opts, expected {expected}")
    };
    f("sum without(==)(foo)", &[(12, 14, &grouping("<op:==>", "label"))]);
    f("sum without(,)(foo)", &[(12, 13, &grouping("\",\"", "label"))]);
    f("sum without(foo,,)(foo)", &[(16, 17, &grouping("\",\"", "label"))]);
    f("sum by (without)(foo)", &[(8, 15, &grouping("<without>", "label"))]);
    f("sum by (a b)(foo)", &[(10, 11, &grouping("identifier \"b\"", "\",\" or \")\""))]);
    f("sum (foo) by test", &[(13, 17, &grouping("identifier \"test\"", "\"(\""))]);
    f("a + on b", &[(7, 8, &grouping("identifier \"b\"", "\"(\""))]);
    f("sum by ('')(foo)", &[(8, 10, "invalid label name for grouping: \"\"")]);
    f("sum () by (test)", &[(0, 16, "no arguments for aggregate expression provided")]);
    let wrong = |wanted, got| {
        format!(
            "wrong number of arguments for aggregate expression provided, expected {wanted}, got {got}"
        )
    };
    f("topk(some_metric)", &[(0, 17, &wrong(2, 1))]);
    f("sum(a, b)", &[(0, 9, &wrong(1, 2))]);
    f("topk(1, a, b)", &[(0, 13, &wrong(2, 3))]);
    f(
        "topk(some_metric,)",
        &[(16, 17, "trailing commas not allowed in function call args"), (0, 18, &wrong(2, 1))],
    );
    f(
        "topk(some_metric, other_metric)",
        &[(5, 16, "expected type scalar in aggregation parameter, got instant vector")],
    );
    f(
        "count_values(5, foo)",
        &[(13, 14, "expected type string in aggregation parameter, got scalar")],
    );
    f(
        "sum(foo[5m])",
        &[(4, 11, "expected type instant vector in aggregation expression, got range vector")],
    );
    f("sum(1)", &[(4, 5, "expected type instant vector in aggregation expression, got scalar")]);
}

#[test]
fn calls() {
    let f = refused;
    f("floor()", &[(0, 7, r#"expected 1 argument(s) in call to "floor", got 0"#)]);
    f("floor(a, b)", &[(0, 11, r#"expected 1 argument(s) in call to "floor", got 2"#)]);
    f("floor(a, 1)", &[(0, 11, r#"expected 1 argument(s) in call to "floor", got 2"#)]);
    f("time(a)", &[(0, 7, r#"expected 0 argument(s) in call to "time", got 1"#)]);
    f("hour(a, a, a)", &[(0, 13, r#"expected at most 1 argument(s) in call to "hour", got 3"#)]);
    f(
        "label_join(a)",
        &[(0, 13, r#"expected at least 3 argument(s) in call to "label_join", got 1"#)],
    );
    f(
        "label_join(a, 'b', 'c', 1)",
        &[(24, 25, r#"expected type string in call to function "label_join", got scalar"#)],
    );
    f(
        "label_join(a, 'b', 'c', 'd', e)",
        &[(29, 30, r#"expected type string in call to function "label_join", got instant vector"#)],
    );
    f(
        "floor(1)",
        &[(6, 7, r#"expected type instant vector in call to function "floor", got scalar"#)],
    );
    f(
        "rate(avg)",
        &[(5, 8, r#"expected type range vector in call to function "rate", got instant vector"#)],
    );
    f("rate(foo,)", &[(8, 9, "trailing commas not allowed in function call args")]);
    f("nothing_like_it()", &[(0, 15, r#"unknown function with name "nothing_like_it""#)]);
    f("a>b()", &[(2, 3, r#"unknown function with name "b""#)]);
    f(
        "x() + y()",
        &[(0, 1, r#"unknown function with name "x""#), (6, 7, r#"unknown function with name "y""#)],
    );
    f(
        r#"info(rate(foo{}[5m]), target_info{a="b"})"#,
        &[(22, 40, "expected label selectors only, got vector selector instead")],
    );
    f(r#"info(foo, {a="b"} == 1)"#, &[(10, 22, "expected label selectors only")]);
    f(
        "info(foo, 1)",
        &[
            (0, 12, r#"expected type instant vector in call to function "info", got scalar"#),
            (10, 11, "expected label selectors only"),
            (10, 11, r#"expected type instant vector in call to function "info", got scalar"#),
        ],
    );
}

#[test]
fn operators() {
    let f = refused;
    let set = |op| format!("set operator \"{op}\" not allowed in binary scalar expression");
    f("1 and 1", &[(0, 7, &set("and"))]);
    f("1 or 1", &[(0, 6, &set("or"))]);
    f("1 unless 1", &[(0, 10, &set("unless"))]);
    f("foo and 1", &[(0, 9, &set("and"))]);
    f("1 or foo", &[(0, 8, &set("or"))]);
    f("1 == 1", &[(2, 3, "comparisons between scalars must use BOOL modifier")]);
    let bool_only = "bool modifier can only be used on comparison operators";
    f("foo + bool bar", &[(4, 9, bool_only)]);
    f("foo + bool 10", &[(4, 9, bool_only)]);
    f("foo </ bool 10", &[(4, 10, bool_only)]);
    f("foo and bool 10", &[(4, 11, bool_only), (0, 15, &set("and"))]);
    let between = "vector matching only allowed between instant vectors";
    f("1 or on(bar) foo", &[(0, 16, between), (0, 16, &set("or"))]);
    f("foo == on(bar) 10", &[(0, 17, between)]);
    for op in ["and", "or", "unless"] {
        for side in ["left", "right"] {
            let input = format!("foo {op} on(bar) group_{side}(baz) bar");
            f(
                &input,
                &[
                    (0, input.len(), &format!("no grouping allowed for \"{op}\" operation")),
                    (0, input.len(), "set operations must always be many-to-many"),
                ],
            );
        }
    }
    f(
        r#"http_requests{group="production"} + on(instance) group_left(job,instance) cpu_count{type="smp"}"#,
        &[(34, 72, r#"label "instance" must not occur in ON and GROUP clause at once"#)],
    );
    f("foo and fill(0) bar", &[(0, 19, "filling in missing series not allowed for set operators")]);
    f(
        "foo + fill(0) 1",
        &[(0, 15, "filling in missing series only allowed between instant vectors")],
    );
    let operand = "binary expression must contain only scalar and instant vector types";
    f("foo[5m] + 'a'", &[(0, 7, operand), (10, 13, operand)]);
    let unary =
        "unary expression only allowed on expressions of type scalar or instant vector, got";
    f(r#"-"string""#, &[(0, 9, &format!("{unary} \"string\""))]);
    f("-test[5m]", &[(0, 9, &format!("{unary} \"range vector\""))]);
    let subquery = "subquery is only allowed on instant vector, got matrix instead";
    f("test[5d] OFFSET 10s [10m:5s]", &[(0, 28, subquery)]);
    f("(foo + bar)[5m:][10m:5s]", &[(0, 24, subquery)]);
    f("1[5m:]", &[(0, 6, "subquery is only allowed on instant vector, got scalar instead")]);
}

#[test]
fn what_is_experimental_is_refused_unless_asked_for() {
    let f = |input: &str, from: usize, to: usize, text: &str| {
        let want = (from, to, text.to_owned());
        assert_eq!(errors(input, Features::STABLE).first(), Some(&want), "{input}");
        assert!(parse(input, &Features::ALL).is_ok(), "{input}");
    };
    f("mad_over_time(a[5m])", 0, 13, r#"function "mad_over_time" is not enabled"#);
    f("start()", 0, 5, r#"function "start" is not enabled"#);
    f("min_of(1, 2)", 0, 6, r#"function "min_of" is not enabled"#);
    let limitk =
        "is experimental and must be enabled with --enable-feature=promql-experimental-functions";
    f("limitk(1, a)", 0, 12, &format!("limitk() {limitk}"));
    f("limit_ratio by (b) (1, a)", 0, 25, &format!("limit_ratio() {limitk}"));
    let duration = "experimental duration expression is not enabled";
    f("a[5m+5m]", 2, 4, duration);
    f("a[(5m)]", 3, 5, duration);
    f("a[step()]", 2, 8, duration);
    f("a offset (5m)", 10, 12, duration);
    f("a[max_of(5m, 6m)]", 2, 16, duration);
    f("a anchored", 0, 1, "anchored modifier is experimental and not enabled");
    f("a[5m] smoothed", 0, 5, "smoothed modifier is experimental and not enabled");
    f("a + fill(0) b", 0, 13, "binop fill modifiers are experimental and not enabled");
    assert!(parse("a offset -5m", &Features::STABLE).is_ok());
}

#[test]
fn errors_print_with_line_and_column() {
    let f = |input: &str, want: &str| {
        assert_eq!(printed(input), Err(want.to_owned()), "{input}");
    };
    f("1+", "1:3: parse error: unexpected end of input");
    f("sum(\n  foo bar)", "2:7: parse error: unexpected identifier \"bar\" in aggregation");
    f("\n\n  *", "3:3: parse error: unexpected <op:*>");
    f("\n*", "2:1: parse error: unexpected <op:*>");
    f("", "unknown position: parse error: no expression found in input");
    // Columns are bytes.
    f("'é' *", "1:7: parse error: unexpected end of input");
    let errors = parse("x() +\n y()", &Features::ALL).expect_err("unknown");
    let texts: Vec<_> = errors.errors().iter().map(|error| errors.text(error)).collect();
    assert_eq!(
        texts,
        [
            "1:1: parse error: unknown function with name \"x\"",
            "2:2: parse error: unknown function with name \"y\"",
        ]
    );
    assert_eq!(errors.class(), masthead_model::ErrorClass::BadInput);
}
