//! The families as exposition text, so that the machine can be scraped like any other target.
//!
//! The format's rules live in `wire`; this file only walks the families.

use masthead_model::METRIC_NAME;
use masthead_wire::exposition::{TextWriter, WriteFormat};

use crate::Families;

impl Families {
    /// Appends all families to `out` in the text format 0.0.4.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        let mut writer = TextWriter::new(WriteFormat::Text);
        for (name, family) in self.iter() {
            writer.family(name, family.metric_type, &family.help, "");
            for row in &family.rows {
                let mut labels = row.labels.to_builder();
                labels.set(METRIC_NAME, name);
                writer.sample(&labels.build(), row.value, None, None);
            }
        }
        out.extend_from_slice(writer.finish().as_bytes());
    }
}
