//! PromQL: parse, plan, evaluate.
//!
//! Where to look: the syntax tree in `ast.rs`, the parser in `parser.rs`, printing in
//! `printer.rs`, the table of functions in `functions.rs`, experimental parts of the language in
//! `features.rs`, evaluation in `engine.rs` and `functions/`, warnings in `annotations.rs`, answers in `value.rs`, the runner of test scripts in `promqltest.rs`.

#![forbid(unsafe_code)]

mod annotations;
pub mod ast;
mod engine;
mod features;
mod functions;
mod parser;
mod printer;
pub mod promqltest;
mod value;

pub use annotations::Annotations;
pub use ast::DEPTH_MAX;
pub use engine::{Answer, Engine, EngineOptions, Error};
pub use features::Features;
pub use functions::{FUNCTIONS, FunctionSignature};
pub use parser::{
    EXPRESSION_BYTES_MAX, PARSE_ERRORS_MAX, ParseError, ParseErrors, parse, parse_selector,
};
pub use printer::pretty;
pub use value::{InstantSample, QueryValue, SeriesResult};
