//! Every node knows its bytes.

use super::*;

/// The texts of all nodes, parents first.
fn nodes(input: &str) -> Vec<&str> {
    let expr = parse(input, &Features::ALL).expect(input);
    let mut texts = Vec::new();
    expr.walk(&mut |node| texts.push(&input[node.pos().start..node.pos().end]));
    texts
}

#[test]
fn nodes_cover_their_text() {
    let f = |input: &str, want: &[&str]| assert_eq!(nodes(input), want, "{input}");
    f(" +1 # one", &["+1"]);
    f(" - foo ", &["- foo", "foo"]);
    f("1 + 2/(3*1)", &["1 + 2/(3*1)", "1", "2/(3*1)", "2", "(3*1)", "3*1", "3", "1"]);
    f("foo offset -7m == bool 1", &["foo offset -7m == bool 1", "foo offset -7m", "1"]);
    f("rate(foo{a='b'}[5m] @ end())", &["rate(foo{a='b'}[5m] @ end())", "foo{a='b'}[5m] @ end()"]);
    f("foo offset step()", &["foo offset step()"]);
    f("foo[1m] anchored ", &["foo[1m] anchored"]);
    f("rate( foo[5m] )[1h:] ", &["rate( foo[5m] )[1h:]", "rate( foo[5m] )", "foo[5m]"]);
    f("(sum(foo) )", &["(sum(foo) )", "sum(foo)", "foo"]);
    f("(sum(foo) by (bar))", &["(sum(foo) by (bar))", "sum(foo) by (bar)", "foo"]);
    f("(sum by (bar) (foo))", &["(sum by (bar) (foo))", "sum by (bar) (foo)", "foo"]);
}

#[test]
fn the_parts_of_a_range_know_their_bytes() {
    let input = "foo{a='b'}[2m/range()] offset -(1+2)";
    let Ok(Expr::Matrix(matrix)) = parse(input, &Features::ALL) else { panic!("a range") };
    let text = |pos: PosRange| &input[pos.start..pos.end];
    assert_eq!(text(matrix.pos), input);
    assert_eq!(text(matrix.selector.pos), "foo{a='b'}");
    let (crate::ast::Duration::Expr(range), crate::ast::Duration::Expr(offset)) =
        (&matrix.range, &matrix.selector.offset)
    else {
        panic!("expressions")
    };
    assert_eq!(text(range.pos()), "2m/range()");
    assert_eq!(text(offset.pos()), "-(1+2)");
}

#[test]
fn selectors_are_found_in_order() {
    let expr = parse("a + rate(b[5m]) * topk(scalar(c), d)[5m:]", &Features::ALL);
    // Types are wrong on purpose elsewhere; here only order matters.
    assert!(expr.is_err());
    let expr = parse("a + rate(b[5m]) * topk(scalar(c), d)", &Features::ALL).expect("valid");
    let names: Vec<_> = expr.selectors().iter().map(|selector| selector.name.clone()).collect();
    assert_eq!(names, ["a", "b", "d", "c"].map(|name| Some(name.to_owned())));
}
