//! LogQL: parse, plan, evaluate.
//!
//! Where to look: the syntax tree in `ast.rs`, the parser in `parser.rs`, printing in
//! `printer.rs`, what happens to one line in `stages.rs`.

#![forbid(unsafe_code)]

pub mod ast;
mod parser;
mod printer;
pub mod stages;

pub use ast::DEPTH_MAX;
pub use parser::{MatchersError, ParseError, QUERY_BYTES_MAX, parse, parse_matchers};
pub use printer::pretty;
