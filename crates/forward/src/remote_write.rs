//! Samples to whoever speaks remote write: Prometheus, Mimir, `VictoriaMetrics`, another Masthead.
//!
//! ```text
//! append ─ relabel ─> journal ─> round ─┬─ shard ─ requests, one after another ─┐
//!                                       ├─ shard ─ …                            ├─> mark
//!                                       └─ shard ─ …                            ┘
//! ```
//!
//! A [`Sender`] takes what is in the journal a round at a time: the samples of a series stay in one
//! shard and in their order, the shards send beside each other, and when all are done the journal is
//! marked. The number of shards follows from how much there is, so that it rises when the sender is
//! behind. What was sent and not yet marked when the process ended is sent again; receivers keep a
//! sample that comes twice once.
//!
//! Facts: Prometheus' remote write specifications 1.0 and 2.0, `storage/remote/queue_manager.go`.
//!
//! - `config.rs`: `remote_write` of prometheus.yml; `sink.rs`: what is taken; `frame.rs`: its bytes;
//! - `round.rs`: from frames to requests; `sender.rs`: sending them; `stats.rs`: how that fares.

mod config;
mod frame;
mod round;
mod sender;
mod sink;
mod stats;

pub use config::{MetadataConfig, QueueConfig, RemoteWriteConfig, WrittenSection};
pub use frame::read_frame_for_fuzzing;
pub use masthead_wire::remote_write::Version;
pub use sender::Sender;
pub use sink::RemoteWriteSink;
pub use stats::Stats;
