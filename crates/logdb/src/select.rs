//! Lines out: one pinned snapshot of memory and blocks for all selections of a query.
//!
//! Finding parts touches indexes, directories and words alone. Lines are decoded when the
//! evaluation asks for them, by `select/reader.rs`; `select/parts.rs` cuts what a stream has into
//! parts that do not overlap. Damage in a block is a warning, and the rest answers.

use std::{collections::BTreeMap, sync::Arc};

use masthead_durable::index;
use masthead_model::{Labels, Matcher, MemberTest, Nanos, TimeRange};
use masthead_ports::{
    Direction, LineColumn, LogColumns, LogPart, LogSelected, LogSelection, LogSource, LogVolume,
    QueryCtx, QueryError,
};

mod parts;
mod reader;

use self::{
    parts::Plan,
    reader::{Part, Reader, warn},
};
use crate::{
    Logdb, Result,
    block::Block,
    deletion::{Deletion, matching},
    filter::Demand,
    part::{Scratch, Source},
    rows::{Rows, gather},
    segment::{Info, Want},
    stream::{Piece, State as PieceState, Stream},
};

/// What is found of each stream, in label order.
type Found = BTreeMap<Labels, Vec<Source>>;

/// What one query reads.
struct Snapshot {
    blocks: Arc<Vec<Arc<Block>>>,
    deletions: Arc<Vec<Arc<Deletion>>>,
    /// Sources in memory for each selector.
    memory: Vec<Found>,
}

impl LogSource for Logdb {
    fn select(
        &self,
        ctx: &QueryCtx,
        selections: &[LogSelection],
    ) -> Result<Vec<LogSelected>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let selectors: Vec<(&[Matcher], TimeRange<Nanos>)> =
            selections.iter().map(|one| (one.matchers.as_slice(), one.range)).collect();
        let snapshot =
            ctx.traced(|| "select in memory".into(), || self.snapshot(ctx, &selectors))?;
        let Snapshot { blocks, deletions, memory } = snapshot;
        let mut answer = Vec::with_capacity(selections.len());
        for (selection, found) in selections.iter().zip(memory) {
            let what = || format!("select in {} blocks", blocks.len());
            let selected = ctx.traced(what, || {
                let found = add_blocks(ctx, &blocks, &selection.matchers, selection.range, found)?;
                Ok::<_, QueryError>(selected(ctx, selection, found, &deletions))
            });
            answer.push(selected?);
        }
        Ok(answer)
    }

    fn streams(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Nanos>,
    ) -> Result<Vec<Labels>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let everything = [Vec::new()];
        let any = if matchers.is_empty() { everything.as_slice() } else { matchers };
        let selectors: Vec<(&[Matcher], TimeRange<Nanos>)> =
            any.iter().map(|all| (all.as_slice(), range)).collect();
        let Snapshot { blocks, deletions, memory } = self.snapshot(ctx, &selectors)?;
        let mut streams = std::collections::BTreeSet::new();
        let mut scratch = Scratch::default();
        for (all, found) in any.iter().zip(memory) {
            for (labels, sources) in add_blocks(ctx, &blocks, all, range, found)? {
                if !streams.contains(&labels)
                    && has_lines(ctx, &labels, &sources, range, &deletions, &mut scratch)?
                {
                    streams.insert(labels);
                }
            }
        }
        Ok(streams.into_iter().collect())
    }

    fn volumes(
        &self,
        ctx: &QueryCtx,
        matchers: &[Matcher],
        range: TimeRange<Nanos>,
    ) -> Result<Vec<(Labels, LogVolume)>, QueryError> {
        ctx.check()?;
        self.warn_of_gaps(ctx);
        let Snapshot { blocks, deletions, mut memory } =
            self.snapshot(ctx, &[(matchers, range)])?;
        let found = memory.pop().unwrap_or_default();
        let mut scratch = Scratch::default();
        let mut volumes = Vec::new();
        for (labels, sources) in add_blocks(ctx, &blocks, matchers, range, found)? {
            ctx.check()?;
            let deletions = matching(&deletions, &labels);
            let mut volume = LogVolume::default();
            for plan in parts::cut(sources, range) {
                let one = volume_of(ctx, &plan, &deletions, &mut scratch)?;
                volume.chunks += one.chunks;
                volume.entries += one.entries;
                volume.bytes += one.bytes;
            }
            if volume.entries > 0 {
                volumes.push((labels, volume));
            }
        }
        Ok(volumes)
    }
}

impl Logdb {
    /// Says in the answer what may be missing from it.
    fn warn_of_gaps(&self, ctx: &QueryCtx) {
        if let Some(names) = self.set_aside() {
            ctx.warn(format!("results may be incomplete: {names} was set aside for damage"));
        }
    }

