//! Integration tests of LogQL.

mod conformance;
