//! A configuration file as it may be shown: the same YAML with every secret masked.
//!
//! Masked are the values of the keys that hold secrets in prometheus.yml, wherever they stand, and
//! passwords in URLs. Comments and order of keys are not kept, because the text is written anew.

use std::{collections::BTreeMap, fmt::Write as _};

use masthead_discovery::yaml;
use serde_json::Value;

/// What stands in the place of a secret, as upstream writes it.
const MASK: &str = "<secret>";
/// Keys whose value is a secret; names of files that hold one (`password_file`) are none.
const SECRET_KEYS: [&str; 3] = ["key", "routing_key", "secret_key"];
/// Ends of such keys, as of `bearer_token` and `client_secret`.
const SECRET_ENDS: [&str; 7] =
    ["credentials", "hash", "hashes", "password", "secret", "secrets", "token"];

/// Keys whose value is a map from names to secrets.
const SECRET_MAPS: [&str; 2] = ["proxy_connect_header", "endpoint_params"];

/// The masked text of each entry of `scrape_configs`, by its name.
pub(super) fn masked_jobs(text: &str) -> BTreeMap<String, String> {
    let Ok(Some(mut value)) = yaml::parse::<Option<Value>>(text) else { return BTreeMap::new() };
    mask(&mut value);
    let within = |value: &Value| value.get("scrape_configs").and_then(Value::as_array).cloned();
    let jobs = within(&value).or_else(|| within(value.get("metrics")?));
    let named = |job: &Value| Some((job.get("job_name")?.as_str()?.to_owned(), written(job)));
    jobs.iter().flatten().filter_map(named).collect()
}

/// The masked text of `yaml`, or nothing for what is no YAML.
pub(super) fn masked(text: &str) -> String {
    let Ok(value) = yaml::parse::<Option<Value>>(text) else { return String::new() };
    let mut value = value.unwrap_or(Value::Null);
    mask(&mut value);
    written(&value)
}

/// URLs of a flag, without their passwords.
pub(super) fn masked_urls(urls: &[String]) -> String {
    let mut urls = urls.to_vec();
    urls.iter_mut().for_each(mask_url);
    urls.join(",")
}

fn written(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out.trim_start().to_owned() + "\n"
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                if is_secret(key) && !member.is_null() {
                    *member = Value::String(MASK.to_owned());
                } else if SECRET_MAPS.contains(&key.as_str()) {
                    mask_all(member);
                } else {
                    mask(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) => mask_url(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mask_all(value: &mut Value) {
    if let Value::Object(members) = value {
        for member in members.values_mut() {
            *member = Value::String(MASK.to_owned());
        }
    }
}

fn is_secret(key: &str) -> bool {
    SECRET_KEYS.contains(&key) || SECRET_ENDS.iter().any(|end| key.ends_with(end))
}

/// `http://user:password@host` becomes `http://user:<secret>@host`.
fn mask_url(text: &mut String) {
    let Some((scheme, rest)) = text.split_once("://") else { return };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let Some((user, host)) = authority.rsplit_once('@') else { return };
    if let Some((name, _)) = user.split_once(':') {
        let after = rest.get(authority.len()..).unwrap_or("");
        *text = format!("{scheme}://{name}:{MASK}@{host}{after}");
    }
}

/// Block style for what has members, JSON for what has none: JSON is YAML.
fn write(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    // Writing to a String cannot fail.
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                write!(out, "\n{indent}{}:", plain(key)).unwrap_or_default();
                write(out, member, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                write!(out, "\n{indent}-").unwrap_or_default();
                write(out, item, depth + 1);
            }
        }
        Value::String(text) => write!(out, " {}", plain(text)).unwrap_or_default(),
        other => write!(out, " {other}").unwrap_or_default(),
    }
}

/// Words stay bare, all else is quoted.
fn plain(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if bare || text == MASK { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_reads_the_same() {
        let text = "
global: {scrape_interval: 15s, external_labels: {key_of_mine: 'no', zone: \"1\"}}
scrape_configs:
- job_name: api # a comment
  basic_auth: {username: me, password: hunter2, password_file: /secret}
  authorization: {credentials: abc}
  proxy_url: http://me:hunter2@proxy:3128/x?y
  proxy_connect_header: {X-Way: [hunter2]}
  oauth2: {client_id: i, client_secret: hunter2, endpoint_params: {pin: hunter2}}
  tls_config: {key: '-----BEGIN', insecure_skip_verify: true}
  http_headers: {X-Token: {secrets: [hunter2]}}
  static_configs: [{targets: ['a:1', 'b:2']}, {targets: []}]
";
        let masked = masked(text);
        assert!(!masked.contains("hunter2") && !masked.contains("abc"), "{masked}");
        assert!(!masked.contains("BEGIN") && masked.contains("password_file: \"/secret\""));
        assert!(masked.contains("http://me:<secret>@proxy:3128/x?y"), "{masked}");
        let value = |text: &str| {
            let mut value: Value = yaml::parse(text).unwrap();
            mask(&mut value);
            value
        };
        assert_eq!(value(&masked), value(text), "{masked}");
    }

    #[test]
    fn urls_of_flags_are_shown_without_passwords() {
        let urls = ["http://me:hunter2@h/x", "http://h/"].map(str::to_owned);
        assert_eq!(masked_urls(&urls), "http://me:<secret>@h/x,http://h/");
    }

    #[test]
    fn each_job_is_shown_alone() {
        let text = "
scrape_configs:
- job_name: one
  basic_auth: {username: me, password: hunter2}
- job_name: 'two words'
  static_configs: [{targets: ['a:1']}]
- scheme: http
";
        let jobs = masked_jobs(text);
        assert_eq!(jobs.keys().collect::<Vec<_>>(), ["one", "two words"]);
        let one = "basic_auth:\n  password: <secret>\n  username: me\njob_name: one\n";
        assert_eq!(jobs.get("one").map(String::as_str), Some(one));
        assert_eq!(masked_jobs("{"), BTreeMap::new());
    }

    #[test]
    fn what_is_no_yaml_is_not_shown() {
        assert_eq!(masked("{"), "");
        assert_eq!(masked(""), "null\n");
    }
}
