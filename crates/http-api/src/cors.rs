//! Leave for scripts of other origins, as upstream's `util/httputil/cors.go` gives it.

use axum::http::{HeaderMap, HeaderValue, header};
use masthead_model::Regexp;

/// Which origins may call.
#[derive(Debug)]
pub(crate) struct Cors {
    origin: Regexp,
    any: bool,
}

impl Cors {
    pub(crate) fn new(origin: Regexp) -> Self {
        let any = origin.as_str() == ".*";
        Self { origin, any }
    }

    /// Adds the headers for a request that came with `origin`.
    pub(crate) fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin.filter(|origin| !origin.is_empty()) else { return };
        let set = [
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
        ];
        for (name, value) in set {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.any {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else if origin.to_str().is_ok_and(|text| self.origin.is_match(text)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_matches_may_call() {
        let f = |pattern: &str, origin: &'static str, want: Option<&str>| {
            let mut headers = HeaderMap::new();
            let origin = (!origin.is_empty()).then(|| HeaderValue::from_static(origin));
            let cors = Cors::new(Regexp::new(pattern).expect("valid"));
            cors.apply(origin.as_ref(), &mut headers);
            let got = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(got.and_then(|v| v.to_str().ok()), want);
            assert!(headers.contains_key(header::VARY));
            let methods = headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS);
            assert_eq!(methods, origin.is_some());
        };
        f(".*", "http://a", Some("*"));
        f(".*", "", None);
        f("https?://a", "http://a", Some("http://a"));
        f("https?://a", "http://ab", None);
    }
}
