//! Rule: a block of commands, configuration or queries in a document says what a test does with it.
//!
//! The marks are those of `crates/masthead/tests/it/documents/page.rs`, whose tests act on them;
//! here is only seen that there is one, because this rule runs in a second and those run servers.

use super::{Found, Tree};

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.texts("md") {
        let mut inside = false;
        for (line, number) in text.lines().zip(1..) {
            let Some(info) = line.trim_start().strip_prefix("```") else { continue };
            if !inside && !is_marked(info.trim_end()) {
                let what = format!("the block {info:?} does not say what a test does with it");
                let to_do = "write `sh run`, `sh server`, `sh not run: REASON`, `yaml masthead`, \
                             `yaml prometheus`, `yaml promtail` or `yaml not checked: REASON`; \
                             crates/masthead/tests/it/documents/page.rs explains them";
                found.at(path, number, what, to_do);
            }
            inside = !inside;
        }
    }
}

fn is_marked(info: &str) -> bool {
    let (language, mark) = info.split_once(' ').unwrap_or((info, ""));
    let reason = |word: &str| mark.strip_prefix(word).is_some_and(|why| !why.trim().is_empty());
    match language {
        "sh" => {
            let command = mark.strip_suffix(" after Ctrl-C").unwrap_or(mark);
            matches!(command, "run" | "server") || reason("not run:")
        }
        "yaml" => matches!(mark, "masthead" | "prometheus" | "promtail") || reason("not checked:"),
        "promql" | "logql" => mark.is_empty(),
        "bash" | "shell" | "console" | "yml" => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_block_without_a_mark_is_found() {
        let page = |info: &str| format!("# A\n\n```{info}\nx\n```\n");
        let f = |info: &str, want: &[&str]| {
            assert_finds(check, &Tree::of(&[("docs/a.md", &page(info))]), want);
        };
        for info in ["sh", "sh runs", "sh not run:", "bash", "yaml", "yaml check", "promql run"] {
            f(info, &["docs/a.md:3: "]);
        }
        for info in ["sh run", "sh server after Ctrl-C", "sh not run: needs root", "text", ""] {
            f(info, &[]);
        }
        for info in ["yaml masthead", "yaml not checked: of Helm", "logql", "json"] {
            f(info, &[]);
        }
    }

    #[test]
    fn the_end_of_a_block_is_no_beginning() {
        let text = "# A\n\n```text\n```\n\n```json\n```\n\n```sh\n```\n";
        assert_finds(check, &Tree::of(&[("a.md", text)]), &["a.md:9: "]);
    }
}
