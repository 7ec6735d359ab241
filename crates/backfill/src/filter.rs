//! Which series and which times are moved.

use masthead_model::{Labels, Matcher, Millis, TimeRange};

/// Which series and which times are moved; all of them by default.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Series that match all conditions of any of these; every series when empty.
    pub selectors: Vec<Vec<Matcher>>,
    /// Both ends included.
    pub range: TimeRange<Millis>,
}

impl Default for Filter {
    fn default() -> Self {
        let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
        Self { selectors: Vec::new(), range }
    }
}

impl Filter {
    /// Whether the series is wanted.
    pub fn wants(&self, labels: &Labels) -> bool {
        let matches = |all: &Vec<Matcher>| all.iter().all(|matcher| matcher.matches_labels(labels));
        self.selectors.is_empty() || self.selectors.iter().any(matches)
    }

    /// Whether the time is wanted.
    pub fn wants_time(&self, time: i64) -> bool {
        (self.range.start.0..=self.range.end.0).contains(&time)
    }

    /// The part of `first..=last` that is wanted.
    pub(crate) fn part_of(&self, first: i64, last: i64) -> Option<(i64, i64)> {
        let part = (first.max(self.range.start.0), last.min(self.range.end.0));
        (part.0 <= part.1).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_selector_and_all_of_its_conditions() {
        let metric =
            |name: &str, job: &str| vec![Matcher::metric(name), Matcher::equal("job", job)];
        let filter = Filter {
            selectors: vec![metric("up", "a"), metric("down", "b")],
            range: TimeRange { start: Millis(5), end: Millis(9) },
        };
        let f = |labels: &str, want: bool| {
            assert_eq!(filter.wants(&labels.parse().unwrap()), want, "{labels}");
            assert!(Filter::default().wants(&labels.parse().unwrap()));
        };
        f(r#"up{job="a"}"#, true);
        f(r#"up{job="b"}"#, false);
        f(r#"down{job="b", x="y"}"#, true);
        assert_eq!([4, 5, 9, 10].map(|time| filter.wants_time(time)), [false, true, true, false]);
        assert_eq!(filter.part_of(0, 7), Some((5, 7)));
        assert_eq!(filter.part_of(10, 12), None);
    }
}
