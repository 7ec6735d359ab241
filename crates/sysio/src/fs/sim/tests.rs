//! The rules of durability, each on its own; injected faults and the full disk in `tests/faults.rs`.
//!
//! Where the rules leave the outcome open, both outcomes must be seen over the seeds; where they
//! do not, every seed must agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::ErrorKind,
    time::Duration,
};

use camino::Utf8Path;

use super::*;
use crate::{UnixNanos, read_to_vec};

mod faults;

const SEEDS: u64 = 200;
const PATH: &str = "/file";

/// A machine on which `/file` durably holds `bytes`.
fn holding(bytes: &[u8]) -> (SimFs, Box<dyn File>) {
    let fs = SimFs::new(11);
    let file = fs.open(PATH.into(), OpenOptions::UPDATE).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.sync_data().unwrap();
    fs.sync_dir("/".into()).unwrap();
    (fs, file)
}

fn content(fs: &SimFs, path: &str) -> Option<Vec<u8>> {
    match read_to_vec(fs, path.into(), 1 << 20) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{error}"),
    }
}

/// Every distinct answer of `look` to what may come back after a power cut now.
fn outcomes<T: Ord>(fs: &SimFs, look: impl Fn(&SimFs) -> T) -> BTreeSet<T> {
    (0..SEEDS).map(|seed| look(&fs.crash_image(seed))).collect()
}

fn names(fs: &SimFs) -> String {
    fs.read_dir("/".into()).unwrap().join(" ")
}

#[test]
fn synced_bytes_are_never_lost_and_unsynced_ones_may_be() {
    let (fs, file) = holding(b"synced");
    let look = |fs: &SimFs| content(fs, PATH).unwrap();
    assert_eq!(outcomes(&fs, look), [b"synced".to_vec()].into());
    file.write_all_at(b"!", 6).unwrap();
    let seen = outcomes(&fs, look);
    assert!(seen.contains(&b"synced"[..]) && seen.contains(&b"synced!"[..]), "{seen:?}");
    assert!(seen.iter().all(|bytes| bytes.starts_with(b"synced")), "{seen:?}");
    file.sync_all().unwrap();
    assert_eq!(outcomes(&fs, look), [b"synced!".to_vec()].into());
}

#[test]
fn synced_file_is_lost_with_its_unsynced_name() {
    let fs = SimFs::new(0);
    let file = fs.open(PATH.into(), OpenOptions::APPEND).unwrap();
    file.append_all(b"x").unwrap();
    file.sync_all().unwrap();
    assert_eq!(outcomes(&fs, |fs| content(fs, PATH)), [None, Some(b"x".to_vec())].into());
    fs.sync_dir("/".into()).unwrap();
    assert_eq!(outcomes(&fs, |fs| content(fs, PATH)), [Some(b"x".to_vec())].into());
}

#[test]
fn unsynced_writes_are_kept_lost_or_torn_at_sectors() {
    let old = vec![b'o'; 1000];
    let (fs, file) = holding(&old);
    // In place over the last synced bytes, and beyond them.
    file.write_all_at(&[b'n'; 1500], 500).unwrap();
    let seen = outcomes(&fs, |fs| content(fs, PATH).unwrap());
    let with = |new: usize| {
        let len = (500 + new).max(1000);
        (0..len).map(|at| if (500..500 + new).contains(&at) { b'n' } else { b'o' }).collect()
    };
    let f = |want: Vec<u8>| assert!(seen.contains(&want), "{} bytes never seen", want.len());
    f(with(0));
    f(with(12));
    f(with(524));
    f(with(1036));
    f(with(1500));
    let (mut zeros, mut garbage) = (false, false);
    for bytes in &seen {
        assert!(bytes[..500].iter().all(|&byte| byte == b'o'));
        // Sectors that were synced hold what was in them, or what was written to them.
        for part in [&bytes[500..512], &bytes[512..1000]] {
            assert!(part.iter().all(|&byte| byte == part[0] && b"on".contains(&byte)));
        }
        zeros |= bytes.len() == 2000 && bytes[1000..].iter().all(|&byte| byte == 0);
        garbage |= bytes[1000..].iter().any(|byte| !b"\0n".contains(byte));
    }
    assert!(zeros && garbage);
    let scattered = |bytes: &Vec<u8>| bytes.len() == 2000 && bytes[1536] == 0;
    assert!(seen.iter().any(|bytes| scattered(bytes) && bytes[1024..1536] == [b'n'; 512]));
}

#[test]
fn unsynced_writes_survive_independently_of_their_order() {
    let (fs, file) = holding(b"");
    file.write_all_at(b"aa", 0).unwrap();
    file.write_all_at(b"bb", 2).unwrap();
    let seen = outcomes(&fs, |fs| content(fs, PATH).unwrap());
    let f = |want: &[u8]| assert!(seen.contains(want), "{want:?} not in {seen:?}");
    f(b"");
    f(b"aa");
    f(b"\0\0bb");
    f(b"aabb");
}

