//! Whether every rule is evaluated without an error.

use serde_json::Value;

use super::{Check, Server, State};

pub(super) async fn checks(server: &Server) -> Vec<Check> {
    match server.json("/api/v1/rules", &[("exclude_alerts", "true")]).await {
        Ok(answer) => verdicts(&answer),
        Err(why) => vec![Check::new("rules", State::Broken, why, "ask again")],
    }
}

fn verdicts(answer: &Value) -> Vec<Check> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let rules: Vec<Value> =
        list(&answer["data"]["groups"]).iter().flat_map(|group| list(&group["rules"])).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let mut checks = vec![Check::ok("rules", format!("{} are evaluated", rules.len()))];
    for rule in rules.iter().filter(|rule| rule["health"] == "err") {
        let name = rule["name"].as_str().unwrap_or_default();
        let error = rule["lastError"].as_str().unwrap_or("no reason given");
        let advice = "mend its expression; `masthead check rules FILE` reads the file";
        checks.push(Check::new(&format!("rule {name}"), State::Broken, error, advice));
    }
    checks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_that_fails_is_named_with_its_error() {
        let rule =
            |name: &str, health: &str| json!({"name": name, "health": health, "lastError": "x"});
        let answer = json!({"data": {"groups": [{"rules": [rule("a", "ok"), rule("b", "err")]}]}});
        let checks = verdicts(&answer);
        assert_eq!(checks.len(), 2);
        assert_eq!((checks[1].what.as_str(), checks[1].found.as_str()), ("rule b", "x"));
        assert_eq!(verdicts(&json!({"data": {"groups": []}})), []);
    }
}
