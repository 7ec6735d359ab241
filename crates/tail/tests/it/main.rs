//! Collecting, step by step, on a simulated disk and clock.

mod config;
mod crashes;
mod harness;
mod model;
mod rotation;
mod stages;
