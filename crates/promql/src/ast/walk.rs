//! Walking a tree from the root down, children in the order in which upstream visits them.
//!
//! The height of a parsed tree is limited, so plain recursion is safe.

use super::{Expr, VectorSelector};

impl Expr {
    /// The direct children, parameters after the vector that they apply to.
    pub fn children(&self) -> impl Iterator<Item = &Expr> {
        let (first, second, rest): (Option<&Expr>, Option<&Expr>, &[Expr]) = match self {
            Self::Aggregate(node) => (Some(&node.expr), node.param.as_ref(), &[]),
            Self::Binary(node) => (Some(&node.lhs), Some(&node.rhs), &[]),
            Self::Call(node) => (None, None, &node.args),
            Self::Paren(node) => (Some(&node.expr), None, &[]),
            Self::Subquery(node) => (Some(&node.expr), None, &[]),
            Self::Unary(node) => (Some(&node.expr), None, &[]),
            Self::Matrix(_) | Self::Number(_) | Self::String(_) | Self::Vector(_) => {
                (None, None, &[])
            }
        };
        first.into_iter().chain(second).chain(rest)
    }

    /// Calls `visit` with this node and every node below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// Every selector in the tree, those of range selectors included, in the order of a walk.
    pub fn selectors(&self) -> Vec<&VectorSelector> {
        let mut selectors = Vec::new();
        self.walk(&mut |expr| match expr {
            Self::Vector(selector) => selectors.push(selector.as_ref()),
            Self::Matrix(matrix) => selectors.push(&matrix.selector),
            _ => {}
        });
        selectors
    }
}
