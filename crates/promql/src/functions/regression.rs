//! `deriv`, `predict_linear` and `double_exponential_smoothing`: lines and curves through floats.

use masthead_vecmath::{double_exponential, fit_line};

use crate::engine::{Error, Made, RangeFunction, RangeNotes, Window};

const BASE: RangeFunction = RangeFunction {
    window: |_, _| Ok(None),
    column: None,
    rates: None,
    keeps_name: false,
    counter: false,
    edges: &[],
};

pub(super) const DERIV: RangeFunction = RangeFunction {
    window: |window, says| {
        says.ignored_histograms(window);
        let first = window.times.first().copied().unwrap_or(0);
        let line = fit_line(window.times, window.floats, first);
        Ok(line.map(|line| Made::Float(line.slope)))
    },
    column: Some(|floats| {
        floats.each(|times, values, _| {
            fit_line(times, values, times.first().copied()?).map(|line| line.slope)
        })
    }),
    ..BASE
};

pub(super) const PREDICT_LINEAR: RangeFunction = RangeFunction {
    window: |window, says| {
        says.ignored_histograms(window);
        let ahead = window.args.first().copied().unwrap_or(f64::NAN);
        let line = fit_line(window.times, window.floats, window.at);
        Ok(line.map(|line| Made::Float(line.slope * ahead + line.intercept)))
    },
    ..BASE
};

pub(super) const DOUBLE_EXPONENTIAL_SMOOTHING: RangeFunction =
    RangeFunction { window: smoothed, ..BASE };

fn smoothed(window: &Window<'_>, says: &mut RangeNotes<'_>) -> Result<Option<Made>, Error> {
    let arg = |at: usize| window.args.get(at).copied().unwrap_or(f64::NAN);
    let value = double_exponential(window.floats, arg(0), arg(1))
        .map_err(|error| Error::execution(error.to_string()))?;
    says.ignored_histograms(window);
    Ok(value.map(Made::Float))
}
