//! A frame of the journal of samples below its checksum: the store opens, or says what is wrong.

use masthead_tsdb::simulation::open_frame;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    drop(open_frame(bytes));
}
