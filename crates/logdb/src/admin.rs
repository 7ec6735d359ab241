//! The store as an operator sees it: [`LogAdmin`] over what the store does anyway.

use masthead_durable::snapshot;
use masthead_model::{Matcher, Nanos, TimeRange};
use masthead_ports::{AdminError, LineFilter, LogAdmin, LogStoreStats};

use crate::{Error, Logdb};

impl LogAdmin for Logdb {
    fn delete(
        &self,
        matchers: &[Matcher],
        filters: &[LineFilter],
        range: TimeRange<Nanos>,
    ) -> Result<(), AdminError> {
        Ok(Self::delete(self, matchers, filters, range)?)
    }

    fn flush(&self) -> Result<(), AdminError> {
        self.flush_all()?;
        Ok(())
    }

    fn snapshot(&self) -> Result<String, AdminError> {
        let name = snapshot::name(self.clock.now());
        self.make_snapshot(&name)?;
        Ok(name)
    }

    fn stats(&self) -> Result<LogStoreStats, AdminError> {
        let stats = Self::stats(self);
        Ok(LogStoreStats {
            streams: stats.streams,
            buffered_lines: stats.buffered_lines,
            buffered_bytes: stats.buffered_bytes,
            blocks: stats.upkeep.blocks,
            block_lines: stats.block_lines,
            block_bytes: stats.upkeep.block_bytes,
            raw_bytes: stats.block_raw_bytes,
        })
    }
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        Self { class: error.class(), message: error.to_string() }
    }
}
