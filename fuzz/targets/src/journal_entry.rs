//! Entries of systemd's journal as `journalctl` writes them.

/// Takes any bytes.
pub fn run(line: &[u8]) {
    masthead_tail::read_journal_entry_for_fuzzing(line);
}
