//! Which fields the lines have and how wide they are, so that the same field of two lines stands in
//! one column.

use std::collections::BTreeMap;

use super::answer::{LabelMap, Line};
use crate::terminal;

/// A longer line pushes its fields to the right instead of every other line's.
const TEXT_WIDTH_MAX: usize = 72;
/// A longer value pushes what follows it to the right.
const VALUE_WIDTH_MAX: usize = 36;
/// Fields beyond these stand behind the others, unaligned.
const COLUMNS_MAX: usize = 24;
/// The labels that tell a level; they have a column of their own in front.
pub(super) const LEVELS: [&str; 3] = ["detected_level", "level", "severity"];

/// The widths, which only grow.
#[derive(Debug, Default)]
pub(super) struct Columns {
    text: usize,
    /// Of `name=value`, by name.
    fields: BTreeMap<String, usize>,
}

/// A field as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Blanks in front of it.
    pub(super) gap: usize,
    pub(super) name: String,
    pub(super) value: String,
}

impl Columns {
    /// Makes room for a line.
    pub(super) fn fit(&mut self, line: &Line) {
        let own = fields(&line.own);
        if own.is_empty() {
            return;
        }
        self.text = self.text.max(width(&terminal::one_line(&line.text)).min(TEXT_WIDTH_MAX));
        for (name, value) in own {
            let room = width(&name) + 1 + width(&value).min(VALUE_WIDTH_MAX);
            if let Some(known) = self.fields.get_mut(&name) {
                *known = room.max(*known);
            } else if self.fields.len() < COLUMNS_MAX {
                self.fields.insert(name, room);
            }
        }
    }

    /// The fields of a line in their columns; `text` is the line as it is shown before them.
    pub(super) fn cells(&self, text: &str, line: &Line) -> Vec<Cell> {
        const BETWEEN: usize = 2;
        let mut own = fields(&line.own);
        // Where the next column begins, and where the line stands.
        let (mut column, mut at) = (self.text + BETWEEN, width(text));
        let mut cells = Vec::new();
        let mut put = |name: String, value: String, column: usize| {
            let gap = column.saturating_sub(at).max(BETWEEN);
            at += gap + width(&name) + 1 + width(&value);
            cells.push(Cell { gap, name, value });
        };
        for (name, room) in &self.fields {
            if let Some(value) = own.remove(name) {
                put(name.clone(), value, column);
            }
            column += room + BETWEEN;
        }
        for (name, value) in own {
            put(name, value, 0);
        }
        cells
    }
}

/// What a line has of its own but its level, on one line each.
fn fields(own: &LabelMap) -> BTreeMap<String, String> {
    let told = own.iter().filter(|(name, _)| !LEVELS.contains(&name.as_str()));
    told.map(|(name, value)| (terminal::one_line(name), terminal::one_line(value))).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, own: &[(&str, &str)]) -> Line {
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Line { at: 0, stream: LabelMap::new(), own: own.collect(), text: text.to_owned() }
    }

    /// The lines as they stand below each other.
    fn shown(lines: &[Line]) -> Vec<String> {
        let mut columns = Columns::default();
        for line in lines {
            columns.fit(line);
        }
        let one = |line: &Line| {
            let cells = columns.cells(&line.text, line);
            cells.iter().fold(line.text.clone(), |out, Cell { gap, name, value }| {
                format!("{out}{}{name}={value}", " ".repeat(*gap))
            })
        };
        lines.iter().map(one).collect()
    }

    #[test]
    fn the_same_field_stands_in_one_column() {
        let lines = [
            line("done", &[("path", "/a"), ("status", "200")]),
            line("not found", &[("status", "404"), ("user", "x")]),
            line("all", &[("level", "info"), ("path", "/longer"), ("status", "5")]),
            line("no fields of its own, however long", &[]),
        ];
        let want = [
            "done       path=/a       status=200",
            "not found                status=404  user=x",
            "all        path=/longer  status=5",
            "no fields of its own, however long",
        ];
        assert_eq!(shown(&lines), want);
    }

    #[test]
    fn what_is_too_long_moves_only_itself_and_too_many_fields_follow_unaligned() {
        let long = "x".repeat(TEXT_WIDTH_MAX + 5);
        let got = shown(&[line(&long, &[("a", "1")]), line("y", &[("a", "2")])]);
        assert_eq!(got[0], format!("{long}  a=1"));
        assert_eq!(got[1], format!("y{}a=2", " ".repeat(TEXT_WIDTH_MAX + 1)));
        let names: Vec<String> = (0..30).map(|number| format!("f{number:02}")).collect();
        let own: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        let mut columns = Columns::default();
        columns.fit(&line("z", &own));
        assert_eq!(columns.fields.len(), COLUMNS_MAX);
        assert_eq!(columns.cells("z", &line("z", &own)).len(), 30);
    }
}
