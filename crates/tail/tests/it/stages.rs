//! Pipelines as they are written, over lines.
