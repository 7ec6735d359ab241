//! A query's syntax tree as JSON, in the shape of upstream's `web/api/v1/translate_ast.go`.
//!
//! Trees are at most `promql::DEPTH_MAX` nodes high, so recursion fits the stack. A duration that
//! is an expression shows as 0, as upstream shows what it has not resolved yet.

use masthead_model::{Matcher, Millis, format_exact};
use masthead_promql::ast::{
    At, Duration, DurationContext, Expr, RangeEdges, ValueType, VectorMatching, VectorSelector,
};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

/// One node and all below it.
pub(super) struct Node<'a>(pub(super) &'a Expr);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match self.0 {
            Expr::Aggregate(node) => {
                map.serialize_entry("type", "aggregation")?;
                map.serialize_entry("op", node.op.as_str())?;
                map.serialize_entry("expr", &Node(&node.expr))?;
                map.serialize_entry("param", &node.param.as_ref().map(Node))?;
                map.serialize_entry("grouping", &node.grouping)?;
                map.serialize_entry("without", &node.without)?;
            }
            Expr::Binary(node) => {
                map.serialize_entry("type", "binaryExpr")?;
                map.serialize_entry("op", node.op.as_str())?;
                map.serialize_entry("lhs", &Node(&node.lhs))?;
                map.serialize_entry("rhs", &Node(&node.rhs))?;
                map.serialize_entry("matching", &node.matching.as_ref().map(Matching))?;
                map.serialize_entry("bool", &node.return_bool)?;
            }
            Expr::Call(node) => {
                let args: Vec<Node<'_>> = node.args.iter().map(Node).collect();
                map.serialize_entry("type", "call")?;
                map.serialize_entry("func", &Function(node.func))?;
                map.serialize_entry("args", &args)?;
            }
            Expr::Matrix(node) => {
                map.serialize_entry("type", "matrixSelector")?;
                map.serialize_entry("range", &millis(&node.range))?;
                selector(&mut map, &node.selector)?;
            }
            Expr::Subquery(node) => {
                map.serialize_entry("type", "subquery")?;
                map.serialize_entry("expr", &Node(&node.expr))?;
                map.serialize_entry("range", &millis(&node.range))?;
                map.serialize_entry("offset", &millis(&node.offset))?;
                map.serialize_entry("step", &node.step.as_ref().map_or(0, millis))?;
                at(&mut map, node.at)?;
            }
            Expr::Number(node) => {
                map.serialize_entry("type", "numberLiteral")?;
                map.serialize_entry("val", &format_exact(node.value))?;
            }
            Expr::Paren(node) => {
                map.serialize_entry("type", "parenExpr")?;
                map.serialize_entry("expr", &Node(&node.expr))?;
            }
            Expr::String(node) => {
                map.serialize_entry("type", "stringLiteral")?;
                map.serialize_entry("val", &node.value)?;
            }
            Expr::Unary(node) => {
                map.serialize_entry("type", "unaryExpr")?;
                map.serialize_entry("op", node.op.as_str())?;
                map.serialize_entry("expr", &Node(&node.expr))?;
            }
            Expr::Vector(node) => {
                map.serialize_entry("type", "vectorSelector")?;
                selector(&mut map, node)?;
            }
        }
        map.end()
    }
}

fn selector<M: SerializeMap>(map: &mut M, node: &VectorSelector) -> Result<(), M::Error> {
    map.serialize_entry("name", node.name.as_deref().unwrap_or(""))?;
    map.serialize_entry("offset", &millis(&node.offset))?;
    map.serialize_entry("matchers", &Matchers(&node.matchers))?;
    at(map, node.at)?;
    map.serialize_entry("anchored", &(node.edges == RangeEdges::Anchored))?;
    map.serialize_entry("smoothed", &(node.edges == RangeEdges::Smoothed))
}

fn at<M: SerializeMap>(map: &mut M, at: Option<At>) -> Result<(), M::Error> {
    let (timestamp, edge) = match at {
        None => (None, None),
        Some(At::Timestamp(Millis(at))) => (Some(at), None),
        Some(At::Start) => (None, Some("start")),
        Some(At::End) => (None, Some("end")),
    };
    map.serialize_entry("timestamp", &timestamp)?;
    map.serialize_entry("startOrEnd", &edge)
}

fn millis(duration: &Duration) -> i64 {
    match duration {
        Duration::Millis(_) => {
            duration.resolve(DurationContext { step_ms: 0, range_ms: 0 }).unwrap_or(0)
        }
        Duration::Expr(_) => 0,
    }
}

struct Matching<'a>(&'a VectorMatching);

impl Serialize for Matching<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fill {
            lhs: Option<f64>,
            rhs: Option<f64>,
        }
        let VectorMatching { card, labels, on, include, fill } = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("card", card.as_str())?;
        map.serialize_entry("labels", labels)?;
        map.serialize_entry("on", on)?;
        map.serialize_entry("include", include)?;
        map.serialize_entry("fillValues", &Fill { lhs: fill.lhs, rhs: fill.rhs })?;
        map.end()
    }
}

struct Function(&'static masthead_promql::FunctionSignature);

impl Serialize for Function {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let types: Vec<&str> = self.0.args.iter().map(|kind| ValueType::as_str(*kind)).collect();
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("name", self.0.name)?;
        map.serialize_entry("argTypes", &types)?;
        map.serialize_entry("variadic", &self.0.variadic)?;
        map.serialize_entry("returnType", self.0.returns.as_str())?;
        map.end()
    }
}

struct Matchers<'a>(&'a [Matcher]);

impl Serialize for Matchers<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct One<'a> {
            name: &'a str,
            value: &'a str,
            r#type: String,
        }
        let mut list = to.serialize_seq(Some(self.0.len()))?;
        for matcher in self.0 {
            list.serialize_element(&One {
                name: matcher.name(),
                value: matcher.value(),
                r#type: matcher.op().to_string(),
            })?;
        }
        list.end()
    }
}
