//! Rule: every package that is built in bears a licence that `deny.toml` allows, and `deny.toml`
//! allows permissive licences alone.
//!
//! `cargo deny` checks the same and more where it is installed; this rule holds on every machine.
//! Reads `[licenses] allow` and `[[licenses.exceptions]]` (`crate`, `allow`) as `cargo deny` does;
//! never reads licence texts.

use camino::Utf8Path;
use spdx::{Expression, Licensee, ParseMode};
use toml::{Table, Value};

use super::tree::Package;
use super::{Found, Tree};

const SETTINGS: &str = "deny.toml";

pub(super) fn check(tree: &Tree, found: &mut Found) {
    let settings = Utf8Path::new(SETTINGS);
    let parsed = tree.text(SETTINGS).unwrap_or_default().parse::<Table>();
    let table = match parsed {
        Ok(table) => table,
        Err(error) => return found.at(settings, 1, error.message(), "mend the file"),
    };
    let Some(section) = table.get("licenses") else {
        return found.at(settings, 1, "there is no [licenses]", "list what is allowed");
    };
    let allowed = licensees(section.get("allow"), tree, found);
    let none = Vec::new();
    let exceptions = section.get("exceptions").and_then(Value::as_array).unwrap_or(&none);
    let exceptions: Vec<(&str, Vec<Licensee>)> = exceptions
        .iter()
        .filter_map(|entry| {
            let name = entry.get("crate").or_else(|| entry.get("name"))?.as_str()?;
            Some((name, licensees(entry.get("allow"), tree, found)))
        })
        .collect();
    for package in &tree.packages {
        let own = exceptions.iter().find(|(name, _)| *name == package.name);
        let more = own.map_or(&[][..], |(_, more)| more);
        if let Err(what) = judge(package, &allowed, more) {
            let Package { name, version, .. } = package;
            let line = tree.line_of("Cargo.lock".into(), &format!("name = \"{name}\""));
            let what = format!("{name} {version} {what}");
            found.at(
                "Cargo.lock".into(),
                line,
                what,
                "do without it, or allow a permissive licence in deny.toml and say why",
            );
        }
    }
}

/// The licences of one `allow` list; an unknown and a copyleft one are reported.
fn licensees(list: Option<&Value>, tree: &Tree, found: &mut Found) -> Vec<Licensee> {
    let none = Vec::new();
    let names = list.and_then(Value::as_array).unwrap_or(&none);
    let mut licensees = Vec::new();
    for name in names.iter().filter_map(Value::as_str) {
        let line = tree.line_of(SETTINGS.into(), &format!("\"{name}\""));
        match Licensee::parse(name) {
            Ok(licensee) => {
                let req = licensee.clone().into_req();
                if req.license.id().is_some_and(spdx::LicenseId::is_copyleft) {
                    let what = format!("{name} is not a permissive licence");
                    found.at(SETTINGS.into(), line, what, "remove it");
                }
                licensees.push(licensee);
            }
            Err(error) => {
                let what = format!("{name} is not an SPDX licence: {}", error.reason);
                found.at(SETTINGS.into(), line, what, "write its SPDX name");
            }
        }
    }
    licensees
}

fn judge(package: &Package, allowed: &[Licensee], more: &[Licensee]) -> Result<(), String> {
    let Some(text) = &package.licence else {
        return Err("names no licence".to_owned());
    };
    // Old manifests write MIT/Apache-2.0 for an OR.
    let expression = Expression::parse_mode(text, ParseMode::LAX).map_err(|error| {
        format!("bears `{text}`, which is not an SPDX expression: {}", error.reason)
    })?;
    let permitted = expression
        .evaluate(|req| allowed.iter().chain(more).any(|licensee| licensee.satisfies(req)));
    permitted.then_some(()).ok_or_else(|| format!("bears `{text}`, which is not allowed"))
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    fn tree(settings: &str, packages: &[(&str, Option<&str>)]) -> Tree {
        let lock = packages.iter().map(|(name, _)| format!("name = \"{name}\"\n"));
        let lock: String = lock.collect();
        let mut tree = Tree::of(&[(SETTINGS, settings), ("Cargo.lock", &lock)]);
        tree.packages = packages
            .iter()
            .map(|(name, licence)| Package {
                name: (*name).to_owned(),
                version: "1.0.0".to_owned(),
                licence: licence.map(str::to_owned),
            })
            .collect();
        tree
    }

    #[test]
    fn a_package_passes_when_its_expression_can_be_met_with_what_is_allowed() {
        let settings = "[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\"]\n\
            [[licenses.exceptions]]\ncrate = \"roots\"\nallow = [\"CDLA-Permissive-2.0\"]\n";
        let f = |name: &str, licence: Option<&str>, want: &[&str]| {
            assert_finds(check, &tree(settings, &[(name, licence)]), want);
        };
        f("a", Some("MIT"), &[]);
        f("a", Some("MIT/Apache-2.0"), &[]);
        f("a", Some("GPL-3.0-only OR MIT"), &[]);
        f("a", Some("Apache-2.0 WITH LLVM-exception"), &[]);
        f("roots", Some("CDLA-Permissive-2.0"), &[]);
        f("a", Some("CDLA-Permissive-2.0"), &["Cargo.lock:1: a 1.0.0 bears `CDLA-Permissive-2.0`"]);
        f(
            "a",
            Some("Apache-2.0"),
            &["Cargo.lock:1: a 1.0.0 bears `Apache-2.0`, which is not allowed"],
        );
        f("a", Some("MIT AND GPL-3.0-only"), &["Cargo.lock:1: a 1.0.0 bears"]);
        f(
            "a",
            Some("mine"),
            &["Cargo.lock:1: a 1.0.0 bears `mine`, which is not an SPDX expression"],
        );
        f("a", None, &["Cargo.lock:1: a 1.0.0 names no licence"]);
    }

    #[test]
    fn the_allow_list_itself_is_checked() {
        let f = |settings: &str, want: &[&str]| assert_finds(check, &tree(settings, &[]), want);
        f(
            "[licenses]\nallow = [\n\"MIT\",\n\"GPL-3.0-only\"]\n",
            &["deny.toml:4: GPL-3.0-only is not a permissive"],
        );
        f("[licenses]\nallow = [\"MPL-2.0\"]\n", &["deny.toml:2: MPL-2.0 is not a permissive"]);
        f("[licenses]\nallow = [\"Mine\"]\n", &["deny.toml:2: Mine is not an SPDX licence"]);
        f("[bans]\n", &["deny.toml:1: there is no [licenses]"]);
        f("[licenses\n", &["deny.toml:1: "]);
    }
}
