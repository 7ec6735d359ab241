//! What the custom resources of a cluster become here: jobs, groups of rules, and a verdict on each.
//!
//! Pure functions. A resource that cannot be used is refused whole, and costs no other.

use std::{sync::Arc, time::Duration};

use masthead_discovery::operator::{Found, RuleFile};
use masthead_ports::FoundResource;
use masthead_rules::GroupSpec;
use masthead_scrape::{PromConfig, ScrapeConfig};
use serde_json::{Map, Value, json};

/// Where rules of the cluster stand among the files of the others.
const RULES: &str = "kubernetes/";

/// The jobs that can be scraped, the groups that can be evaluated, and what became of every
/// resource. `parse` reads a rule file: its name, its text.
pub(super) fn taken(
    found: &Found,
    interval: Duration,
    parse: impl Fn(&str, &str) -> Result<Vec<GroupSpec>, String>,
) -> (Vec<Arc<ScrapeConfig>>, Vec<GroupSpec>, Vec<FoundResource>) {
    let (mut jobs, mut groups) = (Vec::new(), Vec::new());
    let mut resources = Vec::new();
    for status in &found.statuses {
        let mut resource = FoundResource {
            kind: status.kind.to_owned(),
            namespace: status.namespace.clone(),
            name: status.name.clone(),
            pools: Vec::new(),
            looks: String::new(),
            brought: None,
            rejected: status.rejected.clone(),
        };
        if status.kind == RULE_KIND {
            let is_own =
                |rule: &&RuleFile| rule.namespace == status.namespace && rule.name == status.name;
            let file = found.rules.iter().find(is_own);
            match file.map(|rule| parse(&format!("{RULES}{}", rule.file), &rule.text)) {
                Some(Ok(parsed)) => {
                    resource.brought = Some(parsed.iter().map(|group| group.rules.len()).sum());
                    groups.extend(parsed);
                }
                Some(Err(why)) => resource.rejected = Some(why),
                None => {}
            }
        } else {
            jobs.extend(jobs_of(found, &status.jobs, interval, &mut resource));
        }
        resources.push(resource);
    }
    (jobs, groups, resources)
}

const RULE_KIND: &str = "PrometheusRule";

/// The jobs of one resource, all or none of them.
fn jobs_of(
    found: &Found,
    names: &[String],
    interval: Duration,
    resource: &mut FoundResource,
) -> Vec<Arc<ScrapeConfig>> {
    let mut own = Vec::new();
    for name in names {
        let of_name = |job: &&Map<String, Value>| {
            job.get("job_name").and_then(Value::as_str) == Some(name.as_str())
        };
        let Some(job) = found.jobs.iter().find(of_name) else { continue };
        resource.looks = looks(job);
        match parse_job(job, interval) {
            Ok(parsed) => own.extend(parsed),
            Err(why) => resource.rejected = Some(why),
        }
    }
    if resource.rejected.is_some() {
        return Vec::new();
    }
    resource.pools = names.to_vec();
    own
}

