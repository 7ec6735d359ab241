//! Items come, are read, change, go, and are listed page by page; on both databases.

use crate::support::{Api, on_each_database};
use serde_json::{Value, json};

#[tokio::test]
async fn an_item_is_created_read_replaced_and_deleted() {
    on_each_database(async |api: Api| {
        let answer = api
            .post(json!({"name": "Anchor", "description": "12 kg", "price": "19.9"}).to_string())
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let created = answer.json();
        assert_eq!(created["name"], "Anchor");
        assert_eq!(created["description"], "12 kg");
        assert_eq!(created["price"], "19.90");
        assert_eq!(created["created_at"], created["updated_at"]);
        let id: uuid::Uuid = created["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
        let path = answer.header("location").to_owned();
        assert_eq!(path, format!("/items/{id}"));

        let read = api.get(&path).await;
        assert_eq!((read.status, read.json()), (200, created.clone()));

        let answer = api.put(&path, r#"{"name":"Ancre","price":0.07}"#).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let replaced = answer.json();
        assert_eq!(replaced["name"], "Ancre");
        assert_eq!(replaced["description"], "");
        assert_eq!(replaced["price"], "0.07");
        assert_eq!(replaced["id"], created["id"]);
        assert_eq!(replaced["created_at"], created["created_at"]);
        assert!(replaced["updated_at"].as_str() > created["updated_at"].as_str(), "{replaced}");
        assert_eq!(api.get(&path).await.json(), replaced);

        let gone = api.delete(&path).await;
        assert_eq!((gone.status, gone.body.len()), (204, 0));
        api.get(&path).await.problem(404);
        api.delete(&path).await.problem(404);
        api.put(&path, r#"{"name":"a","price":1}"#).await.problem(404);
        assert_eq!(api.count().await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_was_read_may_be_sent_back_and_never_sets_the_id() {
    on_each_database(async |api: Api| {
        let path = api.create("Anchor").await;
        let item = api.get(&path).await.json();
        let copy = api.post(item.to_string()).await.json();
        assert_ne!(copy["id"], item["id"]);
        assert_eq!(api.put(&path, item.to_string()).await.json()["id"], item["id"]);
    })
    .await;
}

#[tokio::test]
async fn an_item_has_one_address() {
    on_each_database(async |api: Api| {
        let path = api.create("Anchor").await;
        let id: uuid::Uuid = path.strip_prefix("/items/").unwrap().parse().unwrap();
        for other in [id.simple().to_string(), format!("%7B{id}%7D"), format!("urn:uuid:{id}")] {
            api.get(&format!("/items/{other}")).await.problem(404);
        }
        assert_eq!(api.get(&path).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn texts_and_the_largest_price_come_back_as_they_were_sent() {
    on_each_database(async |api: Api| {
        let sent = json!({
            "name": "'; DROP TABLE items; -- ⚓ \"$1\" %s \\",
            "description": "two\r\nlines\tand ünïcödé \u{1F6A2}",
            "price": "9999999999.99",
        });
        let answer = api.post(sent.to_string()).await;
        let read = api.get(answer.header("location")).await.json();
        for field in ["name", "description", "price"] {
            assert_eq!(read[field], sent[field]);
        }
    })
    .await;
}

#[tokio::test]
async fn pages_hold_every_item_once_in_the_order_of_creation() {
    on_each_database(async |api: Api| {
        let mut created = Vec::new();
        for i in 0..7 {
            created.push(api.create(&format!("item {i}")).await);
        }
        for limit in [1, 3, 7, 100] {
            let (mut listed, mut pages) = (Vec::new(), 0);
            let mut next = Some(format!("/items?limit={limit}"));
            while let Some(path) = next {
                let page = api.get(&path).await.json();
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= limit, "{page}");
                listed.extend(items.iter().map(|item| format!("/items/{}", text(&item["id"]))));
                next = page["next"].as_str().map(str::to_owned);
                pages += 1;
                assert!(pages <= 7, "endless");
            }
            assert_eq!(listed, created, "limit {limit}");
            assert_eq!(pages, created.len().div_ceil(limit), "limit {limit}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_never_holds_more_than_the_cap() {
    on_each_database(async |api: Api| {
        let answer = api.get("/items?limit=101&page=2").await.problem(422);
        let fields: Vec<&str> = answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| text(&error["field"]))
            .collect();
        assert_eq!(fields, ["limit", "page"]);
    })
    .await;
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
