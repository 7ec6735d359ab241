//! The two file systems behave alike: the conformance suite on each, and random operations on both.

mod alike;

use std::os::fd::AsRawFd as _;

use camino::Utf8Path;
use masthead_sysio::{Fs, OpenOptions, RealFs, SimFs, read_to_vec, testing::conformance};

#[test]
fn real_file_system_conforms() {
    let dir = tempfile::tempdir().unwrap();
    conformance(&RealFs, Utf8Path::from_path(dir.path()).unwrap());
}

#[test]
fn only_regular_files_are_opened_and_nothing_waits() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("pipe").as_std_path(), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
    // Whoever waits for the other end of a pipe waits for ever, so not here.
    let (done, opened) = std::sync::mpsc::sync_channel(3);
    let paths = [dir.join("pipe"), dir.join("socket"), "/dev/null".into()];
    std::thread::spawn(move || {
        for path in paths {
            let found = RealFs.metadata(&path).unwrap();
            let refusal = RealFs.open(&path, OpenOptions::READ).unwrap_err().to_string();
            done.send((path, found, refusal)).unwrap();
        }
    });
    for _ in 0..3 {
        let opened = opened.recv_timeout(std::time::Duration::from_mins(1));
        let (path, found, refusal) = opened.expect("an answer");
        assert_eq!((found.is_file, found.is_dir), (false, false), "{path}");
        assert!(refusal.contains(path.as_str()), "{refusal}");
        if !path.ends_with("socket") {
            assert!(refusal.contains("a regular file"), "{refusal}");
        }
    }
}

#[test]
fn simulated_file_system_conforms() {
    let fs = SimFs::new(1);
    conformance(&fs, "/".into());
    fs.create_dir_all("deep/er".into()).unwrap();
    conformance(&fs, "deep/er".into());
}

#[test]
fn a_mapped_file_that_is_released_takes_no_memory_and_is_still_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(dir.path()).unwrap().join("released");
    let text: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_le_bytes).collect();
    let file = RealFs.open(&path, OpenOptions::CREATE_NEW).unwrap();
    file.write_all_at(&text, 0).unwrap();
    let map = file.map().unwrap();
    assert_eq!(*map, *text);
    assert!(resident_kib(&path) > 500);
    map.release();
    assert_eq!(resident_kib(&path), 0);
    assert_eq!(*map, *text);
}

/// What the mapping of a file takes of this process' memory.
fn resident_kib(path: &Utf8Path) -> u64 {
    let read = || -> std::io::Result<Vec<u8>> {
        let maps = RealFs.open("/proc/self/smaps".into(), OpenOptions::READ)?;
        let (mut text, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            match maps.read_at(&mut buffer, text.len() as u64)? {
                0 => return Ok(text),
                read => text.extend_from_slice(&buffer[..read]),
            }
        }
    };
    let text = String::from_utf8_lossy(&read().expect("maps of the process")).into_owned();
    let (_, of_file) = text.split_once(path.as_str()).expect("the mapping of the file");
    let line = of_file.lines().find_map(|line| line.strip_prefix("Rss:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn what_does_not_say_its_length_is_read_or_refused() {
    let read = |path: &str, limit| read_to_vec(&RealFs, path.into(), limit);
    assert!(!read("/proc/self/maps", 1 << 20).expect("a file of the kernel").is_empty());
    assert!(read("/proc/self/maps", 10).is_err());
    let (reader, _writer) = std::io::pipe().expect("a pipe");
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let refused = read(&path, 10).map_err(|error| error.to_string());
    let want = "it is a pipe, a socket or a device; name a regular file instead";
    assert_eq!(refused, Err(format!("cannot open {path}: {want}")));
}
