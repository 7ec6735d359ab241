//! Rows for the rules of `../level.rs`.

use super::*;

#[test]
fn lines_tell_their_level() {
    let f = |line: &str, want: &str| assert_eq!(in_line(line.as_bytes()), want, "{line}");
    f("level=info msg=a", "info");
    f("level=WARN msg=b", "warn");
    f("lvl=dbg msg=d", "debug");
    f("Level=Trace x", "trace");
    f("severity=fatal", "fatal");
    f("sev=info", "info");
    f("LEVEL=crit", "unknown");
    f("severity=error level=info", "info");
    f(r#"{"level":"info"}"#, "info");
    f(r#" {"LEVEL":"Warning"} "#, "warn");
    f(r#"{"log":{"level":"error"}}"#, "error");
    f(r#"{"a":{"b":{"level":"nope"}},"x":1}"#, "unknown");
    f(r#"{"level":30,"msg":"pino"}"#, "unknown");
    f(r#"{"level":"weird"}"#, "unknown");
    f(r#"{"msg":"level=warn inside","lvl":"dbg"}"#, "debug");
    f(r#""level":"warn" fragment"#, "warn");
    f("ERROR: upper", "error");
    f("[error] bracket", "error");
    f("info error", "info");
    f("err=nil ok", "error");
    f("debug me", "debug");
    f("CRITICAL!", "critical");
    f("warning: lower", "warn");
    f("warnings everywhere", "unknown");
    f("terror", "unknown");
    f("errors everywhere", "unknown");
    f("stderr", "unknown");
    f("level:error", "unknown");
    f("panic", "unknown");
    f("\u{1b}[31mERROR\u{1b}[0m", "unknown");
    f("", "unknown");
}

#[test]
fn labels_come_first_then_metadata() {
    let labels = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Labels>();
    let f = |stream: &[(&str, &str)], metadata: &[(&str, &str)], want: &str| {
        let (stream, metadata) = (labels(stream), labels(metadata));
        assert_eq!(detect(&stream, &metadata, b"level=debug"), want);
    };
    f(&[("level", "Info")], &[("level", "error")], "info");
    f(&[("lvl", "odd")], &[], "odd");
    f(&[], &[("severity", "ERR")], "error");
    f(&[], &[("severity_number", "17")], "error");
    f(&[], &[("severity_number", "x")], "info");
    f(&[], &[("severity_number", "0")], "unknown");
    f(&[], &[("level", "warn"), ("severity_number", "17")], "warn");
    f(&[("level", "info")], &[("detected_level", "ERROR")], "error");
    f(&[], &[], "debug");
}
