//! Entries of systemd's journal as `journalctl` writes them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    masthead_tail::read_journal_entry_for_fuzzing(line);
});
