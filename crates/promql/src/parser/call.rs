//! What begins with a word: aggregations, function calls, or a selector after all.

use masthead_model::quote;

use super::{
    AGGREGATION, Context, GROUPING, Node, Parsed, Parser,
    token::{Keyword, Kind, Token},
};
use crate::{
    ast::{Aggregate, AggregateOp, Call, Expr, NumberLiteral, PosRange, ValueType},
    functions::FunctionSignature,
};

/// Stands in for a function that does not exist; the error is recorded, so no caller sees it.
static UNKNOWN: FunctionSignature = FunctionSignature {
    name: "",
    args: &[],
    variadic: -1,
    returns: ValueType::Vector,
    experimental: false,
    doc: "",
};

/// Arguments in parentheses.
struct Arguments {
    args: Vec<Expr>,
    /// Of the highest argument.
    height: usize,
    /// The closing parenthesis.
    close: PosRange,
}

/// `by (a)` or `without (a)`.
struct Grouping {
    labels: Vec<String>,
    without: bool,
    close: PosRange,
}

impl<'a> Parser<'a> {
    /// The next token is a word that could be the name of a metric.
    pub(super) fn named(&mut self) -> Parsed<Node> {
        let name = self.advance();
        let next = self.peek().kind;
        let is_grouping = matches!(next, Kind::Keyword(Keyword::By | Keyword::Without));
        match name.kind {
            Kind::Aggregate(op) if next == Kind::LeftParen || is_grouping => {
                self.aggregate(name, op)
            }
            Kind::Identifier
            | Kind::Start
            | Kind::End
            | Kind::Step
            | Kind::Range
            | Kind::MinOf
            | Kind::MaxOf
                if next == Kind::LeftParen =>
            {
                self.call(name)
            }
            _ => self.selector_node(Some(name)),
        }
    }

    fn aggregate(&mut self, name: Token<'a>, op: AggregateOp) -> Parsed<Node> {
        let outer = std::mem::replace(&mut self.context, AGGREGATION);
        let before = self.grouping()?;
        let arguments = self.arguments()?;
        let node = self.aggregation(name, op, before, arguments);
        self.context = outer;
        node
    }

    /// After the arguments.
    fn aggregation(
        &mut self,
        name: Token<'a>,
        op: AggregateOp,
        before: Option<Grouping>,
        arguments: Arguments,
    ) -> Parsed<Node> {
        let Arguments { args, height, close } = arguments;
        let after = if before.is_none() { self.grouping()? } else { None };
        let end = after.as_ref().map_or(close, |grouping| grouping.close);
        let pos = name.pos.to(end);
        let (labels, without) = before
            .or(after)
            .map_or((Vec::new(), false), |grouping| (grouping.labels, grouping.without));

        let wanted = if op.takes_param() { 2 } else { 1 };
        if args.is_empty() {
            self.error(pos, "no arguments for aggregate expression provided".into());
        } else if op.is_experimental() && !self.features.experimental_functions {
            let message = format!(
                "{op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions"
            );
            self.error(pos, message);
        } else if args.len() != wanted {
            let message = format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {}",
                args.len()
            );
            self.error(pos, message);
        }
        let mut args = args.into_iter();
        let param = if op.takes_param() { args.next() } else { None };
        // An error was recorded if there is none, so that nobody sees what stands in.
        let nothing = NumberLiteral { value: 0.0, is_duration: false, pos };
        let expr = args.next().unwrap_or(Expr::Number(nothing));
        let aggregate = Aggregate { op, expr, param, grouping: labels, without, pos };
        self.node(Expr::Aggregate(Box::new(aggregate)), height)
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let Kind::Keyword(keyword @ (Keyword::By | Keyword::Without)) = self.peek().kind else {
            return Ok(None);
        };
        self.advance();
        let (labels, close) = self.labels_in_parens()?;
        Ok(Some(Grouping { labels, without: keyword == Keyword::Without, close }))
    }

    fn call(&mut self, name: Token<'a>) -> Parsed<Node> {
        let arguments = self.arguments()?;
        self.function(name, arguments)
    }

    /// After the arguments.
    fn function(&mut self, name: Token<'a>, arguments: Arguments) -> Parsed<Node> {
        let Arguments { args, height, close } = arguments;
        let func = FunctionSignature::find(name.text).unwrap_or_else(|| {
            let message = format!("unknown function with name {}", quote(name.text));
            self.error(name.pos, message);
            &UNKNOWN
        });
        if func.experimental && !self.features.experimental_functions {
            self.error(name.pos, format!("function {} is not enabled", quote(name.text)));
        }
        self.node(Expr::Call(Call { func, args, pos: name.pos.to(close) }), height)
    }

    fn arguments(&mut self) -> Parsed<Arguments> {
        self.expect(Kind::LeftParen, self.context)?;
        let (mut args, mut height) = (Vec::new(), 0);
        while self.peek().kind != Kind::RightParen {
            let arg = self.expression(0)?;
            height = height.max(arg.height);
            args.push(arg.expr);
            if !self.another_argument() {
                break;
            }
        }
        let close = self.expect(Kind::RightParen, self.context)?.pos;
        Ok(Arguments { args, height, close })
    }

    /// Whether a comma and a further argument follow.
    fn another_argument(&mut self) -> bool {
        let Some(comma) = self.accept(Kind::Comma) else { return false };
        let follows = self.peek().kind.starts_expression();
        if !follows {
            let message = "trailing commas not allowed in function call args";
            self.error(comma.pos, message.into());
        }
        follows
    }

    /// `(a, b)` after `by`, `on`, `group_left` and their like.
    pub(super) fn grouping_labels(&mut self) -> Parsed<Vec<String>> {
        Ok(self.labels_in_parens()?.0)
    }

    fn labels_in_parens(&mut self) -> Parsed<(Vec<String>, PosRange)> {
        self.expect(Kind::LeftParen, Context { place: GROUPING, expected: "\"(\"" })?;
        let mut labels = Vec::new();
        if let Some(close) = self.accept(Kind::RightParen) {
            return Ok((labels, close.pos));
        }
        loop {
            labels.push(self.grouping_label()?);
            if self.accept(Kind::Comma).is_none() {
                let context = Context { place: GROUPING, expected: "\",\" or \")\"" };
                return Ok((labels, self.expect(Kind::RightParen, context)?.pos));
            }
            if let Some(close) = self.accept(Kind::RightParen) {
                return Ok((labels, close.pos));
            }
        }
    }

    fn grouping_label(&mut self) -> Parsed<String> {
        let token = self.peek();
        let label = match token.kind {
            Kind::String => self.unquote_text(token),
            kind if kind.is_label_name() => token.text.to_owned(),
            _ => return self.unexpected(Context { place: GROUPING, expected: "label" }),
        };
        self.advance();
        if label.is_empty() {
            self.error(token.pos, "invalid label name for grouping: \"\"".into());
        }
        Ok(label)
    }
}
