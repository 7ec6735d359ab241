//! `count_values`: how many rows have each value, with the value as a label.

use std::collections::{HashMap, hash_map::Entry};

use masthead_model::{Labels, format_exact, quote_bytes};
use masthead_vecmath::{Grouping, LabelSet, StepGrid};

use super::label_set;
use crate::{
    ast::{Aggregate, Expr},
    engine::{Cell, Error, Evaluation, Made, Row},
};

impl Evaluation<'_> {
    pub(super) fn count_values(
        &self,
        node: &Aggregate,
        rows: &[Row],
        grid: &StepGrid,
    ) -> Result<Vec<Row>, Error> {
        let Some(Expr::String(name)) = node.param.as_ref().map(Expr::unparen) else {
            return Ok(Vec::new());
        };
        if name.value.is_empty() || name.not_utf8.is_some() {
            let bytes = name.not_utf8.as_deref().unwrap_or(name.value.as_bytes());
            return Err(Error::execution(format!("invalid label name {}", quote_bytes(bytes))));
        }
        let mut names = label_set(node);
        if let LabelSet::Only(kept) = &names {
            let kept = kept.iter().map(AsRef::as_ref).chain([name.value.as_str()]);
            names = LabelSet::only(kept);
        }
        let grouping = Grouping::new(names);
        let mut counted: Vec<Row> = Vec::new();
        let mut places: HashMap<Labels, usize> = HashMap::new();
        for row in rows {
            self.ctx.check()?;
            // A row often keeps its value over many steps.
            let mut last: Option<(String, usize)> = None;
            for step in 0..grid.len() {
                let text = match row.cell(step) {
                    Cell::Absent => continue,
                    Cell::Float(value) => format_exact(value),
                    Cell::Histogram(histogram) => histogram.to_string(),
                };
                let place = match &last {
                    Some((known, place)) if *known == text => *place,
                    _ => {
                        let labels = row.labels.to_builder().set(&name.value, &text).build();
                        match places.entry(grouping.result(&labels)) {
                            Entry::Occupied(place) => *place.get(),
                            Entry::Vacant(place) => {
                                self.charge_row(grid.len(), 0)?;
                                counted.push(Row::empty(place.key().clone(), grid.len()));
                                *place.insert(counted.len() - 1)
                            }
                        }
                    }
                };
                last = Some((text, place));
                if let Some(counted) = counted.get_mut(place) {
                    let count = match counted.cell(step) {
                        Cell::Float(count) => count + 1.0,
                        Cell::Absent | Cell::Histogram(_) => 1.0,
                    };
                    counted.set(step, Made::Float(count));
                }
            }
        }
        Ok(counted)
    }
}
