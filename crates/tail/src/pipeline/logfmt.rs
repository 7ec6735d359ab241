//! `logfmt`: values of `key=value` pairs.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use crate::{
    entry::{Entry, Value},
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, source},
    },
};

#[derive(Debug, Clone)]
pub(crate) struct Logfmt {
    /// The key in the line, and the name that its value gets.
    pub(crate) mapping: Arc<[(String, Arc<str>)]>,
    pub(crate) source: Option<Arc<str>>,
}

impl Stage for Logfmt {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let Some(input) = entry.input(self.source.as_deref()) else { return Verdict::Next };
        let mut found = Vec::new();
        let complete = pairs(&input, |key, value| {
            for (_, name) in self.mapping.iter().filter(|(wanted, _)| wanted.as_bytes() == key) {
                found.push((name, value.clone()));
            }
        });
        for (name, value) in found {
            entry.extracted.set(name, Value::Text(value));
        }
        if !complete {
            cx.stats.unparsed("logfmt");
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// Hands every pair to `visit`; `false` if the rest of the line is no logfmt.
fn pairs(line: &[u8], mut visit: impl FnMut(&[u8], Vec<u8>)) -> bool {
    let mut rest = line;
    loop {
        let blank = rest.iter().take_while(|byte| **byte <= b' ').count();
        rest = rest.get(blank..).unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
        let end = rest.iter().position(|b| *b == b'=' || *b <= b' ' || *b == b'"');
        let (key, after) = rest.split_at(end.unwrap_or(rest.len()));
        match after.first() {
            Some(b'=') if !key.is_empty() => {}
            // A key alone is there, and empty.
            None | Some(0..=b' ') => {
                visit(key, Vec::new());
                rest = after;
                continue;
            }
            Some(_) => return false,
        }
        let value = after.get(1..).unwrap_or_default();
        if value.first() == Some(&b'"') {
            let Some((text, after)) = quoted(value) else { return false };
            visit(key, text);
            rest = after;
        } else {
            let end = value.iter().position(|b| *b <= b' ').unwrap_or(value.len());
            let (text, after) = value.split_at(end);
            if text.contains(&b'"') || text.contains(&b'=') {
                return false;
            }
            visit(key, text.to_vec());
            rest = after;
        }
    }
}

/// What stands in the quotes that `bytes` begins with, and what comes after them.
fn quoted(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut escaped = false;
    let close = bytes.iter().skip(1).position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })?;
    let (whole, after) = bytes.split_at_checked(close + 2)?;
    // Escapes are those of JSON.
    let inner = whole.get(1..whole.len() - 1)?;
    if !inner.contains(&b'\\') {
        return Some((inner.to_vec(), after));
    }
    let text: String = serde_json::from_slice(whole).ok()?;
    Some((text.into_bytes(), after))
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    mapping: BTreeMap<String, Option<String>>,
    source: Option<String>,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty logfmt stage configuration")?;
    if written.mapping.is_empty() {
        return Err("logfmt mapping is required".to_owned());
    }
    let pair = |(name, key): (String, Option<String>)| {
        let key = key.filter(|key| !key.is_empty()).unwrap_or_else(|| name.clone());
        (key, Arc::from(name))
    };
    let mapping = written.mapping.into_iter().map(pair).collect();
    Ok(Box::new(Logfmt { mapping, source: source(written.source)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::run;

    #[test]
    fn pairs_of_all_kinds() {
        let f = |line: &str, want: &[(&str, &str)], complete: bool| {
            let mut got = Vec::new();
            let whole = pairs(line.as_bytes(), |key, value| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                got.push((text(key), text(&value)));
            });
            let got: Vec<_> = got.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!((got.as_slice(), whole), (want, complete), "{line:?}");
        };
        f("a=1 b=two", &[("a", "1"), ("b", "two")], true);
        f(r#"m="a \"b\" c" x="""#, &[("m", "a \"b\" c"), ("x", "")], true);
        f("  flag a= b=2  ", &[("flag", ""), ("a", ""), ("b", "2")], true);
        f("", &[], true);
        f("a=1 =2", &[("a", "1")], false);
        f(r#"a=1 b="open"#, &[("a", "1")], false);
        f("a=b=c", &[], false);
    }

    #[test]
    fn mapped_keys_are_extracted() {
        let mapping = [("level".to_owned(), Arc::from("lvl")), ("msg".to_owned(), "msg".into())];
        let stage = Logfmt { mapping: mapping.into(), source: None };
        let runner = run(stage, &[r#"time=1 level=warn msg="hello there""#]);
        assert_eq!(runner.extracted("lvl").as_deref(), Some("warn"));
        assert_eq!(runner.extracted("msg").as_deref(), Some("hello there"));
        assert_eq!(runner.extracted("time"), None);
    }
}
