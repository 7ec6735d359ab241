//! A tree like `/var/log/pods`: containers that write, and rotation as the kubelet does it.
//!
//! What a line says is told by its container and its number alone, so that whoever reads it knows
//! whether it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use masthead_sysio::Random;

/// That write.
pub(super) const CONTAINERS: u32 = 10;
/// Of the pods; nothing else in the store has it.
pub(super) const NAMESPACE: &str = "node";
/// As container runtimes cut longer lines.
const PART_BYTES: usize = 16 << 10;
/// One line in so many is longer than a part.
const LONG_EVERY: u64 = 333;

/// The containers of a node.
#[derive(Debug)]
pub(super) struct Tree {
    directory: Utf8PathBuf,
    seed: u64,
    pub containers: Vec<Container>,
    /// Of the latest line, which none shares, in nanoseconds.
    time: i128,
    /// Of lines without what the runtime writes before them.
    pub bytes: u64,
    buffer: Vec<u8>,
}

/// One that writes.
#[derive(Debug)]
pub(super) struct Container {
    pub name: String,
    directory: Utf8PathBuf,
    file: File,
    /// Lines so far.
    pub lines: u64,
    rotations: u32,
}

impl Tree {
    pub(super) fn new(directory: &Utf8Path, seed: u64) -> Result<Self> {
        let mut tree = Self {
            directory: directory.to_owned(),
            seed,
            containers: Vec::new(),
            time: 0,
            bytes: 0,
            buffer: Vec::new(),
        };
        (0..CONTAINERS).try_for_each(|_| tree.add())?;
        Ok(tree)
    }

    /// Starts a container of a new pod.
    pub(super) fn add(&mut self) -> Result<()> {
        let number = self.containers.len();
        let name = format!("pod-{number}");
        let directory = self.directory.join(format!("{NAMESPACE}_{name}_uid-{number}/main"));
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {directory}"))?;
        let file = open(&directory)?;
        self.containers.push(Container { name, directory, file, lines: 0, rotations: 0 });
        Ok(())
    }

    /// Every container writes so many lines.
    pub(super) fn write(&mut self, lines: u64) -> Result<()> {
        for at in 0..self.containers.len() {
            self.write_to(at, lines)?;
        }
        Ok(())
    }

    fn write_to(&mut self, at: usize, lines: u64) -> Result<()> {
        let Some(container) = self.containers.get_mut(at) else { return Ok(()) };
        self.buffer.clear();
        for number in container.lines..container.lines + lines {
            self.time = Timestamp::now().as_nanosecond().max(self.time + 1);
            let time = Timestamp::from_nanosecond(self.time)?;
            let line = text(&container.name, number, self.seed);
            self.bytes += line.len() as u64;
            let mut parts = line.as_bytes().chunks(PART_BYTES).peekable();
            while let Some(part) = parts.next() {
                let tag = if parts.peek().is_some() { 'P' } else { 'F' };
                write!(self.buffer, "{time:.9} stdout {tag} ")?;
                self.buffer.extend_from_slice(part);
                self.buffer.push(b'\n');
            }
        }
        container.lines += lines;
        container.file.write_all(&self.buffer).context("cannot write a log")
    }

    /// All files get other names and new ones take their places; one more line goes to the old
    /// ones, as from a runtime that has not opened the new one yet.
    pub(super) fn rotate(&mut self) -> Result<()> {
        for at in 0..self.containers.len() {
            let Some(container) = self.containers.get_mut(at) else { continue };
            container.rotations += 1;
            let from = container.directory.join("0.log");
            let to = format!("{from}.20260101-{:06}", container.rotations);
            fs::rename(&from, to).with_context(|| format!("cannot rename {from}"))?;
            let fresh = open(&container.directory)?;
            self.write_to(at, 1)?;
            if let Some(container) = self.containers.get_mut(at) {
                container.file = fresh;
            }
        }
        Ok(())
    }
}

fn open(directory: &Utf8Path) -> Result<File> {
    let path = directory.join("0.log");
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.with_context(|| format!("cannot make {path}"))
}

/// Line `number` of a container.
pub(super) fn text(container: &str, number: u64, seed: u64) -> String {
    let mut random = Random::new(seed ^ number);
    let least = if number % LONG_EVERY == LONG_EVERY - 1 { PART_BYTES as u64 } else { 0 };
    let words = (least + 40 + random.below(160)) / 17;
    let mut line = format!("{container} {number} ");
    line.extend((0..words).map(|_| format!("{:016x} ", random.next_u64())));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_come_in_parts_and_late_ones_in_the_renamed_file() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let mut tree = Tree::new(root, 1).unwrap();
        tree.write(LONG_EVERY).unwrap();
        tree.rotate().unwrap();
        tree.write(1).unwrap();
        let read = |file: &str| {
            let path = root.join("node_pod-3_uid-3/main").join(file);
            fs::read_to_string(path).unwrap()
        };
        let rotated = read("0.log.20260101-000001");
        assert_eq!(rotated.lines().count() as u64, LONG_EVERY + 2);
        assert_eq!(rotated.matches(" stdout P pod-3 332 ").count(), 1);
        let said = |line: &str| line.splitn(4, ' ').nth(3).unwrap().to_owned();
        assert_eq!(said(rotated.lines().last().unwrap()), text("pod-3", LONG_EVERY, 1));
        assert_eq!(said(read("0.log").trim_end_matches('\n')), text("pod-3", LONG_EVERY + 1, 1));
        assert_eq!(tree.containers[3].lines, LONG_EVERY + 2);
    }
}
