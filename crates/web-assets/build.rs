//! Packs what is embedded with gzip, once and here: the binary carries it small, and no request
//! waits for a compression. Leaves a table of it, in order of names, for `lib.rs`.
//!
//! A build without Node has no application; the server then shows a page that says how to build it.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

/// Why writing to memory cannot fail.
const GROWS: &str = "memory takes everything";

/// Name of the table, the folder that it lists, and how the names of its files end.
const TABLES: [(&str, &str, &str); 2] =
    [("APPLICATION", "web/dist", ""), ("DASHBOARDS", "infra/grafana/dashboards", ".json")];

#[expect(clippy::disallowed_methods, reason = "a build script has no other way to its inputs")]
fn main() {
    let variable = |name| PathBuf::from(env::var(name).expect("set by cargo"));
    let (own, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    let mut source = String::new();
    for (table, folder, suffix) in TABLES {
        let folder = own.join("../..").join(folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut names = Vec::new();
        list(&folder, "", &mut names);
        names.retain(|name| name.ends_with(suffix));
        names.sort();
        writeln!(source, "static {table}: &[Embedded] = &[").expect(GROWS);
        for (at, name) in names.iter().enumerate() {
            let bytes = fs::read(folder.join(name)).expect("the file can be read");
            let packed = compressed(&bytes);
            let gzip = packed.len() < bytes.len();
            let file = out.join(format!("{table}-{at}"));
            fs::write(&file, if gzip { packed } else { bytes }).expect("the folder can be written");
            let file = file.display().to_string();
            writeln!(
                source,
                "Embedded {{ name: {name:?}, gzip: {gzip}, bytes: include_bytes!({file:?}) }},"
            )
            .expect(GROWS);
        }
        source += "];\n";
    }
    fs::write(out.join("embedded.rs"), source).expect("the folder can be written");
}

/// Adds the paths of all files under `folder`, with a slash between parts on every system.
#[expect(clippy::disallowed_methods, reason = "a build script has no other way to its inputs")]
fn list(folder: &Path, under: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let name = format!("{under}{name}");
        if entry.file_type().expect("the type is known").is_dir() {
            list(&entry.path(), &format!("{name}/"), names);
        } else {
            names.push(name);
        }
    }
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect(GROWS);
    encoder.finish().expect(GROWS)
}
