//! Rule: crates stand where the floor table of `ARCHITECTURE.md` puts them, and the table is true.
//!
//! Dependencies point strictly down, so crates of one floor never meet. A crate beside the house
//! uses what its row names; a crate of a floor may name in its row crates beside the house, never
//! one of its own floor or above. What only tests need is not looked at.

use camino::Utf8Path;

use super::floor_table::{self, DOCUMENT, Floor, Row};
use super::tree::Crate;
use super::{Found, Tree};

pub(super) fn check(tree: &Tree, found: &mut Found) {
    let document = Utf8Path::new(DOCUMENT);
    let (rows, unreadable) = floor_table::read(tree);
    for (line, what) in unreadable {
        found.at(
            document,
            line,
            what,
            "a row is | F0…F6 or beside | crate | here or to come | also uses | what |",
        );
    }
    if rows.is_empty() && !tree.crates.is_empty() {
        let to_do = "add the table with the head | floor | crate | state | also uses | what |";
        found.at(document, 1, "there is no floor table", to_do);
        return;
    }
    for row in &rows {
        check_row(row, &rows, tree, found);
    }
    for own in &tree.crates {
        match rows.iter().find(|row| row.name == own.name()) {
            Some(row) => check_crate(own, row, &rows, tree, found),
            None => found.at(
                &own.manifest(),
                1,
                format!("crate `{}` is not in the floor table", own.name()),
                "give it a row in ARCHITECTURE.md",
            ),
        }
    }
}

/// The row against the crates that exist and against the other rows.
fn check_row(row: &Row, rows: &[Row], tree: &Tree, found: &mut Found) {
    let document = Utf8Path::new(DOCUMENT);
    let Row { line, name, .. } = row;
    let exists = tree.crates.iter().any(|own| own.name() == name);
    if row.here && !exists {
        let what = format!("crate `{name}` is in the table as here and does not exist");
        found.at(document, *line, what, "write `to come`, or remove the row");
    }
    if !row.here && exists {
        let what = format!("crate `{name}` exists and is in the table as to come");
        found.at(document, *line, what, "write `here`");
    }
    if rows.iter().any(|other| other.name == *name && other.line < *line) {
        let what = format!("crate `{name}` has two rows");
        found.at(document, *line, what, "remove one of them");
    }
    for used in &row.also_uses {
        let other = rows.iter().find(|other| other.name == *used);
        let allowed = other.is_some_and(|o| o.floor == Floor::Beside || row.floor == Floor::Beside);
        if !allowed {
            let what = format!("`{name}` may not also use `{used}`");
            found.at(
                document,
                *line,
                what,
                "a floor may also use crates beside the house that have a row, no others",
            );
        }
    }
}

