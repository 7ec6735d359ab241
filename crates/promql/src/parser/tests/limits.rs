//! Limits hold, and no text makes the parser panic.

use proptest::prelude::*;

use super::*;

/// A tree of the greatest height must fit on a stack of this size, even without optimisation.
const STACK_BYTES: usize = 1 << 20;

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(test).expect("thread");
    thread.join().expect("no overflow");
}

#[test]
fn a_tree_of_the_greatest_height_is_read_and_one_higher_refused() {
    let too_deep = |input: &str| {
        let error = parse(input, &Features::ALL).expect_err("too deep");
        let text = error.errors()[0].message.clone();
        assert!(text.starts_with("the expression is nested deeper than 256 levels,"), "{text}");
    };
    on_a_small_stack(move || {
        let f = |input: &dyn Fn(usize) -> String, most: usize| {
            let text = input(most);
            let expr = parse(&text, &Features::ALL).unwrap_or_else(|e| panic!("{most}: {e}"));
            assert!(!crate::pretty(&expr).is_empty());
            too_deep(&input(most + 1));
            too_deep(&input(100 * most));
        };
        f(&|n| format!("{}1{}", "(".repeat(n), ")".repeat(n)), DEPTH_MAX - 1);
        f(&|n| format!("{}a", "-".repeat(n)), DEPTH_MAX - 1);
        f(&|n| format!("{}a{}", "abs(".repeat(n), ")".repeat(n)), DEPTH_MAX - 1);
        f(&|n| format!("{}a{}", "sum(".repeat(n), ")".repeat(n)), DEPTH_MAX - 1);
        f(&|n| format!("a{}", " or a".repeat(n)), DEPTH_MAX - 1);
        f(&|n| format!("1{}", " ^ 1".repeat(n)), DEPTH_MAX - 1);
        f(&|n| format!("a[{}1{}]", "(".repeat(n), ")".repeat(n)), DEPTH_MAX - 2);
        f(&|n| format!("a[1{}]", "+1".repeat(n)), DEPTH_MAX - 2);
        f(&|n| format!("a[{}step()]", "-".repeat(n)), DEPTH_MAX - 2);
    });
}

#[test]
fn an_expression_of_the_greatest_length_is_read_and_one_longer_refused() {
    let comment = format!("1#{}", "x".repeat(EXPRESSION_BYTES_MAX - 2));
    assert!(parse(&comment, &Features::ALL).is_ok());
    let error = parse(&format!("{comment}x"), &Features::ALL).expect_err("too long");
    assert_eq!(
        error.errors()[0].message,
        "the expression has 1048577 bytes, and at most 1048576 are read; record parts of it by rules"
    );
}

#[test]
fn errors_are_counted_up_to_a_limit() {
    let input = format!("label_join({})", vec!["{}"; PARSE_ERRORS_MAX * 2].join(","));
    assert_eq!(errors(&input, Features::ALL).len(), PARSE_ERRORS_MAX);
}

/// Pieces that mean something to the lexer or the parser.
const PIECES: &[&str] = &[
    "a",
    "foo:bar",
    "sum",
    "topk",
    "by",
    "without",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "=",
    "=~",
    "!~",
    "!=",
    "==",
    "<",
    ">",
    "</",
    ">/",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "@",
    "1",
    "0x",
    "5m",
    "1e",
    ".5",
    "Inf",
    "NaN",
    "\"",
    "'",
    "`",
    "\"x\"",
    "\\",
    "#",
    "\n",
    " ",
    "é",
    "\u{fffd}",
    "offset",
    "bool",
    "on",
    "ignoring",
    "group_left",
    "fill",
    "fill_left",
    "and",
    "or",
    "atan2",
    "start",
    "end",
    "step",
    "range",
    "min_of",
    "max_of",
    "anchored",
    "smoothed",
    "rate",
    "info",
    "step()",
    "5m:",
    "[5m]",
    "{a=\"b\"}",
    "scalar(",
    "count_values",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_soup_of_tokens_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..16)) {
        let input = pieces.concat();
        soup(&input);
        soup(&pieces.join(" "));
    }

    #[test]
    fn no_text_panics(input in "\\PC{0,24}") {
        soup(&input);
    }
}

/// Whatever parses prints to something that parses to the same; errors lie inside the input.
fn soup(input: &str) {
    match parse(input, &Features::ALL) {
        Ok(expr) => {
            let text = expr.to_string();
            let again =
                parse(&text, &Features::ALL).unwrap_or_else(|e| panic!("{input} -> {text}: {e}"));
            // Upstream prints infinity as `+Inf`, whose sign binds weaker than `^` when read again.
            if !text.contains("+Inf ^") {
                assert_eq!(again.to_string(), text, "{input}");
            }
        }
        Err(_) => {
            errors(input, Features::ALL);
        }
    }
    if let Err(error) = parse_selector(input) {
        assert!(!error.errors().is_empty(), "{input}");
    }
}
