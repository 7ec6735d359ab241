//! Rows for the rules of stages that have no file of tests of their own.
