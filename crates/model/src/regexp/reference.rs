//! What `$` stands for in a replacement, by the rules of Go's `regexp.Expand`.
//!
//! `$name` takes as many letters, digits and underscores as follow, so `$1x` is the group called
//! `1x`; `${1}x` is group 1 and an `x`. A number is a group's place, anything else its name. `$$` is
//! a dollar sign, and so is a dollar sign that starts nothing.

/// What stands behind a dollar sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'t> {
    /// Another dollar sign.
    Dollar,
    /// The number of a group; 0 is the whole match.
    Place(usize),
    /// The name of a group.
    Name(&'t str),
}

impl<'t> Reference<'t> {
    /// Reads what follows a dollar sign, and returns what comes after it; none if the dollar sign
    /// stands for itself.
    pub fn read(text: &'t str) -> Option<(Self, &'t str)> {
        if let Some(rest) = text.strip_prefix('$') {
            return Some((Self::Dollar, rest));
        }
        let (text, braced) = text.strip_prefix('{').map_or((text, false), |text| (text, true));
        let len = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(len);
        let rest = if braced { rest.strip_prefix('}')? } else { rest };
        let reference = place_of(name).map_or(Self::Name(name), Self::Place);
        (!name.is_empty()).then_some((reference, rest))
    }
}

/// The number that `name` is; a leading zero makes it a name, as do more than nine digits.
fn place_of(name: &str) -> Option<usize> {
    let leading_zero = name.len() > 1 && name.starts_with('0');
    let number = !leading_zero && name.bytes().all(|b| b.is_ascii_digit());
    number.then(|| name.parse().ok()).flatten().filter(|place| *place < 1_000_000_000)
}
