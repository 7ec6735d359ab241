//! `json`: values that `JMESPath` expressions find in the line.
//!
//! Most expressions are paths, `a.b[0]`: of these only the first names are looked for, and what
//! else the line holds is passed over without being built. Anything more is for the `jmespath`
//! crate.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value as Json};

use crate::{
    entry::{Entry, Value},
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, source},
    },
};

const MALFORMED_REASON: &str = "malformed_json";

#[derive(Debug, Clone)]
pub(crate) struct JsonStage {
    expressions: Arc<[(Arc<str>, Expression)]>,
    /// Names at the top that are asked for; `None` if all may be.
    wanted: Option<Arc<[String]>>,
    source: Option<Arc<str>>,
    drop_malformed: bool,
}

/// A way to a value.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Path(Vec<Step>),
    Full(jmespath::Expression<'static>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(i64),
}

impl Expression {
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = parse_path(text) {
            return Ok(Self::Path(path));
        }
        jmespath::compile(text).map(Self::Full).map_err(|error| error.to_string())
    }

    fn search(&self, data: &Json) -> Option<Json> {
        match self {
            Self::Path(path) => {
                let mut at = data;
                for step in path {
                    at = match step {
                        Step::Key(key) => at.get(key).unwrap_or(&Json::Null),
                        Step::Index(index) => element(at, *index).unwrap_or(&Json::Null),
                    };
                }
                Some(at.clone())
            }
            Self::Full(expression) => {
                let found = expression.search(data).ok()?;
                serde_json::to_value(&*found).ok()
            }
        }
    }
}

fn element(list: &Json, index: i64) -> Option<&Json> {
    let list = list.as_array()?;
    let from_end = || list.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    list.get(if index < 0 { from_end()? } else { usize::try_from(index).ok()? })
}

/// `a`, `a.b`, `"a-b".c[0]`; `None` for everything that needs more.
fn parse_path(text: &str) -> Option<Vec<Step>> {
    let mut path = Vec::new();
    let mut rest = text.trim();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (key, after) = quoted.split_once('"')?;
            if key.contains('\\') {
                return None;
            }
            path.push(Step::Key(key.to_owned()));
            rest = after;
        } else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let (key, after) = rest.split_at(end.unwrap_or(rest.len()));
            if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            path.push(Step::Key(key.to_owned()));
            rest = after;
        }
        while let Some(bracket) = rest.strip_prefix('[') {
            let (index, after) = bracket.split_once(']')?;
            path.push(Step::Index(index.parse().ok()?));
            rest = after;
        }
        if rest.is_empty() {
            return Some(path);
        }
        rest = rest.strip_prefix('.')?;
    }
}

impl JsonStage {
    pub(crate) fn new(
        expressions: Vec<(Arc<str>, Expression)>,
        source: Option<Arc<str>>,
        drop_malformed: bool,
    ) -> Self {
        let first = |(_, expression): &(Arc<str>, Expression)| match expression {
            Expression::Path(path) => match path.first() {
                Some(Step::Key(key)) => Some(key.clone()),
                _ => None,
            },
            Expression::Full(_) => None,
        };
        let wanted: Option<Vec<String>> = expressions.iter().map(first).collect();
        Self {
            expressions: expressions.into(),
            wanted: wanted.map(Into::into),
            source,
            drop_malformed,
        }
    }
}

impl Stage for JsonStage {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let Some(input) = entry.input(self.source.as_deref()) else { return Verdict::Next };
        let Some(data) = parse(&input, self.wanted.as_deref()) else {
            if self.drop_malformed {
                cx.stats.dropped(MALFORMED_REASON);
                return Verdict::Drop;
            }
            cx.stats.unparsed("json");
            return Verdict::Next;
        };
        for (name, expression) in &*self.expressions {
            if let Some(found) = expression.search(&data) {
                entry.extracted.set(name, value(found));
            }
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(bool),
        // All numbers are floats there.
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::Text(text.into_bytes()),
        other => Value::Text(other.to_string().into_bytes()),
    }
}

/// The object in `text`, with the names in `wanted` alone if they are given.
fn parse(text: &[u8], wanted: Option<&[String]>) -> Option<Json> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let found = (&mut deserializer).deserialize_map(Object { wanted }).ok()?;
    deserializer.end().ok()?;
    Some(Json::Object(found))
}

struct Object<'w> {
    wanted: Option<&'w [String]>,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Map<String, Json>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut found = Map::new();
        while let Some(key) = access.next_key_seed(Key { wanted: self.wanted })? {
            match key {
                Some(key) => drop(found.insert(key, access.next_value()?)),
                None => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// A name that is asked for, or none.
struct Key<'w> {
    wanted: Option<&'w [String]>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<String>;

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let wanted = self.wanted.is_none_or(|wanted| wanted.iter().any(|other| other == name));
        Ok(wanted.then(|| name.to_owned()))
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    expressions: BTreeMap<String, Option<String>>,
    source: Option<String>,
    drop_malformed: bool,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty json stage configuration")?;
    if written.expressions.is_empty() {
        return Err("JMES expression is required".to_owned());
    }
    let source = source(written.source)?;
    let mut expressions = Vec::new();
    for (name, text) in written.expressions {
        // Without an expression, the name is the expression.
        let text = text.filter(|text| !text.is_empty()).unwrap_or_else(|| name.clone());
        let expression = Expression::parse(&text)
            .map_err(|error| format!("could not compile JMES expression {text:?}: {error}"))?;
        expressions.push((Arc::from(name), expression));
    }
    Ok(Box::new(JsonStage::new(expressions, source, written.drop_malformed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::run;

    fn stage(expressions: &[(&str, &str)], drop_malformed: bool) -> JsonStage {
        let parse =
            |(name, text): &(&str, &str)| (Arc::from(*name), Expression::parse(text).unwrap());
        JsonStage::new(expressions.iter().map(parse).collect(), None, drop_malformed)
    }

    #[test]
    fn paths_and_full_expressions_find_the_same_kinds_of_values() {
        let line = r#"{"a":{"b":[1,{"c":"x"}]},"n":200,"big":1.5e3,"t":true,"z":null,"k-y":"v"}"#;
        let f = |expression: &str, want: Option<&str>| {
            let runner = run(stage(&[("got", expression)], false), &[line]);
            assert_eq!(runner.extracted("got").as_deref(), want, "{expression}");
        };
        f("n", Some("200"));
        f("big", Some("1500"));
        f("t", Some("true"));
        f("z", None);
        f("gone", None);
        f("a.b[0]", Some("1"));
        f("a.b[-1].c", Some("x"));
        f("a.b[7]", None);
        f(r#""k-y""#, Some("v"));
        f("a", Some(r#"{"b":[1,{"c":"x"}]}"#));
        f("a.b[?c].c | [0]", Some("x"));
        f("length(a.b)", Some("2"));
        f("join('-', keys(a))", Some("b"));
    }

    #[test]
    fn malformed_lines_pass_or_drop() {
        let f = |drop: bool, line: &str, want: usize| {
            assert_eq!(run(stage(&[("a", "a")], drop), &[line]).out.len(), want, "{line}");
        };
        f(false, "{", 1);
        f(true, "{", 0);
        f(true, "[1]", 0);
        f(true, r#"{"a":1} x"#, 0);
        f(true, r#"{"a":1}"#, 1);
    }

    #[test]
    fn bad_expressions_are_refused() {
        assert!(Expression::parse("a.[").is_err());
        assert!(Expression::parse("").is_err());
    }
}