/// The name and the dependencies of one crate against its row.
fn check_crate(own: &Crate, row: &Row, rows: &[Row], tree: &Tree, found: &mut Found) {
    let manifest = own.manifest();
    let name = own.name();
    if own.folder.starts_with("crates") && own.package != name {
        let wanted = format!("masthead-{name}");
        if own.package != wanted {
            let what = format!("the package in {} is named `{}`", own.folder, own.package);
            found.at(
                &manifest,
                1,
                what,
                &format!("name it `{wanted}`, so that one follows from the other"),
            );
        }
    }
    for used in tree.crates.iter().filter(|other| own.dependencies.contains(&other.package)) {
        let Some(below) = rows.iter().find(|row| row.name == used.name()) else { continue };
        let down = match (row.floor, below.floor) {
            (Floor::Level(upper), Floor::Level(lower)) => lower < upper,
            _ => false,
        };
        if down || row.also_uses.contains(&below.name) {
            continue;
        }
        let line = tree.line_of(&manifest, &used.package);
        let what =
            format!("`{name}` ({}) depends on `{}` ({})", row.floor, below.name, below.floor);
        let to_do = "dependencies point strictly down: move what is shared to a lower floor";
        found.at(&manifest, line, what, to_do);
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    const ROWS: [&str; 5] = [
        "| F6 | `masthead` | here | `instrument` |",
        "| F1 | `wire` | here | |",
        "| F0 | `model` | here | |",
        "| beside | `instrument` | here | |",
        "| beside | `api` | here | `instrument` |",
    ];

    fn house(rows: &[&str]) -> Tree {
        let manifest = "[package]\n\n[dependencies]\nmasthead-wire.workspace = true\n";
        let text = floor_table::document(rows);
        Tree::of(&[(DOCUMENT, &text), ("crates/model/Cargo.toml", manifest)])
    }

    fn with_crates(tree: Tree) -> Tree {
        tree.with_crate("crates/masthead", &["masthead-wire", "masthead-instrument", "tokio"])
            .with_crate("crates/instrument", &[])
            .with_crate("api", &["masthead-instrument"])
    }

    #[test]
    fn a_house_that_stands_as_planned_is_clean() {
        let tree = with_crates(house(&ROWS))
            .with_crate("crates/wire", &["masthead-model"])
            .with_crate("crates/model", &["regex"]);
        assert_finds(check, &tree, &[]);
    }

    #[test]
    fn an_edge_that_does_not_point_down_is_found_at_its_line() {
        let tree = with_crates(house(&ROWS))
            .with_crate("crates/wire", &[])
            .with_crate("crates/model", &["masthead-wire", "masthead-instrument"]);
        assert_finds(
            check,
            &tree,
            &[
                "crates/model/Cargo.toml:1: `model` (F0) depends on `instrument` (beside)",
                "crates/model/Cargo.toml:4: `model` (F0) depends on `wire` (F1)",
            ],
        );
    }

    #[test]
    fn siblings_do_not_meet_and_the_house_beside_uses_only_what_its_row_names() {
        let rows = [
            "| F0 | `model` | here | |",
            "| F0 | `sysio` | here | |",
            "| beside | `api` | here | |",
        ];
        let tree = house(&rows)
            .with_crate("crates/model", &[])
            .with_crate("crates/sysio", &["masthead-model"])
            .with_crate("api", &["masthead-model"]);
        assert_finds(
            check,
            &tree,
            &[
                "api/Cargo.toml:1: `api` (beside) depends on `model` (F0)",
                "crates/sysio/Cargo.toml:1: `sysio` (F0) depends on `model` (F0)",
            ],
        );
    }

    #[test]
    fn the_table_and_the_crates_name_each_other() {
        let rows = [
            "| F0 | `model` | to come | |",
            "| F0 | `sysio` | here | |",
            "| F0 | `sysio` | here | |",
        ];
        let tree = house(&rows).with_crate("crates/model", &[]).with_crate("xtask", &[]);
        assert_finds(
            check,
            &tree,
            &[
                "ARCHITECTURE.md:5: crate `model` exists and is in the table as to come",
                "ARCHITECTURE.md:6: crate `sysio` is in the table as here and does not exist",
                "ARCHITECTURE.md:7: crate `sysio` has two rows",
                "ARCHITECTURE.md:7: crate `sysio` is in the table as here and does not exist",
                "xtask/Cargo.toml:1: crate `xtask` is not in the floor table",
            ],
        );
    }

    #[test]
    fn a_row_cannot_excuse_an_edge_between_floors() {
        let rows = ["| F0 | `model` | to come | `wire` |", "| F1 | `wire` | to come | `nobody` |"];
        assert_finds(
            check,
            &house(&rows),
            &[
                "ARCHITECTURE.md:5: `model` may not also use `wire`",
                "ARCHITECTURE.md:6: `wire` may not also use `nobody`",
            ],
        );
    }

    #[test]
    fn a_missing_table_a_broken_row_and_a_wrong_package_name_are_found() {
        let none = Tree::of(&[(DOCUMENT, "# A\n")]).with_crate("crates/model", &[]);
        assert_finds(check, &none, &["ARCHITECTURE.md:1: there is no floor table"]);
        assert_finds(
            check,
            &house(&["| F0 | `model` | soon | |"]),
            &["ARCHITECTURE.md:5: unknown state"],
        );
        let mut tree = house(&["| F0 | `model` | here | |"]).with_crate("crates/model", &[]);
        tree.crates[0].package = "model-of-masthead".to_owned();
        assert_finds(
            check,
            &tree,
            &["crates/model/Cargo.toml:1: the package in crates/model is named"],
        );
    }
}
