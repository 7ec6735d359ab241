//! The little of Markdown that the rules need: titles, table rows, code spans and link targets,
//! each with its line, none of them from inside a fenced block.
//!
//! Not a Markdown parser, and never one: a construct that spans lines is not seen.

/// A line of a document that is not inside a fenced block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) text: &'a str,
}

/// The lines of `document` outside of fenced blocks.
pub(super) fn lines(document: &str) -> impl Iterator<Item = Line<'_>> {
    let mut fence: Option<&str> = None;
    document.lines().zip(1..).filter_map(move |(text, number)| {
        let start = text.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, None) => return Some(Line { number, text }),
            (None, Some(_)) => fence = mark,
            (Some(open), Some(close)) if open == close => fence = None,
            (Some(_), _) => {}
        }
        None
    })
}

impl<'a> Line<'a> {
    /// The text of a first-level title.
    pub(super) fn title(self) -> Option<&'a str> {
        self.text.strip_prefix("# ")
    }

    /// The cells of a table row, trimmed, without their back-ticks; none for other lines.
    pub(super) fn cells(self) -> Option<Vec<&'a str>> {
        let row = self.text.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(row.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
    }

    /// Each code span, with the text that follows it.
    pub(super) fn code_spans(self) -> Vec<(&'a str, &'a str)> {
        self.split().0
    }

    /// The target of each inline link, without its title.
    pub(super) fn link_targets(self) -> Vec<&'a str> {
        let mut targets = Vec::new();
        for mut prose in self.split().1 {
            while let Some((_, rest)) = prose.split_once("](") {
                let Some((target, after)) = rest.split_once(')') else { break };
                targets.push(target.split(' ').next().unwrap_or(target));
                prose = after;
            }
        }
        targets
    }

    /// Code spans with what follows each, and the pieces of prose between them. A link whose
    /// words are a code span keeps its `](` at the beginning of the next piece.
    fn split(self) -> (Vec<(&'a str, &'a str)>, Vec<&'a str>) {
        let (mut spans, mut prose, mut rest) = (Vec::new(), Vec::new(), self.text);
        while let Some(start) = rest.find('`') {
            let ticks = rest[start..].bytes().take_while(|&byte| byte == b'`').count();
            let (mark, inner) = rest[start..].split_at(ticks);
            let Some(length) = inner.find(mark) else { break };
            prose.push(&rest[..start]);
            let after = &inner[length + ticks..];
            spans.push((inner[..length].trim(), after));
            rest = after;
        }
        prose.push(rest);
        (spans, prose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fenced_lines_are_not_there_and_the_others_keep_their_numbers() {
        let document = "# A\n```sh\n# not a title\n~~~\n```\n~~~\n# no\n```\n~~~\nb\n";
        let seen: Vec<usize> = lines(document).map(|line| line.number).collect();
        assert_eq!(seen, [1, 10]);
        assert_eq!(lines(document).filter_map(Line::title).collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn spans_links_and_cells() {
        let line = |text| Line { number: 1, text };
        let spans = |text| line(text).code_spans().into_iter().map(|span| span.0).collect();
        let f = |text, want: [&[&str]; 2]| {
            let got: [Vec<&str>; 2] = [spans(text), line(text).link_targets()];
            assert_eq!(got, want, "{text}");
        };
        f("plain", [&[], &[]]);
        f("see `a/b` and ``c`d``.", [&["a/b", "c`d"], &[]]);
        f("see [x](a.md#here) and [`y`](b.md \"B\")", [&["y"], &["a.md#here", "b.md"]]);
        f("`[x](a.md)`", [&["[x](a.md)"], &[]]);
        f("an open ` tick [x](a.md)", [&[], &["a.md"]]);
        assert_eq!(line("| F0 | `model` | here |").cells().unwrap(), ["F0", "model", "here"]);
        assert_eq!(line("no row").cells(), None);
        assert_eq!(line("`a` (to come)").code_spans(), [("a", " (to come)")]);
    }
}
