//! Writing requests, for forwarding.

use std::collections::HashMap;

use masthead_model::Labels;

use super::{FloatPoint, HistogramPoint, Metadata, metric_type_number};
use crate::{Exemplar, labels::write_labels, native, proto::Writer};

/// Builds a 1.0 request.
#[derive(Debug, Default)]
pub struct EncoderV1 {
    out: Vec<u8>,
}

impl EncoderV1 {
    /// Appends a series. What 1.0 cannot say, when counting started, is left out.
    pub fn series(
        &mut self,
        labels: &Labels,
        samples: &[FloatPoint],
        histograms: &[HistogramPoint],
        exemplars: &[Exemplar],
    ) {
        Writer::new(&mut self.out).nested(1, |w| {
            write_labels(w, labels);
            for point in samples {
                w.nested(2, |w| {
                    w.double(1, point.value);
                    w.signed(2, point.timestamp.0);
                });
            }
            for exemplar in exemplars {
                w.nested(3, |w| {
                    write_labels(w, &exemplar.labels);
                    w.double(2, exemplar.value);
                    w.signed(3, exemplar.timestamp.map_or(0, |t| t.0));
                });
            }
            for point in histograms {
                w.nested(4, |w| native::write(w, point.timestamp, None, &point.histogram));
            }
        });
    }

    /// Appends metadata of a family.
    pub fn metadata(&mut self, metadata: &Metadata<'_>) {
        Writer::new(&mut self.out).nested(3, |w| {
            w.unsigned(1, metric_type_number(metadata.metric_type));
            w.text(2, metadata.family);
            w.text(4, metadata.help);
            w.text(5, metadata.unit);
        });
    }

    /// Bytes so far.
    pub fn byte_len(&self) -> usize {
        self.out.len()
    }

    /// The request, to be compressed.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Builds a 2.0 request.
#[derive(Debug)]
pub struct EncoderV2 {
    symbols: HashMap<Box<str>, u64>,
    /// The symbols in their order, as fields.
    table: Vec<u8>,
    out: Vec<u8>,
}

impl Default for EncoderV2 {
    /// The table starts with the empty text, as the specification asks.
    fn default() -> Self {
        let mut encoder = Self { symbols: HashMap::new(), table: Vec::new(), out: Vec::new() };
        encoder.symbol("");
        encoder
    }
}

impl EncoderV2 {
    /// Appends a series; `metadata.family` is not sent, because the labels hold it.
    pub fn series(
        &mut self,
        labels: &Labels,
        samples: &[FloatPoint],
        histograms: &[HistogramPoint],
        exemplars: &[Exemplar],
        metadata: Option<&Metadata<'_>>,
    ) {
        let label_refs = self.label_refs(labels);
        let exemplar_refs: Vec<_> = exemplars.iter().map(|e| self.label_refs(&e.labels)).collect();
        let metadata = metadata
            .map(|m| (metric_type_number(m.metric_type), self.symbol(m.help), self.symbol(m.unit)));
        Writer::new(&mut self.out).nested(5, |w| {
            w.packed_varints(1, label_refs.into_iter());
            for point in samples {
                w.nested(2, |w| {
                    w.double(1, point.value);
                    w.signed(2, point.timestamp.0);
                    w.signed(3, point.start.map_or(0, |t| t.0));
                });
            }
            for point in histograms {
                w.nested(3, |w| native::write(w, point.timestamp, point.start, &point.histogram));
            }
            for (exemplar, refs) in exemplars.iter().zip(exemplar_refs) {
                w.nested(4, |w| {
                    w.packed_varints(1, refs.into_iter());
                    w.double(2, exemplar.value);
                    w.signed(3, exemplar.timestamp.map_or(0, |t| t.0));
                });
            }
            if let Some((number, help, unit)) = metadata {
                w.nested(5, |w| {
                    w.unsigned(1, number);
                    w.unsigned(3, help);
                    w.unsigned(4, unit);
                });
            }
        });
    }

    /// Bytes so far.
    pub fn byte_len(&self) -> usize {
        self.table.len() + self.out.len()
    }

    /// The request, to be compressed.
    pub fn finish(self) -> Vec<u8> {
        let mut out = self.table;
        out.extend_from_slice(&self.out);
        out
    }

    fn label_refs(&mut self, labels: &Labels) -> Vec<u64> {
        let mut refs = Vec::new();
        for label in labels {
            refs.push(self.symbol(label.name));
            refs.push(self.symbol(label.value));
        }
        refs
    }

    fn symbol(&mut self, text: &str) -> u64 {
        if let Some(number) = self.symbols.get(text) {
            return *number;
        }
        let number = self.symbols.len() as u64;
        self.symbols.insert(text.into(), number);
        Writer::new(&mut self.table).present_text(4, text);
        number
    }
}
