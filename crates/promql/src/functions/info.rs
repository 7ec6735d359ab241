//! `info`: series with the labels of the info series that describe them.
//!
//! An info series describes every series with the same `instance` and `job`. Of several of one
//! name the newest counts at each step, by the time of its sample. Which names and which of their
//! labels are meant, the second argument says (`promql/info.go`).

use std::collections::{BTreeSet, HashMap};

use masthead_model::{Labels, LabelsBuilder, METRIC_NAME, Matcher};
use masthead_vecmath::StepGrid;

use crate::{
    ast::{Call, Expr},
    engine::{
        Cell, Error, Evaluation, Made, Row, Value, drop_empty, info_names, is_absent,
        merge_same_labels,
    },
};

/// The labels by which series and info series find each other.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// What the second argument asks for.
struct Filter {
    /// Conditions on the name of info series.
    names: Vec<Matcher>,
    /// Conditions on their other labels; only these labels are copied, all if there are none.
    data: Vec<Matcher>,
}

/// The values of the identifying labels.
type Identity<'a> = [&'a str; 2];

pub(super) fn info(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let Some(base) = call.args.first() else { return Ok(Value::Vector(Vec::new())) };
    let rows = evaluation.vector(base, grid)?;
    let filter = Filter::of(call);
    let described: Vec<&Row> = rows.iter().filter(|row| !filter.is_source(row)).collect();
    let wanted = Wanted::of(&described);
    let infos = match evaluation.plan.info(call) {
        Some(planned) if !wanted.is_empty() => {
            let keep = |labels: &Labels| wanted.contains(labels);
            evaluation.info_rows(planned, grid, keep)?
        }
        _ => Vec::new(),
    };
    let index = Index::new(&infos);
    let mut made = Vec::with_capacity(rows.len());
    for row in rows {
        evaluation.ctx.check()?;
        if filter.is_source(&row) {
            made.push(row);
        } else {
            enrich(&row, &index, &infos, &filter, grid, &mut made)?;
        }
    }
    drop_empty(&mut made);
    merge_same_labels(made).map(Value::Vector)
}

impl Filter {
    fn of(call: &Call) -> Self {
        let matchers: &[Matcher] = match call.args.get(1).map(Expr::unparen) {
            Some(Expr::Vector(selector)) => &selector.matchers,
            _ => &[],
        };
        let data = matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME);
        Self { names: info_names(matchers), data: data.cloned().collect() }
    }

    /// Whether a series is itself one of those that describe; such are left alone.
    fn is_source(&self, row: &Row) -> bool {
        let name = row.labels.metric_name().unwrap_or("");
        self.names.iter().all(|matcher| matcher.matches(name))
    }

    fn wants(&self, label: &str) -> bool {
        self.data.is_empty() || self.data.iter().any(|matcher| matcher.name() == label)
    }

    /// Whether a series without any info series stays.
    fn allows_nothing(&self) -> bool {
        self.data.iter().all(Matcher::matches_empty)
    }
}

/// The values of identifying labels for which info series are needed; a label that no series has
/// is not looked at.
struct Wanted<'a>([BTreeSet<&'a str>; 2]);

impl<'a> Wanted<'a> {
    fn of(rows: &[&'a Row]) -> Self {
        Self(IDENTIFYING.map(|name| rows.iter().filter_map(|row| row.labels.get(name)).collect()))
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeSet::is_empty)
    }

    fn contains(&self, labels: &Labels) -> bool {
        IDENTIFYING.iter().zip(&self.0).all(|(name, values)| {
            values.is_empty() || values.contains(labels.get(name).unwrap_or(""))
        })
    }
}

