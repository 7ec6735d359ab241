//! A URL as it may be shown: in errors, logs and pages.

use url::Url;

/// The URL with `xxxxx` in the place of its password, as Go has it.
pub fn shown(url: &Url) -> String {
    if url.password().is_none() {
        return url.to_string();
    }
    let mut masked = url.clone();
    // The only failure is a URL that can bear no password, and this one does.
    masked.set_password(Some("xxxxx")).unwrap_or_default();
    masked.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let f = |url: &str, want: &str| {
            assert_eq!(shown(&Url::parse(url).expect("a URL")), want);
        };
        f("http://a:1/b?c", "http://a:1/b?c");
        f("http://me@a/", "http://me@a/");
        f("http://me:hunter2@a/b", "http://me:xxxxx@a/b");
        f("socks5://:hunter2@a:1", "socks5://:xxxxx@a:1");
    }
}
