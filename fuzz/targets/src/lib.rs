//! What the fuzzer runs: one function for each decoder of foreign bytes.
//!
//! Each takes any bytes and must neither panic nor run on; what it asserts besides is in its file.
//! `fuzz/fuzz_targets/` hands them to libFuzzer, which needs a nightly compiler, and the tests of
//! this crate give all of them some thousand inputs made from [`seeds`].

#![forbid(unsafe_code)]

pub mod seeds;

/// A target: its name and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(pub mod $name;)+

        /// All targets.
        pub const TARGETS: &[Target] = &[$((stringify!($name), $name::run)),+];
    };
}

targets![
    columns,
    cri,
    exposition,
    forward_frame,
    head,
    http_answer,
    journal,
    journal_entry,
    kubernetes_watch,
    labels,
    log_json,
    log_level,
    log_logfmt,
    log_pattern,
    logql,
    logql_query,
    logs,
    loki_push,
    metrics_block,
    metrics_frame,
    monitors,
    oauth2_token,
    otlp,
    otlp_logs,
    pem,
    prometheus_block,
    prometheus_config,
    promql,
    promtail_config,
    promtail_positions,
    promtail_stages,
    regexp,
    remote_read,
    remote_write,
    remote_write_frame,
    rules,
    target_groups,
    template,
];

/// The input as text, if it is any.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The first line as text, and what follows it.
fn text_and_rest(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (first, rest) = bytes.split_at_checked(end)?;
    Some((text(first)?, rest.get(1..)?))
}
