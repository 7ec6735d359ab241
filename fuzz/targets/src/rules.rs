//! Rule files, tests of rules, and the sections of prometheus.yml about both: nothing panics, and
//! what is read can be read again.

use masthead_promql::Features;
use masthead_rules::{Language, RulesConfig, parse_file, run_unit_tests};

use crate::text;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for language in [Language::Promql, Language::Logql] {
        let read = parse_file(text, "f", language, Features::ALL);
        assert_eq!(read, parse_file(text, "f", language, Features::ALL));
    }
    drop(RulesConfig::parse(text));
    // A test with no rules evaluates nothing that costs.
    drop(run_unit_tests(text, Features::ALL, &mut |_| Ok(Vec::new())));
}
