//! Flags of every command that asks a server: where it is, and how to be let in.
//!
//! They are spelled out here alone; a command flattens them. What becomes of them is
//! `crate::server`.

use clap::{Args, builder::BoolishValueParser};
use http::{HeaderName, HeaderValue};
use url::Url;

use super::SecretText;

/// A server that is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// The server; Masthead itself, or any with the API of the original.
    #[arg(long, value_name = "URL", env = "MASTHEAD_URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url)]
    pub url: Url,

    #[command(flatten)]
    pub access: AccessArgs,
}

/// How to be let in.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AccessArgs {
    /// Show this token to the server; in the variable others cannot read it.
    #[arg(long, value_name = "TOKEN", env = "MASTHEAD_TOKEN", hide_env_values = true)]
    #[arg(conflicts_with_all = ["token_file", "user"])]
    pub token: Option<SecretText>,

    /// Show the server the token in this file, which is read for every request.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_TOKEN_FILE", conflicts_with = "user")]
    pub token_file: Option<String>,

    /// Log in under this name; the password comes from `--password-file` or `MASTHEAD_PASSWORD`.
    #[arg(long, value_name = "NAME", env = "MASTHEAD_USER")]
    pub user: Option<String>,

    /// The password of `--user`; prefer the variable, which others cannot read.
    #[arg(long, value_name = "PASSWORD", env = "MASTHEAD_PASSWORD", hide_env_values = true)]
    #[arg(requires = "user", conflicts_with = "password_file")]
    pub password: Option<SecretText>,

    /// A file with the password of `--user`, read for every request.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_PASSWORD_FILE", requires = "user")]
    pub password_file: Option<String>,

    /// Believe the authorities in this PEM file instead of the machine's.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_CA_FILE")]
    pub ca_file: Option<String>,

    /// Show the server the certificate in this PEM file.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_CERT_FILE", requires = "key_file")]
    pub cert_file: Option<String>,

    /// The PEM file with the private key of `--cert-file`.
    #[arg(long, value_name = "FILE", env = "MASTHEAD_KEY_FILE", requires = "cert_file")]
    pub key_file: Option<String>,

    /// The name that the server's certificate must bear, where it is not the host of the URL.
    #[arg(long, value_name = "NAME", env = "MASTHEAD_SERVER_NAME")]
    pub server_name: Option<String>,

    /// Take any certificate: whoever is between can read and change everything.
    #[arg(long, env = "MASTHEAD_INSECURE_SKIP_VERIFY", value_parser = BoolishValueParser::new())]
    pub insecure_skip_verify: bool,

    /// Send this header too, such as `X-Scope-OrgID: one`; in the variable one a line.
    #[arg(long = "header", value_name = "NAME: VALUE", env = "MASTHEAD_HEADER")]
    #[arg(value_parser = header, value_delimiter = '\n', hide_env_values = true)]
    pub headers: Vec<(String, SecretText)>,
}

/// The address of a server, which may have a path of its own.
///
/// # Errors
/// No such address. A name or password in it is refused later, because clap repeats what it
/// refuses.
pub(crate) fn server_url(text: &str) -> Result<Url, String> {
    let example = "write it like http://127.0.0.1:3000";
    let url = Url::parse(text).map_err(|error| format!("{error}; {example}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(example.to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("has something after its path; {example}"));
    }
    Ok(url)
}

fn header(text: &str) -> Result<(String, SecretText), String> {
    let example = "write it like `X-Scope-OrgID: one`";
    let (name, value) = text.split_once(':').ok_or(example)?;
    let (name, value) = (name.trim(), value.trim());
    HeaderName::try_from(name).map_err(|error| format!("{error}; {example}"))?;
    HeaderValue::try_from(value).map_err(|error| format!("{error}; {example}"))?;
    Ok((name.to_owned(), SecretText::from(value.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_end_with_their_path() {
        let f = |text: &str, want: Result<&str, &str>| match (server_url(text), want) {
            (Ok(got), Ok(want)) => assert_eq!(got.as_str(), want),
            (Err(got), Err(want)) => assert!(got.contains(want), "{text}: {got}"),
            (got, want) => panic!("{text}: {got:?} is not {want:?}"),
        };
        f("http://db:9090", Ok("http://db:9090/"));
        f("https://db/prometheus/", Ok("https://db/prometheus/"));
        f("db:9090", Err("write it like"));
        f("/x", Err("write it like"));
        f("ftp://db", Err("write it like"));
        f("http://db/?a=b", Err("after its path"));
    }

    #[test]
    fn headers_are_a_name_and_a_value() {
        let (name, value) = header("X-Scope-OrgID: a:b ").expect("a header");
        assert_eq!((name.as_str(), value.expose()), ("X-Scope-OrgID", "a:b"));
        for wrong in ["X-Scope-OrgID", "a b: c", "a: b\u{7f}", ": b"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
