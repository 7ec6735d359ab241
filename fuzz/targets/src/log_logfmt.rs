//! logfmt lines, strict and not: what both read they read alike, up to the first mistake.

use masthead_logql::stages::{Line, Logfmt, LogfmtExpressions, LogfmtFlags, Needed, Stage};
use masthead_model::Labels;

/// Takes any bytes.
pub fn run(text: &[u8]) {
    let (stream, needed) = (Labels::default(), Needed::everything());
    let mut read = Vec::new();
    for strict in [true, false] {
        let mut line = Line::new(&needed);
        line.reset(&stream, None, text, 0);
        Logfmt::new(LogfmtFlags { strict, keep_empty: true }).process(&mut line);
        let labels = line.labels().filter(|label| !label.name.starts_with("__error"));
        read.push(labels.map(|l| (l.name.to_owned(), l.value.to_vec())).collect::<Vec<_>>());
    }
    if let [strict, lax] = &read[..] {
        assert!(lax.starts_with(strict));
    }
    let single = LogfmtExpressions::new(LogfmtFlags::default(), [("x", "a")]).expect("a good key");
    let mut line = Line::new(&needed);
    line.reset(&stream, None, text, 0);
    single.process(&mut line);
    assert!(line.get("x").is_some());
}
