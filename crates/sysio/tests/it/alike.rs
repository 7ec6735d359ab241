//! Random sequences of operations give the same results, or the same kinds of error, on the real
//! and on the simulated file system, and leave the same files.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{File, Fs, OpenOptions, RealFs, SimFs, read_to_vec};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Open(Utf8PathBuf, OpenOptions),
    Close,
    Write(Vec<u8>, u64),
    Append(Vec<u8>),
    SetLen(u64),
    Read(usize, u64),
    Sync,
    CreateDir(Utf8PathBuf),
    Rename(Utf8PathBuf, Utf8PathBuf),
    Link(Utf8PathBuf, Utf8PathBuf),
    Remove(Utf8PathBuf),
    RemoveDir(Utf8PathBuf),
    List(Utf8PathBuf),
    SyncDir(Utf8PathBuf),
    Metadata(Utf8PathBuf),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        4 => (path(), options()).prop_map(|(path, options)| Step::Open(path, options)),
        1 => Just(Step::Close),
        4 => (bytes(), 0..40_u64).prop_map(|(bytes, offset)| Step::Write(bytes, offset)),
        2 => bytes().prop_map(Step::Append),
        1 => (0..40_u64).prop_map(Step::SetLen),
        2 => (0..30_usize, 0..40_u64).prop_map(|(size, offset)| Step::Read(size, offset)),
        1 => Just(Step::Sync),
        3 => path().prop_map(Step::CreateDir),
        4 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (path(), path()).prop_map(|(from, to)| Step::Link(from, to)),
        2 => path().prop_map(Step::Remove),
        1 => path().prop_map(Step::RemoveDir),
        1 => path().prop_map(Step::List),
        1 => path().prop_map(Step::SyncDir),
        1 => path().prop_map(Step::Metadata),
    ]
}

/// Few names, so that they meet; up to three deep.
fn path() -> impl Strategy<Value = Utf8PathBuf> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..=3)
        .prop_map(|names| names.iter().collect())
}

fn options() -> impl Strategy<Value = OpenOptions> {
    prop_oneof![
        3 => prop::sample::select(vec![
            OpenOptions::READ,
            OpenOptions::UPDATE,
            OpenOptions::REPLACE,
            OpenOptions::CREATE_NEW,
            OpenOptions::APPEND,
        ]),
        1 => any::<[bool; 6]>().prop_map(|[read, write, create, create_new, truncate, append]| {
            OpenOptions { read, write, create, create_new, truncate, append }
        }),
    ]
}

/// A file system, its root, and the file that was opened last.
struct Side<'a> {
    fs: &'a dyn Fs,
    root: &'a Utf8Path,
    file: Option<Box<dyn File>>,
}

impl Side<'_> {
    /// Returns what the step gave, as text that can be compared.
    fn take(&mut self, step: &Step) -> Result<String, io::ErrorKind> {
        self.run(step).map_err(|error| error.kind())
    }

    fn run(&mut self, step: &Step) -> io::Result<String> {
        let at = |path: &Utf8PathBuf| self.root.join(path);
        let done = |()| String::new();
        if let Some(file) = &self.file {
            match step {
                Step::Write(bytes, offset) => return file.write_all_at(bytes, *offset).map(done),
                Step::Append(bytes) => return file.append_all(bytes).map(done),
                Step::SetLen(len) => return file.set_len(*len).map(done),
                Step::Sync => return file.sync_data().map(done),
                Step::Read(size, offset) => {
                    let mut buffer = vec![0; *size];
                    let count = file.read_at(&mut buffer, *offset)?;
                    return Ok(format!("{:?} of {}", &buffer[..count], file.len()?));
                }
                _ => {}
            }
        }
        match step {
            Step::Open(path, options) => {
                self.file = Some(self.fs.open(&at(path), *options)?);
                Ok(String::new())
            }
            Step::Close => {
                self.file = None;
                Ok(String::new())
            }
            Step::CreateDir(path) => self.fs.create_dir_all(&at(path)).map(done),
            Step::Rename(from, to) => self.fs.rename(&at(from), &at(to)).map(done),
            Step::Link(from, to) => self.fs.hard_link(&at(from), &at(to)).map(done),
            Step::Remove(path) => self.fs.remove_file(&at(path)).map(done),
            Step::RemoveDir(path) => self.fs.remove_dir_all(&at(path)).map(done),
            Step::List(path) => self.fs.read_dir(&at(path)).map(|names| names.join(" ")),
            Step::SyncDir(path) => self.fs.sync_dir(&at(path)).map(done),
            Step::Metadata(path) => {
                let found = self.fs.metadata(&at(path))?;
                let len = if found.is_dir { 0 } else { found.len };
                Ok(format!("{len} {}", found.is_dir))
            }
            // No file is open.
            Step::Write(..) | Step::Append(_) | Step::SetLen(_) | Step::Sync | Step::Read(..) => {
                Ok(String::new())
            }
        }
    }

    /// Every file below `dir` with its bytes, every directory with a slash.
    fn all(&self, dir: &Utf8Path, found: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
        for name in self.fs.read_dir(&self.root.join(dir))? {
            let path = dir.join(name);
            if self.fs.metadata(&self.root.join(&path))?.is_dir {
                found.push((format!("{path}/"), Vec::new()));
                self.all(&path, found)?;
            } else {
                let bytes = read_to_vec(self.fs, &self.root.join(&path), 1 << 20)?;
                found.push((path.into_string(), bytes));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn both_file_systems_give_the_same_results(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let sim = SimFs::new(0);
        let mut real = Side { fs: &RealFs, root, file: None };
        let mut simulated = Side { fs: &sim, root: "/".into(), file: None };
        for step in &steps {
            prop_assert_eq!(real.take(step), simulated.take(step), "{:?}", step);
        }
        let (mut want, mut got) = (Vec::new(), Vec::new());
        real.all("".into(), &mut want).unwrap();
        simulated.all("".into(), &mut got).unwrap();
        prop_assert_eq!(want, got);
    }
}
