//! What the documentation says of the language is what the tables say.

use std::path::Path;

use masthead_logql::{
    ast::{RANGE_FUNCTIONS, VECTOR_FUNCTIONS},
    parse,
    stages::STAGES,
};

#[test]
#[expect(clippy::disallowed_methods, reason = "documents are read from the real disk")]
fn every_stage_and_function_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/logql.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let has = |name: &str, doc: &str| {
        let row = format!("| `{}` | {doc} |", name.replace('|', "\\|"));
        assert!(page.contains(&row), "docs/reference/logql.md has no row {row}");
    };
    for stage in STAGES {
        has(stage.name, stage.doc);
    }
    for function in RANGE_FUNCTIONS {
        has(function.name, function.doc);
    }
    for function in VECTOR_FUNCTIONS {
        has(function.name, function.doc);
    }
}

#[test]
fn every_example_of_a_stage_is_a_query() {
    for stage in STAGES {
        let query = if stage.name == "unwrap" {
            format!("sum_over_time({{a=\"b\"}} {} [5m])", stage.example)
        } else {
            format!("{{a=\"b\"}} {}", stage.example)
        };
        assert!(parse(&query).is_ok(), "{query}: {:?}", parse(&query));
    }
}
