//! `match`: the stages that it guards see only the lines that its selector finds.
//!
//! A selector is LogQL's: labels in braces, then filters over the line. With `action: drop` what is
//! found goes no further; what goes on to guarded stages takes its labels along as extracted values.

use std::sync::Arc;

use masthead_model::{MatchOp, Matcher, RegexpSearch, unquote};

use crate::{
    entry::Entry,
    pipeline::{Cx, Stage, Verdict},
};

/// `{app="api"} |= "error" !~ "debug.*"`.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    matchers: Vec<Matcher>,
    filters: Vec<Filter>,
}

#[derive(Debug, Clone)]
struct Filter {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Contains(Vec<u8>),
    Matches(RegexpSearch),
}

impl Selector {
    /// # Errors
    /// What is wrong, and at which byte.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, rest: text };
        let mut matchers = Vec::new();
        reader.expect("{")?;
        while !reader.take("}") {
            if !matchers.is_empty() {
                reader.expect(",")?;
                if reader.take("}") {
                    break;
                }
            }
            let name = reader.name()?;
            let op = reader.one_of(&[
                ("=~", MatchOp::Matches),
                ("!~", MatchOp::NotMatches),
                ("!=", MatchOp::NotEqual),
                ("=", MatchOp::Equal),
            ])?;
            let value = reader.quoted()?;
            matchers.push(Matcher::new(op, name, &value).map_err(|error| error.to_string())?);
        }
        let mut filters = Vec::new();
        while !reader.at_end() {
            let (negated, regexp) = reader.one_of(&[
                ("|=", (false, false)),
                ("|~", (false, true)),
                ("!=", (true, false)),
                ("!~", (true, true)),
            ])?;
            let value = reader.quoted()?;
            let test = if regexp {
                Test::Matches(regex(&value)?)
            } else {
                Test::Contains(value.into_bytes())
            };
            filters.push(Filter { negated, test });
        }
        Ok(Self { matchers, filters })
    }

    pub(crate) fn finds(&self, entry: &Entry) -> bool {
        self.matchers.iter().all(|m| m.matches(entry.labels.get(m.name()).unwrap_or("")))
            && self.filters.iter().all(|filter| filter.passes(&entry.line))
    }
}

impl Filter {
    fn passes(&self, line: &[u8]) -> bool {
        let found = match &self.test {
            Test::Contains(text) => memchr::memmem::find(line, text).is_some(),
            Test::Matches(regex) => regex.is_match(line),
        };
        found != self.negated
    }
}

/// A regular expression in Go's dialect, searched in bytes.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn regex(pattern: &str) -> Result<RegexpSearch, String> {
    RegexpSearch::new(pattern).map_err(|error| error.to_string())
}

struct Reader<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn take(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn at_end(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.is_empty()
    }

    fn refuse<T>(&self, expected: &str) -> Result<T, String> {
        let offset = self.text.len() - self.rest.len();
        Err(format!("expected {expected} at byte {offset} of {:?}", self.text))
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { self.refuse(&format!("{word:?}")) }
    }

    fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Result<T, String> {
        match words.iter().find(|(word, _)| self.take(word)) {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.refuse(&format!("one of {}", words.join(" ")))
            }
        }
    }

    fn name(&mut self) -> Result<&'t str, String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return self.refuse("the name of a label");
        }
        self.rest = rest;
        Ok(name)
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.rest = self.rest.trim_start();
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '`')) else {
            return self.refuse("a quoted text");
        };
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped && quote == '"';
            closes
        });
        let Some((end, _)) = end else { return self.refuse("the end of the quoted text") };
        let (whole, rest) = self.rest.split_at(end + 1);
        let Ok(value) = unquote(whole) else { return self.refuse("a quoted text") };
        self.rest = rest;
        Ok(value)
    }
}

/// What `match` does with what it finds.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Lines that are not found skip so many stages.
    Guard(usize),
    /// Lines that are found are dropped, counted under this reason.
    Drop(Arc<str>),
}

