//! Discovery against an API server on loopback, and what objects become.

use std::{sync::Arc, time::Duration};

use masthead_http_client::HttpClientConfig;
use masthead_sysio::{Fs, RealFs};
use serde_json::{Value, json};

use super::{
    fake::Fake,
    objects::{Objects, Resource},
    roles::Cluster,
    *,
};
use crate::{Discovery, discover, yaml};

mod faithful;
mod outages;

fn timing() -> Timing {
    Timing {
        backoff_min: Duration::from_millis(5),
        backoff_max: Duration::from_millis(20),
        answer: Duration::from_secs(20),
        settle: Duration::from_millis(1),
        ..Timing::default()
    }
}

fn parts() -> Parts {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    Parts { kubernetes: Arc::new(Clusters::new(timing())), ..Parts::new(fs) }
}

fn start(fake: &Fake, parts: &Parts, role: &str) -> Discovery {
    let text = format!("[{{role: {role}, api_server: '{}'}}]", fake.url());
    let kubernetes_sd_configs = yaml::parse(&text).expect("well formed");
    let configs = Configs { kubernetes_sd_configs, ..Configs::default() };
    discover(&configs, parts).expect("discovery starts")
}

/// Waits until the addresses of all targets are these.
async fn until(discovery: &mut Discovery, want: &[&str]) -> Arc<Vec<TargetGroup>> {
    let wait = async {
        loop {
            let groups = discovery.groups();
            let all = groups.iter().flat_map(TargetGroup::target_labels);
            let mut got: Vec<String> =
                all.map(|labels| labels.get("__address__").unwrap_or("").to_owned()).collect();
            got.sort();
            if got == want {
                return groups;
            }
            discovery.changed().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.expect("found in time")
}

fn pod(name: &str, ip: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "shop", "uid": "u1", "labels": {"app.k/name": "api"},
            "annotations": {"note": ""},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "api-7d", "controller": true}],
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "api", "image": "api:1", "ports": [
                {"name": "http", "containerPort": 8000, "protocol": "TCP"},
                {"name": "metrics", "containerPort": 9464, "protocol": "TCP"},
            ]}],
            "initContainers": [{"name": "migrate", "image": "api:1"}],
        },
        "status": {
            "phase": "Running", "podIP": ip, "hostIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "api", "containerID": "containerd://c1"}],
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "api"}},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ports": [
            {"name": "metrics", "port": 9464, "protocol": "TCP"}]},
    })
}

fn endpoints(name: &str, ip: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop"},
        "subsets": [{
            "addresses": [{"ip": ip, "nodeName": "node-1",
                "targetRef": {"kind": "Pod", "namespace": "shop", "name": "api-1"}}],
            "ports": [{"name": "metrics", "port": 9464, "protocol": "TCP"}],
        }],
    })
}

fn objects<T: Resource>(all: &[Value]) -> Objects<T> {
    let read = |value: &Value| -> T { serde_json::from_value(value.clone()).expect("an object") };
    all.iter().map(read).map(|object| (object.meta().key(), Arc::new(object))).collect()
}

/// All labels of a target that begin with the prefix of Kubernetes, without it, and the address.
fn shown(labels: &masthead_model::Labels) -> Vec<String> {
    let short = |name: &str| name.trim_start_matches("__meta_kubernetes_").to_owned();
    labels.iter().map(|label| format!("{}={}", short(label.name), label.value)).collect()
}

