//! What every [`Fs`] does alike: the conformance suite, for the file systems of this crate and for
//! whatever a test wraps around them.
//!
//! It states the behaviour that stores rely on while the machine stays up; what a power cut may
//! take is tested on the simulation. It never writes outside the directory that it is given.

use std::{fmt::Debug, io};

use camino::Utf8Path;

use crate::{File, Fs, OpenOptions, atomic_write, create_dir_all_synced, read_to_vec};

/// Runs every check in its own directory below `root`, which must exist and be empty.
///
/// # Panics
/// Panics with the call and the result when `fs` does not behave as [`Fs`] and [`File`] promise.
pub fn conformance(fs: &dyn Fs, root: &Utf8Path) {
    let checks: [(&str, Check); 14] = [
        ("positional", writes_land_where_they_are_put),
        ("append", appends_go_to_the_end),
        ("resize", set_len_cuts_and_extends_with_zeros),
        ("reads", reads_end_at_the_end),
        ("open", open_refuses_what_it_should),
        ("rights", handles_do_only_what_they_were_opened_for),
        ("names", names_are_sorted_and_nested),
        ("identity", a_file_is_the_same_under_every_name),
        ("rename", rename_replaces_and_handles_follow),
        ("remove", removed_files_live_while_open),
        ("link", hard_links_share_bytes),
        ("map", maps_outlive_handles_and_names),
        ("lock", locks_exclude_until_dropped),
        ("helpers", helpers_work),
    ];
    for (name, check) in checks {
        let dir = root.join(name);
        good("create_dir_all", fs.create_dir_all(&dir));
        check(fs, &dir);
        good("sync_dir", fs.sync_dir(&dir));
        good("remove_dir_all", fs.remove_dir_all(&dir));
    }
    assert_eq!(good("read_dir", fs.read_dir(root)), Vec::<String>::new());
}

type Check = fn(&dyn Fs, &Utf8Path);

fn writes_land_where_they_are_put(fs: &dyn Fs, dir: &Utf8Path) {
    let path = dir.join("file");
    let file = good("open", fs.open(&path, OpenOptions::CREATE_NEW));
    assert!(good("is_empty", file.is_empty()));
    good("write", file.write_all_at(b"hello", 3));
    good("write", file.write_all_at(b"J", 3));
    good("write nothing far away", file.write_all_at(b"", 100));
    assert_eq!(all(&*file), b"\0\0\0Jello");
    good("sync_data", file.sync_data());
    good("sync_all", file.sync_all());
    assert_eq!(all(&*file), b"\0\0\0Jello");
    let kept = good("open", fs.open(&path, OpenOptions::UPDATE));
    assert_eq!(all(&*kept), b"\0\0\0Jello");
    let emptied = good("open", fs.open(&path, OpenOptions::REPLACE));
    assert_eq!(all(&*emptied), b"");
    assert_eq!(all(&*file), b"");
}

fn appends_go_to_the_end(fs: &dyn Fs, dir: &Utf8Path) {
    let path = dir.join("journal");
    let first = good("open", fs.open(&path, OpenOptions::APPEND));
    good("append", first.append_all(b"one"));
    let second = good("open", fs.open(&path, OpenOptions::APPEND));
    good("append", second.append_all(b"two"));
    good("append", first.append_all(b"three"));
    assert_eq!(all(&*second), b"onetwothree");
    good("set_len", first.set_len(3));
    good("append", second.append_all(b"four"));
    assert_eq!(all(&*first), b"onefour");
}

fn set_len_cuts_and_extends_with_zeros(fs: &dyn Fs, dir: &Utf8Path) {
    let file = good("open", fs.open(&dir.join("file"), OpenOptions::UPDATE));
    good("write", file.write_all_at(b"abcdef", 0));
    good("set_len", file.set_len(2));
    assert_eq!(good("len", file.len()), 2);
    good("set_len", file.set_len(4));
    assert_eq!(all(&*file), b"ab\0\0");
}

