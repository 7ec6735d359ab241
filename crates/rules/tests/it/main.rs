//! Rules as a whole: groups on a clock, alerts on the wire, tests beside promtool.

#![expect(clippy::disallowed_methods, reason = "tests write files for promtool and for themselves")]

mod alertmanager;
mod engine;
mod notifier;
mod promtool;
mod receiver;
mod stack;
