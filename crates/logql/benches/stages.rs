//! What stages cost a byte of log: each case sends the same lines through one stage.
//!
//! The lines are made here from a seed: JSON access logs and logfmt of a worker, about 220 and 130
//! bytes each. Throughput counts the bytes of the lines. Allocations are counted by divan's own
//! allocator, per pass over all lines.

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use masthead_logql::stages::{
    CompareOp, Json, JsonExpressions, Keep, LabelFilter, Line, LineFilter, LineFormat, LineOp,
    LineOperand, Logfmt, Needed, PatternParser, RegexpParser, Stage, level,
};
use masthead_model::Labels;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const LINES: usize = 2_000;

fn json_lines() -> Vec<Vec<u8>> {
    let levels = ["INFO", "INFO", "INFO", "WARN", "ERROR"];
    let paths = ["/api/v1/users", "/api/v1/orders?limit=10", "/healthz", "/items/7/reviews"];
    (0..LINES)
        .map(|n| {
            let id = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!(
                r#"{{"ts":"2026-11-01T10:00:{:02}Z","level":"{}","method":"GET","path":"{}","status":{},"duration_ms":{}.{},"bytes":{},"request_id":"{id:016x}","user":{{"id":{},"agent":"Mozilla/5.0 (X11; Linux x86_64)"}}}}"#,
                n % 60,
                levels[id % levels.len()],
                paths[id % paths.len()],
                200 + 100 * (id % 4),
                id % 900,
                n % 10,
                id % 40_000,
                n % 500,
            )
            .into_bytes()
        })
        .collect()
}

fn logfmt_lines() -> Vec<Vec<u8>> {
    (0..LINES)
        .map(|n| {
            let id = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!(
                r#"ts=2026-11-01T10:00:00Z level=info msg="job {} done" job=export id={id} duration={}ms size={}B items={} queue="high prio""#,
                n % 7,
                id % 900,
                id % 4000,
                n % 300,
            )
            .into_bytes()
        })
        .collect()
}

fn filter(bencher: Bencher<'_, '_>, lines: &[Vec<u8>], filter: &LineFilter) {
    let bytes: usize = lines.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| lines.iter().filter(|line| filter.matches(black_box(line))).count());
}

fn stage(bencher: Bencher<'_, '_>, lines: &[Vec<u8>], needed: &Needed, stages: &[&dyn Stage]) {
    let bytes: usize = lines.iter().map(Vec::len).sum();
    let stream: Labels =
        [("app", "api"), ("namespace", "prod"), ("pod", "api-1")].into_iter().collect();
    let metadata: Labels = [("detected_level", "info")].into_iter().collect();
    let mut line = Line::new(needed);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let mut kept = 0;
        for text in lines {
            line.reset(&stream, Some(&metadata), black_box(text), 0);
            kept += usize::from(stages.iter().all(|stage| stage.process(&mut line) == Keep::Yes));
        }
        kept
    });
}

fn needed(names: &[&str]) -> Needed {
    let mut needed = Needed::nothing();
    for name in names {
        needed.add(name);
    }
    needed
}

fn made(op: LineOp, text: &str) -> LineFilter {
    LineFilter::new(op, [LineOperand::Text(text)]).expect("a filter")
}

#[divan::bench]
fn contains_rare(bencher: Bencher<'_, '_>) {
    filter(bencher, &json_lines(), &made(LineOp::Contains, "9f00ff00"));
}

#[divan::bench]
fn contains_common(bencher: Bencher<'_, '_>) {
    filter(bencher, &json_lines(), &made(LineOp::Contains, "\"ERROR\""));
}

#[divan::bench]
fn contains_any_of_five(bencher: Bencher<'_, '_>) {
    let texts = ["panic", "fatal", "refused", "timeout", "ERROR"].map(LineOperand::Text);
    filter(bencher, &json_lines(), &LineFilter::new(LineOp::Contains, texts).expect("a filter"));
}

#[divan::bench]
fn matches_regexp(bencher: Bencher<'_, '_>) {
    filter(bencher, &json_lines(), &made(LineOp::Matches, r#""status":5\d\d"#));
}

#[divan::bench]
fn matches_ignoring_case(bencher: Bencher<'_, '_>) {
    filter(bencher, &json_lines(), &made(LineOp::Matches, "(?i)error"));
}

#[divan::bench]
fn looks_like_pattern(bencher: Bencher<'_, '_>) {
    filter(bencher, &json_lines(), &made(LineOp::LooksLike, "<_>\"status\":500<_>\"user\"<_>"));
}

#[divan::bench]
fn holds_address(bencher: Bencher<'_, '_>) {
    let ip = LineFilter::new(LineOp::Contains, [LineOperand::Ip("10.0.0.0/8")]).expect("a filter");
    filter(bencher, &json_lines(), &ip);
}

#[divan::bench]
fn json_everything(bencher: Bencher<'_, '_>) {
    stage(bencher, &json_lines(), &Needed::everything(), &[&Json]);
}

#[divan::bench]
fn json_level_and_path(bencher: Bencher<'_, '_>) {
    stage(bencher, &json_lines(), &needed(&["level", "path"]), &[&Json]);
}

#[divan::bench]
fn json_status_over(bencher: Bencher<'_, '_>) {
    let over = LabelFilter::number("status", CompareOp::GreaterOrEqual, 500.0);
    stage(bencher, &json_lines(), &needed(&["status"]), &[&Json, &over]);
}

#[divan::bench]
fn json_a_label_that_is_absent(bencher: Bencher<'_, '_>) {
    stage(bencher, &json_lines(), &needed(&["absent"]), &[&Json]);
}

#[divan::bench]
fn json_expressions(bencher: Bencher<'_, '_>) {
    let paths = [("status", "status"), ("user", "user.id")];
    let stages = JsonExpressions::new(paths).expect("paths");
    stage(bencher, &json_lines(), &Needed::everything(), &[&stages]);
}

#[divan::bench]
fn logfmt_everything(bencher: Bencher<'_, '_>) {
    stage(bencher, &logfmt_lines(), &Needed::everything(), &[&Logfmt::default()]);
}

#[divan::bench]
fn logfmt_duration(bencher: Bencher<'_, '_>) {
    stage(bencher, &logfmt_lines(), &needed(&["duration"]), &[&Logfmt::default()]);
}

#[divan::bench]
fn regexp(bencher: Bencher<'_, '_>) {
    let regexp = RegexpParser::new(r"job=(?P<job>\w+) id=(?P<id>\d+)").expect("an expression");
    stage(bencher, &logfmt_lines(), &Needed::everything(), &[&regexp]);
}

#[divan::bench]
fn pattern(bencher: Bencher<'_, '_>) {
    let pattern = PatternParser::new("<_> level=<level> <_> job=<job> <_>").expect("a pattern");
    stage(bencher, &logfmt_lines(), &Needed::everything(), &[&pattern]);
}

#[divan::bench]
fn line_format(bencher: Bencher<'_, '_>) {
    let format = LineFormat::new("{{.level | ToLower}} {{.job}}: {{.msg}}").expect("a template");
    stage(bencher, &logfmt_lines(), &Needed::everything(), &[&Logfmt::default(), &format]);
}

#[divan::bench(args = ["json", "logfmt"])]
fn detect_level(bencher: Bencher<'_, '_>, kind: &str) {
    let lines = if kind == "json" { json_lines() } else { logfmt_lines() };
    let bytes: usize = lines.iter().map(Vec::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        lines.iter().map(|line| level::in_line(black_box(line)).len()).sum::<usize>()
    });
}
