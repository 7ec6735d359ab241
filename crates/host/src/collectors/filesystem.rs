//! `/proc/1/mounts` and `statvfs`: the space of each mounted file system.
//!
//! The mounts are those of the first process, because those of a container are not the machine's.
//! A mount that can't be measured is told by `node_filesystem_device_error` and has no sizes.

use std::collections::BTreeSet;

use super::Context;
use crate::{Error, Families, MountSpace};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let (path, text) = match context.files.read("proc/1/mounts") {
        Ok(text) => ("proc/1/mounts", text),
        Err(_) => ("proc/self/mounts", context.files.read("proc/self/mounts")?),
    };
    let mut seen = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let (Some(device), Some(mountpoint), Some(fstype)) =
            (words.next(), words.next(), words.next())
        else {
            return Err(context.malformed(path, at, "device, mount point and type"));
        };
        let read_only = words.next().is_some_and(|all| all.split(',').any(|one| one == "ro"));
        let (device, mountpoint) = (unescape(device), unescape(mountpoint));
        if context.patterns.mount_points_exclude.is_match(&mountpoint)
            || context.patterns.fs_types_exclude.is_match(fstype)
            // Later mounts cover earlier ones at the same place; one row is all there can be.
            || !seen.insert((device.clone(), mountpoint.clone(), fstype.to_owned()))
        {
            continue;
        }
        let labels = [("device", &*device), ("mountpoint", &*mountpoint), ("fstype", fstype)];
        let measured = context.space.measure(&context.files.resolve(&mountpoint));
        into.gauge(
            "node_filesystem_device_error",
            "Whether measuring the file system failed; the label says why.",
        )
        .row(
            &match &measured {
                Ok(_) => labels.to_vec(),
                Err(_) => [&labels[..], &[("device_error", "statvfs")]].concat(),
            },
            f64::from(u8::from(measured.is_err())),
        );
        let read_only = read_only || measured.as_ref().is_ok_and(|space| space.read_only);
        into.gauge("node_filesystem_readonly", "Whether the file system is mounted read-only.")
            .row(&labels, f64::from(u8::from(read_only)));
        if let Ok(space) = measured {
            emit(&labels, &space, into);
        }
    }
    Ok(())
}

fn emit(labels: &[(&str, &str)], space: &MountSpace, into: &mut Families) {
    let sizes = [
        ("size_bytes", "All bytes of the file system.", space.size_bytes),
        ("free_bytes", "Bytes that nobody uses.", space.free_bytes),
        ("avail_bytes", "Bytes that users other than root can still use.", space.avail_bytes),
        ("files", "All inodes of the file system.", space.files),
        ("files_free", "Inodes that nobody uses.", space.files_free),
    ];
    for (name, help, value) in sizes {
        #[expect(clippy::cast_precision_loss, reason = "samples are floats; 8 PiB are exact")]
        into.gauge(format!("node_filesystem_{name}"), help).row(labels, value as f64);
    }
}

/// Undoes the octal escapes of `fstab(5)`: space, tab, newline, backslash, number sign.
fn unescape(text: &str) -> String {
    let escapes =
        [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\043", "#"), ("\\134", "\\")];
    let mut plain = text.to_owned();
    if plain.contains('\\') {
        for (escape, character) in escapes {
            plain = plain.replace(escape, character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_mount_points_are_undone() {
        let f = |text: &str, want: &str| assert_eq!(unescape(text), want);
        f("/plain", "/plain");
        f("/a\\040b\\011c", "/a b\tc");
        f("/back\\134slash", "/back\\slash");
        f("/odd\\", "/odd\\");
    }
}
