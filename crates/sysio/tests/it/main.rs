//! The two file systems behave alike: the conformance suite on each, and random operations on both.

mod alike;

use camino::Utf8Path;
use masthead_sysio::{Fs, RealFs, SimFs, testing::conformance};

#[test]
fn real_file_system_conforms() {
    let dir = tempfile::tempdir().unwrap();
    conformance(&RealFs, Utf8Path::from_path(dir.path()).unwrap());
}

#[test]
fn simulated_file_system_conforms() {
    let fs = SimFs::new(1);
    conformance(&fs, "/".into());
    fs.create_dir_all("deep/er".into()).unwrap();
    conformance(&fs, "deep/er".into());
}
