//! What may follow a value: a range, a subquery, `offset`, `@`, `anchored`, `smoothed`.

use masthead_model::Millis;

use super::{Context, Node, Parsed, Parser, token::Keyword, token::Kind};
use crate::ast::{
    At, BinaryOp, Duration, Expr, MatrixSelector, PosRange, RangeEdges, Subquery, VectorSelector,
};

const IN_RANGE: Context = Context {
    place: "subquery or range selector",
    expected: "number, duration, step(), or range()",
};
const AFTER_RANGE: Context = Context { place: "subquery or range", expected: "\":\" or \"]\"" };
const IN_STEP: Context =
    Context { place: "subquery selector", expected: "number, duration, step(), range(), or \"]\"" };
const AFTER_STEP: Context = Context { place: "subquery selector", expected: "\"]\"" };
const IN_OFFSET: Context =
    Context { place: "offset", expected: "number, duration, step(), or range()" };
const IN_AT: Context = Context { place: "@", expected: "timestamp" };

const NOT_SELECTABLE: &str = "modifier must be preceded by an instant vector selector or range \
                              vector selector or a subquery";

/// The parts of a selector or subquery that `offset` and `@` set.
struct Timing<'e> {
    offset: &'e mut Duration,
    at: &'e mut Option<At>,
    pos: &'e mut PosRange,
}

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            match self.peek().kind {
                Kind::LeftBracket => node = self.range(node)?,
                Kind::Keyword(Keyword::Offset) => self.offset(&mut node.expr)?,
                Kind::At => self.at_modifier(&mut node.expr)?,
                Kind::Keyword(Keyword::Anchored) => {
                    self.edges(&mut node.expr, RangeEdges::Anchored, "anchored");
                }
                Kind::Keyword(Keyword::Smoothed) => {
                    self.edges(&mut node.expr, RangeEdges::Smoothed, "smoothed");
                }
                _ => return Ok(node),
            }
        }
    }

    fn range(&mut self, node: Node) -> Parsed<Node> {
        let open = self.advance().pos;
        let range = self.positive_duration(IN_RANGE)?;
        if let Some(close) = self.accept(Kind::RightBracket) {
            return self.matrix(node, range, open.to(close.pos));
        }
        self.expect(Kind::Colon, AFTER_RANGE)?;
        let (step, close) = match self.accept(Kind::RightBracket) {
            Some(close) => (None, close.pos),
            None => {
                let step = self.positive_duration(IN_STEP)?;
                (Some(step), self.expect(Kind::RightBracket, AFTER_STEP)?.pos)
            }
        };
        let Node { expr, height } = node;
        let pos = expr.pos().to(close);
        let subquery = Subquery { expr, range, step, offset: Duration::ZERO, at: None, pos };
        self.node(Expr::Subquery(Box::new(subquery)), height)
    }

    fn matrix(&mut self, node: Node, range: Duration, brackets: PosRange) -> Parsed<Node> {
        let pos = node.expr.pos().to(brackets);
        let (selector, complaint) = match node.expr {
            Expr::Vector(selector) => {
                let complaint = if !selector.offset.is_zero() {
                    Some("no offset modifiers allowed before range")
                } else if selector.at.is_some() {
                    Some("no @ modifiers allowed before range")
                } else {
                    None
                };
                (*selector, complaint)
            }
            other => {
                // Stands in for what is no selector, so that the rest can be read.
                let selector = VectorSelector {
                    name: None,
                    matchers: Vec::new(),
                    offset: Duration::ZERO,
                    at: None,
                    edges: RangeEdges::Plain,
                    is_info_filter: false,
                    pos: other.pos(),
                };
                (selector, Some("ranges only allowed for vector selectors"))
            }
        };
        if let Some(complaint) = complaint {
            self.error(brackets, complaint.into());
        }
        self.node(Expr::Matrix(Box::new(MatrixSelector { selector, range, pos })), 0)
    }

    fn offset(&mut self, expr: &mut Expr) -> Parsed<()> {
        self.advance();
        let offset = self.offset_duration(IN_OFFSET)?;
        let end = self.used_end;
        let before = expr.pos();
        let Some(timing) = timing(expr) else {
            self.error(before, format!("offset {NOT_SELECTABLE}"));
            return Ok(());
        };
        timing.pos.end = end;
        if timing.offset.is_zero() {
            *timing.offset = offset;
        } else {
            self.error(before, "offset may not be set multiple times".into());
        }
        Ok(())
    }

    fn at_modifier(&mut self, expr: &mut Expr) -> Parsed<()> {
        self.advance();
        let before = expr.pos();
        let negative = match self.peek().kind {
            Kind::Operator(op @ (BinaryOp::Add | BinaryOp::Sub)) => {
                self.advance();
                Some(op == BinaryOp::Sub)
            }
            _ => None,
        };
        let token = self.peek();
        let at = match token.kind {
            Kind::Number | Kind::Duration => {
                let value = self.number_literal().value;
                let seconds = if negative == Some(true) { -value } else { value };
                At::Timestamp(Millis::from_seconds(seconds).unwrap_or_else(|_| {
                    let seconds = go_fixed(seconds);
                    let message = format!("timestamp out of bounds for @ modifier: {seconds}");
                    self.error(before, message);
                    Millis::default()
                }))
            }
            Kind::Start | Kind::End if negative.is_none() => {
                self.advance();
                self.expect(Kind::LeftParen, IN_AT)?;
                self.expect(Kind::RightParen, IN_AT)?;
                if token.kind == Kind::Start { At::Start } else { At::End }
            }
            _ => return self.unexpected(IN_AT),
        };
        let end = self.used_end;
        let Some(timing) = timing(expr) else {
            self.error(before, format!("@ {NOT_SELECTABLE}"));
            return Ok(());
        };
        if timing.at.is_some() {
            self.error(before, "@ <timestamp> may not be set multiple times".into());
        } else {
            *timing.at = Some(at);
            timing.pos.end = end;
        }
        Ok(())
    }

    fn edges(&mut self, expr: &mut Expr, edges: RangeEdges, word: &str) {
        let before = expr.pos();
        let end = self.advance().pos.end;
        if !self.features.extended_range_selectors {
            self.error(before, format!("{word} modifier is experimental and not enabled"));
            return;
        }
        let (selector, pos) = match expr {
            Expr::Vector(selector) => (selector.as_mut(), None),
            Expr::Matrix(matrix) => (&mut matrix.selector, Some(&mut matrix.pos)),
            Expr::Subquery(_) => {
                self.error(before, format!("{word} modifier is not supported for subqueries"));
                return;
            }
            _ => {
                self.error(before, format!("{word} modifier not implemented"));
                return;
            }
        };
        let clash = selector.edges != RangeEdges::Plain && selector.edges != edges;
        selector.edges = edges;
        pos.unwrap_or(&mut selector.pos).end = end;
        if clash {
            let message = "anchored and smoothed modifiers cannot be used together";
            self.error(before, message.into());
        }
    }
}

fn timing(expr: &mut Expr) -> Option<Timing<'_>> {
    Some(match expr {
        Expr::Vector(selector) => {
            let VectorSelector { offset, at, pos, .. } = selector.as_mut();
            Timing { offset, at, pos }
        }
        Expr::Matrix(matrix) => {
            let MatrixSelector { selector, pos, .. } = matrix.as_mut();
            Timing { offset: &mut selector.offset, at: &mut selector.at, pos }
        }
        Expr::Subquery(subquery) => {
            let Subquery { offset, at, pos, .. } = subquery.as_mut();
            Timing { offset, at, pos }
        }
        _ => return None,
    })
}

/// Go's `%f`.
fn go_fixed(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        format!("{value:.6}")
    }
}
