//! The store of a process that keeps nothing: it says so to whoever asks.

use masthead_model::{ErrorClass, Exemplar, Labels, Matcher, Millis, TimeRange};

use crate::{
    AdminError, BlockInfo, LabelQuery, Metadata, QueryCtx, QueryError, ReplayStatus, SampleSource,
    Selected, Selection, StoreAdmin, StoreStats,
};

/// No store.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStore;

const WHAT: &str = "a collector keeps no samples; ask the server that it sends them to";

fn nothing<T>() -> Result<T, QueryError> {
    Err(QueryError::Store { class: ErrorClass::BadInput, message: WHAT.to_owned() })
}

impl SampleSource for NoStore {
    fn select(&self, _: &QueryCtx, _: &[Selection]) -> Result<Vec<Selected>, QueryError> {
        nothing()
    }

    fn label_names(&self, _: &QueryCtx, _: &LabelQuery) -> Result<Vec<String>, QueryError> {
        nothing()
    }

    fn label_values(
        &self,
        _: &QueryCtx,
        _: &str,
        _: &LabelQuery,
    ) -> Result<Vec<String>, QueryError> {
        nothing()
    }

    fn series(&self, _: &QueryCtx, _: &LabelQuery) -> Result<Vec<Labels>, QueryError> {
        nothing()
    }

    fn exemplars(
        &self,
        _: &QueryCtx,
        _: &[Vec<Matcher>],
        _: TimeRange<Millis>,
    ) -> Result<Vec<(Labels, Vec<Exemplar>)>, QueryError> {
        nothing()
    }

    fn metadata(&self, _: &QueryCtx, _: Option<&str>) -> Result<Vec<Metadata>, QueryError> {
        nothing()
    }
}

fn refused<T>() -> Result<T, AdminError> {
    Err(AdminError { class: ErrorClass::BadInput, message: WHAT.to_owned() })
}

impl StoreAdmin for NoStore {
    fn delete_series(&self, _: &[Matcher], _: TimeRange<Millis>) -> Result<(), AdminError> {
        refused()
    }

    fn clean_tombstones(&self) -> Result<(), AdminError> {
        refused()
    }

    fn snapshot(&self, _: bool) -> Result<String, AdminError> {
        refused()
    }

    fn stats(&self, _: usize) -> Result<StoreStats, AdminError> {
        refused()
    }

    fn blocks(&self) -> Result<Vec<BlockInfo>, AdminError> {
        refused()
    }

    fn replay(&self) -> ReplayStatus {
        ReplayStatus::default()
    }
}
