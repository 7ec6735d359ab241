//! A server that is slow, that wants another token, and one whose watches end at once.
#![expect(clippy::disallowed_methods, reason = "tests write a file and read the clock")]

use std::time::Instant;

use masthead_http_client::TlsConfig;

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until the one source of `discovery` has a last error for which this holds.
async fn until_told(discovery: &Discovery, holds: impl Fn(Option<&str>) -> bool) {
    let seen = async {
        while !holds(discovery.stats()[0].last_error.as_deref()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("told in time");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_and_costs_no_target() {
    let fake = Fake::start().await;
    fake.set("services", service("s1"));
    let timing = Timing { answer: Duration::from_millis(200), ..timing() };
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let parts = Parts { kubernetes: Arc::new(Clusters::new(timing)), ..Parts::new(fs) };
    let mut discovery = start(&fake, &parts, "service");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    fake.be_silent(true);
    // A forgotten version, so that it lists, and waits in vain.
    fake.forget();
    until_told(&discovery, |error| error.is_some()).await;
    assert_eq!(discovery.groups().len(), 1);
    fake.be_silent(false);
    fake.set("services", service("s2"));
    until(&mut discovery, &["s1.shop.svc:9464", "s2.shop.svc:9464"]).await;
    until_told(&discovery, |error| error.is_none()).await;
}

#[tokio::test]
async fn a_token_that_was_replaced_is_read_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    let write = |token: &str| std::fs::write(&file, token).expect("written");
    write("old");
    let fake = Fake::start().await;
    fake.want_token("old");
    fake.set("services", service("s1"));
    let text = format!(
        "[{{role: service, api_server: '{}', authorization: {{credentials_file: '{}'}}}}]",
        fake.url(),
        file.display()
    );
    let kubernetes_sd_configs = yaml::parse(&text).expect("well formed");
    let mut configs = Configs { kubernetes_sd_configs, ..Configs::default() };
    configs.validate().expect("valid");
    let mut discovery = discover(&configs, &parts()).expect("discovery starts");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    // The kubelet replaces the file of a service account about every hour.
    fake.want_token("new");
    until_told(&discovery, |error| error.is_some_and(|error| error.contains("401"))).await;
    fake.set("services", service("s2"));
    assert_eq!(discovery.groups().len(), 1);
    write("new");
    until(&mut discovery, &["s1.shop.svc:9464", "s2.shop.svc:9464"]).await;
}

#[tokio::test]
async fn the_token_of_the_service_account_is_shown_as_a_bearer() {
    let directory = tempfile::tempdir().expect("a directory");
    let token = directory.path().join("token");
    std::fs::write(&token, "mine\n").expect("written");
    let mut config = api::of_the_service_account();
    // As in a pod, but for the place of the files and a certificate.
    config.tls_config = TlsConfig::default();
    let own = config.authorization.as_mut().expect("a token");
    own.credentials_file = token.to_str().expect("a path").to_owned();
    let fake = Fake::start().await;
    fake.want_token("mine");
    fake.set("configmaps", json!({"metadata": {"name": "a", "namespace": "n"}}));
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let api = Api::new(&fake.url(), &config, &fs, timing()).expect("a URL");
    let found: Option<ConfigMap> = api.get("n", "a").await.expect("an answer");
    assert_eq!(found.expect("it is there").metadata.name, "a");
}

#[tokio::test]
async fn watches_that_end_at_once_are_begun_again_with_a_pause() {
    const PAUSE: Duration = Duration::from_millis(200);
    let fake = Fake::start().await;
    fake.set("services", service("s1"));
    fake.end_watches();
    let timing = Timing { backoff_min: PAUSE, ..timing() };
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let parts = Parts { kubernetes: Arc::new(Clusters::new(timing)), ..Parts::new(fs) };
    let begun = Instant::now();
    let mut discovery = start(&fake, &parts, "service");
    until(&mut discovery, &["s1.shop.svc:9464"]).await;
    let four = async {
        while fake.requests("watch=1").len() < 4 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, four).await.expect("in time");
    assert!(begun.elapsed() >= PAUSE * 3, "{:?}", begun.elapsed());
    // It is no failure, and no reason to list.
    assert_eq!(discovery.stats()[0].last_error, None);
    assert_eq!(fake.requests("limit=").len(), 1);
}
