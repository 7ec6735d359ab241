//! `docs/explanation/limits.md` is made here: every limit that stops somebody, with what it says and
//! which metric counts it. Tests compare each word of it with the code.

use std::{fmt::Write as _, path::Path};

use clap::CommandFactory as _;

use crate::{cli::Cli, reference};

const HEAD: &str = "# Limits

Metrics, logs, queries and pages share one process, so one bad client must not take the rest down.
Therefore every queue, cache, body, label, line and query has a limit, and each limit has a name.

Three rules hold for all of them:

- What goes over a limit is refused or left out as a whole, at the edge, before it costs much; nothing is cut silently.
- The answer says which limit it was, and with which flag it is raised if there is one; where clients know Loki's own text, that is what is said.
- Samples and lines that are refused or lost are counted by reason, so that a graph can show it and an alert can be set on it.

The defaults are for a laptop or a small cluster.
Raise one when its metric says so, and watch the memory of the process: the limits on bodies, queries and memory for labels are what keeps it bounded.

This page is generated: `UPDATE=1 cargo test -p masthead limits` writes it anew, and a test compares it with the flags, the texts and the metrics in the code.

## Limits with a flag

The name in `masthead.yaml` is in [the reference](../reference/config.md).
A metric with a reason is written as it is asked.

| flag | default | what | beyond it | counted by |
| --- | --- | --- | --- | --- |
";

const FIXED_HEAD: &str = "
## Limits without a flag

They bound what a stranger's bytes may cost, and are far above what real ones need.

| what | value | beyond it | where |
| --- | --- | --- | --- |
";

const TAIL: &str = "
## More of them

- Of a scrape: `body_size_limit`, `sample_limit`, `label_limit`, `label_name_length_limit`, `label_value_length_limit` and `target_limit` of prometheus.yml; counted by `masthead_scrape_exceeded_*_total`.
  What a job does not limit keeps the fixed limits above, and where it sets a higher one of labels or bytes, that counts.
