//! Paths with slashes, as text: nothing looks at a disk.
//!
//! Facts: Go's package `path`, which sprig has under these names.

use super::Kind::Text;
use super::{Function, bytes, f};
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("base", &[Text], |_, a| Ok(Value::bytes(base(bytes(a, 0)).to_vec())), "The last part of a path."),
    f("dir", &[Text], |_, a| Ok(Value::bytes(clean(bytes(a, 0).get(..name_at(bytes(a, 0))).unwrap_or_default()))), "A path without its last part."),
    f("ext", &[Text], |_, a| Ok(Value::bytes(extension(bytes(a, 0)).to_vec())), "What the last part of a path has from its last point on."),
    f("clean", &[Text], |_, a| Ok(Value::bytes(clean(bytes(a, 0)))), "A path without `.`, `..` and double slashes, as far as that can be."),
    f("isAbs", &[Text], |_, a| Ok(Value::Bool(bytes(a, 0).starts_with(b"/"))), "Whether a path begins with a slash."),
];

/// Where the text behind the last slash begins.
fn name_at(path: &[u8]) -> usize {
    memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1)
}

fn base(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    match (path.get(..end).unwrap_or_default(), path) {
        (_, []) => b".",
        ([], _) => b"/",
        (path, _) => path.get(name_at(path)..).unwrap_or_default(),
    }
}

fn extension(path: &[u8]) -> &[u8] {
    let name = path.get(name_at(path)..).unwrap_or_default();
    memchr::memrchr(b'.', name).and_then(|dot| name.get(dot..)).unwrap_or_default()
}

fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            part => kept.push(part),
        }
    }
    let root: &[u8] = if rooted { b"/" } else { b"" };
    let cleaned = [root, &kept.join(&b'/')].concat();
    if cleaned.is_empty() { b".".to_vec() } else { cleaned }
}
