//! Reads the text format of Prometheus 0.0.4, as much of it as a summary needs: samples.
//!
//! It judges no more than it must to read a value right: comments, help and types are skipped.
//! Rules are those of <https://prometheus.io/docs/instrumenting/exposition_formats/>. The size of
//! the text is bounded by whoever fetched it (`client.rs`).

use std::borrow::Cow;

/// One line: a name, its labels in their order, a value. A timestamp is read and dropped.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub name: &'a str,
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    pub value: f64,
}

impl Sample<'_> {
    /// The value of the label `name`; empty when there is none, as in Prometheus.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| *label == name).map_or("", |(_, value)| value)
    }
}

/// Every sample of `text`, in its order.
///
/// # Errors
/// The first line that is not one, by its number (from 1) and what was expected.
pub(super) fn parse(text: &str) -> anyhow::Result<Vec<Sample<'_>>> {
    let mut samples = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let sample = sample(line)
            .map_err(|expected| anyhow::anyhow!("line {}: expected {expected}", number + 1))?;
        samples.push(sample);
    }
    Ok(samples)
}

fn sample(line: &str) -> Result<Sample<'_>, &'static str> {
    let (name, mut rest) = word(line, ":_");
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("a metric name");
    }
    rest = blank(rest);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = label_set(inside, &mut labels)?;
    }
    let mut numbers = rest.split([' ', '\t']).filter(|part| !part.is_empty());
    let value = numbers.next().and_then(|text| text.parse().ok()).ok_or("a value")?;
    if numbers.next().is_some_and(|timestamp| timestamp.parse::<i64>().is_err()) {
        return Err("a timestamp in milliseconds or the end of the line");
    }
    if numbers.next().is_some() {
        return Err("the end of the line");
    }
    Ok(Sample { name, labels, value })
}

/// Reads labels up to and with the closing brace; a comma may follow the last one.
fn label_set<'a>(
    mut rest: &'a str,
    labels: &mut Vec<(&'a str, Cow<'a, str>)>,
) -> Result<&'a str, &'static str> {
    loop {
        rest = blank(rest);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        let (name, after) = word(rest, "_");
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            return Err("a label name or }");
        }
        let after = blank(after).strip_prefix('=').ok_or("= after a label name")?;
        let after = blank(after).strip_prefix('"').ok_or("a quoted label value")?;
        let (value, after) = quoted(after)?;
        labels.push((name, value));
        rest = blank(after);
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
        } else if !rest.starts_with('}') {
            return Err(", or } after a label value");
        }
    }
}

/// A label value up to its closing quote, with `\\`, `\"` and `\n` undone.
fn quoted(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut value = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let stop = rest.find(['"', '\\']).ok_or("a closing quote")?;
        let (plain, tail) = rest.split_at(stop);
        value += plain;
        if let Some(after) = tail.strip_prefix('"') {
            return Ok((value, after));
        }
        let (escaped, after) = [("\\\\", "\\"), ("\\\"", "\""), ("\\n", "\n")]
            .iter()
            .find_map(|(escape, meant)| tail.strip_prefix(escape).map(|after| (*meant, after)))
            .ok_or("\\\\, \\\" or \\n after a backslash")?;
        value += escaped;
        rest = after;
    }
}

fn word<'a>(text: &'a str, also: &str) -> (&'a str, &'a str) {
    let end =
        text.find(|c: char| !c.is_ascii_alphanumeric() && !also.contains(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples() {
        let f = |line: &str, name: &str, labels: &[(&str, &str)], value: f64| {
            let found = parse(line).unwrap();
            let [sample] = found.as_slice() else { panic!("{line:?}: {found:?}") };
            assert_eq!((sample.name, sample.value), (name, value), "{line:?}");
            let got: Vec<_> = sample.labels.iter().map(|(n, v)| (*n, v.as_ref())).collect();
            assert_eq!(got, labels, "{line:?}");
        };
        f("up 1", "up", &[], 1.0);
        f("up{} 1\r", "up", &[], 1.0);
        f("job:up:sum\t-2.5e3\t1700000000000", "job:up:sum", &[], -2500.0);
        f("a{b=\"c\"} +Inf", "a", &[("b", "c")], f64::INFINITY);
        f(" a { b = \"c\" , d=\"\", } 0", "a", &[("b", "c"), ("d", "")], 0.0);
        f(r#"a{b="\\x\"y\nz"} 1"#, "a", &[("b", "\\x\"y\nz")], 1.0);
        f(r#"a{b="}, \\"} 1"#, "a", &[("b", "}, \\")], 1.0);
        f("a{b=\"ü # {\"} 1", "a", &[("b", "ü # {")], 1.0);
    }

    #[test]
    fn comments_and_empty_lines_are_no_samples() {
        assert_eq!(parse("# HELP a b\n# TYPE a counter\n\n  \n#\n").unwrap(), []);
    }

    #[test]
    fn a_broken_line_is_named() {
        let f = |line: &str, want: &str| {
            let error = parse(&format!("ok 1\n{line}\n")).unwrap_err().to_string();
            assert_eq!(error, format!("line 2: expected {want}"), "{line:?}");
        };
        f("{a=\"b\"} 1", "a metric name");
        f("1a 1", "a metric name");
        f("a", "a value");
        f("a one", "a value");
        f("a 1 soon", "a timestamp in milliseconds or the end of the line");
        f("a 1 2 3", "the end of the line");
        f("a{b} 1", "= after a label name");
        f("a{b=c} 1", "a quoted label value");
        f("a{1b=\"c\"} 1", "a label name or }");
        f("a{b=\"c} 1", "a closing quote");
        f("a{b=\"c\"", ", or } after a label value");
        f(r#"a{b="\t"} 1"#, "\\\\, \\\" or \\n after a backslash");
        f("a{b=\"c\" d=\"e\"} 1", ", or } after a label value");
    }

    #[test]
    fn a_missing_label_is_empty() {
        let found = parse("a{b=\"c\"} 1").unwrap();
        assert_eq!((found[0].label("b"), found[0].label("x")), ("c", ""));
    }

    #[test]
    fn cut_anywhere_it_never_panics() {
        let text = r#"a{b="\\x\"y\nzü",c="d"} 1.5 17"#;
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            drop(parse(&text[..end]));
        }
    }
}