#[derive(Debug, Clone)]
pub(crate) struct Match {
    pub(crate) selector: Arc<Selector>,
    pub(crate) action: Action,
}

impl Stage for Match {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        match (&self.action, self.selector.finds(entry)) {
            (Action::Guard(stages), false) => Verdict::Skip(*stages),
            (Action::Drop(reason), true) => {
                cx.stats.dropped(reason);
                Verdict::Drop
            }
            (Action::Guard(_), true) => {
                entry.extract_labels();
                Verdict::Next
            }
            (Action::Drop(_), false) => Verdict::Next,
        }
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{labels::StaticLabels, template, testing::Runner};

    fn matching(selector: &str, action: Action) -> Box<dyn Stage> {
        Box::new(Match { selector: Arc::new(Selector::parse(selector).unwrap()), action })
    }

    #[test]
    fn selectors_look_at_labels_and_lines() {
        let f = |selector: &str, want: bool| {
            let stages = vec![matching(selector, Action::Drop("match_stage".into()))];
            let mut runner = Runner::new(stages).with_labels(&[("app", "api"), ("job", "x")]);
            runner.line("an ERROR happened");
            assert_eq!(runner.out.is_empty(), want, "{selector}");
        };
        f(r#"{app="api"}"#, true);
        f(r#"{app="web"}"#, false);
        f(r#"{app=~"a.*", job!="y",}"#, true);
        f(r#"{gone=""}"#, true);
        f("{}", true);
        f(r#"{app="api"} |= "ERROR""#, true);
        f(r#"{app="api"} != "ERROR""#, false);
        f(r#"{app="api"} |~ `E\w+R` !~ "debug""#, true);
        f(r#"{app="api"}|="ERROR"|="nothing""#, false);
    }

    #[test]
    fn a_guard_skips_its_stages_and_no_more() {
        let label = |name: &str| -> Box<dyn Stage> {
            Box::new(StaticLabels([(Arc::from(name), Arc::from("1"))].into()))
        };
        let guard = matching(r#"{} |= "x""#, Action::Guard(2));
        let mut runner = Runner::new(vec![guard, label("a"), label("b"), label("c")]);
        runner.line("x");
        runner.line("y");
        assert_eq!(runner.shown(), [r#"0 {a="1", b="1", c="1"} x"#, r#"0 {c="1"} y"#]);
    }

    #[test]
    fn guarded_stages_find_labels_among_the_extracted_values() {
        let env = StaticLabels([(Arc::from("env"), Arc::from("prod"))].into());
        let template = |text: &str| -> Box<dyn Stage> {
            let template = template::parse(text).unwrap();
            Box::new(template::Template { source: "shown".into(), template })
        };
        let stages = vec![
            Box::new(env),
            template("before {{ .env }}"),
            matching("{} |= `inside`", Action::Guard(1)),
            template("{{ .shown }}, inside {{ .env }}"),
        ];
        let mut runner = Runner::new(stages);
        runner.line("outside");
        assert_eq!(runner.extracted("shown").as_deref(), Some("before <no value>"));
        runner.line("inside");
        let want = "before <no value>, inside prod";
        assert_eq!(runner.extracted("shown").as_deref(), Some(want));
    }

    #[test]
    fn errors_say_where() {
        let f = |text: &str, want: &str| {
            let error = Selector::parse(text).expect_err(text);
            assert!(error.contains(want), "{error}");
        };
        f("app", "expected \"{\" at byte 0");
        f("{app}", "expected one of =~ !~ != = at byte 4");
        f("{app=x}", "expected a quoted text at byte 5");
        f(r#"{app="x"} | json"#, "expected one of |= |~ != !~ at byte 10");
        f(r#"{app="x"} |~ "(""#, "regex");
        f(r#"{app="x"#, "the end of the quoted text");
    }
}
