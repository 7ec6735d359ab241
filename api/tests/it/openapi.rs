//! The description: OpenAPI 3.1, complete, true, and as a page that loads nothing.

use crate::support::{Api, on_each_database, request};
use axum::body::Body;
use http::Method;
use serde_json::Value;

/// Every public endpoint; the demo's are left out on purpose.
const ENDPOINTS: [(&str, &str); 7] = [
    ("/healthz", "get"),
    ("/items", "get"),
    ("/items", "post"),
    ("/items/{id}", "delete"),
    ("/items/{id}", "get"),
    ("/items/{id}", "put"),
    ("/readyz", "get"),
];

#[tokio::test]
async fn the_document_describes_exactly_the_endpoints_there_are() {
    on_each_database(async |api: Api| {
        let answer = api.get("/openapi.json").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        let document = answer.json();
        assert_eq!(document["openapi"], "3.1.0");
        let mut described = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            described
                .extend(methods.as_object().unwrap().keys().map(|m| (path.clone(), m.clone())));
        }
        described.sort();
        let want = ENDPOINTS.map(|(path, method)| (path.to_owned(), method.to_owned()));
        assert_eq!(described, want);

        let item = api.create("Anchor").await;
        for (path, method) in ENDPOINTS {
            let path = path.replace("/items/{id}", &item);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = api.send(request(method, &path, Body::empty())).await;
            assert!(![404, 405].contains(&answer.status) || path == item, "{path} {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    on_each_database(async |api: Api| {
        let document = api.get("/openapi.json").await.json();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 10, "{references:?}");
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_item_has_the_members_that_the_document_says() {
    on_each_database(async |api: Api| {
        let document = api.get("/openapi.json").await.json();
        let path = api.create("Anchor").await;
        let item = api.get(&path).await.json();
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let schemas = &document["components"]["schemas"];
        assert_eq!(names(&item), names(&schemas["Item"]["properties"]));
        let problem = api.get("/items?limit=0").await.problem(422);
        assert_eq!(names(&problem), names(&schemas["Problem"]["properties"]));
    })
    .await;
}

#[tokio::test]
async fn the_page_is_html_that_may_load_nothing() {
    on_each_database(async |api: Api| {
        let page = api.get("/docs").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(String::from_utf8(page.body).unwrap().contains("/items/{id}"));
    })
    .await;
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "$ref" => references.push(text),
                    value => collect(value, references),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