fn reads_end_at_the_end(fs: &dyn Fs, dir: &Utf8Path) {
    let file = good("open", fs.open(&dir.join("file"), OpenOptions::UPDATE));
    good("write", file.write_all_at(b"abcd", 0));
    let f = |offset: u64, size: usize, want: &[u8]| {
        let mut buffer = vec![0; size];
        let count = good("read_at", file.read_at(&mut buffer, offset));
        assert_eq!(&buffer[..count], want, "{size} bytes at {offset}");
        let exact = file.read_exact_at(&mut buffer, offset);
        if want.len() == size {
            good("read_exact_at", exact);
            assert_eq!(buffer, want, "exactly {size} bytes at {offset}");
        } else {
            refused("read_exact_at", exact, io::ErrorKind::UnexpectedEof);
        }
    };
    f(0, 4, b"abcd");
    f(1, 2, b"bc");
    f(2, 8, b"cd");
    f(4, 1, b"");
    f(4, 0, b"");
    f(1 << 40, 1, b"");
}

fn open_refuses_what_it_should(fs: &dyn Fs, dir: &Utf8Path) {
    let write = |name: &str| good("write", atomic_write(fs, &dir.join(name), b"x"));
    write("file");
    good("create_dir_all", fs.create_dir_all(&dir.join("dir")));
    let f = |name: &str, options: OpenOptions, want: io::ErrorKind| {
        refused(name, fs.open(&dir.join(name), options), want);
    };
    f("missing", OpenOptions::READ, io::ErrorKind::NotFound);
    f("no/such", OpenOptions::UPDATE, io::ErrorKind::NotFound);
    f("file/below", OpenOptions::UPDATE, io::ErrorKind::NotADirectory);
    f("file", OpenOptions::CREATE_NEW, io::ErrorKind::AlreadyExists);
    f("dir", OpenOptions::CREATE_NEW, io::ErrorKind::AlreadyExists);
    f("dir", OpenOptions::READ, io::ErrorKind::IsADirectory);
    f("dir", OpenOptions::APPEND, io::ErrorKind::IsADirectory);
    f("file", OpenOptions::default(), io::ErrorKind::InvalidInput);
    f(&"n".repeat(256), OpenOptions::UPDATE, io::ErrorKind::InvalidFilename);
    let error =
        refused("open", fs.open(&dir.join("missing"), OpenOptions::READ), io::ErrorKind::NotFound);
    let text = error.to_string();
    assert!(text.contains(dir.join("missing").as_str()), "the text names no path: {text}");
}

fn handles_do_only_what_they_were_opened_for(fs: &dyn Fs, dir: &Utf8Path) {
    let path = dir.join("file");
    good("write", atomic_write(fs, &path, b"x"));
    let write_only = OpenOptions { write: true, ..OpenOptions::default() };
    let f = |options: OpenOptions, read: bool, write: bool, append: bool| {
        let file = good("open", fs.open(&path, options));
        let expect = |call: &str, allowed: bool, result: io::Result<()>| {
            if allowed {
                good(call, result);
            } else {
                refused(call, result, io::ErrorKind::InvalidInput);
            }
        };
        expect("read_at", read, file.read_at(&mut [0], 0).map(|_| ()));
        expect("read_exact_at", read, file.read_exact_at(&mut [0], 0));
        expect("map", read, file.map().map(|_| ()));
        expect("write_all_at", write, file.write_all_at(b"y", 0));
        expect("append_all", append, file.append_all(b"z"));
        expect("set_len", write || append, file.set_len(1));
    };
    f(OpenOptions::READ, true, false, false);
    f(OpenOptions::UPDATE, true, true, false);
    f(OpenOptions::APPEND, true, false, true);
    f(write_only, false, true, false);
}

fn names_are_sorted_and_nested(fs: &dyn Fs, dir: &Utf8Path) {
    for name in ["b", "a", "B", "c/d/e"] {
        good("create_dir_all", fs.create_dir_all(&dir.join(name)));
        good("create_dir_all again", fs.create_dir_all(&dir.join(name)));
    }
    let file = good("open", fs.open(&dir.join("aa"), OpenOptions::APPEND));
    good("append", file.append_all(b"12345"));
    assert_eq!(good("read_dir", fs.read_dir(dir)), ["B", "a", "aa", "b", "c"]);
    assert_eq!(good("read_dir", fs.read_dir(&dir.join("c/d"))), ["e"]);
    let found = good("metadata", fs.metadata(&dir.join("aa")));
    assert_eq!((found.len, found.is_dir, found.is_file), (5, false, true));
    assert!(found.modified.0 > 0, "{found:?}");
    let found = good("metadata", fs.metadata(&dir.join("c")));
    assert_eq!((found.is_dir, found.is_file), (true, false));
    let f = |name: &str, want: io::ErrorKind| {
        refused(name, fs.read_dir(&dir.join(name)), want);
        refused(name, fs.sync_dir(&dir.join(name)), want);
        refused(name, fs.remove_dir_all(&dir.join(name)), want);
    };
    f("aa", io::ErrorKind::NotADirectory);
    f("none", io::ErrorKind::NotFound);
    refused("create", fs.create_dir_all(&dir.join("aa")), io::ErrorKind::AlreadyExists);
    refused("create", fs.create_dir_all(&dir.join("aa/x")), io::ErrorKind::NotADirectory);
    refused("metadata", fs.metadata(&dir.join("none")), io::ErrorKind::NotFound);
    assert!(good("available_space", fs.available_space(dir)) > 0);
    refused("space", fs.available_space(&dir.join("none")), io::ErrorKind::NotFound);
}

