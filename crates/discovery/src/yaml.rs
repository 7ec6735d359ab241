//! Reading YAML configuration so that an error says line, column and key.
//!
//! Bounded: aliases, depth and size have the parser's own budgets, so that a small file can't become
//! a large one. A key given twice is an error, as upstream.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde_saphyr::{DuplicateKeyPolicy, Error, Options};

pub mod duration;

/// Longer texts lose their list of what could have stood there.
const TEXT_BYTES_MAX: usize = 300;

/// Why a text is not the configuration it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Counted from 1; 0 where the place is not known.
    pub line: u64,
    /// Counted from 1; 0 where the place is not known.
    pub column: u64,
    /// The way to the key, such as `scrape_configs[2].job_name`; empty at the top.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        if !self.key.is_empty() && self.key != "." {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for YamlError {}

/// Reads one document.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    let mut options = Options::default();
    options.with_snippet = false;
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    let mut read = None;
    let mut key = String::new();
    let mut take = |deserializer: &mut dyn erased_serde::Deserializer<'_>| {
        T::deserialize(deserializer).map(|found| read = Some(found))
    };
    let error = match (parse_with(text, options, &mut key, &mut take), read) {
        (Ok(()), Some(found)) => return Ok(found),
        (Ok(()), None) => Error::custom("BUG: nothing was read"),
        (Err(error), _) => error,
    };
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    let (mut what, place) = without_places(error.without_snippet().to_string());
    let (line, column) = place.unwrap_or((line, column));
    // A list of seventy keys hides the one that is wrong.
    if let Some(end) = what.find(", expected one of ").filter(|_| what.len() > TEXT_BYTES_MAX) {
        what.truncate(end);
    }
    Err(YamlError { line, column, key, what })
}

/// The part that knows nothing of what is read. The parser is generic over it; compiled once for all
/// sections and not once for each, the program is smaller by eight megabytes.
fn parse_with(
    text: &str,
    options: Options,
    key: &mut String,
    take: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> erased_serde::Result<()>,
) -> Result<(), Error> {
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        take(&mut <dyn erased_serde::Deserializer<'_>>::erase(tracked)).map_err(|error| {
            *key = track.path().to_string();
            Error::custom(error)
        })
    })
}

/// A text without the places at its end, and the first of these: the parser adds one each time that an
/// error passes it on the way up, and the first is the nearest.
fn without_places(mut text: String) -> (String, Option<(u64, u64)>) {
    let mut nearest = None;
    while let Some((before, place)) = text.rsplit_once(" at line ") {
        let numbers = place.split_once(", column ");
        let numbers = numbers.and_then(|(line, column)| {
            Some((line.parse::<u64>().ok()?, column.parse::<u64>().ok()?))
        });
        let Some(numbers) = numbers else { break };
        nearest = Some(numbers);
        text.truncate(before.len());
    }
    (text, nearest)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        on: bool,
        #[serde(default)]
        list: Vec<u32>,
    }

    #[test]
    fn errors_name_line_column_and_key() {
        let f = |text: &str, want: &str| {
            let shown = parse::<Sample>(text).map_err(|error| error.to_string());
            match shown {
                Ok(sample) => assert_eq!(format!("{sample:?}"), want, "{text}"),
                Err(error) => assert_eq!(error, want, "{text}"),
            }
        };
        f("name: 5m\non: yes\n", "Sample { name: \"5m\", on: true, list: [] }");
        f("name: 0\n", "Sample { name: \"0\", on: false, list: [] }");
        f(
            "name: a\nother: b\n",
            "line 2, column 1: other: unknown field `other`, expected one of name, on, list",
        );
        f("name: a\nlist: [1, x]\n", "line 2, column 11: list[1]: invalid u32");
        // Where the parser has the last word, the place is what counts.
        for (text, line) in [("name: a\nname: b\n", 2), ("name: [a\n", 2), ("on: true\n", 1)] {
            let error = parse::<Sample>(text).expect_err(text);
            assert!((1..=line).contains(&error.line), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_file_of_aliases_of_aliases_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{},", level - 1).repeat(10);
            let line = format!("a{level}: &a{level} [{before}]\n");
            text.push_str(&line);
        }
        let error = parse::<serde_json::Value>(&text).expect_err("a billion words");
        assert!(error.line > 0, "{error}");
    }
}
