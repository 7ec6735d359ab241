//! Patterns and expressions over lines: as a parser and as a filter.

use masthead_logql::stages::{
    Line, LineFilter, LineOp, LineOperand, Needed, PatternParser, RegexpParser, Stage,
};
use masthead_model::Labels;

use crate::text_and_rest;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some((pattern, text)) = text_and_rest(bytes) else { return };
    let (stream, needed) = (Labels::default(), Needed::everything());
    let mut line = Line::new(&needed);
    if let Ok(parser) = PatternParser::new(pattern) {
        line.reset(&stream, None, text, 0);
        parser.process(&mut line);
    }
    if let Ok(parser) = RegexpParser::new(pattern) {
        line.reset(&stream, None, text, 0);
        parser.process(&mut line);
    }
    let opposites = [
        (LineOp::Contains, LineOp::NotContains),
        (LineOp::Matches, LineOp::NotMatches),
        (LineOp::LooksLike, LineOp::NotLooksLike),
    ];
    for (op, opposite) in opposites {
        for operand in [LineOperand::Text(pattern), LineOperand::Ip(pattern)] {
            if let (Ok(yes), Ok(no)) =
                (LineFilter::new(op, [operand]), LineFilter::new(opposite, [operand]))
            {
                assert_ne!(yes.matches(text), no.matches(text), "{op:?} {pattern:?}");
            }
        }
    }
}
