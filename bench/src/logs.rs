//! `masthead-bench logs`: what Masthead costs as a log system, beside Loki where it is installed.
//!
//! - `logs/corpus.rs`: the lines; `logs/push.rs`: sending them; `logs/questions.rs`: the questions.
//! - `logs/peers.rs`: the systems; `logs/phases.rs`: what is done with each; `logs/report.rs`: the
//!   table.

mod corpus;
mod peers;
mod phases;
mod push;
mod questions;
mod report;

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use masthead_model::Nanos;

pub(crate) use self::peers::MASTHEAD_LOGS;
use self::{
    corpus::Corpus,
    phases::Loads,
    push::Encoding,
    report::{Column, Report},
};
use crate::{
    Common,
    measure::{Machine, Rest},
    queries::Effort,
};

const MEGA: u64 = 1_000_000;
/// Longer than Masthead keeps pages of files that nobody reads.
const IDLE: Duration = Duration::from_secs(45);

#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Size of the lines.
    #[arg(long, value_name = "MB", default_value_t = 1_040)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=20_000))]
    megabytes: u64,

    /// Hours over which they are spread.
    #[arg(long, value_name = "H", default_value_t = 6)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=48))]
    hours: u32,

    /// How the lines are pushed.
    #[arg(long, value_enum, default_value_t)]
    push: Encoding,

    /// A run of seconds, to see that all of it works; its numbers mean nothing.
    #[arg(long, conflicts_with_all = ["megabytes", "hours"])]
    toy: bool,

    #[command(flatten)]
    common: Common,
}

/// Measures and prints; false when a phase or a question failed.
pub(crate) fn run(arguments: &LogsArguments) -> Result<bool> {
    let common = &arguments.common;
    let run = common.begin()?;
    let loads = loads(arguments, crate::now()?.to_nanos()?);
    let (programs, absent) = common.programs(&peers::SYSTEMS)?;
    let mut columns = Vec::new();
    for program in programs {
        let say = |words: &str| run.say(words);
        let measured = phases::measure(&program, &loads, &common.scratch, &run.patience, &say)?;
        columns.push(Column { program, measured });
    }
    let mut report = Report { machine: Machine::this(), loads, columns, absent };
    report.summarise();
    common.print(&report.text(), &report.json())?;
    Ok(report.is_complete())
}

fn loads(arguments: &LogsArguments, end: Nanos) -> Loads {
    let seed = arguments.common.seed;
    let corpus = |bytes, hours| Corpus { bytes, hours, seed, end };
    if arguments.toy {
        return Loads {
            corpus: corpus(2 * MEGA, 1),
            crash: corpus(MEGA, 1),
            encoding: arguments.push,
            effort: Effort { least: 1, most: 1, time: Duration::ZERO },
            rest: Rest { least: Duration::ZERO, most: Duration::ZERO },
            idle: Duration::ZERO,
        };
    }
    Loads {
        corpus: corpus(arguments.megabytes * MEGA, arguments.hours),
        crash: corpus(100 * MEGA, 1),
        encoding: arguments.push,
        effort: Effort { least: 3, most: 100, time: Duration::from_millis(400) },
        rest: Rest { least: Duration::from_secs(6), most: Duration::from_mins(1) },
        idle: IDLE,
    }
}