#[test]
fn unsynced_change_of_length_may_be_lost() {
    let f = |len: u64, new: &[u8]| {
        let (fs, file) = holding(b"abcd");
        file.set_len(len).unwrap();
        let look = |fs: &SimFs| content(fs, PATH).unwrap();
        assert_eq!(outcomes(&fs, look), [b"abcd".to_vec(), new.to_vec()].into());
        file.sync_data().unwrap();
        assert_eq!(outcomes(&fs, look), [new.to_vec()].into());
    };
    f(0, b"");
    f(2, b"ab");
    f(6, b"abcd\0\0");
}

#[test]
fn bytes_that_were_cut_off_are_not_safe_when_they_are_written_again() {
    let (fs, file) = holding(&[b'o'; 1000]);
    file.set_len(0).unwrap();
    file.write_all_at(&[b'n'; 1000], 0).unwrap();
    let seen = outcomes(&fs, |fs| content(fs, PATH).unwrap());
    assert!(seen.iter().any(|bytes| bytes.iter().any(|byte| !b"on\0".contains(byte))));
}

#[test]
fn truncating_open_may_be_lost() {
    let (fs, _) = holding(b"old");
    fs.open(PATH.into(), OpenOptions::REPLACE).unwrap();
    assert_eq!(content(&fs, PATH).unwrap(), b"");
    let seen = outcomes(&fs, |fs| content(fs, PATH).unwrap());
    assert_eq!(seen, [b"".to_vec(), b"old".to_vec()].into());
}

#[test]
fn unsynced_changes_of_names_survive_as_a_prefix() {
    let fs = SimFs::new(0);
    let create = |name: &str| drop(fs.open(name.into(), OpenOptions::APPEND).unwrap());
    create("a");
    fs.sync_dir("/".into()).unwrap();
    fs.rename("a".into(), "b".into()).unwrap();
    create("c");
    fs.remove_file("b".into()).unwrap();
    let want = ["a", "b", "b c", "c"].map(str::to_owned).into();
    assert_eq!(outcomes(&fs, names), want);
    fs.sync_dir("/".into()).unwrap();
    assert_eq!(outcomes(&fs, names), ["c".to_owned()].into());
}

#[test]
fn replaced_name_stands_for_the_old_file_or_the_new_one() {
    let (fs, _) = holding(b"old");
    let file = fs.open("new".into(), OpenOptions::UPDATE).unwrap();
    file.write_all_at(b"new", 0).unwrap();
    file.sync_all().unwrap();
    fs.rename("new".into(), PATH.into()).unwrap();
    let seen = outcomes(&fs, |fs| content(fs, PATH));
    assert_eq!(seen, [Some(b"old".to_vec()), Some(b"new".to_vec())].into());
}

#[test]
fn directories_are_independent_and_a_rename_between_them_happens_in_both_or_neither() {
    let fs = SimFs::new(0);
    fs.create_dir_all("a".into()).unwrap();
    fs.create_dir_all("b".into()).unwrap();
    drop(fs.open("a/x".into(), OpenOptions::APPEND).unwrap());
    fs.sync_dir("/".into()).unwrap();
    fs.sync_dir("a".into()).unwrap();
    let look =
        |fs: &SimFs| ["a", "b"].map(|dir| fs.read_dir(dir.into()).unwrap().join(" ")).join("|");
    assert_eq!(outcomes(&fs, look), ["x|".to_owned()].into());
    drop(fs.open("a/y".into(), OpenOptions::APPEND).unwrap());
    drop(fs.open("b/z".into(), OpenOptions::APPEND).unwrap());
    let want = ["x|", "x y|", "x|z", "x y|z"].map(str::to_owned);
    assert_eq!(outcomes(&fs, look), want.clone().into());
    fs.rename("a/x".into(), "b/x".into()).unwrap();
    let mut moved = BTreeSet::from(want);
    moved.insert("y|x z".to_owned());
    assert_eq!(outcomes(&fs, look), moved);
    // The rename needs what came before it in either directory.
    fs.sync_dir("b".into()).unwrap();
    assert_eq!(outcomes(&fs, look), ["y|x z".to_owned()].into());
}

#[test]
fn nothing_in_a_directory_survives_a_rename_before_it_that_did_not() {
    let fs = SimFs::new(0);
    fs.create_dir_all("a".into()).unwrap();
    fs.create_dir_all("b".into()).unwrap();
    drop(fs.open("a/x".into(), OpenOptions::APPEND).unwrap());
    fs.sync_dir("/".into()).unwrap();
    fs.sync_dir("a".into()).unwrap();
    fs.rename("a/x".into(), "b/x".into()).unwrap();
    drop(fs.open("a/later".into(), OpenOptions::APPEND).unwrap());
    let look = |fs: &SimFs| fs.read_dir("a".into()).unwrap().join(" ");
    assert_eq!(outcomes(&fs, look), ["x", "", "later"].map(str::to_owned).into());
}

