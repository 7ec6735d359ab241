//! `| decolorize`: the line without the codes that colour it on a terminal.

use super::{Keep, Line, Needed, Stage};

/// `| decolorize`
#[derive(Debug, Clone, Copy, Default)]
pub struct Decolorize;

impl Stage for Decolorize {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        line.rewrite(|line, out| masthead_model::decolorize(line.text(), out));
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}