- Of collecting files and containers: [promtail.md](../reference/promtail.md#limits).
- Of forwarding: [remote-write.md](../reference/remote-write.md#limits).
- Of rules: [rules.md](../reference/rules.md).
- Of the language of templates: [template-functions.md](../reference/template-functions.md).
- Of logins and sessions: [http-masthead.md](../reference/http-masthead.md#limits).
- Of the disk: with less than 64 MiB free no line is taken, and `masthead_logs_out_of_space` is 1; retention by size is off until `--storage.retention.size` and `--logs.retention.size` are set.
- Of retention by time: age is counted back from the newest line or sample, so a server that gets nothing deletes nothing, and from no later than the clock, so a line of the far future makes no other one old.
  By size: the oldest blocks go; what is not in a block yet counts, and stays.
- Of lines that Masthead collects itself: those of pushes for labels, structured metadata and time ahead of the clock; what breaks them is lost, and counted in `masthead_tail_lines_lost_total` by the same reasons.

There is no limit on how much may be pushed per second.
";

/// Flag, what happens beyond it, a part of the text that is then said (nothing where nobody is
/// told), the metric that counts it (nothing where none does).
type Row = (&'static str, &'static str, &'static str, &'static str);

const FLAGS: &[Row] = &[
    (
        "storage.max-series",
        "the samples of new series are refused",
        "the limit of series is reached; see --storage.max-series",
        "masthead_tsdb_samples_rejected_total{reason=\"series_limit\"}",
    ),
    (
        "storage.out-of-order-window",
        "the sample is refused",
        "",
        "masthead_tsdb_samples_rejected_total{reason=\"too_old\"}",
    ),
    ("storage.retention.time", "deleted", "", "masthead_tsdb_retention_deleted_blocks_total"),
    (
        "storage.retention.size",
        "the oldest blocks are deleted",
        "",
        "masthead_tsdb_retention_deleted_blocks_total",
    ),
    ("logs.retention.time", "deleted", "", "masthead_logs_retention_deleted_blocks_total"),
    (
        "logs.retention.size",
        "the oldest blocks are deleted",
        "",
        "masthead_logs_retention_deleted_blocks_total",
    ),
    (
        "logs.out-of-order-window",
        "400, the line is refused",
        "has timestamp too far behind",
        "masthead_logs_lines_rejected_total{reason=\"too_far_behind\"}",
    ),
    (
        "logs.max-age",
        "400, the line is refused",
        "has timestamp too old",
        "masthead_http_api_lines_refused_total{reason=\"greater_than_max_sample_age\"}",
    ),
    (
        "logs.max-ahead",
        "400, the line is refused",
        "has timestamp too new",
        "masthead_http_api_lines_refused_total{reason=\"too_far_in_future\"}",
    ),
    (
        "logs.max-streams",
        "429, the lines of new streams are refused",
        "maximum active stream limit exceeded",
        "masthead_logs_lines_rejected_total{reason=\"stream_limit\"}",
    ),
    (
        "logs.max-line-size",
        "400, the line is refused",
        "bytes exceeded for stream",
        "masthead_http_api_lines_refused_total{reason=\"line_too_long\"}",
    ),
    (
        "logs.max-label-names",
        "400, the stream is refused",
        "label names; limit",
        "masthead_http_api_lines_refused_total{reason=\"max_label_names_per_series\"}",
    ),
    (
        "logs.max-label-name-size",
        "400, the stream is refused",
        "has label name too long",
        "masthead_http_api_lines_refused_total{reason=\"label_name_too_long\"}",
    ),
    (
        "logs.max-label-value-size",
        "400, the stream is refused",
        "has label value too long",
        "masthead_http_api_lines_refused_total{reason=\"label_value_too_long\"}",
    ),
    (
        "logs.max-metadata-size",
        "400, the line is refused",
        "has structured metadata too large",
        "masthead_http_api_lines_refused_total{reason=\"structured_metadata_too_large\"}",
    ),
    (
        "logs.max-metadata-pairs",
        "400, the line is refused",
        "has too many structured metadata labels",
        "masthead_http_api_lines_refused_total{reason=\"structured_metadata_too_many\"}",
    ),
    ("logs.max-entries", "400", "max entries limit per query exceeded", ""),
    ("logs.max-query-series", "400", "reached for a single query", ""),
    ("logs.max-query-length", "400", "the query time range exceeds the limit", ""),
    ("logs.query.max-label-bytes", "the query ends", "have too many different labels", ""),
    (
        "logs.max-tails",
        "400",
        "max concurrent tail requests limit exceeded",
        "masthead_http_api_log_followers",
    ),
    ("logs.max-pattern-lines", "older lines are not looked at", "", ""),
    ("query.timeout", "503", "query timed out in expression evaluation", ""),
    ("query.max-samples", "422", "would load too many samples into memory", ""),
    ("query.max-concurrency", "the query waits", "", "masthead_http_api_queries_waiting"),
    (
        "query.max-queue",
        "429 with `Retry-After`",
        "which is the limit (see --query.max-concurrency and --query.max-queue)",
        "masthead_http_api_rejected_full_total",
    ),
    ("web.max-body-size", "413", "the request body is larger than", ""),
    ("web.max-decompressed-size", "413", "the request body decompresses to more than", ""),
    (
        "web.max-inflight-bytes",
        "503",
        "bytes are held already, which is the limit",
        "masthead_http_api_upload_bytes",
    ),
    ("web.max-form-size", "413", "the request body is larger than", ""),
    (
        "web.max-concurrent-writes",
        "the write waits, then 503",
        "which is the limit (see --web.max-concurrent-writes)",
        "masthead_http_api_rejected_full_total",
    ),
    (
        "web.stall-timeout",
        "400 for a body, the connection of an answer is closed",
        "the request body stalled for",
        "",
    ),
    (
        "web.max-connections",
        "503 with `Retry-After`",
        "which is the limit (see --web.max-connections)",
        "masthead_connections_refused_total",
    ),
    ("web.header-timeout", "the connection is closed", "", ""),
    (
        "auth.max-failures",
        "429 with `Retry-After`",
        "too many wrong passwords",
        "masthead_auth_too_many_total",
    ),
    ("auth.session-lifetime", "log in again", "", "masthead_auth_sessions"),
    (
        "forward.journal-size",
        "the oldest are lost",
        "",
        "masthead_remote_write_samples_lost_total{reason=\"journal_full\"}",
    ),
];

/// What, how much, what happens beyond it, the file of the code, and the line that says how much.
type Fixed = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FIXED: &[Fixed] = &[
    (
        "points of a series in a range query",
        "11,000",
        "400",
        "crates/http-api/src/prometheus/query.rs",
        "POINTS_MAX: i64 = 11_000;",
    ),
    (
        "the same in LogQL",
        "11,000",
        "400",
        "crates/http-api/src/loki/params.rs",
        "POINTS_MAX: i64 = 11_000;",
    ),
    (
        "bytes of a PromQL query",
        "1 MiB",
        "400",
        "crates/promql/src/parser.rs",
        "EXPRESSION_BYTES_MAX: usize = 1 << 20;",
    ),
    (
        "depth of a PromQL query; each operator of a chain such as `a + b + c` is one level",
        "256",
        "400",
        "crates/promql/src/ast.rs",
        "DEPTH_MAX: usize = 256;",
    ),
    (
        "steps of a PromQL query or of a subquery in it",
        "50,000,000",
        "422",
        "crates/promql/src/engine/grid.rs",
        "STEPS_MAX: usize = 50_000_000;",
    ),
    (
        "bytes of label values that a PromQL query makes",
        "256 MiB",
        "422",
        "crates/promql/src/engine.rs",
        "LABEL_BYTES_MAX: usize = 256 << 20;",
    ),
    (
        "bytes of a LogQL query",
        "131,072",
        "400",
        "crates/logql/src/parser.rs",
        "QUERY_BYTES_MAX: usize = 131_072;",
    ),
    (
        "bytes of lines with their labels in an answer of LogQL",
        "256 MiB",
        "400",
        "crates/logql/src/engine.rs",
        "ANSWER_BYTES_MAX: usize = 256 << 20;",
    ),
    (
        "depth of a LogQL query, and operands of one chain of it such as `a or b or c`",
        "100",
        "400",
        "crates/logql/src/ast.rs",
        "DEPTH_MAX: usize = 100;",
    ),
    (
        "bytes that a regular expression is compiled to",
        "10 MiB",
        "400",
        "crates/model/src/regexp.rs",
        "PROGRAM_BYTES_MAX: usize = 10 << 20;",
    ),
    (
        "bytes of samples in an answer of remote read",
        "256 MiB",
        "the query ends",
        "crates/http-api/src/prometheus/read.rs",
        "SAMPLES_BYTES_MAX: usize = 256 << 20;",
    ),
    (
        "queries in a request of remote read",
        "100",
        "400",
        "crates/wire/src/remote_read.rs",
        "QUERIES_MAX: usize = 100;",
    ),
    (
        "buckets of a native histogram",
        "100,000",
        "refused",
        "crates/model/src/histogram.rs",
        "BUCKETS_MAX: usize = 100_000;",
    ),
    (
        "series of a scrape or of a push",
        "2,000,000",
        "the scrape fails, 400",
        "crates/wire/src/limits.rs",
        "series: 2_000_000,",
    ),
    (
        "labels of a scraped or pushed series",
        "256",
        "the scrape fails; the series is refused",
        "crates/wire/src/limits.rs",
        "labels: 256,",
    ),
    (
        "bytes of the name of such a label",
        "4 KiB",
        "the same",
        "crates/wire/src/limits.rs",
        "label_name_bytes: 4 << 10,",
    ),
    (
        "bytes of its value",
        "64 KiB",
        "the same",
        "crates/wire/src/limits.rs",
        "label_value_bytes: 64 << 10,",
    ),
    (
        "samples, buckets, attributes and the like in one push",
        "2,000,000",
        "400",
        "crates/wire/src/limits.rs",
        "ITEMS_MAX: usize = 2_000_000;",
    ),
    (
        "bytes of a scrape whose job has no `body_size_limit`",
        "256 MiB",
        "the scrape fails",
        "crates/scrape/src/settings.rs",
        "body_bytes: 256 << 20,",
    ),
    (
        "a sample ahead of the clock, when scraped",
        "10 min",
        "refused",
        "crates/scrape/src/ingest.rs",
        "AHEAD_MILLIS_MAX: i64 = 10 * 60 * 1000;",
    ),
    (
        "bytes of a collected line",
        "256 KiB",
        "cut, marked and counted",
        "crates/tail/src/lib.rs",
        "LINE_BYTES_MAX: usize = 256 * 1024;",
    ),
    (
        "files that are followed",
        "20,000",
        "left out and counted",
        "crates/tail/src/collector.rs",
        "FOLLOWS_MAX: usize = 20_000;",
    ),
    (
        "samples that one evaluation of a rule may make",
        "500,000",
        "the evaluation fails",
        "crates/rules/src/group.rs",
        "RESULTS_MAX: usize = 500_000;",
    ),
    (
        "alerts that wait for an Alertmanager",
        "10,000",
        "the oldest are dropped and counted",
        "crates/rules/src/notify.rs",
        "QUEUE_MAX: usize = 10_000;",
    ),
    (
        "bytes of a rule file",
        "16 MiB",
        "refused",
        "crates/rules/src/file.rs",
        "FILE_BYTES_MAX: u64 = 16 << 20;",
    ),
    (
        "bytes of a configuration file",
        "16 MiB",
        "refused",
        "crates/masthead/src/config.rs",
        "BYTES_MAX: u64 = 16 << 20;",
    ),
    (
        "dashboards in a folder",
        "2,000",
        "left out and named",
        "crates/masthead/src/stack/dashboards.rs",
        "FILES_MAX: usize = 2_000;",
    ),
    (
        "dashboards that are kept",
        "500, 64 MiB",
        "422",
        "crates/masthead/src/stack/dashboards.rs",
        "KEPT_MAX: usize = 500;",
    ),
    (
        "sessions of browsers",
        "1,000",
        "the one that was longest not used goes",
        "crates/http-api/src/auth/sessions.rs",
        "SESSIONS_MAX: usize = 1_000;",
    ),
    (
        "users, tokens",
        "10,000 each",
        "refused at the start",
        "crates/http-api/src/auth/known.rs",
        "ENTRIES_MAX: usize = 10_000;",
    ),
    (
        "frame of the journal",
        "64 MiB",
        "refused",
        "crates/durable/src/journal/frame.rs",
        "FRAME_BYTES_MAX: usize = 64 << 20;",
    ),
    (
        "output of a template",
        "4 MiB",
        "an error on the line",
        "crates/template/src/lib.rs",
        "OUTPUT_BYTES_MAX: usize = 4 << 20;",
    ),
];

fn page() -> String {
    let mut out = HEAD.to_owned();
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    for (flag, beyond, text, metric) in FLAGS {
        let arg = serve.get_arguments().find(|arg| arg.get_long() == Some(flag));
        let arg = arg.unwrap_or_else(|| panic!("--{flag} is no flag"));
        let what = reference::cell(&arg.get_help().unwrap().to_string());
        let default = reference::default(arg);
        let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
        let says = if text.is_empty() { String::new() } else { format!(": `… {text} …`") };
        writeln!(out, "| `--{flag}` | {default} | {what} | {beyond}{says} | {} |", code(metric))
            .unwrap();
    }
    out.push_str(FIXED_HEAD);
    for (what, value, beyond, file, _) in FIXED {
        writeln!(out, "| {what} | {value} | {beyond} | `{file}` |").unwrap();
    }
    out.push_str(TAIL);
    out
}

#[test]
fn the_page_of_limits_is_what_the_code_says() {
    reference::compare("docs/explanation/limits.md", &page());
}

#[test]
fn every_flag_that_is_a_limit_is_on_the_page() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    for arg in serve.get_arguments() {
        let (Some(flag), Some(help)) = (arg.get_long(), arg.get_help()) else { continue };
        let help = help.to_string();
        let limits =
            ["Most ", "The longest ", "The oldest "].iter().any(|word| help.starts_with(word));
        let limits = limits || help.contains("are refused") || help.contains(".max-");
        let there = FLAGS.iter().any(|row| row.0 == flag);
        assert!(there || !limits, "--{flag} is a limit and needs a row in config/limits.rs");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads the sources and a document")]
fn texts_metrics_and_values_of_limits_are_in_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let mut sources = String::new();
    let mut folders = vec![root.join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("config/limits.rs")
            {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let metrics = read("docs/reference/masthead-metrics.md");
    for (flag, _, text, metric) in FLAGS {
        assert!(sources.contains(text), "--{flag}: nothing says {text:?}");
        let (name, reason) = metric.split_once("{reason=\"").unwrap_or((metric, "\"}"));
        assert!(name.is_empty() || metrics.contains(&format!("| `{name}` |")), "--{flag}: {name}");
        let reason = reason.trim_end_matches("\"}");
        assert!(
            reason.is_empty() || sources.contains(&format!("\"{reason}\"")),
            "{flag}: {reason}"
        );
    }
    for (what, _, _, file, line) in FIXED {
        assert!(read(file).contains(line), "{what}: {file} does not say {line}");
    }
}
