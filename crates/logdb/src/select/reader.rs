//! Reads parts, from any thread.

use std::sync::Arc;

use masthead_model::{ErrorClass, MemberTest};
use masthead_ports::{LineColumn, LogColumns, LogHints, LogPartReader, QueryCtx, QueryError};
use parking_lot::Mutex;

use super::{Plan, bounds};
use crate::{
    Error, Result,
    block::Block,
    deletion::Deletion,
    filter::Demand,
    part::{self, Scratch},
    segment::Want,
};

/// A part of one stream.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) plan: Plan,
    /// Those that concern the stream.
    pub(super) deletions: Arc<[Arc<Deletion>]>,
    /// Those that are about lines of the stream, not about its labels.
    pub(super) tests: Arc<[MemberTest]>,
}

#[derive(Debug)]
pub(super) struct Reader {
    parts: Vec<Part>,
    demand: Demand,
    lines: LineColumn,
    metadata: bool,
    members: Option<Arc<[Box<str>]>>,
    /// As many as there were threads at once.
    scratches: Mutex<Vec<(Scratch, LogColumns)>>,
}

impl Reader {
    pub(super) fn new(parts: Vec<Part>, demand: Demand, hints: &LogHints) -> Self {
        let members = hints.members.clone();
        let (lines, metadata) = (hints.lines, hints.metadata);
        Self { parts, demand, lines, metadata, members, scratches: Mutex::default() }
    }
}

impl LogPartReader for Reader {
    fn read(&self, ctx: &QueryCtx, at: usize, into: &mut LogColumns) -> Result<(), QueryError> {
        into.clear();
        ctx.check()?;
        let Some(Part { plan, deletions, tests }) = self.parts.get(at) else { return Ok(()) };
        let (mut scratch, mut columns) = self.scratches.lock().pop().unwrap_or_default();
        let wanted = Want {
            lines: self.lines,
            metadata: self.metadata,
            members: self.members.as_deref(),
            holding: &[],
            tests,
        };
        let done = if self.demand.is_empty() {
            read(ctx, plan, deletions, wanted, &mut scratch, into)
                .and_then(|()| ctx.charge(into.len() as u64))
        } else {
            // Text is needed to look into, whatever is wanted of it.
            let holding = self.demand.needles();
            let want = Want { lines: LineColumn::Text, members: None, holding, ..wanted };
            read(ctx, plan, deletions, want, &mut scratch, &mut columns).and_then(|()| {
                ctx.charge(columns.len() as u64)?;
                let kept = self.demand.passing(&columns, 0..columns.len());
                if kept.len() == columns.len() && self.lines == LineColumn::Text {
                    std::mem::swap(&mut columns, into);
                } else {
                    part::keep(&columns, &kept, wanted, into);
                }
                Ok(())
            })
        };
        self.scratches.lock().push((scratch, columns));
        done
    }
}

/// Reads a part; a source with damage is left out with a warning.
pub(super) fn read(
    ctx: &QueryCtx,
    plan: &Plan,
    deletions: &[Arc<Deletion>],
    want: Want<'_>,
    scratch: &mut Scratch,
    into: &mut LogColumns,
) -> Result<(), QueryError> {
    ctx.count(0, 0, plan.sources.iter().map(part::Source::bytes).sum());
    let bounds = bounds(plan.range);
    match part::read(&plan.sources, bounds, deletions, want, scratch, into) {
        Err(error) if error.class() == ErrorClass::Corrupt => {}
        done => return Ok(done?),
    }
    let mut good = Vec::new();
    for source in &plan.sources {
        let one = std::slice::from_ref(source);
        match part::read(one, bounds, deletions, want, scratch, into) {
            Ok(()) => good.push(source.clone()),
            Err(error) => match source.block() {
                Some(block) => warn(ctx, block, &error),
                None => return Err(error.into()),
            },
        }
    }
    into.clear();
    Ok(part::read(&good, bounds, deletions, want, scratch, into)?)
}

/// Says in the answer that something of a block is missing from it.
pub(super) fn warn(ctx: &QueryCtx, block: &Block, error: &Error) {
    block.set_damaged();
    ctx.warn(format!("results are incomplete: {} is damaged: {error}", block.name));
}
