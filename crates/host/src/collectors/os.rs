//! `os-release(5)`: which distribution runs.

use std::collections::BTreeMap;

use super::Context;
use crate::{Error, Families, files::number};

const FIELDS: &[&str] = &[
    "build_id",
    "id",
    "id_like",
    "image_id",
    "image_version",
    "name",
    "pretty_name",
    "variant",
    "variant_id",
    "version",
    "version_codename",
    "version_id",
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let text = context
        .files
        .read("etc/os-release")
        .or_else(|_| context.files.read("usr/lib/os-release"))?;
    let known: BTreeMap<String, &str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), unquoted(value.trim())))
        .collect();
    let get = |name: &str| known.get(name).copied().unwrap_or("");
    let labels: Vec<(&str, &str)> = FIELDS.iter().map(|field| (*field, get(field))).collect();
    into.gauge("node_os_info", "Which distribution runs.").row(&labels, 1.0);
    if let Some(version) = major_minor(get("version_id")) {
        into.gauge("node_os_version", "Major and minor version of the distribution.")
            .row(&[("id", get("id")), ("id_like", get("id_like")), ("name", get("name"))], version);
    }
    Ok(())
}

/// `12`, `22.04` and `3.18.4` as `12`, `22.04` and `3.18`.
fn major_minor(version: &str) -> Option<f64> {
    let mut parts = version.splitn(3, '.');
    match (parts.next()?, parts.next()) {
        (major, Some(minor)) => number(&format!("{major}.{minor}")),
        (major, None) => number(major),
    }
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_major_and_minor() {
        let f = |text: &str, want: Option<f64>| assert_eq!(major_minor(text), want, "{text}");
        f("12", Some(12.0));
        f("22.04", Some(22.04));
        f("3.18.4", Some(3.18));
        f("", None);
        f("rolling", None);
    }
}
