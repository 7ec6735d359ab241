//! The series: they parse, they move by the right amounts, and the reference names each of them.

use crate::support::{Api, on_each_database};
use std::collections::{BTreeMap, BTreeSet};

const REFERENCE: &str = include_str!("../../../docs/reference/api-metrics.md");

#[tokio::test]
async fn counters_move_by_what_happened() {
    on_each_database(async |api: Api| {
        let fresh = api.scrape().await;
        for name in
            ["items_created_total", "items_updated_total", "items_deleted_total", "items_stored"]
        {
            assert_eq!(fresh.value(name, ""), 0.0, "{name} is not there from the start");
        }
        let mut paths = Vec::new();
        for _ in 0..3 {
            paths.push(api.create("Anchor").await);
        }
        api.put(&paths[0], r#"{"name":"a","price":1}"#).await;
        api.put(&paths[0], r#"{"name":"b","price":1}"#).await;
        api.delete(&paths[1]).await;
        // None of these is an event.
        api.delete(&paths[1]).await.problem(404);
        api.put(&paths[1], r#"{"name":"a","price":1}"#).await.problem(404);
        api.post("{}").await.problem(422);
        api.get("/items").await;

        let scrape = api.scrape().await;
        let f = |name: &str, labels: &str, want: f64| {
            assert_eq!(scrape.value(name, labels), want, "{name}{{{labels}}}");
        };
        f("items_created_total", "", 3.0);
        f("items_updated_total", "", 2.0);
        f("items_deleted_total", "", 1.0);
        f("items_stored", "", 2.0);
        f("db_query_duration_seconds_count", "query=item_insert", 3.0);
        f("db_query_duration_seconds_count", "query=item_update", 3.0);
        f("db_query_duration_seconds_count", "query=item_delete", 2.0);
        f("db_query_duration_seconds_count", "query=items_list", 1.0);
        f("db_query_duration_seconds_count", "query=items_count", 1.0);
        f("db_query_duration_seconds_count", "query=ping", 0.0);
        f("db_query_errors_total", "query=item_insert", 0.0);
        f("db_pool_connections_max", "", 10.0);
        f("http_requests_total", "method=POST,handler=/items,status=201", 3.0);
        f("http_requests_total", "method=POST,handler=/items,status=422", 1.0);
        f("http_requests_total", "method=DELETE,handler=/items/{id},status=204", 1.0);
        f("http_requests_total", "method=DELETE,handler=/items/{id},status=404", 1.0);
        f("http_request_duration_seconds_count", "method=PUT,handler=/items/{id}", 3.0);
        let open = scrape.value("db_pool_connections", "");
        assert!((1.0..=10.0).contains(&open), "{open}");
        assert!(scrape.value("db_pool_connections_idle", "") <= open);
        assert!(scrape.value("db_query_duration_seconds_sum", "query=item_insert") > 0.0);
    })
    .await;
}

#[tokio::test]
async fn the_stored_gauge_follows_what_others_do_after_a_recount() {
    on_each_database(async |api: Api| {
        let path = api.create("Anchor").await;
        let id = path.strip_prefix("/items/").unwrap().parse().unwrap();
        // Another process would change the rows without this process' gauge.
        let other = api.sibling().await;
        assert!(other.store.delete(id).await.unwrap());
        assert_eq!(api.scrape().await.value("items_stored", ""), 1.0);
        api.store.recount().await.unwrap();
        assert_eq!(api.scrape().await.value("items_stored", ""), 0.0);
    })
    .await;
}

#[tokio::test]
async fn the_reference_and_the_exposition_name_the_same_metrics() {
    on_each_database(async |api: Api| {
        api.create("Anchor").await;
        let scrape = api.scrape().await;
        let documented = documented();
        let exposed: BTreeSet<&String> = scrape.types.keys().collect();
        assert_eq!(exposed, documented.keys().collect(), "exposed | in the reference");
        for (name, (kind, labels)) in &documented {
            assert_eq!(&scrape.types[name], kind, "type of {name}");
            let labels: BTreeSet<&str> = labels.iter().map(String::as_str).collect();
            assert_eq!(scrape.label_names(name), labels, "labels of {name}");
        }
    })
    .await;
}

/// The rows of the tables: `| name | type | labels | …`.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let rows = REFERENCE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = cells[0].trim_end_matches('`').to_owned();
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`').to_owned());
        (name, (cells[1].to_owned(), labels.filter(|label| label != "–").collect()))
    })
    .collect()
}
