//! Label sets of a block that were asked for, remembered.
//!
//! Putting a set together from the index costs about half a microsecond, and dashboards ask for the
//! same ones every few seconds. All blocks share one budget; when it is spent everything is
//! forgotten, which costs each query one slower answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_durable::Result;
use masthead_model::Labels;
use parking_lot::RwLock;
use roaring::RoaringBitmap;

use super::Block;

/// What an entry takes beside its text.
const ENTRY_BYTES: usize = 48;
/// What one takes with it, about.
const LABELS_BYTES: u64 = 192;

/// How much the label sets of all blocks take, and may take.
#[derive(Debug)]
pub(crate) struct LabelsBudget {
    max: usize,
    used: AtomicUsize,
}

pub(super) type LabelsCache = RwLock<HashMap<u32, Labels, RandomState>>;

impl LabelsBudget {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, used: AtomicUsize::new(0) }
    }

    /// Whether everything should be forgotten.
    pub(crate) fn is_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.max
    }

    /// After everything was forgotten.
    pub(crate) fn reset(&self) {
        self.used.store(0, Ordering::Relaxed);
    }
}

impl Block {
    /// Forgets all label sets.
    pub(crate) fn forget_labels(&self) {
        *self.labels.write() = HashMap::default();
    }

    /// Calls `visit` with the labels of each series of `ids`, rising.
    ///
    /// # Errors
    /// Damage, with the file and the place.
    pub(crate) fn for_each_labels(
        &self,
        ids: &RoaringBitmap,
        budget: &LabelsBudget,
        visit: &mut dyn FnMut(u32, Labels),
    ) -> Result<()> {
        let mut cursor = self.index.cursor();
        // More than a part of the budget would only push out the rest.
        if ids.len().saturating_mul(4 * LABELS_BYTES) > budget.max as u64 {
            for id in ids {
                visit(id, cursor.labels(id)?);
            }
            return Ok(());
        }
        let mut missed = Vec::new();
        {
            let known = self.labels.read();
            for id in ids {
                if let Some(labels) = known.get(&id) {
                    visit(id, labels.clone());
                    continue;
                }
                let labels = cursor.labels(id)?;
                missed.push((id, labels.clone()));
                visit(id, labels);
            }
        }
        if !missed.is_empty() {
            let bytes = missed.iter().map(|(_, labels)| labels.byte_len() + ENTRY_BYTES).sum();
            budget.used.fetch_add(bytes, Ordering::Relaxed);
            self.labels.write().extend(missed);
        }
        Ok(())
    }
}
