//! `decolorize`: takes the escape sequences of terminals out of the line.

use crate::{
    entry::Entry,
    pipeline::{Cx, Stage, Verdict},
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Decolorize;

const ESCAPE: u8 = 0x1b;

impl Stage for Decolorize {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        if memchr::memchr(ESCAPE, &entry.line).is_some() {
            entry.line = decolorize(&entry.line);
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(*self)
    }
}

/// Without `ESC [ … letter`, the sequences that set colours and move the cursor.
fn decolorize(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(ESCAPE, rest) {
        let (before, sequence) = rest.split_at(at);
        out.extend_from_slice(before);
        let len = sequence_len(sequence);
        if len == 0 {
            out.push(ESCAPE);
        }
        rest = sequence.get(len.max(1)..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// How long the sequence at the start is; 0 if there is none.
fn sequence_len(bytes: &[u8]) -> usize {
    if bytes.get(1) != Some(&b'[') {
        return 0;
    }
    let parameters = bytes.iter().skip(2).take_while(|b| matches!(b, 0x20..=0x3f)).count();
    match bytes.get(2 + parameters) {
        Some(0x40..=0x7e) => 3 + parameters,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_the_rest_stays() {
        let f = |line: &str, want: &str| {
            assert_eq!(String::from_utf8_lossy(&decolorize(line.as_bytes())), want, "{line:?}");
        };
        f("\x1b[31mred\x1b[0m plain", "red plain");
        f("\x1b[38;5;196mx\x1b[m", "x");
        f("\x1b[2Kcleared", "cleared");
        f("no colour", "no colour");
        f("\x1bOther \x1b", "\x1bOther \x1b");
        f("\x1b[12;", "\x1b[12;");
    }
}
