//! Makes sure that the folders to embed exist: a build without Node embeds no application, and the
//! server then shows a page that says how to build it.

use std::{env, fs, path::PathBuf};

#[expect(clippy::disallowed_methods, reason = "a build script has no other way to its inputs")]
fn main() {
    let own = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let root = PathBuf::from(own).join("../..");
    for folder in ["web/dist", "infra/grafana/dashboards"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        println!("cargo::rerun-if-changed={}", folder.display());
    }
}
