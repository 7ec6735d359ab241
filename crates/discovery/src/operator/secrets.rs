//! Texts that resources refer to: keys of Secrets and `ConfigMaps` of their own namespace.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Rejected,
    spec::{KeyOf, SecretOrConfigMap},
};

/// A Secret or ConfigMap that a resource refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Whether it is a ConfigMap.
    pub config_map: bool,
    /// That of the resource.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Where the texts are looked up.
pub trait Secrets {
    /// The text of a key, or nothing where there is none.
    fn text(&self, reference: &Reference, key: &str) -> Option<String>;

    /// Why it is not known what is there, if it is not.
    fn unread(&self, reference: &Reference) -> Option<&str> {
        let _ = reference;
        None
    }
}

/// Texts that were read, by what they were read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store(pub BTreeMap<Reference, BTreeMap<String, String>>);

impl Secrets for Store {
    fn text(&self, reference: &Reference, key: &str) -> Option<String> {
        self.0.get(reference)?.get(key).cloned()
    }
}

/// Notes what is asked for, so that it can be read; every answer is the empty text.
#[derive(Debug, Default)]
pub(super) struct Wanted(pub(super) RefCell<BTreeSet<Reference>>);

impl Secrets for Wanted {
    fn text(&self, reference: &Reference, _key: &str) -> Option<String> {
        self.0.borrow_mut().insert(reference.clone());
        Some(String::new())
    }
}

/// The texts of one namespace.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) namespace: &'a str,
    pub(super) secrets: &'a dyn Secrets,
}

impl Lookup<'_> {
    /// The text of a Secret's key; the empty text where it may be missing.
    pub(super) fn secret(&self, key: &KeyOf) -> Result<String, Rejected> {
        self.text(key, false)
    }

    /// The text of either, or nothing where neither is named.
    pub(super) fn either(&self, from: &SecretOrConfigMap) -> Result<Option<String>, Rejected> {
        match (&from.secret, &from.config_map) {
            (Some(key), _) => self.text(key, false).map(Some),
            (None, Some(key)) => self.text(key, true).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn text(&self, key: &KeyOf, config_map: bool) -> Result<String, Rejected> {
        let (namespace, name) = (self.namespace.to_owned(), key.name.clone());
        let reference = Reference { config_map, namespace, name };
        let what = || {
            let kind = if config_map { "ConfigMap" } else { "Secret" };
            format!("{kind} {}/{}", self.namespace, key.name)
        };
        if let Some(why) = self.secrets.unread(&reference) {
            return Err(Rejected(format!("{} cannot be read: {why}", what())));
        }
        match self.secrets.text(&reference, &key.key) {
            Some(text) => Ok(text),
            None if key.optional => Ok(String::new()),
            None => Err(Rejected(format!("{} has no key {:?}", what(), key.key))),
        }
    }
}
