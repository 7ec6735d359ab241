//! What loads, what is refused, and with which words.
