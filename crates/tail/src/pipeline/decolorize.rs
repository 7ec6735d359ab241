//! `decolorize`: takes the codes that colour it on a terminal out of the line, as LogQL's does.

use crate::{
    entry::Entry,
    pipeline::{Cx, Stage, Verdict},
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Decolorize;

impl Stage for Decolorize {
    fn process(&mut self, _: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let mut plain = Vec::new();
        if masthead_model::decolorize(&entry.line, &mut plain) {
            entry.line = plain;
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::run;

    #[test]
    fn colours_titles_and_charsets_go() {
        let lines = ["\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b(Bx", "\x1b[", "plain"];
        assert_eq!(run(Decolorize, &lines).shown(), ["0 {} red x", "0 {} \x1b[", "0 {} plain"]);
    }
}
