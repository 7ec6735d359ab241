//! The dialect, row by row, and that the reductions never change an answer.

use proptest::prelude::*;

use super::*;

#[test]
fn the_whole_text_must_match() {
    let f = |pattern: &str, text: &str, want: bool| {
        assert_eq!(Regexp::new(pattern).expect(pattern).is_match(text), want, "{pattern} {text:?}");
    };
    f("a", "a", true);
    f("a", "ab", false);
    f("a|b", "b", true);
    f("a|b", "ab", false);
    f("a.c", "a\nc", true); // The dot matches newlines.
    f("(?-s:a.c)", "a\nc", false);
    f("(?i)get", "GET", true);
    f("(?i:g)et", "GET", false);
    f("^a$", "a", true);
    f("", "", true);
    f("", "a", false);
    f(".*", "", true);
    f(".+", "", false);
    f(".+", "x\ny", true);
    f("api-.*", "api-1", true);
    f("api-.*", "web-1", false);
    f("5..", "503", true);
}

#[test]
fn classes_are_ascii_and_brackets_hold_no_set_operations() {
    let f = |pattern: &str, text: &str, want: bool| {
        assert_eq!(Regexp::new(pattern).expect(pattern).is_match(text), want, "{pattern} {text:?}");
    };
    f(r"\d", "5", true);
    f(r"\d", "٣", false);
    f(r"\D", "٣", true);
    f(r"\w+", "aZ_9", true);
    f(r"\w", "é", false);
    f(r"\s", "\u{a0}", false);
    f(r"\s", "\u{b}", false); // RE2's \s has no vertical tab.
    f(r"[\d\s]+", "1 2", true);
    f(r"[\D]", "a", true);
    f(r"[^\D]", "a", false);
    f(r"[a&&b]", "&", true);
    f(r"[a&&b]", "a", true);
    f(r"[a[b]", "[", true);
    f(r"[a~~b]", "~", true);
    f(r"[]a]", "]", true);
    f(r"[^]a]", "]", false);
    f(r"[a-]", "-", true);
    f(r"[a\-z]", "b", false);
    f(r"[[:alpha:]]+", "abc", true);
    f(r"[[:^alpha:]]", "a", false);
    f(r"[\pL\p{Nd}]", "é", true);
    f(r"\pL", "é", true);
    f(r"\p{^Greek}", "α", false);
    f(r"\P{Greek}", "α", false);
    f(r"\p{Any}", "α", true);
    f(r".*\bfoo\b.*", "a foo b", true);
    f(r".*\bfoo\b.*", "afoo", false);
    f(r"a\Bb", "ab", true);
}

#[test]
fn escapes_and_plain_braces() {
    let f = |pattern: &str, text: &str, want: bool| {
        assert_eq!(Regexp::new(pattern).expect(pattern).is_match(text), want, "{pattern} {text:?}");
    };
    f(r"\Qa.b*\E+", "a.b**", true);
    f(r"\Qa.b", "a.b", true);
    f(r"\101\x41\x{41}", "AAA", true);
    f(r"\0", "\0", true);
    f(r"\a\f\t\n\r\v", "\u{7}\u{c}\t\n\r\u{b}", true);
    f(r"\.\/\-\_\<\>\#\ ", "./-_<># ", true);
    f(r"[\n\]]+", "\n]", true);
    f("a{,2}", "a{,2}", true);
    f("a{", "a{", true);
    f("{{x}}", "{{x}}", true);
    f("a{2}", "aa", true);
    f("a{2,}", "aaaa", true);
    f("a{1,2}?", "aa", true);
    f("a{01}", "a{01}", true);
    f("a]b}", "a]b}", true);
    f("(?P<x>a)(?<y>b)", "ab", true);
    f("(|a)b", "b", true);
    f("(?U)a+", "aa", true);
    f("a# b", "a# b", true);
}

