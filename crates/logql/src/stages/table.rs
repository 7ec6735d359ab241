//! What documentation and completion say about each stage: the one table of them.

/// One stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageDoc {
    /// As it is written in a query.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// How it is written.
    pub example: &'static str,
}

const fn s(name: &'static str, doc: &'static str, example: &'static str) -> StageDoc {
    StageDoc { name, doc, example }
}

/// Every stage, in the order of the documentation.
#[rustfmt::skip]
pub static STAGES: &[StageDoc] = &[
    s("|=", "Lines that hold a text, or an address.", r#"|= "error" or "panic""#),
    s("!=", "Lines that do not hold a text, or an address.", r#"!= ip("10.0.0.0/8")"#),
    s("|~", "Lines in which a regular expression matches.", r#"|~ "timeout|refused""#),
    s("!~", "Lines in which a regular expression does not match.", r#"!~ "(?i)debug""#),
    s("|>", "Lines that look like a pattern.", r#"|> "<_> level=error <_>""#),
    s("!>", "Lines that do not look like a pattern.", r#"!> "GET /healthz <_>""#),
    s("json", "Labels from the fields of a JSON object, or from some paths of it.", r#"| json status="response.code""#),
    s("logfmt", "Labels from key=value pairs, or from some keys; --strict and --keep-empty.", "| logfmt --strict"),
    s("regexp", "Labels from the named groups of a regular expression.", r#"| regexp "(?P<method>[A-Z]+) (?P<path>\\S+)""#),
    s("pattern", "Labels from the places of a pattern.", r#"| pattern "<ip> - <_> <method> <path> <_>""#),
    s("unpack", "The line and labels that Promtail's pack stage wrapped in JSON.", "| unpack"),
    s("decolorize", "The line without the codes that colour it on a terminal.", "| decolorize"),
    s("line_format", "The line as a template writes it from the labels.", r#"| line_format "{{.method}} {{.path}}""#),
    s("label_format", "Labels renamed, or written by templates.", r#"| label_format route=path, code="{{.status}}""#),
    s("keep", "No labels but these.", r#"| keep level, method="GET""#),
    s("drop", "All labels but these.", r#"| drop pod, level="debug""#),
    s("unwrap", "A label's value as the sample, read as a number, duration or size.", "| unwrap duration(took)"),
];
