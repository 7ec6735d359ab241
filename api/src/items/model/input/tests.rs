//! Which bodies are items, and what the sender of another is told.

use super::*;

#[test]
fn a_whole_item_and_the_shortest_one() {
    let item = |body: &str| ItemInput::from_json(body.as_bytes()).unwrap();
    assert_eq!(
        item(r#"{"name":"Anchor","description":"12 kg\n","price":"19.90"}"#),
        ItemInput {
            name: "Anchor".to_owned(),
            description: "12 kg\n".to_owned(),
            price: Price::from_minor(1990).unwrap(),
        }
    );
    assert_eq!(item(r#"{"name":"n","price":0.1}"#).price.minor(), 10);
    // What GET answered may be sent back.
    item(r#"{"id":1,"name":"n","price":"1","created_at":"x","updated_at":null}"#);
}

#[test]
fn each_wrong_field_is_listed() {
    let f = |body: &str, want: &[&str]| {
        let Err(Rejected::Invalid(violations)) = ItemInput::from_json(body.as_bytes()) else {
            panic!("{body:?} is not invalid");
        };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, want, "{body:?}");
    };
    f("{}", &["name", "price"]);
    f(r#"{"name":5,"description":[],"price":true}"#, &["name", "description", "price"]);
    f(r#"{"name":null,"price":null}"#, &["name", "price"]);
    f(r#"{"name":"  ","price":-1}"#, &["name", "price"]);
    f(r#"{"name":"a\u0000b","description":"\u0000","price":"1"}"#, &["name", "description"]);
    f(r#"{"name":"a\nb","price":1}"#, &["name"]);
    f(r#"{"name":"a","price":1.005}"#, &["price"]);
    f(r#"{"name":"a","price":1e2}"#, &["price"]);
    f(r#"{"name":"a","price":"NaN"}"#, &["price"]);
    f(r#"{"name":"a","price":1,"nmae":"b"}"#, &["nmae"]);
    f(r#"{"name":"a","name":"b","price":1}"#, &["name"]);
    f(r#"{"name":"a","na\u006de":"b","price":1}"#, &["name"]);
    f(r#"{"name":"\ud800","price":1}"#, &["name"]);
    f("[]", &["(body)"]);
    f("null", &["(body)"]);
    f(&format!(r#"{{"name":"{}","price":1}}"#, "é".repeat(201)), &["name"]);
    f(
        &format!(r#"{{"name":"a","description":"{}","price":1}}"#, "é".repeat(5001)),
        &["description"],
    );
}

#[test]
fn the_longest_texts_are_counted_in_characters() {
    let body = format!(
        r#"{{"name":"{}","description":"{}","price":1}}"#,
        "é".repeat(200),
        "é".repeat(5000)
    );
    assert!(ItemInput::from_json(body.as_bytes()).is_ok());
}

#[test]
fn what_is_not_json_is_malformed_and_says_where() {
    let f = |body: &[u8], want: &str| {
        let Err(Rejected::Malformed(Malformed(text))) = ItemInput::from_json(body) else {
            panic!("{body:?} is not malformed");
        };
        assert!(text.contains(want), "{text:?}");
    };
    f(b"", "line 1");
    f(b"{\"name\":", "line 1");
    f(b"{} {}", "column 4");
    f(b"{\"name\":\"\xff\"}", "not UTF-8 at byte 9");
    f(b"name=Anchor", "column 2");
}

#[test]
fn a_deep_value_costs_no_stack() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for body in [
        format!(r#"{{"name":{deep},"price":1}}"#),
        format!(r#"{{"name":"a","price":{deep}}}"#),
        format!(r#"{{"name":"a","price":1,"other":{deep}}}"#),
        deep.clone(),
    ] {
        assert!(ItemInput::from_json(body.as_bytes()).is_err());
    }
}

#[test]
fn a_thousand_unknown_members_give_a_short_answer() {
    let members: Vec<String> = (0..1000).map(|i| format!(r#""{}{i}":0"#, "x".repeat(50))).collect();
    let body = format!("{{{},\"{}\":1}}", members.join(","), "y".repeat(1000));
    let Err(Rejected::Invalid(violations)) = ItemInput::from_json(body.as_bytes()) else {
        panic!("accepted");
    };
    assert_eq!(violations.len(), VIOLATIONS_MAX);
    assert_eq!(Violation::new(&"y".repeat(1000), "").field.chars().count(), SHOWN_CHARS_MAX + 1);
}
