//! JSON lines: all labels, some labels and paths; names stay distinct and values are text.

use std::sync::LazyLock;

use masthead_logql::stages::{Group, Json, JsonExpressions, Line, Needed, Stage, Unpack};
use masthead_model::Labels;

static PATHS: LazyLock<JsonExpressions> = LazyLock::new(|| {
    JsonExpressions::new([("x", "a"), ("y", "a.b[1]"), ("z", "[0]")]).expect("good paths")
});

/// Takes any bytes.
pub fn run(text: &[u8]) {
    let stream: Labels = [("app", "x")].into_iter().collect();
    let valid = std::str::from_utf8(text).is_ok();
    let mut some = Needed::nothing();
    some.add("a_b");
    for needed in [Needed::everything(), some] {
        let mut line = Line::new(&needed);
        for stage in [&Json as &dyn Stage, &Unpack, &*PATHS] {
            line.reset(&stream, None, text, 0);
            stage.process(&mut line);
            let parsed = line.labels().filter(|label| label.group == Group::Parsed);
            let names: Vec<String> = parsed
                .inspect(|label| {
                    // An object at a path is taken as it stands, whatever its bytes are.
                    assert!(!valid || std::str::from_utf8(label.value).is_ok());
                })
                .map(|label| label.name.to_owned())
                .collect();
            let mut distinct = names.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert!(
                distinct.len() == names.len() || distinct.iter().any(|n| n.starts_with("__error"))
            );
        }
    }
}
