//! The built browser application and the dashboards that ship, embedded in the binary.
//!
//! The application is what `npm run build` in `web/` leaves in its `dist` folder; the dashboards are
//! the files in `infra/grafana/dashboards/`. Nothing here reads a disk at run time. Serving is the
//! business of `http-api`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::Write as _,
    sync::{LazyLock, OnceLock},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Application;

#[derive(RustEmbed)]
#[folder = "../../infra/grafana/dashboards"]
#[include = "*.json"]
struct Shipped;

/// A file of the application.
#[derive(Debug, Clone)]
pub struct File {
    /// Its bytes.
    pub bytes: Bytes,
    /// The same compressed with gzip, if that makes it smaller.
    pub gzip: Option<Bytes>,
    /// Its media type.
    pub media_type: &'static str,
    /// Whether its name changes with its content.
    pub immutable: bool,
}

/// A file as embedded; compressed when it is first asked for.
struct Entry {
    bytes: Bytes,
    gzip: OnceLock<Option<Bytes>>,
}

static FILES: LazyLock<BTreeMap<String, Entry>> = LazyLock::new(|| {
    let entry = |name: Cow<'static, str>| {
        let bytes = match Application::get(&name)?.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((name.into_owned(), Entry { bytes, gzip: OnceLock::new() }))
    };
    Application::iter().filter_map(entry).collect()
});

/// What stands in the place of the application in a build without it.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Masthead</title><h1>Masthead is running</h1>\
    <p>This binary was built without the browser application. \
    Run <code>make build</code> (it needs Node 20 or newer) and start it again.</p>\
    <p>The APIs work: try <a href=\"/api/v1/status/buildinfo\">/api/v1/status/buildinfo</a>.</p>";

/// The file at `path`, which has no slash in front; nothing if there is none.
pub fn find(path: &str) -> Option<File> {
    let Some(entry) = FILES.get(path) else {
        let missing = path == "index.html" && FILES.is_empty();
        return missing.then(|| File {
            bytes: Bytes::from_static(NOT_BUILT.as_bytes()),
            gzip: None,
            media_type: "text/html; charset=utf-8",
            immutable: false,
        });
    };
    let gzip = entry.gzip.get_or_init(|| compressed(&entry.bytes)).clone();
    Some(File {
        bytes: entry.bytes.clone(),
        gzip,
        media_type: media_type(path),
        // Vite puts a hash of the content into the names of everything in this folder.
        immutable: path.starts_with("assets/"),
    })
}

/// Whether the application is part of this build.
pub fn has_application() -> bool {
    FILES.contains_key("index.html")
}

/// The dashboards that ship: name of the file and its JSON, by name.
pub fn dashboards() -> Vec<(String, String)> {
    let read = |name: Cow<'static, str>| {
        let text = String::from_utf8(Shipped::get(&name)?.data.into_owned()).ok()?;
        Some((name.into_owned(), text))
    };
    let mut all: Vec<_> = Shipped::iter().filter_map(read).collect();
    all.sort();
    all
}

fn compressed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < bytes.len()).then(|| packed.into())
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
    use super::*;

    #[test]
    fn there_is_always_a_first_page() {
        let page = find("index.html").expect("a page");
        assert_eq!(page.media_type, "text/html; charset=utf-8");
        assert!(!page.immutable);
        assert!(page.bytes.starts_with(b"<!doctype html>"));
        assert!(find("../Cargo.toml").is_none() && find("").is_none());
    }

    #[test]
    fn compression_is_kept_only_where_it_helps() {
        assert!(compressed(b"x").is_none());
        let text = "text ".repeat(1_000);
        let packed = compressed(text.as_bytes()).expect("smaller");
        assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < text.len() / 10);
    }

    #[test]
    fn every_kind_of_file_that_a_build_leaves_has_its_type() {
        for name in FILES.keys() {
            assert_ne!(media_type(name), "application/octet-stream", "{name}");
        }
    }
}