#[test]
fn a_pod_has_a_target_for_each_port_and_for_a_container_without_any() {
    let cluster = Cluster { pods: objects(&[pod("api-1", "10.1.0.5")]), ..Cluster::default() };
    let groups = roles::groups(Role::Pod, &cluster);
    assert_eq!(groups[0].source, "pod/shop/api-1");
    let want = [
        "namespace=shop",
        "pod_annotationpresent_note=true",
        "pod_controller_kind=ReplicaSet",
        "pod_controller_name=api-7d",
        "pod_host_ip=10.0.0.1",
        "pod_ip=10.1.0.5",
        "pod_label_app_k_name=api",
        "pod_labelpresent_app_k_name=true",
        "pod_name=api-1",
        "pod_node_name=node-1",
        "pod_phase=Running",
        "pod_ready=true",
        "pod_uid=u1",
    ];
    assert_eq!(shown(&groups[0].labels), want);
    let targets: Vec<Vec<String>> = groups[0].targets.iter().map(shown).collect();
    let want = [
        "__address__=10.1.0.5:8000",
        "pod_container_id=containerd://c1",
        "pod_container_image=api:1",
        "pod_container_init=false",
        "pod_container_name=api",
        "pod_container_port_name=http",
        "pod_container_port_number=8000",
        "pod_container_port_protocol=TCP",
    ];
    assert_eq!(targets[0], want);
    let want = [
        "__address__=10.1.0.5",
        "pod_container_image=api:1",
        "pod_container_init=true",
        "pod_container_name=migrate",
    ];
    assert_eq!((targets.len(), &targets[2][..]), (3, &want.map(str::to_owned)[..]));
    // Without an address there is nothing to scrape.
    let cluster = Cluster { pods: objects(&[pod("api-1", "")]), ..Cluster::default() };
    assert!(roles::groups(Role::Pod, &cluster)[0].targets.is_empty());
}

#[test]
fn endpoints_bear_their_service_their_pod_and_the_other_ports_of_it() {
    let mut own = endpoints("api", "10.1.0.5");
    own["subsets"][0]["notReadyAddresses"] = json!([{"ip": "10.1.0.9", "hostname": "h"}]);
    let cluster = Cluster {
        pods: objects(&[pod("api-1", "10.1.0.5")]),
        services: objects(&[service("api")]),
        endpoints: objects(&[own]),
        nodes: objects(&[json!({"metadata": {"name": "node-1", "labels": {"zone": "a"}}})]),
        ..Cluster::default()
    };
    let groups = roles::groups(Role::Endpoints, &cluster);
    let want = [
        "endpoints_name=api",
        "namespace=shop",
        "service_label_app=api",
        "service_labelpresent_app=true",
        "service_name=api",
    ];
    assert_eq!(shown(&groups[0].labels), want);
    let targets: Vec<Vec<String>> = groups[0].targets.iter().map(shown).collect();
    assert_eq!(targets.len(), 3, "{targets:#?}");
    for label in [
        "__address__=10.1.0.5:9464",
        "endpoint_address_target_kind=Pod",
        "endpoint_address_target_name=api-1",
        "endpoint_node_name=node-1",
        "endpoint_port_name=metrics",
        "endpoint_ready=true",
        "node_label_zone=a",
        "node_name=node-1",
        "pod_container_name=api",
        "pod_container_port_name=metrics",
        "pod_name=api-1",
    ] {
        assert!(targets[0].contains(&label.to_owned()), "{label}: {:#?}", targets[0]);
    }
    // Not ready, and of no pod that is known.
    let want = [
        "__address__=10.1.0.9:9464",
        "endpoint_hostname=h",
        "endpoint_port_name=metrics",
        "endpoint_port_protocol=TCP",
        "endpoint_ready=false",
    ];
    assert_eq!(targets[1], want);
    // The pod's port that the service does not have.
    assert!(targets[2].contains(&"__address__=10.1.0.5:8000".to_owned()));
    assert!(!targets[2].iter().any(|label| label.starts_with("endpoint_")));
}

