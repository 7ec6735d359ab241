//! The head's file with any bytes in its sections: the store opens, and says what is wrong.

use masthead_tsdb::simulation::open_head_file;

const SECTIONS: usize = 7;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    // The first bytes say where sections end.
    let Some((ends, mut rest)) = bytes.split_at_checked(SECTIONS) else { return };
    let mut sections = Vec::new();
    for end in ends {
        let (section, after) = rest.split_at(rest.len().min(usize::from(*end)));
        sections.push(section);
        rest = after;
    }
    drop(open_head_file(&sections));
}
