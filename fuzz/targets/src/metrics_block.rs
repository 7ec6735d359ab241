//! A block of samples with any bytes in its sections: the store opens, reads what it can, and says
//! what is wrong.

use masthead_tsdb::simulation::open_block_file;

const SECTIONS: usize = 8;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    // Two bytes for the length of each section.
    let Some((lengths, mut rest)) = bytes.split_at_checked(2 * SECTIONS) else { return };
    let mut sections = Vec::new();
    for length in lengths.as_chunks().0 {
        let length = usize::from(u16::from_le_bytes(*length));
        let (section, after) = rest.split_at(rest.len().min(length));
        sections.push(section);
        rest = after;
    }
    drop(open_block_file(&sections));
}