/// Where a job looks for targets, in words.
fn looks(job: &Map<String, Value>) -> String {
    let sections = job.get("kubernetes_sd_configs").and_then(Value::as_array);
    let one = |section: &Value| {
        let role = section["role"].as_str().unwrap_or("pod");
        let names: Vec<&str> = section["namespaces"]["names"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let what = match role {
            "endpoints" => "endpoints of services",
            "endpointslice" => "endpoint slices of services",
            "pod" => "pods",
            "ingress" => "ingresses",
            "service" => "services",
            other => other,
        };
        match names[..] {
            [] => format!("{what} in any namespace"),
            [one] => format!("{what} in namespace {one}"),
            _ => format!("{what} in namespaces {}", names.join(", ")),
        }
    };
    let all: Vec<String> = sections.into_iter().flatten().map(one).collect();
    all.join("; ")
}

/// Lets a job look for its targets at the server where its monitor was found.
pub(super) fn ask(job: &mut Map<String, Value>, server: &str) {
    let found = job.get_mut("kubernetes_sd_configs").and_then(Value::as_array_mut);
    for one in found.into_iter().flatten().filter_map(Value::as_object_mut) {
        one.entry("api_server").or_insert_with(|| json!(server));
    }
}

/// One job, read as a file of its own: JSON is YAML too.
fn parse_job(
    job: &Map<String, Value>,
    interval: Duration,
) -> Result<Vec<Arc<ScrapeConfig>>, String> {
    let global = json!({"scrape_interval": format!("{}ms", interval.as_millis())});
    let file = json!({"global": global, "scrape_configs": [job]}).to_string();
    let parsed = PromConfig::parse(&file).map_err(|error| error.to_string())?;
    match parsed.warnings.first() {
        Some(warning) => Err(warning.clone()),
        None => Ok(parsed.scrape_configs),
    }
}

#[cfg(test)]
mod tests {
    use masthead_discovery::operator::Status;
    use masthead_promql::Features;
    use masthead_rules::{Language, parse_file};

    use super::*;

    fn status(kind: &'static str, name: &str, jobs: &[&str]) -> Status {
        Status {
            kind,
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            jobs: jobs.iter().map(|job| (*job).to_owned()).collect(),
            rejected: None,
        }
    }

    fn parse(file: &str, text: &str) -> Result<Vec<GroupSpec>, String> {
        parse_file(text, file, Language::Promql, Features::STABLE)
            .map_err(|errors| errors.into_iter().map(|error| error.what).collect())
    }

    #[test]
    fn what_cannot_be_scraped_is_refused_alone() {
        let job = |value: Value| value.as_object().unwrap().clone();
        let discovered = json!([{"role": "endpoints", "namespaces": {"names": ["shop"]}}]);
        let found = Found {
            jobs: vec![
                job(json!({"job_name": "good/0", "scrape_timeout": "5s",
                    "kubernetes_sd_configs": discovered})),
                job(json!({"job_name": "bad/0", "scrape_interval": "5s", "scrape_timeout": "9s"})),
            ],
            statuses: vec![
                status("ServiceMonitor", "good", &["good/0"]),
                status("ServiceMonitor", "bad", &["bad/0"]),
            ],
            ..Found::default()
        };
        let (jobs, groups, resources) = taken(&found, Duration::from_secs(30), parse);
        assert_eq!((jobs.len(), groups.len()), (1, 0));
        assert_eq!(jobs[0].scrape_interval, Duration::from_secs(30));
        assert_eq!(resources[0].pools, ["good/0"]);
        assert_eq!(resources[0].looks, "endpoints of services in namespace shop");
        let why = resources[1].rejected.as_deref().unwrap();
        assert!(why.contains("scrape timeout greater than scrape interval"), "{why}");
        assert!(resources[1].pools.is_empty());
    }

    #[test]
    fn rules_are_files_of_their_own_and_wrong_ones_are_refused_alone() {
        let rule = |name: &str, spec: Value| RuleFile {
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            file: format!("shop-{name}-7.yaml"),
            text: spec.to_string(),
        };
        let group = |expr: Value| {
            json!({"groups": [{"name": "g", "interval": "1m", "rules": [
                {"record": "a:b", "expr": expr, "labels": {"x": "\u{e9}\n\"q\""}}]}]})
        };
        let found = Found {
            rules: vec![
                // The operator's schema takes a number for an expression.
                rule("good", group(json!(1))),
                rule("bad", group(json!("sum("))),
                rule("empty", json!({})),
            ],
            statuses: ["bad", "empty", "good"]
                .map(|name| status("PrometheusRule", name, &[]))
                .to_vec(),
            ..Found::default()
        };
        let (_, groups, resources) = taken(&found, Duration::from_secs(30), parse);
        assert_eq!((groups.len(), &*groups[0].file), (1, "kubernetes/shop-good-7.yaml"));
        assert_eq!(groups[0].rules[0].labels["x"], "\u{e9}\n\"q\"");
        let why = resources[0].rejected.as_deref().unwrap();
        assert!(why.starts_with("group \"g\", rule 1, \"a:b\": could not parse"), "{why}");
        assert_eq!((resources[0].brought, resources[1].brought), (None, Some(0)));
        assert_eq!(resources[2].brought, Some(1));
    }

    #[test]
    fn where_a_job_looks_is_said_in_words() {
        let f = |sections: Value, want: &str| {
            let job = json!({"kubernetes_sd_configs": sections});
            assert_eq!(looks(job.as_object().unwrap()), want);
        };
        f(json!([{"role": "pod"}]), "pods in any namespace");
        f(
            json!([{"role": "ingress", "namespaces": {"names": ["a", "b"]}}]),
            "ingresses in namespaces a, b",
        );
        f(json!([]), "");
    }
}
