//! Every target takes some thousand inputs that are nearly right, the same on every run.

mod mutate;
mod targets;
