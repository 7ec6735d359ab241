//! Injected faults, the full disk, rot, and the counters: each goes wrong exactly as it was told to.

use std::{collections::BTreeSet, io::ErrorKind};

use super::{PATH, SEEDS, content, holding, names, outcomes};
use crate::{Counters, Fs as _, OpenOptions, Operation, SimFs};

#[test]
fn nth_operation_fails_once_and_exactly() {
    let f = |nth: u64, want: [bool; 4]| {
        let fs = SimFs::new(0);
        fs.fail_nth(nth, ErrorKind::TimedOut);
        let got = [0; 4].map(|_| match fs.metadata("/".into()) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                assert!(error.to_string().contains("injected"), "{error}");
                false
            }
        });
        assert_eq!(got, want, "{nth}");
        assert_eq!(fs.counters().faults, u64::from(nth <= 4));
    };
    f(1, [false, true, true, true]);
    f(3, [true, true, false, true]);
    f(9, [true; 4]);
}

#[test]
fn failures_from_an_operation_on_last_until_cleared() {
    let fs = SimFs::new(0);
    fs.metadata("/".into()).unwrap();
    fs.fail_from(2, ErrorKind::Other);
    fs.fail_nth(2, ErrorKind::TimedOut);
    let kind = || fs.metadata("/".into()).err().map(|error| error.kind());
    assert_eq!([kind(), kind(), kind()], [None, Some(ErrorKind::TimedOut), Some(ErrorKind::Other)]);
    fs.clear_faults();
    assert_eq!(kind(), None);
    assert_eq!((fs.counters().operations, fs.counters().faults), (5, 2));
}

#[test]
fn rules_see_the_operation_and_the_path() {
    let (fs, file) = holding(b"x");
    let other = fs.open("other".into(), OpenOptions::UPDATE).unwrap();
    fs.fail_when(ErrorKind::StorageFull, |operation, path| {
        operation == Operation::Sync && path.file_name() == Some("other")
    });
    other.write_all_at(b"x", 0).unwrap();
    file.sync_all().unwrap();
    assert_eq!(other.sync_data().unwrap_err().kind(), ErrorKind::StorageFull);
    fs.fail_when(ErrorKind::TimedOut, |operation, _| operation == Operation::Rename);
    assert_eq!(fs.rename("other".into(), "x".into()).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(names(&fs), "file other");
}

#[test]
fn failed_write_has_written_any_prefix() {
    let lens: BTreeSet<u64> = (0..SEEDS)
        .map(|seed| {
            let fs = SimFs::new(seed);
            let file = fs.open(PATH.into(), OpenOptions::APPEND).unwrap();
            fs.fail_nth(1, ErrorKind::Other);
            file.append_all(b"abc").unwrap_err();
            let len = file.len().unwrap();
            assert_eq!(fs.counters().written_bytes, len);
            len
        })
        .collect();
    assert_eq!(lens, [0, 1, 2, 3].into());
}

#[test]
fn failed_sync_drops_what_it_was_to_keep_and_the_next_one_lies() {
    let (fs, file) = holding(b"old");
    file.write_all_at(b"new and longer", 0).unwrap();
    fs.fail_nth(1, ErrorKind::Other);
    file.sync_data().unwrap_err();
    assert_eq!(content(&fs, PATH).unwrap(), b"old");
    file.sync_data().unwrap();
    assert_eq!(outcomes(&fs, |fs| content(fs, PATH).unwrap()), [b"old".to_vec()].into());
}

#[test]
fn full_disk_takes_what_fits() {
    let (fs, file) = holding(b"12345");
    let free = || fs.available_space("/".into()).unwrap();
    fs.set_capacity(8);
    assert_eq!(free(), 3);
    let error = file.write_all_at(b"abcdef", 4).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(content(&fs, PATH).unwrap(), b"1234abcd");
    assert_eq!(free(), 0);
    file.write_all_at(b"in place", 0).unwrap();
    assert_eq!(file.set_len(9).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.write_all_at(b"x", u64::MAX).unwrap_err().kind(), ErrorKind::StorageFull);
    file.set_len(7).unwrap();
    assert_eq!(free(), 1);
    let other = fs.open("other".into(), OpenOptions::APPEND).unwrap();
    assert_eq!(other.append_all(b"xy").unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(content(&fs, "other").unwrap(), b"x");
    // Space comes back when the last handle of a nameless file goes.
    fs.remove_file(PATH.into()).unwrap();
    assert_eq!(free(), 0);
    drop(file);
    assert_eq!(free(), 7);
}

#[test]
fn refused_lock_holds_no_space() {
    let (fs, file) = holding(b"12345");
    drop(file);
    fs.set_capacity(5);
    let held = fs.lock_file(PATH.into()).unwrap();
    fs.lock_file(PATH.into()).unwrap_err();
    fs.remove_file(PATH.into()).unwrap();
    assert_eq!(fs.available_space("/".into()).unwrap(), 0);
    drop(held);
    assert_eq!(fs.available_space("/".into()).unwrap(), 5);
}

#[test]
fn short_reads_return_any_part_and_spoil_the_rest_of_the_buffer() {
    let (fs, file) = holding(b"abcd");
    fs.short_reads(true);
    let (mut counts, mut spoiled) = (BTreeSet::new(), false);
    for _ in 0..SEEDS {
        let mut buffer = [0; 8];
        let count = file.read_at(&mut buffer, 0).unwrap();
        assert_eq!(buffer[..count], b"abcd"[..count]);
        spoiled |= buffer[count..4].iter().any(|byte| !b"\0abcd".contains(byte));
        counts.insert(count);
    }
    assert_eq!((counts, spoiled), ([1, 2, 3, 4].into(), true));
    assert_eq!(file.read_at(&mut [0], 4).unwrap(), 0);
    let mut exact = [0; 4];
    file.read_exact_at(&mut exact, 0).unwrap();
    assert_eq!(&exact, b"abcd");
}

#[test]
fn rotten_bit_is_durable_and_refused_outside_the_file() {
    let (fs, file) = holding(b"aa");
    let before = file.map().unwrap();
    fs.flip_bit(PATH.into(), 1, 1).unwrap();
    assert_eq!(content(&fs, PATH).unwrap(), b"ac");
    assert_eq!(*before, *b"aa");
    assert_eq!(outcomes(&fs, |fs| content(fs, PATH).unwrap()), [b"ac".to_vec()].into());
    let f = |path: &str, offset, bit, want| {
        assert_eq!(fs.flip_bit(path.into(), offset, bit).unwrap_err().kind(), want);
    };
    f(PATH, 2, 0, ErrorKind::InvalidInput);
    f(PATH, 0, 8, ErrorKind::InvalidInput);
    f("none", 0, 0, ErrorKind::NotFound);
    f("/", 0, 0, ErrorKind::IsADirectory);
}

#[test]
fn counters_count() {
    let (fs, file) = holding(b"abc");
    file.read_at(&mut [0; 2], 0).unwrap();
    let want = Counters {
        operations: 5,
        reads: 1,
        read_bytes: 2,
        writes: 1,
        written_bytes: 3,
        syncs: 1,
        dir_syncs: 1,
        ..Counters::default()
    };
    assert_eq!(fs.counters(), want);
    assert_eq!(fs.kill().counters(), Counters::default());
}
