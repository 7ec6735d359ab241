//! Pipes, sockets and links where logs are looked for, on the real file system: the simulated one has
//! none.

use std::{
    os::unix::{fs::symlink, net::UnixListener},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_ports::{LogSink, testing::MemoryLogStore};
use masthead_sysio::{Clock, Fs as _, OpenOptions, RealFs, SimClock};
use masthead_tail::{PromtailConfig, Setup};
use rustix::fs::{CWD, Mode};

/// What is stored, as `filename line`, of a directory that `prepare` fills and `change` changes when
/// it has been read.
fn collected(
    pattern: &str,
    prepare: impl FnOnce(&Utf8Path),
    change: impl FnOnce(&Utf8Path) + Send + 'static,
) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
    prepare(&root);
    let config = crate::harness::config(&format!("{root}/{pattern}"), "");
    let (done, lines) = mpsc::sync_channel(1);
    // A collector that waits for the other end of a pipe never comes back.
    thread::spawn(move || {
        let (clock, store) = (Arc::new(SimClock::default()), Arc::<MemoryLogStore>::default());
        let setup = Setup {
            fs: Arc::new(RealFs),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            sink: Arc::clone(&store) as Arc<dyn LogSink>,
            tenants: false,
            node: "node1".into(),
            stats: Arc::default(),
            kubernetes: Arc::default(),
        };
        let mut collector = PromtailConfig::parse(&config).unwrap().collector(&setup).unwrap();
        let mut steps = || {
            for _ in 0..40 {
                collector.step();
                clock.advance(Duration::from_millis(250));
            }
        };
        steps();
        change(&root);
        steps();
        let mut all = Vec::new();
        for (labels, lines) in store.entries() {
            let path = Utf8Path::new(labels.get("filename").unwrap());
            let path = path.strip_prefix(&root).unwrap();
            for line in lines {
                all.push(format!("{path} {}", String::from_utf8_lossy(&line.line)));
            }
        }
        done.send(all).unwrap();
    });
    lines.recv_timeout(Duration::from_mins(1)).expect("the collector goes on")
}

fn write(path: &Utf8Path, text: &str) {
    RealFs.open(path, OpenOptions::APPEND).unwrap().append_all(text.as_bytes()).unwrap();
}

fn pipe(path: &Utf8Path) {
    rustix::fs::mkfifoat(CWD, path.as_std_path(), Mode::RUSR | Mode::WUSR).unwrap();
}

#[test]
fn pipes_and_sockets_are_left_alone_and_hold_nobody_up() {
    let prepare = |dir: &Utf8Path| {
        pipe(&dir.join("a.log"));
        drop(UnixListener::bind(dir.join("b.log")).unwrap());
        symlink("/dev/zero", dir.join("c.log")).unwrap();
        write(&dir.join("d.log"), "one\n");
        // Not a rotated file either, nor the copy of one.
        pipe(&dir.join("d.log.1"));
    };
    let change = |dir: &Utf8Path| {
        RealFs.open(&dir.join("d.log"), OpenOptions::REPLACE).unwrap();
        write(&dir.join("d.log"), "2\n");
    };
    assert_eq!(collected("*.log", prepare, change), ["d.log one", "d.log 2"]);
}

#[test]
fn a_pipe_that_takes_the_name_of_a_file_is_not_opened() {
    let change = |dir: &Utf8Path| {
        let path = dir.join("a.log");
        write(&path, "two\n");
        RealFs.rename(&path, &dir.join("a.log.1")).unwrap();
        pipe(&path);
    };
    let lines = collected("a.log", |dir| write(&dir.join("a.log"), "one\n"), change);
    assert_eq!(lines, ["a.log one", "a.log two"]);
}

#[test]
fn links_that_lead_back_are_not_followed_round_and_round() {
    let prepare = |dir: &Utf8Path| {
        RealFs.create_dir_all(&dir.join("a/b")).unwrap();
        write(&dir.join("a/x.log"), "one\n");
        symlink(dir, dir.join("a/up")).unwrap();
        symlink(dir.join("a"), dir.join("a/b/here")).unwrap();
        // This one leads somewhere else.
        RealFs.create_dir_all(&dir.join("other")).unwrap();
        write(&dir.join("other/y.log"), "two\n");
        symlink(dir.join("other"), dir.join("a/c")).unwrap();
    };
    let lines = collected("a/**/*.log", prepare, |_| {});
    assert_eq!(lines, ["a/c/y.log two", "a/x.log one"]);
}
