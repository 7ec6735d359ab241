//! LogQL: parse, plan, evaluate.
//!
//! Where to look: the syntax tree in `ast.rs`, the parser in `parser.rs`, printing in
//! `printer.rs`, what happens to one line in `stages.rs`, evaluation in `engine.rs`.

#![forbid(unsafe_code)]

pub mod ast;
mod engine;
mod parser;
mod printer;
pub mod stages;

pub use ast::DEPTH_MAX;
pub use engine::{
    Answer, Engine, EngineOptions, Error, LineEntry, LineLabels, Lines, Pair, Params, Pipeline,
    Sample, Series,
};
pub use parser::{MatchersError, ParseError, QUERY_BYTES_MAX, parse, parse_matchers};
pub use printer::pretty;