/// Info series by name and identity.
struct Index<'a> {
    names: BTreeSet<&'a str>,
    places: HashMap<(&'a str, Identity<'a>), Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(infos: &'a [Row]) -> Self {
        let mut index = Self { names: BTreeSet::new(), places: HashMap::new() };
        for (at, row) in infos.iter().enumerate() {
            let name = row.labels.metric_name().unwrap_or("");
            index.names.insert(name);
            index.places.entry((name, identity(&row.labels))).or_default().push(at);
        }
        index
    }

    /// For each name the info series that may describe `labels`, names in order.
    fn candidates(&self, labels: &'a Labels) -> Vec<&[usize]> {
        let of = |name: &&'a str| self.places.get(&(*name, identity(labels)));
        self.names.iter().filter_map(of).map(Vec::as_slice).collect()
    }
}

fn identity(labels: &Labels) -> Identity<'_> {
    IDENTIFYING.map(|name| labels.get(name).unwrap_or(""))
}

/// The series under the labels that describe it at each step; it may be one of several names over
/// time.
fn enrich(
    row: &Row,
    index: &Index<'_>,
    infos: &[Row],
    filter: &Filter,
    grid: &StepGrid,
    into: &mut Vec<Row>,
) -> Result<(), Error> {
    let candidates = index.candidates(&row.labels);
    let mut known: HashMap<Vec<usize>, Option<usize>> = HashMap::new();
    for step in 0..grid.len() {
        let value = match row.cell(step) {
            Cell::Absent => continue,
            Cell::Float(value) => Made::Float(value),
            Cell::Histogram(histogram) => Made::Histogram(histogram.clone()),
        };
        let mut chosen = Vec::with_capacity(candidates.len());
        for places in &candidates {
            chosen.extend(newest(places, infos, step)?);
        }
        let place = match known.get(&chosen) {
            Some(place) => *place,
            None => {
                let place = if chosen.is_empty() && !filter.allows_nothing() {
                    None
                } else {
                    let labels = described(&row.labels, &chosen, infos, filter)?;
                    let mut made = Row::empty(labels, grid.len());
                    made.drop_name = row.drop_name;
                    into.push(made);
                    Some(into.len() - 1)
                };
                known.insert(chosen, place);
                place
            }
        };
        if let Some(made) = place.and_then(|place| into.get_mut(place)) {
            made.set(step, value);
        }
    }
    Ok(())
}

/// The info series whose sample is the newest at `step`; their columns hold those times.
fn newest(places: &[usize], infos: &[Row], step: usize) -> Result<Option<usize>, Error> {
    let mut best: Option<(usize, f64)> = None;
    for at in places {
        let Some(time) = infos.get(*at).and_then(|row| row.floats.get(step)).copied() else {
            continue;
        };
        if is_absent(time) {
            continue;
        }
        match best {
            Some((_, known)) if known > time => {}
            Some((known_at, known)) if known >= time => {
                let labels = |at: usize| infos.get(at).map(|row| row.labels.to_string());
                let existing = labels(known_at).unwrap_or_default();
                let new = labels(*at).unwrap_or_default();
                return Err(Error::execution(format!(
                    "found duplicate series for info metric: existing {existing} @ {known}, new {new} @ {time}"
                )));
            }
            _ => best = Some((*at, time)),
        }
    }
    Ok(best.map(|(at, _)| at))
}

fn described(
    labels: &Labels,
    chosen: &[usize],
    infos: &[Row],
    filter: &Filter,
) -> Result<Labels, Error> {
    let mut added = LabelsBuilder::default();
    for info in chosen.iter().filter_map(|at| infos.get(*at)) {
        for label in &info.labels {
            if label.name == METRIC_NAME || !filter.wants(label.name) {
                continue;
            }
            if added.get(label.name).is_some_and(|value| value != label.value) {
                return Err(Error::execution(format!("conflicting label: {}", label.name)));
            }
            if labels.get(label.name).is_none() {
                added.set(label.name, label.value);
            }
        }
    }
    let mut all = labels.to_builder();
    for label in added.iter() {
        all.set(label.name, label.value);
    }
    Ok(all.build())
}
