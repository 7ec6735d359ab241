//! What metrics and logs have in common: a request has resources, a resource scopes, a scope items,
//! and each of them attributes. Read from protobuf here, from JSON in `json.rs`.
//!
//! Facts: `metrics.proto`, `logs.proto`, `common.proto` of opentelemetry-proto.

use super::{
    message::Text,
    value::{Any, pair},
};
use crate::{
    Error, Limits,
    proto::{Field, Reader},
    scan::Scan,
};

/// Items that a data point, record, metric, scope or resource counts for, by the memory that it
/// takes.
const MESSAGE_ITEMS: usize = 8;

/// What a body may still bring; a message takes more memory than its bytes.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: usize,
}

impl Budget {
    pub(super) fn spend(&mut self, items: usize) -> Result<(), Error> {
        self.spent = self.spent.saturating_add(items);
        Limits::check_items(self.spent)
    }

    /// Before a message is read.
    pub(super) fn message(&mut self) -> Result<(), Error> {
        self.spend(MESSAGE_ITEMS)
    }
}

/// What one kind of telemetry reads in its own way.
pub(super) trait Signal<'a> {
    /// What it keeps of the value of an attribute.
    type Value;
    /// What a scope holds.
    type Item;
    /// The names of the messages, from the outermost, for errors.
    const MESSAGES: [&'static str; 3];
    /// The keys in JSON under which a request has resources, a resource scopes, a scope items.
    const KEYS: [&'static str; 3];

    /// What is kept of a value.
    fn value(value: Any<'a>) -> Self::Value;

    /// Reads what is in a scope.
    fn item(field: &Field<'a>, budget: &mut Budget) -> Result<Self::Item, Error>;

    /// Reads what is in a scope, from JSON.
    fn item_of_json(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<Self::Item, Error>;
}

/// Keys and values.
pub(super) type Attributes<'a, V> = Vec<(Text<'a>, V)>;

#[derive(Debug)]
pub(super) struct Resource<'a, V, I> {
    pub(super) attributes: Attributes<'a, V>,
    pub(super) scopes: Vec<Scope<'a, V, I>>,
}

#[derive(Debug)]
pub(super) struct Scope<'a, V, I> {
    pub(super) name: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) schema_url: Text<'a>,
    pub(super) attributes: Attributes<'a, V>,
    /// Attributes that the sender left out.
    pub(super) dropped: u64,
    pub(super) items: Vec<I>,
}

// Derived, it would ask for defaults of values and items too.
impl<V, I> Default for Scope<'_, V, I> {
    fn default() -> Self {
        Self {
            name: Text::default(),
            version: Text::default(),
            schema_url: Text::default(),
            attributes: Vec::new(),
            dropped: 0,
            items: Vec::new(),
        }
    }
}

/// All that a request brings.
pub(super) type Resources<'a, S> =
    Vec<Resource<'a, <S as Signal<'a>>::Value, <S as Signal<'a>>::Item>>;

pub(super) fn request<'a, S: Signal<'a>>(body: &'a [u8]) -> Result<Resources<'a, S>, Error> {
    let [name, ..] = S::MESSAGES;
    let mut budget = Budget::default();
    let mut fields = Reader::new(body, name);
    let mut resources = Vec::new();
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            resources.push(resource::<S>(&field, &mut budget)?);
        }
    }
    Ok(resources)
}

fn resource<'a, S: Signal<'a>>(
    field: &Field<'a>,
    budget: &mut Budget,
) -> Result<Resource<'a, S::Value, S::Item>, Error> {
    budget.message()?;
    let [_, name, _] = S::MESSAGES;
    let mut fields = field.message(name)?;
    let mut out = Resource { attributes: Vec::new(), scopes: Vec::new() };
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let mut fields = field.message("Resource")?;
                while let Some(field) = fields.next()? {
                    if field.number == 1 {
                        out.attributes.push(attribute::<S>(&field, budget)?);
                    }
                }
            }
            2 => out.scopes.push(scope::<S>(&field, budget)?),
            _ => {}
        }
    }
    Ok(out)
}

fn scope<'a, S: Signal<'a>>(
    field: &Field<'a>,
    budget: &mut Budget,
) -> Result<Scope<'a, S::Value, S::Item>, Error> {
    budget.message()?;
    let [.., name] = S::MESSAGES;
    let mut fields = field.message(name)?;
    let mut out = Scope::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let mut fields = field.message("InstrumentationScope")?;
                while let Some(field) = fields.next()? {
                    match field.number {
                        1 => out.name = field.any_text()?,
                        2 => out.version = field.any_text()?,
                        3 => out.attributes.push(attribute::<S>(&field, budget)?),
                        4 => out.dropped = field.unsigned()?,
                        _ => {}
                    }
                }
            }
            2 => {
                budget.message()?;
                out.items.push(S::item(&field, budget)?);
            }
            3 => out.schema_url = field.any_text()?,
            _ => {}
        }
    }
    Ok(out)
}

/// A `KeyValue`.
pub(super) fn attribute<'a, S: Signal<'a>>(
    field: &Field<'a>,
    budget: &mut Budget,
) -> Result<(Text<'a>, S::Value), Error> {
    pair(field, 0, budget).map(|(key, value)| (key, S::value(value)))
}
