//! What API servers, files and HTTP servers may say of targets, for the fuzzer.
//!
//! Nothing else uses it.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_sysio::{SimFs, atomic_write};

use crate::{
    TargetGroup,
    kubernetes::{
        api::{Event, Lines, Page, event},
        objects::{ConfigMap, Objects, Resource},
        roles::{self, Cluster, ROLES},
    },
    mechanisms::read_file,
};

/// The lines of a watch, in pieces: every line is taken for an object of every kind, and targets are
/// made of what is there then. The whole is taken for a page of a list, too.
pub fn watch(bytes: &[u8]) {
    let mut lines = Lines::default();
    for piece in bytes.chunks(13) {
        if lines.take(piece).is_err() {
            return;
        }
    }
    // A watch whose last line has no end has not said it yet.
    if lines.take(b"\n").is_err() {
        return;
    }
    let mut cluster = Cluster::default();
    while let Some(line) = lines.next() {
        apply(&line, &mut cluster.nodes);
        apply(&line, &mut cluster.namespaces);
        apply(&line, &mut cluster.pods);
        apply(&line, &mut cluster.services);
        apply(&line, &mut cluster.endpoints);
        apply(&line, &mut cluster.slices);
        apply(&line, &mut cluster.ingresses);
        apply::<ConfigMap>(&line, &mut Objects::new());
    }
    if let Ok(page) = serde_json::from_slice::<Page<_>>(bytes) {
        cluster.pods.extend(page.items.into_iter().map(keyed));
    }
    if let Ok(page) = serde_json::from_slice::<Page<_>>(bytes) {
        cluster.slices.extend(page.items.into_iter().map(keyed));
    }
    for (role, ..) in ROLES {
        for group in roles::groups(role, &cluster) {
            assert_eq!(group.target_labels().count(), group.targets.len());
        }
    }
}

/// A file of target groups, in JSON and in YAML.
pub fn target_groups(bytes: &[u8]) {
    let fs = SimFs::new(1);
    let read = |path: &str| -> Option<Vec<TargetGroup>> {
        let path = Utf8Path::new(path);
        atomic_write(&fs, path, bytes).ok()?;
        read_file(&fs, path).ok()
    };
    for groups in [read("/t.json"), read("/t.yml")].into_iter().flatten() {
        for group in groups {
            assert_eq!(group.target_labels().count(), group.targets.len());
        }
    }
}

fn apply<T: Resource>(line: &[u8], objects: &mut Objects<T>) {
    match event::<T>(line) {
        Ok(Some(Event::Set(object))) => {
            let (key, object) = keyed(object);
            objects.insert(key, object);
        }
        Ok(Some(Event::Deleted(object))) => drop(objects.remove(&object.meta().key())),
        Ok(Some(Event::Bookmark(_)) | None) | Err(_) => {}
    }
}

fn keyed<T: Resource>(object: T) -> ((String, String), Arc<T>) {
    (object.meta().key(), Arc::new(object))
}
