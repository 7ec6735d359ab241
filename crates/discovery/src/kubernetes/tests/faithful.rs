//! What a real server does and a simple one does not: lists that are null, versions that expire half
//! way, namespaces that are refused or come later, and large clusters.

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

fn lists(fake: &Fake) -> usize {
    fake.requests("limit=").len()
}

/// Discovery in these namespaces.
fn start_in(fake: &Fake, role: &str, namespaces: &str) -> Discovery {
    let text = format!(
        "[{{role: {role}, api_server: '{}', namespaces: {{names: [{namespaces}]}}}}]",
        fake.url()
    );
    let kubernetes_sd_configs = yaml::parse(&text).expect("well formed");
    let configs = Configs { kubernetes_sd_configs, ..Configs::default() };
    discover(&configs, &parts()).expect("discovery starts")
}

async fn until_error(discovery: &Discovery, part: Option<&str>) {
    let seen = async {
        loop {
            let error = discovery.stats()[0].last_error.clone();
            if error.as_deref().map(|error| part.is_some_and(|part| error.contains(part)))
                == part.map(|_| true)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("told in time");
}

#[tokio::test]
async fn lists_that_are_null_are_lists_of_nothing() {
    let fake = Fake::start().await;
    // As the server has it for a Service whose selector finds no pod.
    let empty = json!({"metadata": {"name": "none-x1", "namespace": "shop"},
        "addressType": "IPv4", "endpoints": null, "ports": null});
    fake.set("endpointslices", empty);
    fake.set(
        "endpointslices",
        json!({"metadata": {"name": "api-x1", "namespace": "shop"}, "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.1.0.5"], "conditions": {}}, {"addresses": null}],
            "ports": [{"name": "metrics", "port": 9464, "protocol": "TCP"}]}),
    );
    let mut discovery = start(&fake, &parts(), "endpointslice");
    until(&mut discovery, &["10.1.0.5:9464"]).await;
    let ingress = json!({"metadata": {"name": "a", "namespace": "shop"},
        "spec": {"rules": [{"host": "h", "http": {"paths": null}}]}});
    fake.set("ingresses", ingress);
    let mut discovery = start(&fake, &parts(), "ingress");
    until_error(&discovery, None).await;
    until(&mut discovery, &[]).await;
}

#[tokio::test]
async fn a_list_that_takes_too_long_is_begun_again() {
    let fake = Fake::start().await;
    for number in 1..=5 {
        fake.set("services", service(&format!("s{number}")));
    }
    fake.forget_page();
    let mut discovery = start(&fake, &parts(), "service");
    let all = ["s1", "s2", "s3", "s4", "s5"].map(|name| format!("{name}.shop.svc:9464"));
    until(&mut discovery, &all.each_ref().map(String::as_str)).await;
    // The first page, the second in vain, and all three.
    assert_eq!(lists(&fake), 5);
    assert_eq!(discovery.stats()[0].last_error, None);
}

#[tokio::test]
async fn a_version_that_expires_in_a_watch_costs_a_list_and_no_target() {
    let fake = Fake::start().await;
    fake.set("services", service("s1"));
    let mut discovery = start(&fake, &parts(), "service");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    fake.bookmark("services");
    fake.set("services", service("s2"));
    until(&mut discovery, &["s1.shop.svc:9464", "s2.shop.svc:9464"]).await;
    assert_eq!(lists(&fake), 1);
    fake.expire();
    let listed = async {
        while lists(&fake) < 2 {
            assert_eq!(discovery.groups().len(), 2);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, listed).await.expect("in time");
    fake.delete("services", "shop", "s1");
    until(&mut discovery, &["s2.shop.svc:9464"]).await;
    // It is how watches are, and no failure.
    assert_eq!(discovery.stats()[0].last_error, None);
}

#[tokio::test]
async fn a_namespace_that_is_refused_costs_the_others_nothing() {
    let fake = Fake::start().await;
    fake.set("services", service("s1"));
    fake.refuse_at("/namespaces/secret/services", Some(403));
    let mut discovery = start_in(&fake, "service", "shop, secret");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    until_error(&discovery, Some("/api/v1/namespaces/secret/services: 403")).await;
    let mut other = service("s2");
    other["metadata"]["namespace"] = "secret".into();
    fake.set("services", other);
    fake.refuse_at("/namespaces/secret/services", None);
    until(&mut discovery, &["s1.shop.svc:9464", "s2.secret.svc:9464"]).await;
    until_error(&discovery, None).await;
}

#[tokio::test]
async fn a_namespace_that_is_made_later_is_found() {
    let fake = Fake::start().await;
    let mut discovery = start_in(&fake, "service", "later");
    until(&mut discovery, &[]).await;
    // A namespace that is not there lists nothing, which is no error to a server.
    until_error(&discovery, None).await;
    let mut one = service("s1");
    one["metadata"]["namespace"] = "later".into();
    fake.set("services", one);
    until(&mut discovery, &["s1.later.svc:9464"]).await;
}

#[tokio::test]
async fn five_thousand_pods_and_what_others_manage_of_them_are_no_burden() {
    const PODS: usize = 5_000;
    let fake = Fake::start().await;
    fake.page(500);
    let (pods, slash) = (PODS - 1, 256);
    for number in 0..pods {
        let ip = format!("10.1.{}.{}", number / slash, number % slash);
        fake.set("pods", pod(&format!("p{number}"), &ip));
    }
    // As of an operator that writes often: skipped, and no object is kept with it.
    let mut managed = pod("managed", "10.9.0.1");
    managed["metadata"]["managedFields"] =
        json!([{"manager": "x", "fieldsV1": {"f:x": "y".repeat(100 << 10)}}]);
    fake.set("pods", managed);
    let mut discovery = start(&fake, &parts(), "pod");
    let found = async {
        while discovery.groups().len() < PODS {
            discovery.changed().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("in time");
    assert_eq!(lists(&fake), PODS.div_ceil(500));
    fake.delete("pods", "shop", "p0");
    let found = async {
        while discovery.groups().len() != PODS - 1 {
            discovery.changed().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("in time");
}
