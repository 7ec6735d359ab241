//! The built browser application and the dashboards that ship, embedded in the binary.
//!
//! The application is what `npm run build` in `web/` leaves in its `dist` folder; the dashboards are
//! the files in `infra/grafana/dashboards/`. `build.rs` packs both and lists them. Nothing here reads
//! a disk at run time. Serving is the business of `http-api`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::{borrow::Cow, io::Read as _};

use bytes::Bytes;
use flate2::read::GzDecoder;

/// A file as the build left it.
struct Embedded {
    name: &'static str,
    /// Whether `bytes` are packed with gzip: where that makes them smaller.
    gzip: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A file of the application.
#[derive(Debug, Clone)]
pub struct File {
    /// Its bytes, packed with gzip if `gzip` says so.
    pub bytes: Bytes,
    /// Whether the bytes are packed.
    pub gzip: bool,
    /// Its media type.
    pub media_type: &'static str,
    /// Whether its name changes with its content.
    pub immutable: bool,
}

/// What stands in the place of the application in a build without it.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Masthead</title><h1>Masthead is running</h1>\
    <p>This binary was built without the browser application. \
    Run <code>make build</code> (it needs Node 20 or newer) and start it again.</p>\
    <p>The APIs work: try <a href=\"/api/v1/status/buildinfo\">/api/v1/status/buildinfo</a>.</p>";

/// The file at `path`, which has no slash in front; nothing if there is none.
pub fn find(path: &str) -> Option<File> {
    let (bytes, gzip) = match APPLICATION.binary_search_by(|file| file.name.cmp(path)) {
        Ok(at) => APPLICATION.get(at).map(|file| (file.bytes, file.gzip))?,
        Err(_) if path == "index.html" && !has_application() => (NOT_BUILT.as_bytes(), false),
        Err(_) => return None,
    };
    Some(File {
        bytes: Bytes::from_static(bytes),
        gzip,
        media_type: media_type(path),
        // Vite puts a hash of the content into the names of everything in this folder.
        immutable: path.starts_with("assets/"),
    })
}

/// Whether the application is part of this build.
pub fn has_application() -> bool {
    APPLICATION.iter().any(|file| file.name == "index.html")
}

/// The dashboards that ship: name of the file and its JSON, by name.
pub fn dashboards() -> Vec<(String, String)> {
    let read = |file: &Embedded| {
        let text = String::from_utf8(unpacked(file)?.into_owned()).ok()?;
        Some((file.name.to_owned(), text))
    };
    DASHBOARDS.iter().filter_map(read).collect()
}

/// Nothing only if the build packed badly, which the tests would show.
#[expect(clippy::disallowed_methods, reason = "our own bytes, as large as the build found them")]
fn unpacked(file: &Embedded) -> Option<Cow<'static, [u8]>> {
    if !file.gzip {
        return Some(Cow::Borrowed(file.bytes));
    }
    let mut bytes = Vec::new();
    GzDecoder::new(file.bytes).read_to_end(&mut bytes).ok()?;
    Some(Cow::Owned(bytes))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;

    #[test]
    fn there_is_always_a_first_page() {
        let page = find("index.html").expect("a page");
        assert_eq!(page.media_type, "text/html; charset=utf-8");
        assert!(!page.immutable);
        assert!(find("../Cargo.toml").is_none() && find("").is_none());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what was built from is compared with it")]
    fn what_is_embedded_is_what_was_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let same = |table: &[Embedded], folder: &str| {
            for file in table {
                let source = std::fs::read(root.join(folder).join(file.name)).expect("the source");
                assert!(unpacked(file).expect("packed well") == source, "{}", file.name);
                assert_eq!(file.gzip, file.bytes.starts_with(&[0x1f, 0x8b]), "{}", file.name);
                assert!(file.bytes.len() <= source.len(), "{} has grown", file.name);
            }
        };
        same(APPLICATION, "web/dist");
        same(DASHBOARDS, "infra/grafana/dashboards");
        assert!(APPLICATION.is_sorted_by_key(|file| file.name), "they are searched by name");
        for file in APPLICATION {
            assert_eq!(find(file.name).expect("found by its name").bytes, file.bytes);
        }
    }

    #[test]
    fn every_dashboard_ships_whole() {
        let all: BTreeMap<_, _> = dashboards().into_iter().collect();
        assert!(all.len() >= 5 && all.contains_key("api-overview.json"), "{:?}", all.keys());
        assert!(all.values().all(|text| text.starts_with('{') && text.trim_end().ends_with('}')));
    }

    #[test]
    fn every_kind_of_file_that_a_build_leaves_has_its_type() {
        for file in APPLICATION {
            assert_ne!(media_type(file.name), "application/octet-stream", "{}", file.name);
        }
    }
}
