//! Integration tests of LogQL.

mod conformance;
mod documents;
mod engine;
mod members;
mod script;
