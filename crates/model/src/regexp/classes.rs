//! What `\p{…}` may name: general categories with their long names, and scripts, as in Go 1.25.
//!
//! The engine knows more: properties such as `Alphabetic`, `IsGreek`, blocks, ages, codes of
//! scripts. Go refuses those, so that a pattern with one is a mistake there.

/// Scripts whose name is as long as the codes of four letters that Go does not know.
const SHORT_SCRIPTS: [&str; 6] = ["ahom", "cham", "kawi", "lisu", "thai", "toto"];

/// The class that `name` stands for in the engine's syntax, without brackets; none if Go knows no
/// such name. Case, `_`, `-` and spaces make no difference.
pub(super) fn unicode_class(name: &str, negated: bool) -> Option<String> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    // The engine reads over an `is` that stands first; no name starts so.
    if !name.chars().all(known) || plain.is_empty() || plain.starts_with("is") {
        return None;
    }
    match (plain.as_str(), negated) {
        // Surrogates are no characters to the engine, so that nothing is one.
        ("any", false) | ("cs" | "surrogate", true) => return Some(r"[\x{0}-\x{10FFFF}]".into()),
        ("any", true) | ("cs" | "surrogate", false) => return Some(r"[^\x{0}-\x{10FFFF}]".into()),
        _ => {}
    }
    let letter = if negated { 'P' } else { 'p' };
    let kinds: &[&str] = match plain.len() {
        4 if !SHORT_SCRIPTS.contains(&plain.as_str()) => &["gc"],
        _ => &["gc", "sc"],
    };
    let mut classes = kinds.iter().map(|kind| format!("\\{letter}{{{kind}={plain}}}"));
    classes.find(|class| regex_syntax::parse(class).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_go_knows() {
        let f = |name: &str, want: bool| {
            assert_eq!(unicode_class(name, false).is_some(), want, "{name}");
            assert_eq!(unicode_class(name, true).is_some(), want, "{name}");
        };
        for name in ["L", "Lu", "LC", "Cn", "Cs", "Nd", "Sc", "Zs", "Any", "ASCII", "Assigned"] {
            f(name, true);
        }
        for name in ["Letter", "Uppercase_Letter", "uppercase letter", "Punct", "digit", "Mark"] {
            f(name, true);
        }
        for name in ["Greek", "greek", "Old_Italic", "Han", "Yi", "Nko", "Thai", "Phags_Pa"] {
            f(name, true);
        }
        for name in ["Alphabetic", "IsGreek", "is Greek", "Lowercase", "Grek", "White_Space"] {
            f(name, false);
        }
        for name in ["", "-", "X", "Emoji", "gc=L", "sc=Greek", "Ascii_Hex_Digit", "é", "L}", "Lé"]
        {
            f(name, false);
        }
    }
}
