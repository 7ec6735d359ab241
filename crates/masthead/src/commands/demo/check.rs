//! What `--check` holds the demo to: traffic, metrics and logs must tell the same story.
//!
//! Pure: it takes what was gathered and gives the verdicts. Gathering is `demo.rs`'s.

use super::{log_line::LogLine, traffic::Counts};

/// What the log showed so far. Its size does not grow with the log.
#[derive(Clone, Debug, Default)]
pub(super) struct LogStory {
    id_prefix: String,
    lines: u64,
    /// Request lines with an id of the demo's own.
    own_requests: u64,
    /// How many lines were broken, and what the first of them was.
    broken: (u64, Option<String>),
    /// The same for request lines without an id.
    nameless: (u64, Option<String>),
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub good: bool,
    pub text: String,
}

impl LogStory {
    pub(super) fn new(id_prefix: &str) -> Self {
        Self { id_prefix: id_prefix.to_owned(), ..Self::default() }
    }

    /// Lines of the demo's own requests.
    pub(super) fn own_requests(&self) -> u64 {
        self.own_requests
    }

    /// Takes in one line and what it parsed to.
    pub(super) fn take(&mut self, text: &str, parsed: &Result<LogLine, String>) {
        self.lines += 1;
        match parsed {
            Err(why) => note(&mut self.broken, || format!("{why}: {text}")),
            Ok(line) if line.is_request() => {
                let id = line.text("request_id");
                if id.is_empty() {
                    note(&mut self.nameless, || text.to_owned());
                } else if id.starts_with(&self.id_prefix) {
                    self.own_requests += 1;
                }
            }
            Ok(_) => {}
        }
    }
}

fn note((count, first): &mut (u64, Option<String>), example: impl FnOnce() -> String) {
    *count += 1;
    first.get_or_insert_with(|| example().chars().take(300).collect());
}

/// Everything that is checked, in the order to show it. `moved` is how far `http_requests_total`
/// moved between start and end; none when it could not be read.
pub(super) fn verdicts(counts: &Counts, moved: Option<f64>, log: &LogStory) -> Vec<Verdict> {
    let answers = counts.answers();
    let mut verdicts = vec![Verdict {
        good: answers > 0,
        text: format!("{answers} of {} requests were answered", counts.sent),
    }];
    for class in [2, 4, 5] {
        let count = counts.answered.get(class).copied().unwrap_or_default();
        verdicts.push(Verdict { good: count > 0, text: format!("{count} answers were {class}xx") });
    }
    // A request without an answer may or may not have reached the service.
    let between = if counts.unanswered == 0 {
        format!("{answers} requests answered")
    } else {
        format!("{answers} requests answered and {} sent", counts.sent)
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of one demo are far below 2^53")]
    let expected = answers as f64..=counts.sent as f64;
    verdicts.push(match moved {
        Some(moved) => Verdict {
            good: expected.contains(&moved),
            text: format!("http_requests_total moved by {moved}, with {between}"),
        },
        None => Verdict { good: false, text: "http_requests_total could not be read".to_owned() },
    });
    verdicts.push(Verdict {
        good: (answers..=counts.sent).contains(&log.own_requests),
        text: format!("{} requests are in the log, with {between}", log.own_requests),
    });
    let example = |first: &Option<String>| {
        first.as_ref().map(|text| format!("; the first: {text}")).unwrap_or_default()
    };
    let (broken, first) = &log.broken;
    verdicts.push(Verdict {
        good: *broken == 0,
        text: format!("{broken} of {} log lines were no JSON object{}", log.lines, example(first)),
    });
    let (nameless, first) = &log.nameless;
    verdicts.push(Verdict {
        good: *nameless == 0,
        text: format!("{nameless} request lines had no request_id{}", example(first)),
    });
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"request_id":"demo-1","status":200,"duration_ms":1}"#;

    fn story(lines: &[&str]) -> LogStory {
        let mut story = LogStory::new("demo-");
        for line in lines {
            story.take(line, &LogLine::parse(line));
        }
        story
    }

    /// The texts of the bad verdicts.
    fn complaints(counts: &Counts, moved: Option<f64>, lines: &[&str]) -> Vec<String> {
        let verdicts = verdicts(counts, moved, &story(lines));
        verdicts.into_iter().filter(|verdict| !verdict.good).map(|verdict| verdict.text).collect()
    }

    fn good_counts() -> Counts {
        Counts { sent: 3, answered: [0, 0, 1, 0, 1, 1], ..Counts::default() }
    }

    #[test]
    fn one_story_has_no_complaints() {
        let event = r#"{"message":"Item created.","request_id":"demo-1"}"#;
        let other = r#"{"request_id":"x","status":200,"duration_ms":1}"#;
        let lines = [REQUEST, REQUEST, REQUEST, event, other];
        assert_eq!(complaints(&good_counts(), Some(3.0), &lines), [""; 0]);
    }

    #[test]
    fn each_disagreement_is_a_complaint() {
        let three = [REQUEST; 3];
        let f = |counts: Counts, moved: Option<f64>, lines: &[&str], want: &[&str]| {
            assert_eq!(complaints(&counts, moved, lines), want);
        };
        let good = good_counts;
        f(good(), Some(2.0), &three, &["http_requests_total moved by 2, with 3 requests answered"]);
        f(good(), Some(4.0), &three, &["http_requests_total moved by 4, with 3 requests answered"]);
        f(good(), None, &three, &["http_requests_total could not be read"]);
        f(good(), Some(3.0), &three[1..], &["2 requests are in the log, with 3 requests answered"]);
        f(
            good(),
            Some(3.0),
            &[REQUEST; 4],
            &["4 requests are in the log, with 3 requests answered"],
        );
        let unanswered = Counts { sent: 4, unanswered: 1, ..good() };
        f(unanswered.clone(), Some(4.0), &three, &[]);
        f(unanswered.clone(), Some(3.0), &[REQUEST; 4], &[]);
        f(
            unanswered,
            Some(5.0),
            &three,
            &["http_requests_total moved by 5, with 3 requests answered and 4 sent"],
        );
        let lines = [REQUEST, REQUEST, REQUEST, "thread panicked", "{"];
        let want = "2 of 5 log lines were no JSON object; the first: is not JSON: expected ident \
                    at line 1 column 2: thread panicked";
        f(good(), Some(3.0), &lines, &[want]);
        let nameless = r#"{"request_id":"","status":200,"duration_ms":1}"#;
        let want = format!("1 request lines had no request_id; the first: {nameless}");
        f(good(), Some(3.0), &[REQUEST, REQUEST, REQUEST, nameless], &[&want]);
        for (class, name) in [(2, "2xx"), (4, "4xx"), (5, "5xx")] {
            let mut counts = good();
            counts.answered[class] = 0;
            counts.answered[3] = 1;
            f(counts, Some(3.0), &three, &[&format!("0 answers were {name}")]);
        }
    }

    #[test]
    fn nothing_answered_is_a_complaint() {
        let found =
            complaints(&Counts { sent: 2, unanswered: 2, ..Counts::default() }, Some(0.0), &[]);
        assert_eq!(found.first().map(String::as_str), Some("0 of 2 requests were answered"));
    }
}
