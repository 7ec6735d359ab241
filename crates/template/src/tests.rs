//! Rows for the language and its messages.
