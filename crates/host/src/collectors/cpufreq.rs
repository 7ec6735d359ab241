//! `/sys/devices/system/cpu/cpuN/cpufreq`: how fast processors run, where the kernel scales them.

use super::{Context, cpu::processors};
use crate::{Error, Families};

const FREQUENCIES: &[(&str, &str)] = &[
    ("node_cpu_frequency_hertz", "cpuinfo_cur_freq"),
    ("node_cpu_frequency_min_hertz", "cpuinfo_min_freq"),
    ("node_cpu_frequency_max_hertz", "cpuinfo_max_freq"),
    ("node_cpu_scaling_frequency_hertz", "scaling_cur_freq"),
    ("node_cpu_scaling_frequency_min_hertz", "scaling_min_freq"),
    ("node_cpu_scaling_frequency_max_hertz", "scaling_max_freq"),
];
const HERTZ_PER_KILOHERTZ: f64 = 1000.0;

#[expect(clippy::unnecessary_wraps, reason = "all collectors have one signature")]
pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for cpu in processors(context) {
        let number = cpu.trim_start_matches("cpu");
        for (name, file) in FREQUENCIES {
            let path = format!("sys/devices/system/cpu/{cpu}/cpufreq/{file}");
            if let Some(kilohertz) = context.files.number(&path) {
                into.gauge(*name, format!("Frequency of a processor, by {file}."))
                    .row(&[("cpu", number)], kilohertz * HERTZ_PER_KILOHERTZ);
            }
        }
        let governors = format!("sys/devices/system/cpu/{cpu}/cpufreq/scaling_available_governors");
        let current = format!("sys/devices/system/cpu/{cpu}/cpufreq/scaling_governor");
        let (Some(known), Some(current)) =
            (context.files.word(&governors), context.files.word(&current))
        else {
            continue;
        };
        let family = into.gauge("node_cpu_scaling_governor", "Which frequency governor is in use.");
        for governor in known.split_ascii_whitespace() {
            let value = f64::from(u8::from(governor == current));
            family.row(&[("cpu", number), ("governor", governor)], value);
        }
    }
    Ok(())
}