#[test]
fn what_was_in_a_lost_directory_takes_no_space() {
    let fs = SimFs::new(0);
    fs.set_capacity(5);
    fs.create_dir_all("dir".into()).unwrap();
    let file = fs.open("dir/file".into(), OpenOptions::APPEND).unwrap();
    file.append_all(b"12345").unwrap();
    file.sync_all().unwrap();
    fs.sync_dir("dir".into()).unwrap();
    let look = |fs: &SimFs| (names(fs), fs.available_space("/".into()).unwrap());
    assert_eq!(outcomes(&fs, look), [(String::new(), 5), ("dir".to_owned(), 0)].into());
}

#[test]
fn syncing_a_directory_syncs_neither_its_own_name_nor_the_names_below() {
    let fs = SimFs::new(0);
    fs.create_dir_all("a/b".into()).unwrap();
    fs.sync_dir("a".into()).unwrap();
    let look = |fs: &SimFs| fs.metadata("a/b".into()).is_ok();
    assert_eq!(outcomes(&fs, look), [false, true].into());
    fs.sync_dir("/".into()).unwrap();
    assert_eq!(outcomes(&fs, look), [true].into());
    drop(fs.open("a/b/c".into(), OpenOptions::APPEND).unwrap());
    fs.sync_dir("a".into()).unwrap();
    fs.sync_dir("/".into()).unwrap();
    let below = outcomes(&fs, |fs| fs.metadata("a/b/c".into()).is_ok());
    assert_eq!(below, [false, true].into());
}

#[test]
fn moved_directory_never_ends_up_below_itself() {
    let fs = SimFs::new(0);
    fs.create_dir_all("a/x/y".into()).unwrap();
    fs.create_dir_all("b".into()).unwrap();
    for dir in ["/", "a", "a/x"] {
        fs.sync_dir(dir.into()).unwrap();
    }
    fs.rename("a/x/y".into(), "b/y".into()).unwrap();
    fs.rename("a/x".into(), "b/y/x".into()).unwrap();
    let look = |fs: &SimFs| ["a/x/y", "b/y", "b/y/x"].map(|path| fs.metadata(path.into()).is_ok());
    let want = [[true, false, false], [false, true, false], [false, true, true]];
    assert_eq!(outcomes(&fs, look), want.into());
    fs.sync_dir("b/y".into()).unwrap();
    assert_eq!(outcomes(&fs, look), [[false, true, true]].into());
}

#[test]
fn killed_process_leaves_everything_written_but_not_more_durable() {
    let (fs, file) = holding(b"synced");
    file.write_all_at(b"!", 6).unwrap();
    drop(fs.open("new".into(), OpenOptions::APPEND).unwrap());
    let fs = fs.kill();
    assert_eq!(content(&fs, PATH).unwrap(), b"synced!");
    assert_eq!(names(&fs), "file new");
    assert_eq!(outcomes(&fs, |fs| content(fs, PATH).unwrap().len()), [6, 7].into());
    assert_eq!(outcomes(&fs, names), ["file", "file new"].map(str::to_owned).into());
}