#[test]
fn a_slice_finds_its_service_by_label_and_tells_conditions() {
    let slice = json!({
        "metadata": {"name": "api-x1", "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "api"}},
        "addressType": "IPv6",
        "endpoints": [{"addresses": ["fd00::5"], "nodeName": "node-1", "zone": "a",
            "conditions": {"ready": false, "terminating": true}}],
        "ports": [{"name": "metrics", "port": 9464, "protocol": "TCP", "appProtocol": "http"}],
    });
    let cluster = Cluster {
        services: objects(&[service("api")]),
        slices: objects(&[slice]),
        ..Cluster::default()
    };
    let groups = roles::groups(Role::Endpointslice, &cluster);
    assert!(shown(&groups[0].labels).contains(&"service_name=api".to_owned()));
    let want = [
        "__address__=[fd00::5]:9464",
        "endpointslice_endpoint_conditions_ready=false",
        "endpointslice_endpoint_conditions_terminating=true",
        "endpointslice_endpoint_node_name=node-1",
        "endpointslice_endpoint_zone=a",
        "endpointslice_port=9464",
        "endpointslice_port_app_protocol=http",
        "endpointslice_port_name=metrics",
        "endpointslice_port_protocol=TCP",
    ];
    assert_eq!(shown(&groups[0].targets[0]), want);
}

#[test]
fn services_nodes_and_ingresses_have_the_addresses_that_upstream_gives_them() {
    let node = json!({
        "metadata": {"name": "node-1"}, "spec": {"providerID": "kind://1"},
        "status": {"addresses": [{"type": "Hostname", "address": "node-1"},
                {"type": "InternalIP", "address": "10.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}},
    });
    let ingress = json!({
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["*.example"]}], "rules": [
            {"host": "a.example", "http": {"paths": [{"path": "/x"}, {"path": ""}]}},
            {"host": "b.other"},
        ]},
    });
    let cluster = Cluster {
        services: objects(&[service("api")]),
        nodes: objects(&[node]),
        ingresses: objects(&[ingress]),
        ..Cluster::default()
    };
    let targets = |role| -> Vec<Vec<String>> {
        roles::groups(role, &cluster)[0].targets.iter().map(shown).collect()
    };
    let want = [
        "__address__=api.shop.svc:9464",
        "service_cluster_ip=10.96.0.7",
        "service_port_name=metrics",
        "service_port_number=9464",
        "service_port_protocol=TCP",
        "service_type=ClusterIP",
    ];
    assert_eq!(targets(Role::Service)[0], want);
    let want = [
        "__address__=10.0.0.1:10250",
        "node_address_Hostname=node-1",
        "node_address_InternalIP=10.0.0.1",
        "instance=node-1",
    ];
    assert_eq!(targets(Role::Node)[0], want);
    let paths = targets(Role::Ingress).concat().join(" ");
    let want = "__address__=a.example ingress_host=a.example ingress_path=/x ingress_scheme=https \
                __address__=a.example ingress_host=a.example ingress_path=/ ingress_scheme=https \
                __address__=b.other ingress_host=b.other ingress_path=/ ingress_scheme=http";
    assert_eq!(paths, want);
}

#[tokio::test]
async fn objects_are_listed_in_pages_and_then_watched() {
    let fake = Fake::start().await;
    for number in 1..=5 {
        fake.set("services", service(&format!("s{number}")));
    }
    let mut discovery = start(&fake, &parts(), "service");
    let all = ["s1", "s2", "s3", "s4", "s5"].map(|name| format!("{name}.shop.svc:9464"));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    until(&mut discovery, &all).await;
    assert_eq!(fake.requests("continue=").len(), 2);
    fake.delete("services", "shop", "s3");
    let all: Vec<&str> = all.into_iter().filter(|name| !name.starts_with("s3")).collect();
    until(&mut discovery, &all).await;
    fake.set("services", service("s6"));
    let all = [&all[..], &["s6.shop.svc:9464"]].concat();
    until(&mut discovery, &all).await;
    // All of it came by one list and one watch.
    assert_eq!(fake.requests("watch=1").len(), 1);
}

#[tokio::test]
async fn a_broken_watch_goes_on_where_it_was_and_a_forgotten_version_is_listed_again() {
    let fake = Fake::start().await;
    fake.set("services", service("s1"));
    let mut discovery = start(&fake, &parts(), "service");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    fake.set("services", service("s2"));
    until(&mut discovery, &["s1.shop.svc:9464", "s2.shop.svc:9464"]).await;
    fake.cut();
    fake.set("services", service("s3"));
    let three = ["s1.shop.svc:9464", "s2.shop.svc:9464", "s3.shop.svc:9464"];
    until(&mut discovery, &three).await;
    let lists = |fake: &Fake| fake.requests("limit=").len();
    assert_eq!(lists(&fake), 1, "a broken watch costs no list");
    // A bookmark moves the version on, so that the next watch begins there.
    fake.bookmark("services");
    fake.forget();
    fake.delete("services", "shop", "s1");
    until(&mut discovery, &three[1..]).await;
    // Three services take two pages.
    assert!(lists(&fake) >= 2, "{:?}", fake.requests(""));
}

#[tokio::test]
async fn a_server_that_refuses_costs_no_target_and_is_told_once() {
    let fake = Fake::start().await;
    fake.set("services", service("s1"));
    let mut discovery = start(&fake, &parts(), "service");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    for status in [401, 403, 503] {
        fake.refuse(Some(status));
        let seen = async {
            while discovery.stats()[0]
                .last_error
                .as_ref()
                .is_none_or(|error| !error.contains(&status.to_string()))
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), seen).await.expect("told in time");
        assert_eq!(discovery.groups().len(), 1, "{status}");
    }
    fake.refuse(None);
    fake.set("services", service("s2"));
    until(&mut discovery, &["s1.shop.svc:9464", "s2.shop.svc:9464"]).await;
    let errors: Vec<_> = discovery.stats().into_iter().filter_map(|s| s.last_error).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[tokio::test]
async fn jobs_that_want_the_same_share_a_watch_and_it_ends_with_the_last_of_them() {
    let fake = Fake::start().await;
    for (kind, object) in [
        ("pods", pod("api-1", "10.1.0.5")),
        ("services", service("api")),
        ("endpoints", endpoints("api", "10.1.0.5")),
    ] {
        fake.set(kind, object);
    }
    let parts = parts();
    let (mut one, mut two) = (start(&fake, &parts, "endpoints"), start(&fake, &parts, "endpoints"));
    let want = ["10.1.0.5:8000", "10.1.0.5:9464"];
    until(&mut one, &want).await;
    until(&mut two, &want).await;
    for kind in ["pods", "services", "endpoints"] {
        assert_eq!(fake.requests(&format!("/{kind}?limit")).len(), 1, "{kind}");
    }
    drop((one, two));
    let mut again = start(&fake, &parts, "endpoints");
    until(&mut again, &want).await;
    assert_eq!(fake.requests("/pods?limit").len(), 2);
}

#[tokio::test]
async fn namespaces_and_selectors_are_asked_of_the_server() {
    let fake = Fake::start().await;
    fake.set("pods", pod("api-1", "10.1.0.5"));
    let text = format!(
        "[{{role: pod, api_server: '{}', namespaces: {{names: [shop, other]}}, \
          selectors: [{{role: pod, label: 'app=api', field: 'spec.nodeName=node-1'}}]}}]",
        fake.url()
    );
    let kubernetes_sd_configs = yaml::parse(&text).expect("well formed");
    let configs = Configs { kubernetes_sd_configs, ..Configs::default() };
    let mut discovery = discover(&configs, &parts()).expect("discovery starts");
    until(&mut discovery, &["10.1.0.5", "10.1.0.5:8000", "10.1.0.5:9464"]).await;
    for namespace in ["shop", "other"] {
        let path = format!("/api/v1/namespaces/{namespace}/pods?limit=500");
        let asked = fake.requests(&path);
        assert_eq!(asked.len(), 1);
        let selectors = "&labelSelector=app%3Dapi&fieldSelector=spec.nodeName%3Dnode-1";
        assert!(asked[0].ends_with(selectors), "{asked:?}");
    }
}

#[tokio::test]
async fn one_object_is_read_by_its_name_and_none_is_no_error() {
    let fake = Fake::start().await;
    fake.set(
        "configmaps",
        json!({"metadata": {"name": "a", "namespace": "n"}, "data": {"x": "1"}}),
    );
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let api = Api::new(&fake.url(), &HttpClientConfig::default(), &fs, timing()).expect("a URL");
    let found: Option<ConfigMap> = api.get("n", "a").await.expect("an answer");
    assert_eq!(found.expect("it is there").data["x"], "1");
    assert!(api.get::<ConfigMap>("n", "b").await.expect("an answer").is_none());
    fake.refuse(Some(403));
    let error = api.get::<ConfigMap>("n", "a").await.expect_err("refused").to_string();
    let want = "/api/v1/namespaces/n/configmaps/a: 403 Forbidden: not now; the service account needs get, list and watch on it";
    assert_eq!(error, want);
}
