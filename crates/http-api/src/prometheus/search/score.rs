//! How well a name fits what somebody typed, between 0 and 1.
//!
//! Two ways, as upstream's: the characters in their order with gaps (`util/strutil/subsequence.go`),
//! and the similarity of Jaro and Winkler, which forgives typing errors
//! (`util/strutil/jarowinkler.go`). What begins with the text fits best in both.

/// Winkler's: how much each of the first characters that are the same counts, and how many do.
const PREFIX_WEIGHT: f64 = 0.1;
const PREFIX_MAX: usize = 4;
/// For a text that is somewhere inside.
const INSIDE: f64 = 0.9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Subsequence,
    JaroWinkler,
}

/// What names are compared with; any of the terms may fit.
#[derive(Debug)]
pub(super) struct Filter {
    terms: Vec<Term>,
    algorithm: Algorithm,
    threshold: f64,
    case_sensitive: bool,
}

#[derive(Debug)]
struct Term {
    text: String,
    chars: Vec<char>,
}

impl Filter {
    /// Empty terms are passed over; without any, every name fits.
    pub(super) fn new(
        terms: &[&str],
        algorithm: Algorithm,
        threshold: f64,
        case_sensitive: bool,
    ) -> Self {
        let term = |text: &&str| {
            let text = if case_sensitive { (*text).to_owned() } else { text.to_lowercase() };
            Term { chars: text.chars().collect(), text }
        };
        let terms = terms.iter().filter(|text| !text.is_empty()).map(term).collect();
        Self { terms, algorithm, threshold, case_sensitive }
    }

    /// How well `name` fits the term that it fits best; nothing if it fits none.
    pub(super) fn score(&self, name: &str) -> Option<f64> {
        if self.terms.is_empty() {
            return Some(1.0);
        }
        let lower;
        let name = if self.case_sensitive {
            name
        } else {
            lower = name.to_lowercase();
            &lower
        };
        let chars: Vec<char> = name.chars().collect();
        let scores = self.terms.iter().filter_map(|term| self.one(term, name, &chars));
        scores.reduce(f64::max)
    }

    fn one(&self, term: &Term, name: &str, chars: &[char]) -> Option<f64> {
        if name.starts_with(&term.text) {
            return Some(1.0);
        }
        match self.algorithm {
            Algorithm::Subsequence => {
                let score = subsequence(&term.chars, chars);
                (score > 0.0 && score >= self.threshold).then_some(score)
            }
            Algorithm::JaroWinkler if name.contains(&term.text) => Some(INSIDE),
            // Without a threshold everything would fit a little.
            Algorithm::JaroWinkler if self.threshold > 0.0 => {
                let score = jaro_winkler(&term.chars, chars);
                (score >= self.threshold).then_some(score)
            }
            Algorithm::JaroWinkler => None,
        }
    }
}

