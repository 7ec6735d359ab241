//! The helpers keep their promises when the power goes, or when any single step fails.

use std::io;

use camino::Utf8Path;

use super::*;
use crate::SimFs;

const PATH: &str = "/data/file";

#[test]
fn replaced_file_is_old_or_new_after_a_power_cut_at_any_operation() {
    let (mut old_seen, mut new_seen) = (0, 0);
    for seed in 0..30 {
        for operation in 1.. {
            let fs = prepared(seed);
            fs.fail_from(operation, io::ErrorKind::Other);
            let result = atomic_write(&fs, PATH.into(), &[b'n'; 2000]);
            fs.clear_faults();
            let after = content(&fs.crash());
            match &result {
                Ok(()) => assert_eq!(after, [b'n'; 2000], "seed {seed}: not durable"),
                Err(_) if after == [b'n'; 2000] => new_seen += 1,
                Err(_) => {
                    assert_eq!(after, b"old", "seed {seed}, operation {operation}");
                    old_seen += 1;
                }
            }
            if result.is_ok() {
                assert!(operation > 5, "too few operations to be safe: {operation}");
                break;
            }
        }
    }
    assert!(old_seen > 0 && new_seen > 0, "{old_seen} {new_seen}");
}

#[test]
fn failed_replacement_leaves_the_old_file_and_no_temporary_one() {
    // Open, write, sync, rename; after the rename the new file is there.
    for operation in 1..=4 {
        let fs = prepared(operation);
        fs.fail_nth(operation, io::ErrorKind::StorageFull);
        let error = atomic_write(&fs, PATH.into(), b"new").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(content(&fs), b"old");
        assert_eq!(fs.read_dir("/data".into()).unwrap(), ["file"], "operation {operation}");
    }
}

#[test]
fn leftovers_of_an_interrupted_replacement_are_recognised_and_overwritten() {
    let fs = prepared(1);
    fs.fail_from(3, io::ErrorKind::Other);
    atomic_write(&fs, PATH.into(), &[b'x'; 100]).unwrap_err();
    let fs = fs.kill();
    let names = fs.read_dir("/data".into()).unwrap();
    let f = |name: &str, want: bool| assert_eq!(is_temporary(name), want, "{name}");
    f(&names[0], false);
    f(&names[1], true);
    atomic_write(&fs, PATH.into(), b"new").unwrap();
    assert_eq!(content(&fs), b"new");
    assert_eq!(fs.read_dir("/data".into()).unwrap(), ["file"]);
}

#[test]
fn synced_directories_survive_every_power_cut() {
    let f = |path: &str, prepare: &dyn Fn(&SimFs)| {
        for seed in 0..50 {
            let fs = SimFs::new(seed);
            prepare(&fs);
            create_dir_all_synced(&fs, path.into()).unwrap();
            assert!(fs.crash().metadata(path.into()).unwrap().is_dir, "{path}, seed {seed}");
        }
    };
    f("/a/b/c", &|_| {});
    f("a/b", &|_| {});
    f("a", &|fs| fs.create_dir_all("/a".into()).unwrap());
    f("/", &|_| {});
}

#[test]
fn an_interrupted_creation_of_directories_is_made_durable_by_the_next_one() {
    let mut interrupted = 0;
    for seed in 0..50 {
        for operation in 1..8 {
            let fs = SimFs::new(seed);
            fs.fail_from(operation, io::ErrorKind::Other);
            interrupted += u32::from(create_dir_all_synced(&fs, "/a/b/c".into()).is_err());
            let fs = fs.kill();
            create_dir_all_synced(&fs, "/a/b/c".into()).unwrap();
            let found = fs.crash().metadata("/a/b/c".into()).map(|found| found.is_dir);
            assert!(matches!(found, Ok(true)), "seed {seed}, operation {operation}");
        }
    }
    assert!(interrupted > 0);
}

#[test]
fn oversized_file_is_refused_by_name_and_numbers() {
    let fs = prepared(0);
    let error = read_to_vec(&fs, PATH.into(), 2).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /data/file: it has 3 bytes, and the limit is 2");
}

/// A machine on which the file durably holds "old".
fn prepared(seed: u64) -> SimFs {
    let fs = SimFs::new(seed);
    create_dir_all_synced(&fs, "/data".into()).unwrap();
    atomic_write(&fs, PATH.into(), b"old").unwrap();
    fs
}

fn content(fs: &SimFs) -> Vec<u8> {
    read_to_vec(fs, Utf8Path::new(PATH), 1 << 20).unwrap()
}