    fn snapshot(
        &self,
        ctx: &QueryCtx,
        selectors: &[(&[Matcher], TimeRange<Nanos>)],
    ) -> Result<Snapshot, QueryError> {
        let state = self.state.read();
        let mut memory = Vec::with_capacity(selectors.len());
        for (matchers, range) in selectors {
            let mut found = Found::new();
            let goes_on = || ctx.check().is_ok();
            let slots = index::select_while(&state.head.index, matchers, &goes_on);
            let slots = slots.map_err(|error| {
                ctx.check().err().unwrap_or_else(|| crate::Error::from(error).into())
            })?;
            for slot in slots {
                let Some(stream) = state.head.stream(slot) else { continue };
                let sources = sources_of(stream, *range);
                if !sources.is_empty() {
                    found.insert(stream.labels.clone(), sources);
                }
            }
            memory.push(found);
        }
        let (blocks, deletions) = (Arc::clone(&state.blocks), Arc::clone(&state.head.deletions));
        Ok(Snapshot { blocks, deletions, memory })
    }
}

/// What a stream has in memory.
fn sources_of(stream: &Stream, range: TimeRange<Nanos>) -> Vec<Source> {
    let wanted = |info: &Info| info.overlaps(range.start.0, range.end.0);
    let mut sources: Vec<Source> = stream
        .pieces
        .iter()
        .filter(|piece| wanted(&piece.info))
        .map(|Piece { info, state }| match state {
            PieceState::Frozen(rows) => Source::of_rows(*info, Arc::clone(rows)),
            PieceState::Sealed(sealed) => Source::in_memory(*info, Arc::clone(sealed)),
        })
        .collect();
    // Whatever still grows came after all that does not, and no deletion concerns it.
    let growing = |rows: Arc<Rows>, seq: u64| {
        let columns = &rows.columns;
        let info = Info {
            first: *columns.times.first()?,
            last: *columns.times.last()?,
            lines: columns.len(),
            raw: columns.text.len() as u64,
            metadata: rows.metadata_bytes,
            seq,
            generation: u64::MAX,
        };
        wanted(&info).then(|| Source::of_rows(info, rows))
    };
    sources.extend(growing(Arc::clone(&stream.main), u64::MAX - 1));
    let late = &stream.late.columns;
    if !late.is_empty() {
        let mut order: Vec<usize> = (0..late.len()).collect();
        order.sort_by_key(|at| late.times.get(*at));
        sources.extend(growing(Arc::new(gather(late, order.into_iter())), u64::MAX));
    }
    sources
}

fn add_blocks(
    ctx: &QueryCtx,
    blocks: &[Arc<Block>],
    matchers: &[Matcher],
    range: TimeRange<Nanos>,
    mut found: Found,
) -> Result<Found, QueryError> {
    let (first, last) = (range.start.0, range.end.0);
    let mut opened = 0;
    for block in blocks.iter().filter(|block| block.overlaps(first, last)) {
        ctx.check()?;
        match add_block(ctx, block, matchers, range, &mut found) {
            Ok(()) => opened += 1,
            Err(error) => {
                // Whoever ended the search is told so, and the block is not damaged.
                ctx.check()?;
                warn(ctx, block, &error);
            }
        }
    }
    ctx.count(found.len() as u64, opened, 0);
    Ok(found)
}

fn add_block(
    ctx: &QueryCtx,
    block: &Arc<Block>,
    matchers: &[Matcher],
    range: TimeRange<Nanos>,
    found: &mut Found,
) -> Result<()> {
    let ids = index::select_while(&block.index, matchers, &|| ctx.check().is_ok())?;
    let mut all = Vec::new();
    index::Postings::for_each_labels(&block.index, &ids, &mut |id, labels| {
        all.push((id, labels.clone()));
    })?;
    for (id, labels) in all {
        let mut entries = block.entries(id)?;
        entries.retain(|entry| entry.info.overlaps(range.start.0, range.end.0));
        if !entries.is_empty() {
            let sources = entries.into_iter().map(|e| Source::in_block(Arc::clone(block), e));
            found.entry(labels).or_default().extend(sources);
        }
    }
    Ok(())
}

