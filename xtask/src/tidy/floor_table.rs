//! The floor table of `ARCHITECTURE.md`: which crate stands on which floor.
//!
//! ```text
//! | floor  | crate        | state   | also uses    | what |
//! | F5     | `http-api`   | to come | `instrument` | …    |
//! | beside | `instrument` | here    |              | …    |
//! ```
//!
//! Only reads it; what the floors mean is `floors.rs`.

use std::fmt;

use super::{Tree, markdown};

/// The document that holds the table.
pub(super) const DOCUMENT: &str = "ARCHITECTURE.md";

/// The words of the table's head, by which it is found.
const HEAD: [&str; 5] = ["floor", "crate", "state", "also uses", "what"];

/// Where a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floor {
    /// F0 is the ground.
    Level(u8),
    /// Not in the house: uses what its row names and nothing else.
    Beside,
}

impl fmt::Display for Floor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(out, "F{level}"),
            Self::Beside => out.write_str("beside"),
        }
    }
}

/// A crate of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) floor: Floor,
    pub(super) name: String,
    /// False for a crate that is planned and not there yet.
    pub(super) here: bool,
    /// Crates that it may use besides those of the floors below it.
    pub(super) also_uses: Vec<String>,
}

/// A row that cannot be read: its line and what is wrong.
pub(super) type Unreadable = (usize, String);

/// The rows of the table in their order, and the rows that cannot be read.
pub(super) fn read(tree: &Tree) -> (Vec<Row>, Vec<Unreadable>) {
    let lines = markdown::lines(tree.text(DOCUMENT).unwrap_or_default());
    let mut table = lines.skip_while(|line| line.cells().is_none_or(|cells| cells != HEAD)).skip(2);
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    while let Some((line, cells)) = table.next().and_then(|l| Some((l.number, l.cells()?))) {
        match row(line, &cells) {
            Ok(row) => rows.push(row),
            Err(what) => unreadable.push((line, what)),
        }
    }
    (rows, unreadable)
}

/// The level of the crate `name`; none when it is beside the house or not in the table.
pub(super) fn level(rows: &[Row], name: &str) -> Option<u8> {
    match rows.iter().find(|row| row.name == name)?.floor {
        Floor::Level(level) => Some(level),
        Floor::Beside => None,
    }
}

fn row(line: usize, cells: &[&str]) -> Result<Row, String> {
    let [floor, name, state, also_uses, _] = cells else {
        return Err(format!("a row has {} cells where the table has {}", cells.len(), HEAD.len()));
    };
    let level = floor.strip_prefix('F').and_then(|digits| digits.parse().ok());
    let floor = match (level, *floor) {
        (Some(level), _) => Floor::Level(level),
        (None, "beside") => Floor::Beside,
        (None, other) => return Err(format!("unknown floor {other:?}")),
    };
    let here = match *state {
        "here" => true,
        "to come" => false,
        other => return Err(format!("unknown state {other:?}")),
    };
    let also_uses = also_uses.split(',').map(|name| name.trim().trim_matches('`'));
    let also_uses = also_uses.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Ok(Row { line, floor, name: (*name).to_owned(), here, also_uses })
}

/// A document with a table of these rows, without their last cell; the first row is on line 5.
#[cfg(test)]
pub(super) fn document(rows: &[&str]) -> String {
    let head = format!("# A\n\n| {} |\n| - | - | - | - | - |\n", HEAD.join(" | "));
    rows.iter().fold(head, |text, row| text + row + " what |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_up_to_the_end_of_the_table() {
        let text = document(&[
            "| F1 | `wire` | to come | `instrument`, api |",
            "| beside | api | here | |",
        ]);
        let text = text + "\n| F0 | `other` | here | | |\n";
        let (rows, unreadable) = read(&Tree::of(&[(DOCUMENT, &text)]));
        assert_eq!((rows.len(), unreadable), (2, vec![]));
        assert_eq!((rows[0].line, rows[0].floor, rows[0].here), (5, Floor::Level(1), false));
        assert_eq!((rows[0].name.as_str(), rows[0].also_uses.len()), ("wire", 2));
        assert_eq!((rows[1].floor, rows[1].here), (Floor::Beside, true));
        assert_eq!((level(&rows, "wire"), level(&rows, "api")), (Some(1), None));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_told() {
        let f = |row: &str, want: &str| {
            let (rows, unreadable) = read(&Tree::of(&[(DOCUMENT, &document(&[row]))]));
            assert!(rows.is_empty());
            assert_eq!(unreadable, [(5, want.to_owned())]);
        };
        f("| G1 | `wire` | here | |", "unknown floor \"G1\"");
        f("| F1 | `wire` | soon | |", "unknown state \"soon\"");
        f("| F1 | `wire` |", "a row has 3 cells where the table has 5");
    }
}