#[test]
fn everything_opened_before_a_crash_or_kill_is_dead_and_its_successor_is_free() {
    let f = |end: fn(&SimFs) -> SimFs| {
        let (fs, file) = holding(b"x");
        let clone = fs.clone();
        let held = fs.lock_file("lock".into()).unwrap();
        fs.sync_dir("/".into()).unwrap();
        fs.fail_from(100, ErrorKind::Other);
        let next = end(&fs);
        let error = file.read_at(&mut [0], 0).unwrap_err();
        assert!(error.to_string().contains("use its successor"), "{error}");
        assert!(file.write_all_at(b"y", 0).is_err() && file.sync_all().is_err());
        assert!(fs.metadata("/".into()).is_err() && clone.read_dir("/".into()).is_err());
        let relocked = next.lock_file("lock".into()).unwrap();
        // What died must not touch the successor's lock or files.
        drop((held, file));
        assert_eq!(next.lock_file("lock".into()).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(relocked);
        assert_eq!(content(&next, PATH).unwrap(), b"x");
    };
    f(SimFs::crash);
    f(SimFs::kill);
}

#[test]
fn equal_seeds_give_equal_histories() {
    let run = |seed: u64| {
        let fs = SimFs::new(seed);
        let file = fs.open(PATH.into(), OpenOptions::APPEND).unwrap();
        for _ in 0..20 {
            file.append_all(&[b'x'; 700]).unwrap();
        }
        fs.sync_dir("/".into()).unwrap();
        content(&fs.crash(), PATH)
    };
    let all: BTreeSet<_> = (0..20).map(run).collect();
    assert!(all.len() > 5, "{} histories", all.len());
    assert!((0..20).all(|seed| run(seed) == run(seed)));
}

#[test]
fn times_come_from_the_given_clock() {
    let clock = SimClock::new(UnixNanos(5));
    let fs = SimFs::with_clock(0, Arc::new(clock.clone()));
    let modified = |path: &str| fs.metadata(path.into()).unwrap().modified;
    fs.create_dir_all("dir".into()).unwrap();
    clock.advance(Duration::from_nanos(1));
    let file = fs.open("dir/x".into(), OpenOptions::APPEND).unwrap();
    clock.advance(Duration::from_nanos(1));
    file.append_all(b"x").unwrap();
    assert_eq!(["/", "dir", "dir/x"].map(modified), [5, 6, 7].map(UnixNanos));
}

#[test]
fn paths_that_leave_the_root_are_refused() {
    let fs = SimFs::new(0);
    let f = |path: &str, want: ErrorKind| {
        let got = fs.create_dir_all(path.into()).and_then(|()| fs.remove_dir_all(path.into()));
        assert_eq!(got.unwrap_err().kind(), want, "{path}");
    };
    f("a/../b", ErrorKind::InvalidInput);
    f("", ErrorKind::NotFound);
    f("/", ErrorKind::ResourceBusy);
}

#[test]
fn changes_of_names_beyond_the_journal_become_durable_oldest_first() {
    let fs = SimFs::new(0);
    for _ in 0..2100 {
        drop(fs.open("x".into(), OpenOptions::APPEND).unwrap());
        fs.rename("x".into(), "y".into()).unwrap();
    }
    let mut machine = lock(&fs.machine);
    machine.disk.settle();
    // Half of the changes are new names of files, and one more file is durable under `y`.
    assert_eq!((machine.disk.journal.len(), machine.disk.files.len()), (4096, 2048 + 1));
}

#[test]
fn space_counted_step_by_step_is_the_space_counted_anew() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let fs = SimFs::new(seed);
        fs.set_capacity(5000);
        let mut open = Vec::new();
        for _ in 0..200 {
            let mut name = || format!("file{}", random.below(4));
            let (one, two) = (name(), name());
            let (one, two) = (Utf8Path::new(&one), Utf8Path::new(&two));
            // Whether a step is possible does not matter here.
            drop(match random.below(9) {
                0 => fs.rename(one, two),
                1 => fs.hard_link(one, two),
                2 => fs.remove_file(one),
                3 => fs.sync_dir("/".into()),
                4 => {
                    open.clear();
                    Ok(())
                }
                step => fs.open(one, OpenOptions::UPDATE).and_then(|file| {
                    let result = match step {
                        5 => file.set_len(random.below(2000)),
                        6 => {
                            fs.fail_nth(1, ErrorKind::Other);
                            file.sync_data()
                        }
                        _ => file.write_all_at(&[1; 700], random.below(2000)),
                    };
                    open.push(file);
                    result
                }),
            });
            let counted = fs.available_space("/".into()).unwrap();
            lock(&fs.machine).disk.settle();
            assert_eq!(fs.available_space("/".into()).unwrap(), counted, "seed {seed}");
        }
    }
}

/// Random runs against a model that knows only what was synced.
#[test]
fn synced_records_survive_any_run() {
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let mut fs = SimFs::new(seed);
        // By file: every byte appended, and how many of them are durable together with the name.
        let mut model: BTreeMap<String, (Vec<u8>, usize)> = BTreeMap::new();
        for _ in 0..4 {
            for _ in 0..random.below(30) {
                let name = format!("file{}", random.below(3));
                let path = Utf8Path::new(&name);
                let file = fs.open(path, OpenOptions::APPEND).unwrap();
                let (written, durable) = model.entry(name.clone()).or_default();
                if random.below(3) > 0 {
                    let mut bytes = vec![0; random.index(1500)];
                    random.fill(&mut bytes);
                    file.append_all(&bytes).unwrap();
                    written.extend(bytes);
                } else {
                    file.sync_data().unwrap();
                    fs.sync_dir("/".into()).unwrap();
                    *durable = written.len();
                }
            }
            fs = if random.coin() { fs.crash() } else { fs.kill() };
            for (name, (written, durable)) in &mut model {
                let found = content(&fs, name).unwrap_or_default();
                assert!(found.len() >= *durable, "seed {seed}: {name} is short");
                assert!(found[..*durable] == written[..*durable], "seed {seed}: {name} changed");
                assert!(found.len() <= written.len(), "seed {seed}: {name} is long");
                *written = found;
            }
        }
    }
}
