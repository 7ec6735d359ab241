//! What the router cannot show: which `Accept-Encoding` takes gzip.

use super::*;

#[test]
fn gzip_is_taken_where_it_is_named_and_not_refused() {
    let f = |value: &'static str, want: bool| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        assert_eq!(accepts_gzip(&headers), want, "{value:?}");
    };
    f("gzip", true);
    f("deflate, GZIP ;q=0.8", true);
    f("gzip;q=0", false);
    f("gzip; q=0.0", false);
    f("br, deflate", false);
    f("", false);
    assert!(!accepts_gzip(&HeaderMap::new()));
}
