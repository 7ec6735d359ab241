//! The endpoints of the items. What is sent is checked before the database hears of it.

use super::model::{Item, ItemInput, Violation};
use crate::{
    app::App,
    extract::{ItemBody, ItemId},
    problem::{self, Rejection},
};
use axum::{
    Json, Router,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
    routing,
};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Items in a page when the request does not say.
const LIMIT_DEFAULT: u32 = 50;
/// Most items in a page.
const LIMIT_MAX: u32 = 100;

/// `/items` and `/items/{id}`.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/items", routing::get(list).post(create))
        .route("/items/{id}", routing::get(read).put(replace).delete(remove))
}

/// A page of items in the order of their creation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page {
    pub items: Vec<Item>,
    /// The address of the next page; null on the last one.
    #[schema(example = "/items?limit=50&cursor=019c1e2f-7c00-7000-8000-000000000000")]
    pub next: Option<String>,
}

/// List items
#[utoipa::path(
    get, path = "/items", tag = "items",
    params(
        ("limit" = Option<u32>, Query, description = "Items in the page, 1 to 100; 50 when absent", minimum = 1, maximum = 100),
        ("cursor" = Option<Uuid>, Query, description = "The page starts after this id; taken from `next`"),
    ),
    responses(
        (status = 200, description = "A page of items, oldest first", body = Page),
        (status = 422, response = crate::openapi::Validation),
        (status = 503, response = crate::openapi::Unavailable),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Page>, Rejection> {
    let PageQuery { limit, cursor } = PageQuery::parse(&query.unwrap_or_default())?;
    // One more than asked for tells whether there is a next page.
    let mut items = app.store.list(cursor, limit + 1).await?;
    let wanted = limit as usize;
    let more = items.len() > wanted;
    items.truncate(wanted);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| format!("/items?limit={limit}&cursor={}", last.id));
    Ok(Json(Page { items, next }))
}

/// Create an item
#[utoipa::path(
    post, path = "/items", tag = "items",
    request_body = ItemInput,
    responses(
        (status = 201, description = "The new item", body = Item, headers(("location" = String, description = "Its address"))),
        (status = 400, response = crate::openapi::Malformed),
        (status = 408, response = crate::openapi::TooSlow),
        (status = 413, response = crate::openapi::TooLarge),
        (status = 415, response = crate::openapi::UnsupportedType),
        (status = 422, response = crate::openapi::Validation),
        (status = 503, response = crate::openapi::Unavailable),
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    ItemBody(input): ItemBody,
) -> Result<Response, Rejection> {
    let item = app.store.insert(input).await?;
    tracing::info!(item_id = %item.id, "Item created.");
    let location = format!("/items/{}", item.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(item)).into_response())
}

/// Read an item
#[utoipa::path(
    get, path = "/items/{id}", tag = "items",
    params(("id" = Uuid, Path, description = "The item's id")),
    responses(
        (status = 200, description = "The item", body = Item),
        (status = 404, response = crate::openapi::NotFound),
        (status = 503, response = crate::openapi::Unavailable),
    ),
)]
pub(crate) async fn read(
    State(app): State<App>,
    ItemId(id): ItemId,
) -> Result<Json<Item>, Rejection> {
    let item = app.store.get(id).await?.ok_or_else(|| problem::no_such_item(id))?;
    Ok(Json(item))
}

/// Replace an item
#[utoipa::path(
    put, path = "/items/{id}", tag = "items",
    params(("id" = Uuid, Path, description = "The item's id")),
    request_body = ItemInput,
    responses(
        (status = 200, description = "The item as it is now", body = Item),
        (status = 400, response = crate::openapi::Malformed),
        (status = 404, response = crate::openapi::NotFound),
        (status = 408, response = crate::openapi::TooSlow),
        (status = 413, response = crate::openapi::TooLarge),
        (status = 415, response = crate::openapi::UnsupportedType),
        (status = 422, response = crate::openapi::Validation),
        (status = 503, response = crate::openapi::Unavailable),
    ),
)]
pub(crate) async fn replace(
    State(app): State<App>,
    ItemId(id): ItemId,
    ItemBody(input): ItemBody,
) -> Result<Json<Item>, Rejection> {
    let item = app.store.update(id, input).await?.ok_or_else(|| problem::no_such_item(id))?;
    tracing::info!(item_id = %item.id, "Item updated.");
    Ok(Json(item))
}

/// Delete an item
#[utoipa::path(
    delete, path = "/items/{id}", tag = "items",
    params(("id" = Uuid, Path, description = "The item's id")),
    responses(
        (status = 204, description = "The item is gone"),
        (status = 404, response = crate::openapi::NotFound),
        (status = 503, response = crate::openapi::Unavailable),
    ),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    ItemId(id): ItemId,
) -> Result<StatusCode, Rejection> {
    if !app.store.delete(id).await? {
        return Err(problem::no_such_item(id).into());
    }
    tracing::info!(item_id = %id, "Item deleted.");
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, PartialEq)]
struct PageQuery {
    limit: u32,
    cursor: Uuid,
}

impl PageQuery {
    /// A parameter that is unknown or there twice is refused: a client that pages by `page=2` would
    /// read the first page for ever.
    fn parse(query: &str) -> Result<Self, Rejection> {
        let (mut limit, mut cursor, mut violations) = (None, None, Vec::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(8) {
            let wrong = match &*name {
                "limit" if limit.is_some() => Some("is there more than once"),
                "limit" => {
                    limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    limit.is_none().then_some("must be a whole number from 1 to 100")
                }
                "cursor" if cursor.is_some() => Some("is there more than once"),
                "cursor" => {
                    cursor = Uuid::try_parse(&value).ok();
                    cursor.is_none().then_some("must be an id, as `next` has it")
                }
                _ => Some("is not a parameter here (limit, cursor)"),
            };
            violations.extend(wrong.map(|message| Violation::new(&name, message)));
        }
        if violations.is_empty() {
            Ok(Self { limit: limit.unwrap_or(LIMIT_DEFAULT), cursor: cursor.unwrap_or_default() })
        } else {
            Err(problem::invalid(&violations).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded_and_its_parameters_are_known() {
        let id = "019c1e2f-7c00-7000-8000-000000000000";
        let f = |query: &str, want: Option<(u32, &str)>| {
            let want = want.map(|(limit, cursor)| PageQuery {
                limit,
                cursor: Uuid::try_parse(cursor).unwrap(),
            });
            assert_eq!(PageQuery::parse(query).ok(), want, "{query:?}");
        };
        let nil = "00000000-0000-0000-0000-000000000000";
        f("", Some((50, nil)));
        f("limit=1", Some((1, nil)));
        f(&format!("cursor={id}&limit=100"), Some((100, id)));
        f("limit=101", None);
        f("limit=0", None);
        f("limit=-1", None);
        f("limit=", None);
        f("limit=1&limit=2", None);
        f("cursor=%00", None);
        f("cursor=1", None);
        f("page=2", None);
    }
}
