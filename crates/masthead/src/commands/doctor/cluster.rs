//! Whether every resource of the cluster that says what to scrape is taken and finds something.

use serde_json::Value;

use super::{Check, Server, State};

pub(super) async fn checks(server: &Server, wanted: bool) -> Vec<Check> {
    const WHAT: &str = "cluster";
    let answer = match server.json("/api/discovery", &[]).await {
        Ok(answer) => answer,
        Err(why) => return vec![Check::new(WHAT, State::Broken, why, "ask again")],
    };
    verdicts(&answer, wanted)
}

fn verdicts(answer: &Value, wanted: bool) -> Vec<Check> {
    const WHAT: &str = "cluster";
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let (resources, problems) = (list("resources"), list("problems"));
    if resources.is_empty() && problems.is_empty() {
        let advice = "start the server with --kubernetes (`kubernetes.enabled`)";
        let missing = Check::new(WHAT, State::Broken, "no resource is followed", advice);
        return if wanted { vec![missing] } else { Vec::new() };
    }
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut checks = vec![Check::ok(WHAT, format!("{} resources are followed", resources.len()))];
    for problem in &problems {
        let problem = text(problem);
        let (state, advice) = of_problem(&problem);
        checks.push(Check::new(WHAT, state, problem, advice));
    }
    for resource in &resources {
        let (namespace, name) = (text(&resource["namespace"]), text(&resource["name"]));
        let kind = text(&resource["kind"]);
        let what = format!("{kind} {namespace}/{name}");
        let reason = text(&resource["reason"]);
        match resource["state"].as_str() {
            Some("rejected") => {
                let advice = "mend the resource as the reason says";
                checks.push(Check::new(&what, State::Broken, reason, advice));
            }
            Some("empty") => {
                checks.push(Check::new(&what, State::Broken, reason, advice(&kind)));
            }
            _ => {}
        }
    }
    checks
}

/// How bad it is that something of the cluster is not followed, and what to do.
fn of_problem(problem: &str) -> (State, &'static str) {
    match problem {
        p if p.contains("401") || p.contains("403") => {
            let advice = "the server's account lacks the rights that this names: look at its roles";
            (State::Broken, advice)
        }
        // An older operator has fewer kinds.
        p if p.contains("404") => (
            State::Warning,
            "install the CRDs of prometheus-operator where this kind is wanted; it is found then",
        ),
        _ => {
            let advice = "is the API server there, and may the pod of this server reach it?";
            (State::Broken, advice)
        }
    }
}

/// What to look at where a resource of this kind brings nothing.
fn advice(kind: &str) -> &'static str {
    match kind {
        "ServiceMonitor" => {
            "compare its selector with the labels of the Service, its namespaces, and `port` with \
             the name of the Service's port"
        }
        "PodMonitor" => {
            "compare its selector with the labels of the pods, its namespaces, and `port` with the \
             name of the container's port"
        }
        "Probe" => {
            "name targets in `targets.staticConfig.static`, or compare `targets.ingress.selector` \
             with the labels of the Ingresses"
        }
        "ScrapeConfig" => {
            "look at its `staticConfigs`, `httpSDConfigs` and `kubernetesSDConfigs`, and at what its \
             relabelings drop"
        }
        "PrometheusRule" => "write rules below `spec.groups`, or delete it",
        _ => "dashboards are keys that end with .json, data sources keys that end with .yaml",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_that_is_not_installed_is_no_fault_and_each_problem_has_its_advice() {
        let f = |problem: &str, state: State, part: &str| {
            let found = of_problem(problem);
            assert!(found.0 == state && found.1.contains(part), "{problem}: {found:?}");
        };
        f("/apis/x/probes: 403 Forbidden", State::Broken, "rights");
        f("/api/v1/pods: 401 Unauthorized", State::Broken, "rights");
        f("/apis/x/probes: 404 Not Found", State::Warning, "CRDs");
        f("connection refused", State::Broken, "reach");
    }

    #[test]
    fn what_matches_nothing_is_broken_and_no_cluster_only_where_one_is_wanted() {
        let resource = |name: &str, state: &str| {
            json!({"kind": "ServiceMonitor", "namespace": "shop", "name": name, "state": state,
                "reason": "why"})
        };
        let answer = json!({"problems": ["probes: 403"], "resources": [
            resource("a", "scraped"), resource("b", "empty"), resource("c", "rejected")]});
        let shown: Vec<(String, State)> =
            verdicts(&answer, true).into_iter().map(|check| (check.what, check.state)).collect();
        let broken = |what: &str| (what.to_owned(), State::Broken);
        let want = [
            ("cluster".to_owned(), State::Ok),
            broken("cluster"),
            broken("ServiceMonitor shop/b"),
            broken("ServiceMonitor shop/c"),
        ];
        assert_eq!(shown, want);
        let kinds = ["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "PrometheusRule", ""];
        let advices: std::collections::BTreeSet<_> = kinds.into_iter().map(advice).collect();
        assert_eq!(advices.len(), kinds.len());
        let nothing = json!({"problems": [], "resources": []});
        assert_eq!(verdicts(&nothing, false), []);
        assert_eq!(verdicts(&nothing, true)[0].state, State::Broken);
    }
}