#[test]
fn refusals_have_gos_texts() {
    let f = |pattern: &str, want: &str| {
        let error = Regexp::new(pattern).expect_err(pattern).to_string();
        assert_eq!(error, format!("error parsing regexp: {want}"), "{pattern}");
    };
    f("(", "missing closing ): `(`");
    f("a)b", "unexpected ): `a)b`");
    f("(?i", "missing closing ): `(?i`");
    f("*a", "missing argument to repetition operator: `*`");
    f("(+)", "missing argument to repetition operator: `+`");
    f("a|*", "missing argument to repetition operator: `*`");
    f("a**", "invalid nested repetition operator: `**`");
    f("a*+", "invalid nested repetition operator: `*+`");
    f("a*??", "invalid nested repetition operator: `*??`");
    f("a{2}{3}", "invalid nested repetition operator: `{2}{3}`");
    f("a{1001}", "invalid repeat count: `{1001}`");
    f("a{2,1}", "invalid repeat count: `{2,1}`");
    f("(?:x{100}){100}", "invalid repeat count: `{100}`");
    f("((x{2}|y{20}){10}z?){6}?", "invalid repeat count: `{6}?`");
    f("(x{501}){2,}", "invalid repeat count: `{2,}`");
    f("(((a{100}){100}){100}){100}", "invalid repeat count: `{100}`");
    f("*?a", "missing argument to repetition operator: `*?`");
    f("[a", "missing closing ]: `[a`");
    f("x[]", "missing closing ]: `[]`");
    f("[z-a]", "invalid character class range: `z-a`");
    f("[a--b]", "invalid character class range: `a--`");
    f("[[:foo:]]", "invalid character class range: `[:foo:]`");
    f(r"\pX", r"invalid character class range: `\pX`");
    f(r"\p{Nope}", r"invalid character class range: `\p{Nope}`");
    f(r"\p{Alphabetic}", r"invalid character class range: `\p{Alphabetic}`");
    f(r"[a\P{IsGreek}]", r"invalid character class range: `\P{IsGreek}`");
    f(r"\C", r"invalid escape sequence: `\C`");
    f(r"[\C]", r"invalid escape sequence: `\C`");
    f(r"\", "trailing backslash at end of expression: ``");
    f(r"[\", "trailing backslash at end of expression: ``");
    f(r"\8", r"invalid escape sequence: `\8`");
    f(r"\1", r"invalid escape sequence: `\1`");
    f(r"\y", r"invalid escape sequence: `\y`");
    f(r"\xg0", r"invalid escape sequence: `\x`");
    f(r"\é", r"invalid escape sequence: `\é`");
    f("(?x)a", "invalid or unsupported Perl syntax: `(?x`");
    f("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    f("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`");
    f("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`");
    f("(?P<>x)", "invalid named capture: `(?P<>`");
    f(&"(".repeat(300), &format!("expression nests too deeply: `{}`", "(".repeat(300)));
    let deep = format!("{}a{}", "(".repeat(150), ")*".repeat(150));
    f(&deep, &format!("expression nests too deeply: `{deep}`"));
    // Go takes this one; here it would be a program of 24 MB.
    f(r"\pL{500}", r"expression too large: `\pL{500}`");
}

#[test]
fn repetitions_may_be_nested_a_thousand_times() {
    let f = |pattern: &str, text: &str, want: bool| {
        assert_eq!(Regexp::new(pattern).expect(pattern).is_match(text), want, "{pattern} {text:?}");
    };
    f("(?:x{10}){100}", &"x".repeat(1000), true);
    f("(?:x{10}){100}", &"x".repeat(999), false);
    f("((x{2}|y{20}){10}z){5}", "", false);
    f("(x{1000})*(y{1000}){0,1}", "", true);
    f("(x{1000}){0}(y{500}){0,}", "", true);
    f("((x{1000}){0}y){2}", "yy", true);
    f("x{500}(y{500}){2}", "", false);
}

#[test]
fn patterns_reduce_to_texts_or_a_prefix() {
    let texts = |pattern: &str, want: Option<&[&str]>| {
        let regexp = Regexp::new(pattern).expect(pattern);
        let got = regexp.texts().map(|t| t.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(got.as_deref(), want, "{pattern}");
    };
    texts("a", Some(&["a"]));
    texts("b|a|b", Some(&["a", "b"]));
    texts("api-(1|2)x?", Some(&["api-1", "api-1x", "api-2", "api-2x"]));
    texts("5[0-3]", Some(&["50", "51", "52", "53"]));
    texts("(ab){2}", Some(&["abab"]));
    texts("", Some(&[""]));
    texts("a.*", None);
    texts("[a-z]", None);
    texts("[0-9]{3}", None);
    texts("(?i)abcdefghijkl", None);

    let prefix = |pattern: &str, want: &str| {
        assert_eq!(Regexp::new(pattern).expect(pattern).prefix(), want, "{pattern}");
    };
    prefix("node_.*", "node_");
    prefix("(node_)(cpu_)?.+", "node_");
    prefix("abc.*|abd.*", "ab");
    prefix("(?i)node.*", "");
    prefix(".*x", "");
    assert!(Regexp::new(".*").expect("valid").matches_everything());
    assert!(!Regexp::new(".+").expect("valid").matches_everything());
}

#[test]
fn groups_are_numbered_and_named() {
    let regexp = Regexp::new("(?P<host>[^:]+):([0-9]+)").expect("valid");
    let groups = regexp.captures("db:5432").expect("matches");
    assert_eq!((groups.place_of("host"), groups.get(2)), (Some(0..2), Some(&b"5432"[..])));
    assert_eq!(groups.place_of("port"), None);
    assert!(regexp.captures("db:5432x").is_none());
    assert_eq!(regexp.as_str(), "(?P<host>[^:]+):([0-9]+)");
}

#[test]
fn replacements_are_expanded_as_go_does() {
    let regexp = Regexp::new("(a)(?P<name>b)(c)?").expect("valid");
    let f = |replacement: &str, want: &str| {
        let mut out = Vec::new();
        regexp.captures("ab").expect("matches").expand(replacement.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).as_deref(), Ok(want), "{replacement}");
    };
    f("x${1}y$2", "xayb");
    f("$1x|$1é|$01|$3|$9", "||||");
    f("$name.${name}", "b.b");
    f("$$1 $ ${} ${a-b} $-1 ${ 1 } $[1] ${1}{ ${", "$1 $ ${} ${a-b} $-1 ${ 1 } $[1] a{ ${");
    let mut out = Vec::new();
    regexp.captures("ab").expect("matches").expand(b"\xff$1\xfe$", &mut out);
    assert_eq!(out, b"\xffa\xfe$");
}

#[test]
fn names_may_be_repeated_and_begin_with_a_digit() {
    let f = |pattern: &str, text: &str, replacement: &str, want: &str| {
        let regexp = Regexp::new(pattern).expect(pattern);
        let mut out = Vec::new();
        regexp.captures(text).expect(pattern).expand(replacement.as_bytes(), &mut out);
        assert_eq!(out, want.as_bytes(), "{pattern}");
    };
    f("(?P<1a>o)(?<x>p)", "op", "$1a-${x}", "o-p");
    f("(?P<n>a)(?P<n>b)", "ab", "$n${2}", "ab");
    f("(?P<n>a)|(?P<n>b)", "b", "<$n>", "<b>");
    f("(?P<n>a)?", "", "<$n$other>", "<>");
    let search = RegexpSearch::new("(?P<1a>o)(x)(?P<n>o)(?P<n>o)").expect("valid");
    let names: Vec<_> = search.group_names().collect();
    assert_eq!(names, [None, Some("1a"), None, Some("n"), Some("n")]);
}

proptest! {
    #[test]
    fn reductions_never_change_an_answer(
        pattern in r"[ab.|()?*+\[\]^$0-1{},\\d-]{0,10}",
        text in "[ab01\n]{0,5}",
    ) {
        if let Ok(regexp) = Regexp::new(&pattern) {
            prop_assert_eq!(regexp.is_match(&text), regexp.regex.is_match(&text));
        }
    }

    #[test]
    fn what_is_translated_compiles(pattern in r"[ab.|()?*+\[\]^$0-1{},\\dpLQE:&~<>P!=i-]{0,14}") {
        if let Ok(rewritten) = Regexp::translate(&pattern) {
            prop_assert!(regex_syntax::parse(&rewritten).is_ok(), "{} became {}", pattern, rewritten);
        }
    }
}
