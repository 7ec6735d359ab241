//! Lines to a Loki: the sink, the bytes of its journal, and the sender.

mod frame;
mod sender;
mod sink;

pub use frame::read_frame_for_fuzzing;
pub use sender::{Sender, Target};
pub use sink::LokiSink;

/// The label that says for whom a stream is; it is not sent.
pub const TENANT_LABEL: &str = "__tenant_id__";
