//! `meta.json`: what a block is.

use serde::Deserialize;

use crate::Error;

/// What a block is; keys that are not needed are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its name.
    pub ulid: String,
    /// The first time that it may have.
    pub first: i64,
    /// The last time that it may have; upstream writes the one after it.
    pub last: i64,
    /// Names of the blocks that it was made of, which do not count any more.
    pub parents: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    ulid: String,
    min_time: i64,
    max_time: i64,
    #[serde(default)]
    compaction: Compaction,
    version: i64,
}

#[derive(Default, Deserialize)]
struct Compaction {
    #[serde(default)]
    parents: Option<Vec<Parent>>,
}

#[derive(Deserialize)]
struct Parent {
    ulid: String,
}

impl Meta {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Error::Json`]; [`Error::Content`] for a version that is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let written: Written =
            serde_json::from_slice(bytes).map_err(|error| Error::Json(error.to_string()))?;
        if written.version != 1 {
            let message =
                format!("the block has format version {}, and 1 is known", written.version);
            return Err(Error::Content(message));
        }
        let parents = written.compaction.parents.unwrap_or_default();
        Ok(Self {
            ulid: written.ulid,
            first: written.min_time,
            last: written.max_time.saturating_sub(1),
            parents: parents.into_iter().map(|parent| parent.ulid).collect(),
        })
    }
}