fn a_file_is_the_same_under_every_name(fs: &dyn Fs, dir: &Utf8Path) {
    let path = |name: &str| dir.join(name);
    good("write", atomic_write(fs, &path("one"), b"12345"));
    good("write", atomic_write(fs, &path("other"), b""));
    let file = good("open", fs.open(&path("one"), OpenOptions::READ));
    let first = good("metadata", fs.metadata(&path("one")));
    assert_eq!(good("metadata", file.metadata()), first);
    assert_eq!((first.len, first.links), (5, 1));
    assert_ne!(good("metadata", fs.metadata(&path("other"))).id, first.id);
    good("link", fs.hard_link(&path("one"), &path("two")));
    assert_eq!(good("metadata", file.metadata()).links, 2);
    good("rename", fs.rename(&path("one"), &path("three")));
    assert_eq!(good("metadata", fs.metadata(&path("three"))).id, first.id);
    good("remove", fs.remove_file(&path("two")));
    good("remove", fs.remove_file(&path("three")));
    let last = good("metadata", file.metadata());
    assert_eq!((last.id, last.links, last.len), (first.id, 0, 5));
}

fn rename_replaces_and_handles_follow(fs: &dyn Fs, dir: &Utf8Path) {
    let path = |name: &str| dir.join(name);
    good("write", atomic_write(fs, &path("old"), b"old"));
    good("write", atomic_write(fs, &path("new"), b"new"));
    let replaced = good("open", fs.open(&path("old"), OpenOptions::READ));
    let moved = good("open", fs.open(&path("new"), OpenOptions::UPDATE));
    good("rename", fs.rename(&path("new"), &path("old")));
    good("write", moved.write_all_at(b"N", 0));
    assert_eq!(all(&*replaced), b"old");
    assert_eq!(content(fs, &path("old")), b"New");
    assert_eq!(good("read_dir", fs.read_dir(dir)), ["old"]);

    good("create_dir_all", fs.create_dir_all(&path("full/inner")));
    good("create_dir_all", fs.create_dir_all(&path("empty")));
    let f = |from: &str, to: &str, want: io::ErrorKind| {
        refused(from, fs.rename(&path(from), &path(to)), want);
    };
    f("none", "x", io::ErrorKind::NotFound);
    f("old", "none/x", io::ErrorKind::NotFound);
    f("old", "full", io::ErrorKind::IsADirectory);
    f("full", "old", io::ErrorKind::NotADirectory);
    f("empty", "full", io::ErrorKind::DirectoryNotEmpty);
    f("full", "full/inner/x", io::ErrorKind::InvalidInput);
    good("rename onto itself", fs.rename(&path("old"), &path("old")));
    good("rename over an empty directory", fs.rename(&path("full"), &path("empty")));
    good("rename into", fs.rename(&path("old"), &path("empty/inner/moved")));
    assert_eq!(good("read_dir", fs.read_dir(dir)), ["empty"]);
    assert_eq!(content(fs, &path("empty/inner/moved")), b"New");
}

fn removed_files_live_while_open(fs: &dyn Fs, dir: &Utf8Path) {
    let path = dir.join("file");
    good("write", atomic_write(fs, &path, b"bytes"));
    let file = good("open", fs.open(&path, OpenOptions::APPEND));
    good("remove_file", fs.remove_file(&path));
    good("append", file.append_all(b"!"));
    assert_eq!(all(&*file), b"bytes!");
    refused("open", fs.open(&path, OpenOptions::READ), io::ErrorKind::NotFound);
    refused("remove_file", fs.remove_file(&path), io::ErrorKind::NotFound);
    let again = good("open", fs.open(&path, OpenOptions::CREATE_NEW));
    assert_eq!(all(&*again), b"");
    good("create_dir_all", fs.create_dir_all(&dir.join("dir/inner")));
    refused("remove_file", fs.remove_file(&dir.join("dir")), io::ErrorKind::IsADirectory);
    good("write", atomic_write(fs, &dir.join("dir/inner/file"), b"x"));
    good("remove_dir_all", fs.remove_dir_all(&dir.join("dir")));
    assert_eq!(good("read_dir", fs.read_dir(dir)), ["file"]);
}

