//! From the OpenMetrics text of a registry to Prometheus text 0.0.4.
//!
//! The differences that a registry can show: a counter is named with its `_total`, an info with its
//! `_info` and is a gauge, `unknown` is `untyped`, and there are no units, exemplars or `# EOF`.
//! A line that is neither is passed on untouched.

/// Appends the text form of `page` to `out`.
pub(super) fn from_openmetrics(page: &str, out: &mut String) {
    // OpenMetrics writes HELP before TYPE, but only TYPE tells the name that HELP needs here.
    let mut help: Option<(&str, &str)> = None;
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = Some(rest.split_once(' ').unwrap_or((rest, "")));
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                known => ("", known),
            };
            if let Some((_, help)) = help.take().filter(|(of, _)| *of == name) {
                push(out, &["# HELP ", name, suffix, " ", help]);
            }
            push(out, &["# TYPE ", name, suffix, " ", kind]);
        } else if line.starts_with("# UNIT ") || line == "# EOF" {
        } else {
            push(out, &[without_exemplar(line)]);
        }
    }
}

fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
    out.push('\n');
}

/// Cuts at the first ` # ` outside of a label value.
fn without_exemplar(line: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'#' if !quoted => return line.get(..at).unwrap_or(line).trim_end(),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_renamed_and_what_text_does_not_have_is_dropped() {
        let f = |page: &str, want: &str| {
            let mut out = String::new();
            from_openmetrics(page, &mut out);
            assert_eq!(out, want);
        };
        f(
            "# HELP items Items made.\n# TYPE items counter\nitems_total{a=\"b\"} 2 # {id=\"7\"} 1.0 5.0\n",
            "# HELP items_total Items made.\n# TYPE items_total counter\nitems_total{a=\"b\"} 2\n",
        );
        f(
            "# HELP size_bytes B.\n# TYPE size_bytes gauge\n# UNIT size_bytes bytes\nsize_bytes 1\n# EOF\n",
            "# HELP size_bytes B.\n# TYPE size_bytes gauge\nsize_bytes 1\n",
        );
        f(
            "# HELP os Os.\n# TYPE os info\nos_info{name=\"x\"} 1\n# TYPE u unknown\nu 1\n",
            "# HELP os_info Os.\n# TYPE os_info gauge\nos_info{name=\"x\"} 1\n# TYPE u untyped\nu 1\n",
        );
        f(
            "a_bucket{le=\"1.0\",q=\"x # {\\\"} \"} 3 # {id=\"} #\"} 0.5\n",
            "a_bucket{le=\"1.0\",q=\"x # {\\\"} \"} 3\n",
        );
        f("", "");
    }
}