/// The parts of one selection, in the order of its direction.
fn selected(
    ctx: &QueryCtx,
    selection: &LogSelection,
    found: Found,
    deletions: &[Arc<Deletion>],
) -> LogSelected {
    let demand = Demand::new(&selection.hints.filters);
    let all_tests: Arc<[MemberTest]> = selection.hints.tests.as_slice().into();
    let mut streams = Vec::with_capacity(found.len());
    let mut plans = Vec::new();
    let mut skipped = 0;
    for (labels, mut sources) in found {
        if !demand.is_empty() {
            let before = sources.len();
            sources.retain(|source| demand.may_pass(source.words()));
            skipped += before - sources.len();
        }
        if sources.is_empty() {
            continue;
        }
        let deletions: Arc<[Arc<Deletion>]> = matching(deletions, &labels).into();
        let tests = tests_of(&all_tests, &labels);
        for plan in parts::cut(sources, selection.range) {
            let (deletions, tests) = (Arc::clone(&deletions), Arc::clone(&tests));
            plans.push((streams.len(), Part { plan, deletions, tests }));
        }
        streams.push(labels);
    }
    match selection.hints.direction {
        Direction::Backward => {
            plans.sort_by_key(|(_, part)| std::cmp::Reverse(part.plan.range.end));
        }
        Direction::Forward => plans.sort_by_key(|(_, part)| part.plan.range.start),
    }
    ctx.traced(|| format!("{} parts, {skipped} segments left out by words", plans.len()), || ());
    let listed = plans
        .iter()
        .map(|(stream, part)| LogPart {
            stream: *stream,
            range: part.plan.range,
            lines: part.plan.sources.iter().map(|source| source.info.lines).sum(),
        })
        .collect();
    let parts = plans.into_iter().map(|(_, part)| part).collect();
    let reader = Reader::new(parts, demand, &selection.hints);
    LogSelected { streams, parts: listed, reader: Arc::new(reader) }
}

/// The tests that are about lines of a stream with these labels.
fn tests_of(all: &Arc<[MemberTest]>, labels: &Labels) -> Arc<[MemberTest]> {
    let about_lines = |test: &&MemberTest| labels.get(&test.name).is_none();
    if all.iter().all(|test| about_lines(&test)) {
        return Arc::clone(all);
    }
    all.iter().filter(about_lines).cloned().collect()
}

/// Whether a stream has a line in the range: mostly told by the bounds of its segments.
fn has_lines(
    ctx: &QueryCtx,
    labels: &Labels,
    sources: &[Source],
    range: TimeRange<Nanos>,
    deletions: &[Arc<Deletion>],
    scratch: &mut Scratch,
) -> Result<bool, QueryError> {
    let deletions = matching(deletions, labels);
    let sure = |source: &Source| {
        let info = &source.info;
        (range.contains(Nanos(info.first)) || range.contains(Nanos(info.last)))
            && !deletions.iter().any(|deletion| deletion.touches(info))
    };
    if sources.iter().any(sure) {
        return Ok(true);
    }
    let mut lines = LogColumns::default();
    for source in sources {
        let one = Plan { range, sources: vec![source.clone()] };
        let want = Want { lines: LineColumn::Count, metadata: false, ..Want::ALL };
        reader::read(ctx, &one, &deletions, want, scratch, &mut lines)?;
        if !lines.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn volume_of(
    ctx: &QueryCtx,
    plan: &Plan,
    deletions: &[Arc<Deletion>],
    scratch: &mut Scratch,
) -> Result<LogVolume, QueryError> {
    if let [source] = plan.sources.as_slice() {
        let info = &source.info;
        let whole = plan.range.start.0 <= info.first && info.last <= plan.range.end.0;
        if whole && !deletions.iter().any(|deletion| deletion.touches(info)) {
            let (entries, bytes) = (info.lines as u64, info.raw + info.metadata);
            return Ok(LogVolume { chunks: 1, entries, bytes });
        }
    }
    let mut lines = LogColumns::default();
    let want = Want { lines: LineColumn::Length, metadata: true, ..Want::ALL };
    reader::read(ctx, plan, deletions, want, scratch, &mut lines)?;
    let metadata = (0..lines.len()).filter_map(|at| lines.metadata(at));
    let metadata: u64 = metadata.map(crate::rows::metadata_len).sum();
    let bytes = lines.ends.last().copied().unwrap_or(0) as u64 + metadata;
    let entries = lines.len() as u64;
    Ok(LogVolume { chunks: u64::from(entries > 0), entries, bytes })
}

/// The places of a part's bounds; here so that `reader.rs` and `parts.rs` agree on them.
fn bounds(range: TimeRange<Nanos>) -> (i64, i64) {
    (range.start.0, range.end.0)
}

#[cfg(test)]
mod tests {
    use masthead_model::MemberValue;

    use super::*;

    #[test]
    fn tests_of_labels_that_a_stream_has_are_not_about_its_lines() {
        let test =
            |name: &str| MemberTest { name: name.into(), value: MemberValue::Text("x".into()) };
        let all: Arc<[MemberTest]> = [test("level"), test("status")].into();
        let left = |name: &str| {
            let left = tests_of(&all, &Labels::from_iter([(name, "y")]));
            left.iter().map(|test| test.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(left("app"), ["level".into(), "status".into()]);
        assert_eq!(left("level"), ["status".into()]);
    }
}
