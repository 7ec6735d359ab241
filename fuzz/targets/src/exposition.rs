//! Scraped bodies in all three formats, classic histograms converted or not.

use masthead_wire::{
    Limits,
    exposition::{Format, Options, Parser},
};

/// Takes any bytes.
pub fn run(body: &[u8]) {
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        for convert_classic_histograms in [false, true] {
            let options = Options {
                limits: Limits::default(),
                convert_classic_histograms,
                ..Options::default()
            };
            let Ok(mut parser) = Parser::new(body, format, options) else { continue };
            let mut exemplars = Vec::new();
            while let Ok(Some(_)) = parser.advance() {
                drop(parser.labels());
                parser.exemplars(&mut exemplars);
            }
        }
    }
}
