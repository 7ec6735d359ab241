//! A section of a configuration file among whose own keys stand those of the client.
//!
//! serde's `flatten` would do this at the price of unknown keys, which must be refused; so the keys
//! of the client are taken out of the map on the way, and the section sees the rest alone.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor},
};

use crate::HttpClientConfig;

/// A section, and how to reach what it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WithClient<T> {
    /// Its own keys; a `struct` to serde.
    pub section: T,
    /// The others, not validated yet.
    pub client: HttpClientConfig,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithClient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut client = HttpClientConfig::default();
        let section = T::deserialize(Splitting { inner: deserializer, client: &mut client })?;
        Ok(Self { section, client })
    }
}

struct Splitting<'a, D> {
    inner: D,
    client: &'a mut HttpClientConfig,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Splitting<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(SplittingVisitor { inner: visitor, client: self.client })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

struct SplittingVisitor<'a, V> {
    inner: V,
    client: &'a mut HttpClientConfig,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for SplittingVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(SplittingMap { inner: map, client: self.client })
    }
}

struct SplittingMap<'a, A> {
    inner: A,
    client: &'a mut HttpClientConfig,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for SplittingMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        mut seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.inner.next_key_seed(KeySeed(seed))? {
                None => return Ok(None),
                Some(Key::Theirs(key)) => return Ok(Some(key)),
                Some(Key::Ours(key, unused)) => {
                    self.inner.next_value_seed(ValueSeed { key, client: self.client })?;
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

/// A key, and the seed back where it is the client's.
enum Key<K, T> {
    Ours(String, K),
    Theirs(T),
}

struct KeySeed<K>(K);

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<K> {
    type Value = Key<K, K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if KEYS.contains(&key.as_str()) {
            return Ok(Key::Ours(key, self.0));
        }
        // An unknown key is refused here, where the place of the key is known.
        self.0.deserialize(key.into_deserializer()).map(Key::Theirs)
    }
}

struct ValueSeed<'a> {
    key: String,
    client: &'a mut HttpClientConfig,
}

/// Upstream's `HTTPClientConfig`, with the parts that it inlines.
const KEYS: [&str; 13] = [
    "basic_auth",
    "authorization",
    "oauth2",
    "bearer_token",
    "bearer_token_file",
    "tls_config",
    "follow_redirects",
    "enable_http2",
    "proxy_url",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
    "http_headers",
];

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        fn read<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
            into: &mut T,
            from: D,
        ) -> Result<(), D::Error> {
            // A key with nothing behind it says nothing, as upstream.
            if let Some(value) = Option::deserialize(from)? {
                *into = value;
            }
            Ok(())
        }
        let client = self.client;
        match self.key.as_str() {
            "basic_auth" => read(&mut client.basic_auth, from),
            "authorization" => read(&mut client.authorization, from),
            "oauth2" => read(&mut client.oauth2, from),
            "bearer_token" => read(&mut client.bearer_token, from),
            "bearer_token_file" => read(&mut client.bearer_token_file, from),
            "tls_config" => read(&mut client.tls_config, from),
            "follow_redirects" => read(&mut client.follow_redirects, from),
            // HTTP/1.1 is spoken whatever this says; every server does.
            "enable_http2" => read(&mut false, from),
            "proxy_url" => read(&mut client.proxy_url, from),
            "no_proxy" => read(&mut client.no_proxy, from),
            "proxy_from_environment" => read(&mut client.proxy_from_environment, from),
            "proxy_connect_header" => read(&mut client.proxy_connect_header, from),
            "http_headers" => read(&mut client.http_headers, from),
            other => Err(D::Error::custom(format!("BUG: {other} is no option of the client"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Section {
        name: String,
        size: u32,
    }

    fn read(json: &str) -> Result<WithClient<Section>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn the_keys_of_the_client_are_told_from_those_of_the_section() {
        let both = read(
            r#"{"bearer_token": "t", "name": "n", "enable_http2": true, "size": 3,
                "tls_config": {"ca_file": "c"}, "follow_redirects": false, "no_proxy": null}"#,
        )
        .expect("known keys");
        assert_eq!(both.section, Section { name: "n".into(), size: 3 });
        assert_eq!(both.client.bearer_token.expose(), "t");
        assert_eq!(both.client.tls_config.ca_file, "c");
        assert!(!both.client.follow_redirects);
        assert_eq!(read("{}").expect("empty"), WithClient::default());
    }

    #[test]
    fn every_key_is_taken_and_unknown_ones_are_refused() {
        for key in KEYS {
            read(&format!("{{\"{key}\": null}}")).expect(key);
        }
        for (json, want) in [
            (r#"{"nme": 1}"#, "unknown field `nme`"),
            (r#"{"tls_config": {"ca_fil": 1}}"#, "unknown field `ca_fil`"),
            (r#"{"size": "x"}"#, "invalid type"),
        ] {
            let error = read(json).expect_err(json).to_string();
            assert!(error.contains(want), "{json}: {error}");
        }
    }
}
