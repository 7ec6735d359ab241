//! `sampling`: a share of the lines goes on.

use std::sync::Arc;

use masthead_sysio::Random;
use serde::Deserialize;

use crate::{
    entry::Entry,
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, reason},
    },
};

#[derive(Debug, Clone)]
pub(crate) struct Sampling {
    /// Lines out of [`SCALE`] that go on.
    share: u64,
    reason: Arc<str>,
    random: Random,
}

const SCALE: u64 = 1 << 32;

impl Sampling {
    /// `rate` is between 0 and 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a constant, in bounds"
    )]
    pub(crate) fn new(rate: f64, reason: Arc<str>) -> Self {
        let share = (rate.clamp(0.0, 1.0) * SCALE as f64) as u64;
        Self { share, reason, random: Random::new(0x5eed) }
    }
}

impl Stage for Sampling {
    fn process(&mut self, cx: &Cx<'_>, _: &mut Entry) -> Verdict {
        if self.random.below(SCALE) < self.share {
            return Verdict::Next;
        }
        cx.stats.dropped(&self.reason);
        Verdict::Drop
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(self.clone())
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    rate: f64,
    drop_counter_reason: Option<String>,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    if !(0.0..=1.0).contains(&written.rate) {
        return Err(format!(
            "sampling stage failed to parse rate, Sampling Rate must be between 0.0 and 1.0, \
             received {}",
            written.rate
        ));
    }
    let reason = reason(written.drop_counter_reason, "sampling_stage");
    Ok(Box::new(Sampling::new(written.rate, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::run;

    #[test]
    fn the_share_goes_on_and_the_rest_is_counted() {
        let f = |rate: f64, want: std::ops::RangeInclusive<usize>| {
            let runner = run(Sampling::new(rate, "sampling_stage".into()), &["x"; 1000]);
            assert!(want.contains(&runner.out.len()), "{rate}: {}", runner.out.len());
            let dropped: u64 = runner.stats.dropped_lines().iter().map(|(_, n)| n).sum();
            assert_eq!(runner.out.len() as u64 + dropped, 1000);
        };
        f(0.0, 0..=0);
        f(1.0, 1000..=1000);
        f(0.25, 200..=300);
    }
}
