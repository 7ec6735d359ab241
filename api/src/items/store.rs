//! The rows of the items: one function for each statement, and the counts that follow from them.
//!
//! Every value is bound, never written into the SQL. The gauge of stored items follows each change
//! of this process and is counted afresh by [`Store::recount`], because other processes may share
//! the database and a cancelled request may have committed.

use super::model::{Item, ItemInput, Price};
use crate::{
    database::{Database, Query, on_pool},
    error::Error,
    metrics::Metrics,
};
use jiff::Timestamp;
use sqlx::{query, query_as, query_scalar};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};
use uuid::Uuid;

const INSERT: &str =
    "INSERT INTO items (id, name, description, price_minor, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6)";
const GET: &str = "SELECT id, name, description, price_minor, created_at, updated_at
    FROM items WHERE id = $1";
const LIST: &str = "SELECT id, name, description, price_minor, created_at, updated_at
    FROM items WHERE id > $1 ORDER BY id LIMIT $2";
const UPDATE: &str =
    "UPDATE items SET name = $2, description = $3, price_minor = $4, updated_at = $5
    WHERE id = $1 RETURNING id, name, description, price_minor, created_at, updated_at";
const DELETE: &str = "DELETE FROM items WHERE id = $1";
const COUNT: &str = "SELECT COUNT(*) FROM items";

/// The items of one database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    metrics: Arc<Metrics>,
    changes: Arc<Changes>,
}

impl Store {
    /// The items of `database`, counted once for `items_stored`.
    ///
    /// # Errors
    /// [`Error::Query`] when they can't be counted.
    pub async fn open(database: Database, metrics: Arc<Metrics>) -> Result<Self, Error> {
        let store = Self { database, metrics, changes: Arc::default() };
        store.recount().await?;
        Ok(store)
    }

    /// Stores a new item.
    ///
    /// # Errors
    /// [`Error::Query`], after which nothing is stored.
    pub async fn insert(&self, input: ItemInput) -> Result<Item, Error> {
        let now = now();
        let ItemInput { name, description, price } = input;
        let id = Uuid::now_v7();
        let item = Item { id, name, description, price, created_at: now, updated_at: now };
        let _change = self.changes.begin();
        let run = async {
            on_pool!(self.database, |pool| query(INSERT)
                .bind(item.id)
                .bind(&item.name)
                .bind(&item.description)
                .bind(item.price.minor())
                .bind(item.created_at.as_microsecond())
                .bind(item.updated_at.as_microsecond())
                .execute(pool)
                .await
                .map(drop))
        };
        self.database.measured(Query::ItemInsert, run).await?;
        self.metrics.items_created.inc();
        self.metrics.items_stored.inc();
        Ok(item)
    }

    /// The item, `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn get(&self, id: Uuid) -> Result<Option<Item>, Error> {
        let run = async {
            on_pool!(self.database, |pool| query_as::<_, Row>(GET)
                .bind(id)
                .fetch_optional(pool)
                .await?
                .map(item)
                .transpose())
        };
        self.database.measured(Query::ItemGet, run).await
    }

    /// Up to `limit` items with ids above `after`, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn list(&self, after: Uuid, limit: u32) -> Result<Vec<Item>, Error> {
        let run = async {
            on_pool!(self.database, |pool| query_as::<_, Row>(LIST)
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
                .into_iter()
                .map(item)
                .collect())
        };
        self.database.measured(Query::ItemsList, run).await
    }

    /// Replaces the fields of an item; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Query`], after which the item is as it was.
    pub async fn update(&self, id: Uuid, input: ItemInput) -> Result<Option<Item>, Error> {
        let run = async {
            on_pool!(self.database, |pool| query_as::<_, Row>(UPDATE)
                .bind(id)
                .bind(&input.name)
                .bind(&input.description)
                .bind(input.price.minor())
                .bind(now().as_microsecond())
                .fetch_optional(pool)
                .await?
                .map(item)
                .transpose())
        };
        let updated = self.database.measured(Query::ItemUpdate, run).await?;
        if updated.is_some() {
            self.metrics.items_updated.inc();
        }
        Ok(updated)
    }

    /// Deletes an item; false when there was none.
    ///
    /// # Errors
    /// [`Error::Query`], after which the item is as it was.
    pub async fn delete(&self, id: Uuid) -> Result<bool, Error> {
        let _change = self.changes.begin();
        let run = async {
            on_pool!(self.database, |pool| query(DELETE)
                .bind(id)
                .execute(pool)
                .await
                .map(|done| done.rows_affected() > 0))
        };
        let deleted = self.database.measured(Query::ItemDelete, run).await?;
        if deleted {
            self.metrics.items_deleted.inc();
            self.metrics.items_stored.dec();
        }
        Ok(deleted)
    }

    /// Sets `items_stored` from the database, unless an item came or went meanwhile: then the
    /// count may or may not hold it, and the next recount will tell.
    ///
    /// # Errors
    /// [`Error::Query`], after which the gauge is as it was.
    pub async fn recount(&self) -> Result<(), Error> {
        let before = self.changes.settled();
        let run = async {
            on_pool!(self.database, |pool| query_scalar::<_, i64>(COUNT).fetch_one(pool).await)
        };
        let count = self.database.measured(Query::ItemsCount, run).await?;
        if before.is_some() && before == self.changes.settled() {
            self.metrics.items_stored.set(count);
        }
        Ok(())
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}

/// How many inserts and deletes began and ended, so that a count beside one can be told apart.
#[derive(Debug, Default)]
struct Changes {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Changes {
    /// The change ends when the guard is dropped, be it by a cancelled request.
    fn begin(self: &Arc<Self>) -> Change {
        self.begun.fetch_add(1, SeqCst);
        Change(self.clone())
    }

    /// The number of changes so far; `None` while one is under way.
    fn settled(&self) -> Option<u64> {
        let ended = self.ended.load(SeqCst);
        (self.begun.load(SeqCst) == ended).then_some(ended)
    }
}

struct Change(Arc<Changes>);

impl Drop for Change {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, SeqCst);
    }
}

/// The columns in the order of the statements.
type Row = (Uuid, String, String, i64, i64, i64);

fn item(row: Row) -> Result<Item, sqlx::Error> {
    let (id, name, description, price_minor, created_at, updated_at) = row;
    let time = |micros| {
        Timestamp::from_microsecond(micros).map_err(|error| sqlx::Error::Decode(error.into()))
    };
    Ok(Item {
        id,
        name,
        description,
        price: Price::from_minor(price_minor).ok_or_else(|| {
            sqlx::Error::Decode(
                format!("price_minor {price_minor} of item {id} is out of range").into(),
            )
        })?,
        created_at: time(created_at)?,
        updated_at: time(updated_at)?,
    })
}

/// Now, to the microsecond: what the answer shows is what the row holds.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_beside_a_change_is_not_settled() {
        let changes = Arc::new(Changes::default());
        let before = changes.settled();
        assert_eq!(before, Some(0));
        let change = changes.begin();
        assert_eq!(changes.settled(), None);
        drop(change);
        assert_ne!(changes.settled(), before);
        assert_eq!(changes.settled(), Some(1));
    }
}
