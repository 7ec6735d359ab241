//! `/sys/fs/selinux`: whether `SELinux` guards the machine.

use super::Context;
use crate::{Error, Families};

#[expect(clippy::unnecessary_wraps, reason = "all collectors have one signature")]
pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let mode = context.files.number("sys/fs/selinux/enforce");
    into.gauge("node_selinux_enabled", "Whether SELinux is on.")
        .row(&[], f64::from(u8::from(mode.is_some())));
    let Some(mode) = mode else { return Ok(()) };
    into.gauge("node_selinux_current_mode", "Whether SELinux forbids or only reports.")
        .row(&[], mode);
    let config = context.files.word("etc/selinux/config").unwrap_or_default();
    let configured = config.lines().find_map(|line| line.trim().strip_prefix("SELINUX="));
    let configured = match configured.map(str::trim) {
        Some("enforcing") => 1.0,
        Some("permissive") => 0.0,
        _ => -1.0,
    };
    into.gauge("node_selinux_config_mode", "What SELinux will do after a restart.")
        .row(&[], configured);
    Ok(())
}
