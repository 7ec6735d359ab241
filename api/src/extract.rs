//! What handlers take from a request: an item's id and an item, each checked, each failure a problem.

use crate::{
    app::{App, BodyArriving},
    items::model::{ItemInput, Malformed, Rejected},
    problem::{self, Rejection},
};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use uuid::{Uuid, fmt::Hyphenated};

/// The `{id}` of the path.
pub(crate) struct ItemId(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for ItemId {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        // The other notations of a UUID would give one item several addresses.
        id.filter(|Path(id)| id.len() == Hyphenated::LENGTH)
            .and_then(|Path(id)| Uuid::try_parse(&id).ok())
            .map(Self)
            .ok_or_else(|| problem::not_an_id().into())
    }
}

/// A valid item in the body.
pub(crate) struct ItemBody(pub(crate) ItemInput);

impl FromRequest<App> for ItemBody {
    type Rejection = Rejection;

    async fn from_request(request: Request, app: &App) -> Result<Self, Rejection> {
        if !is_plain_json(request.headers()) {
            return Err(problem::unsupported_type().into());
        }
        let body = read(request, app.limits.body).await?;
        match ItemInput::from_json(&body) {
            Ok(input) => Ok(Self(input)),
            Err(Rejected::Malformed(Malformed(why))) => Err(problem::malformed(why).into()),
            Err(Rejected::Invalid(violations)) => Err(problem::invalid(&violations).into()),
        }
    }
}

/// Reads at most `limit` bytes; a body that announces more is refused unread.
async fn read(request: Request, limit: usize) -> Result<Bytes, Rejection> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit as u64) {
        return Err(problem::too_large(limit).into());
    }
    let _arriving = request.extensions().get::<BodyArriving>().map(BodyArriving::begin);
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(problem::too_large(limit).into()),
        Err(_) => Err(problem::malformed("the body ended before its announced end").into()),
    }
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let media_type = text(header::CONTENT_TYPE).and_then(|value| value.split(';').next());
    let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
    let json = media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    let plain = !headers.contains_key(header::CONTENT_ENCODING)
        || text(header::CONTENT_ENCODING)
            .is_some_and(|value| value.eq_ignore_ascii_case("identity"));
    json && plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_plain_json_is_read() {
        let f = |content_type: &str, encoding: Option<&'static str>, want: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            assert_eq!(is_plain_json(&headers), want, "{content_type:?} {encoding:?}");
        };
        f("application/json", None, true);
        f("Application/JSON; charset=utf-8", Some("identity"), true);
        f("application/vnd.items+json", None, true);
        f("application/json", Some("gzip"), false);
        f("text/json", None, false);
        f("application/jsonp", None, false);
        f("", None, false);
        assert!(!is_plain_json(&HeaderMap::new()));
    }
}
