//! `/sys/class/powercap`: the energy that processors and memory used. Only root may read it, since
//! it betrays what runs (CVE-2020-8694); without it there are no rows.

use std::collections::BTreeMap;

use super::Context;
use crate::{Error, Families};

const ZONES: &str = "sys/class/powercap";
const MICRO: f64 = 1e-6;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for zone in context.files.list(ZONES)? {
        let Some(name) = context.files.word(&format!("{ZONES}/{zone}/name")) else { continue };
        // `package-1` names its number; others, such as `dram`, are counted.
        let (name, own) = match name.split_once('-') {
            Some((name, index)) => (name.to_owned(), index.parse::<u32>().ok()),
            None => (name, None),
        };
        let count = seen.entry(name.clone()).or_default();
        let index = own.unwrap_or(*count).to_string();
        *count += 1;
        let path = format!("{ZONES}/{zone}/energy_uj");
        let text = context.files.read(&path)?;
        let microjoules = crate::files::number(text.trim())
            .ok_or_else(|| context.malformed(&path, 0, "a number"))?;
        let metric: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        into.counter(
            format!("node_rapl_{metric}_joules_total"),
            "Energy that a part of the machine used; begins again at zero now and then.",
        )
        .row(&[("index", &index), ("path", &format!("/{ZONES}/{zone}"))], microjoules * MICRO);
    }
    Ok(())
}