/// The best of all places to begin: runs count by the square of their length, gaps cost.
#[expect(clippy::cast_precision_loss, reason = "lengths of names")]
fn subsequence(term: &[char], name: &[char]) -> f64 {
    let Some(last_start) = name.len().checked_sub(term.len()) else { return 0.0 };
    let mut best = -1.0_f64;
    for start in (0..=last_start).filter(|at| name.get(*at) == term.first()) {
        // What can't be completed from here can't be completed from later on.
        let Some(score) = subsequence_from(term, name, start) else { break };
        best = best.max(score);
    }
    if best < 0.0 { 0.0 } else { best / (term.len() * term.len()) as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of names")]
fn subsequence_from(term: &[char], name: &[char], start: usize) -> Option<f64> {
    let cost = 1.0 / name.len() as f64;
    let (mut score, mut at, mut matched, mut run_end) = (0.0, start, 0, 0);
    while let Some(wanted) = term.get(matched) {
        let gap = name.get(at..)?.iter().position(|c| c == wanted)?;
        let begin = at + gap;
        let run = term.get(matched..)?.iter().zip(name.get(begin..)?);
        let run = run.take_while(|(a, b)| a == b).count();
        // The first gap counts from the beginning of the name.
        score -= (begin - run_end) as f64 * cost;
        score += (run * run) as f64;
        matched += run;
        run_end = begin + run;
        at = run_end;
    }
    // What follows costs half.
    Some(score - (name.len() - run_end) as f64 * cost * 0.5)
}

#[expect(clippy::cast_precision_loss, reason = "lengths of names")]
fn jaro_winkler(a: &[char], b: &[char]) -> f64 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() > b.len() { (b, a) } else { (a, b) };
    if short.is_empty() {
        return 0.0;
    }
    let reach = (long.len() / 2).saturating_sub(1);
    let mut taken = vec![false; long.len()];
    let mut pairs_of_short = Vec::new();
    for (at, c) in short.iter().enumerate() {
        let near = at.saturating_sub(reach)..(at + reach + 1).min(long.len());
        let free = near.clone().find(|place| {
            long.get(*place) == Some(c) && taken.get(*place).is_some_and(|taken| !taken)
        });
        if let Some(taken) = free.and_then(|place| taken.get_mut(place)) {
            *taken = true;
            pairs_of_short.push(*c);
        }
    }
    if pairs_of_short.is_empty() {
        return 0.0;
    }
    let pairs_of_long = long.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(c, _)| c);
    let swapped = pairs_of_short.iter().zip(pairs_of_long).filter(|(a, b)| a != b).count() as f64;
    let pairs = pairs_of_short.len() as f64;
    let shares = pairs / short.len() as f64 + pairs / long.len() as f64;
    let jaro = (shares + (pairs - swapped * 0.5) / pairs) / 3.0;
    let same = short.iter().zip(long).take(PREFIX_MAX).take_while(|(a, b)| a == b).count();
    jaro + same as f64 * PREFIX_WEIGHT * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn runs_count_and_gaps_cost() {
        let f = |term: &str, name: &str, want: f64| {
            let got = subsequence(&chars(term), &chars(name));
            assert!((got - want).abs() < 1e-9, "{term} in {name}: {got}");
        };
        f("abc", "abc", 1.0);
        f("x", "abc", 0.0);
        f("abcd", "abc", 0.0);
        f("cb", "abc", 0.0);
        // A gap of one of three, a run of two: (4 - 1/3) / 4.
        f("bc", "abc", (4.0 - 1.0 / 3.0) / 4.0);
        // Two runs of one, a gap of one, nothing after: (2 - 1/3) / 4.
        f("ac", "abc", (2.0 - 1.0 / 3.0) / 4.0);
        // The second place to begin is better: a gap of two, a run of two, one after.
        f("ab", "a_abc", (4.0 - 2.0 / 5.0 - 0.5 / 5.0) / 4.0);
        f("é", "caé", (1.0 - 2.0 / 3.0) / 1.0);
    }

    #[test]
    fn similarity_is_that_of_the_textbook() {
        let f = |a: &str, b: &str, want: f64| {
            let got = jaro_winkler(&chars(a), &chars(b));
            assert!((got - want).abs() < 1e-3, "{a} {b}: {got}");
        };
        f("martha", "marhta", 0.961);
        f("dwayne", "duane", 0.840);
        f("dixon", "dicksonx", 0.813);
        f("abc", "xyz", 0.0);
        f("", "x", 0.0);
        f("same", "same", 1.0);
    }

    #[test]
    fn any_term_may_fit_and_the_best_counts() {
        let f = |terms: &[&str], algorithm, threshold, case, name: &str| {
            Filter::new(terms, algorithm, threshold, case).score(name)
        };
        let (sub, jaro) = (Algorithm::Subsequence, Algorithm::JaroWinkler);
        assert_eq!(f(&[], sub, 1.0, true, "up"), Some(1.0));
        assert_eq!(f(&[""], sub, 1.0, true, "up"), Some(1.0));
        assert_eq!(f(&["zz", "u"], sub, 0.0, true, "up"), Some(1.0));
        assert_eq!(f(&["U"], sub, 0.0, true, "up"), None);
        assert_eq!(f(&["U"], sub, 0.0, false, "up"), Some(1.0));
        assert_eq!(f(&["p"], jaro, 0.0, true, "up"), Some(INSIDE));
        assert_eq!(f(&["pu"], jaro, 0.0, true, "up"), None);
        assert!(f(&["martha"], jaro, 0.9, true, "marhta").is_some());
        assert_eq!(f(&["martha"], jaro, 0.99, true, "marhta"), None);
    }
}
