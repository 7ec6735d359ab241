//! Expressions on several lines, two spaces a level, split where a line would be too long.
//!
//! The layout is that of upstream's `promql/parser/prettier.go`, so that `format_query` and
//! promtool answer alike: a node that fits on a line stays on it, one that does not puts its
//! children on lines of their own, one level deeper.

use std::fmt::{self, Write};

use super::{OperationOf, OperatorOf, RangeOf};
use crate::ast::Expr;

/// A node whose text has more bytes than this is split.
const LINE_BYTES_MAX: usize = 100;

/// The expression as people lay it out, without a newline at the end.
pub fn pretty(expr: &Expr) -> String {
    pretty_within(expr, LINE_BYTES_MAX)
}

pub(super) fn pretty_within(expr: &Expr, line_bytes_max: usize) -> String {
    let mut printer = Printer { out: String::new(), line_bytes_max };
    // Writing to a String cannot fail.
    printer.write(expr, 0).unwrap_or_default();
    printer.out
}

struct Printer {
    out: String,
    line_bytes_max: usize,
}

impl Printer {
    /// Writes a node that begins a line at this level; at level 0 it may begin anywhere.
    fn write(&mut self, expr: &Expr, level: usize) -> fmt::Result {
        let line = expr.to_string();
        let fits = line.len() <= self.line_bytes_max;
        match expr {
            Expr::Binary(binary) if !fits => {
                self.write(&binary.lhs, level + 1)?;
                self.out.push('\n');
                self.indent(level);
                writeln!(self.out, "{}", OperatorOf(binary))?;
                self.write(&binary.rhs, level + 1)
            }
            Expr::Aggregate(aggregate) if !fits => {
                self.indent(level);
                writeln!(self.out, "{}(", OperationOf(aggregate))?;
                if let Some(param) = &aggregate.param {
                    self.write(param, level + 1)?;
                    self.out.push_str(",\n");
                }
                self.write(&aggregate.expr, level + 1)?;
                self.close(level);
                Ok(())
            }
            Expr::Call(call) if !fits && !call.args.is_empty() => {
                self.indent(level);
                writeln!(self.out, "{}(", call.func.name)?;
                for (nth, arg) in call.args.iter().enumerate() {
                    if nth > 0 {
                        self.out.push_str(",\n");
                    }
                    self.write(arg, level + 1)?;
                }
                self.close(level);
                Ok(())
            }
            Expr::Paren(paren) if !fits => {
                self.indent(level);
                self.out.push_str("(\n");
                self.write(&paren.expr, level + 1)?;
                self.close(level);
                Ok(())
            }
            Expr::Subquery(subquery) if !fits => {
                self.write(&subquery.expr, level)?;
                write!(self.out, "{}", RangeOf(subquery))
            }
            Expr::Unary(unary) => {
                self.indent(level);
                write!(self.out, "{}", unary.op)?;
                // The sign stands where the indentation of its operand would end.
                let start = self.out.len();
                self.write(&unary.expr, level)?;
                let indented = self.out.split_off(start);
                self.out.push_str(indented.trim());
                Ok(())
            }
            // A subquery that fits is not indented upstream either.
            Expr::Subquery(_) => self.out.write_str(&line),
            _ => {
                self.indent(level);
                self.out.write_str(&line)
            }
        }
    }

    fn indent(&mut self, level: usize) {
        for _ in 0..level {
            self.out.push_str("  ");
        }
    }

    fn close(&mut self, level: usize) {
        self.out.push('\n');
        self.indent(level);
        self.out.push(')');
    }
}
