//! What each rule did to a set, for people: the targets page and `/targets/relabel_steps`.

use masthead_model::Labels;

use crate::{Rule, rule::apply_one};

/// What one rule did.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The rule's place, counted from 0.
    pub rule: usize,
    /// The labels that it was given.
    pub before: Labels,
    /// The labels that it left; none if it dropped the set.
    pub after: Labels,
    /// Whether the set was kept.
    pub keep: bool,
}

/// Applies `rules` one by one; the last step is the one that dropped the set, if one did.
pub fn explain(labels: &Labels, rules: &[Rule]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(rules.len());
    let mut before = labels.clone();
    for (at, rule) in rules.iter().enumerate() {
        let (after, keep) = apply_one(&before, rule);
        steps.push(Step { rule: at, before, after: after.clone(), keep });
        if !keep {
            break;
        }
        before = after;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, NameScheme, RelabelConfig};

    #[test]
    fn steps_show_labels_around_each_rule_and_end_where_the_set_is_dropped() {
        let rule = |action, regex: &str, target: &str| {
            let config = RelabelConfig {
                source_labels: Some(vec!["a".into()]),
                regex: Some(regex.into()),
                target_label: target.into(),
                action,
                ..RelabelConfig::default()
            };
            Rule::new(config, NameScheme::Utf8).expect("valid")
        };
        let rules = [
            rule(Action::Replace, "f(.*)", "b"),
            rule(Action::Drop, "foo", ""),
            rule(Action::Replace, "(.*)", "c"),
        ];
        let start: Labels = [("a", "foo")].into_iter().collect();
        let second: Labels = [("a", "foo"), ("b", "oo")].into_iter().collect();
        let want = [
            Step { rule: 0, before: start.clone(), after: second.clone(), keep: true },
            Step { rule: 1, before: second, after: Labels::default(), keep: false },
        ];
        assert_eq!(explain(&start, &rules), want);
        assert_eq!(explain(&start, &[]), []);
    }
}