fn hard_links_share_bytes(fs: &dyn Fs, dir: &Utf8Path) {
    let (one, two) = (dir.join("one"), dir.join("two"));
    let file = good("open", fs.open(&one, OpenOptions::APPEND));
    good("hard_link", fs.hard_link(&one, &two));
    good("append", file.append_all(b"both"));
    assert_eq!(content(fs, &two), b"both");
    refused("hard_link", fs.hard_link(&one, &two), io::ErrorKind::AlreadyExists);
    refused("hard_link", fs.hard_link(&dir.join("none"), &one), io::ErrorKind::NotFound);
    good("rename to the other name", fs.rename(&one, &two));
    assert_eq!(good("read_dir", fs.read_dir(dir)), ["one", "two"]);
    good("remove_file", fs.remove_file(&one));
    assert_eq!(content(fs, &two), b"both");
}

fn maps_outlive_handles_and_names(fs: &dyn Fs, dir: &Utf8Path) {
    let path = dir.join("file");
    let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
    good("write", atomic_write(fs, &path, &bytes));
    let file = good("open", fs.open(&path, OpenOptions::READ));
    let map = good("map", file.map());
    let clone = map.clone();
    drop((file, map));
    good("remove_file", fs.remove_file(&path));
    assert!(*clone == *bytes, "the mapping differs from the file");
    let empty = good("open", fs.open(&path, OpenOptions::UPDATE));
    assert_eq!(good("map", empty.map()).len(), 0);
}

fn locks_exclude_until_dropped(fs: &dyn Fs, dir: &Utf8Path) {
    let path = dir.join("lock");
    let held = good("lock_file", fs.lock_file(&path));
    let error = refused("lock_file", fs.lock_file(&path), io::ErrorKind::WouldBlock);
    assert!(error.to_string().contains("another process"), "the text does not help: {error}");
    drop(good("lock another file", fs.lock_file(&dir.join("other"))));
    drop(held);
    drop(good("lock_file", fs.lock_file(&path)));
    assert_eq!(good("read_dir", fs.read_dir(dir)), ["lock", "other"]);
    refused("lock_file", fs.lock_file(dir), io::ErrorKind::IsADirectory);
}

fn helpers_work(fs: &dyn Fs, dir: &Utf8Path) {
    let inner = dir.join("a/b");
    good("create_dir_all_synced", create_dir_all_synced(fs, &inner));
    good("create_dir_all_synced", create_dir_all_synced(fs, &inner));
    let path = inner.join("file");
    good("atomic_write", atomic_write(fs, &path, b"one"));
    good("atomic_write", atomic_write(fs, &path, b"two2"));
    assert_eq!(good("read_dir", fs.read_dir(&inner)), ["file"]);
    assert_eq!(good("read_to_vec", read_to_vec(fs, &path, 4)), b"two2");
    refused("read_to_vec", read_to_vec(fs, &path, 3), io::ErrorKind::FileTooLarge);
    refused("atomic_write", atomic_write(fs, &inner, b""), io::ErrorKind::IsADirectory);
    assert_eq!(good("read_dir", fs.read_dir(&dir.join("a"))), ["b"]);
}

fn content(fs: &dyn Fs, path: &Utf8Path) -> Vec<u8> {
    good("read_to_vec", read_to_vec(fs, path, 1 << 20))
}

fn all(file: &dyn File) -> Vec<u8> {
    let len = usize::try_from(good("len", file.len()));
    let mut bytes = vec![0; len.unwrap_or(usize::MAX)];
    good("read_exact_at", file.read_exact_at(&mut bytes, 0));
    bytes
}

#[track_caller]
fn good<T>(call: &str, result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{call} failed: {error}"))
}

#[track_caller]
fn refused<T: Debug>(call: &str, result: io::Result<T>, want: io::ErrorKind) -> io::Error {
    match result {
        Ok(value) => panic!("{call} gave {value:?} instead of {want:?}"),
        Err(error) => {
            assert_eq!(error.kind(), want, "{call}: {error}");
            error
        }
    }
}
