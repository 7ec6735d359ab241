//! Which words a column of lines has, to be asked without decoding it.

/// What must be there for a text to be found.
#[derive(Debug, Clone, Default)]
pub struct Query {
    hashes: Vec<u64>,
}

impl Query {
    /// What a line must have that holds `text`.
    pub fn new(_text: &[u8]) -> Self {
        Self::default()
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// The words of a column.
#[derive(Debug)]
pub struct Words<'a> {
    bytes: &'a [u8],
}

impl<'a> Words<'a> {
    /// None if there are none to be asked.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self { bytes })
    }

    /// False only if no line of the column can hold the text.
    pub fn may_have(&self, _query: &Query) -> bool {
        !self.bytes.is_empty()
    }
}
