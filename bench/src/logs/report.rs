//! The table of the log systems, the list of differing answers, and the same as JSON.
//!
//! As `crate::report`: less is better, the ratio is Masthead's number divided by the best peer's.
//! To add a row: note its number in `phases.rs` and add its line to [`ROWS`].

use serde_json::{Map, Value, json};

use super::{
    phases::{Loads, Measured},
    questions::{self, Asked, QUESTIONS},
};
use crate::{
    measure::Machine,
    peers::Program,
    report::{Unit, geometric_mean, push_line, write_table},
};

const ROWS: [(&str, &str, Unit); 16] = [
    ("load_cpu", "ingest: CPU s per GB", Unit::Plain),
    ("flushed_cpu", "the same with all written to disk", Unit::Plain),
    ("load_wall", "ingest: wall s per GB", Unit::Plain),
    ("load_peak_bytes", "resident at its peak, MiB", Unit::Mebibytes),
    ("load_bytes", "resident after it, MiB", Unit::Mebibytes),
    ("asked_peak_bytes", "the peak after all questions, MiB", Unit::Mebibytes),
    ("counted_bytes", "resident after a restart and a count, MiB", Unit::Mebibytes),
    ("idle_bytes", "the same when nobody has asked for 45 s, MiB", Unit::Mebibytes),
    ("disk_load", "on disk right after it, bytes per raw byte", Unit::Plain),
    ("disk_final", "on disk with all written, bytes per raw byte", Unit::Plain),
    ("start_ready", "start with it: s until ready", Unit::Plain),
    ("start_answer", "start with it: s until all is counted", Unit::Plain),
    ("asked_p50", "questions: p50 ms, geometric mean", Unit::Plain),
    ("asked_cpu", "questions: CPU ms, geometric mean", Unit::Plain),
    ("crash_lost", "SIGKILL: acknowledged lines lost", Unit::Count),
    ("crash_twice", "SIGKILL: lines there twice", Unit::Count),
];

/// One system's column.
#[derive(Debug)]
pub(crate) struct Column {
    pub program: Program,
    pub measured: Measured,
}

/// All that was measured; the first column is the one that is compared.
#[derive(Debug)]
pub(crate) struct Report {
    pub machine: Machine,
    pub loads: Loads,
    pub columns: Vec<Column>,
    /// Systems that were not measured, and why.
    pub absent: Vec<(&'static str, String)>,
}

impl Report {
    /// Adds the geometric means, over the questions that every system answered.
    pub(crate) fn summarise(&mut self) {
        let all: Vec<usize> = (0..QUESTIONS.len())
            .filter(|number| self.columns.iter().all(|column| column.asked(*number).is_some()))
            .collect();
        for column in &mut self.columns {
            let asked: Vec<&Asked> = all.iter().filter_map(|n| column.asked(*n)).collect();
            let p50 = geometric_mean(asked.iter().map(|asked| asked.p50_ms));
            let cpu = geometric_mean(asked.iter().map(|asked| asked.cpu_ms));
            let means = [("asked_p50", p50), ("asked_cpu", cpu)];
            let means = means.into_iter().filter_map(|(key, number)| Some((key, number?)));
            column.measured.numbers.extend(means);
        }
    }

    /// Whether every phase of every system and every question went well.
    pub(crate) fn is_complete(&self) -> bool {
        self.failures().is_empty()
    }

    /// As text, for people.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write_head(&mut out);
        let names = self.columns.iter().map(|column| column.program.system.name.to_owned());
        let head = [String::new()].into_iter().chain(names).chain(["ratio".to_owned()]);
        let mut table = vec![head.collect::<Vec<_>>()];
        for (key, title, unit) in ROWS {
            let numbers: Vec<Option<f64>> =
                self.columns.iter().map(|c| c.measured.numbers.get(key).copied()).collect();
            let show = |number: &Option<f64>| number.map_or("-".into(), |n| unit.show(n));
            let cells = numbers.iter().map(show);
            table.push(
                [title.to_owned()].into_iter().chain(cells).chain([ratio(&numbers)]).collect(),
            );
        }
        write_table(&mut out, &table);
        out.push_str("\nQuestions, p50 ms / CPU ms:\n");
        let mut table = Vec::new();
        for (number, question) in QUESTIONS.iter().enumerate() {
            let asked: Vec<Option<&Asked>> =
                self.columns.iter().map(|column| column.asked(number)).collect();
            let show = |asked: Option<&Asked>| {
                asked.map_or("-".into(), |a| format!("{:.2} / {:.2}", a.p50_ms, a.cpu_ms))
            };
            let cpu: Vec<Option<f64>> = asked.iter().map(|a| a.map(|a| a.cpu_ms)).collect();
            let cells = asked.iter().copied().map(show);
            let name = question.name.to_owned();
            table.push([name].into_iter().chain(cells).chain([ratio(&cpu)]).collect());
        }
        write_table(&mut out, &table);
        for (system, question, difference) in self.differences() {
            push_line(&mut out, format_args!("{system} differs: {question}: {difference}"));
        }
        for failure in self.failures() {
            push_line(&mut out, format_args!("FAILED {failure}"));
        }
        out
    }

    fn write_head(&self, out: &mut String) {
        let Machine { cores, memory_bytes, kernel } = &self.machine;
        let gib = memory_bytes / 1_073_741_824.0;
        push_line(out, format_args!("machine: {cores} cores, {gib:.1} GiB, {kernel}"));
        let corpus = &self.loads.corpus;
        push_line(
            out,
            format_args!(
                "data: {:.0} MB in {} lines over {} h, seed {}, pushed as {}; before the crash {} lines",
                corpus.bytes as f64 / 1e6,
                corpus.lines(),
                corpus.hours,
                corpus.seed,
                self.loads.encoding.words(),
                self.loads.crash.lines(),
            ),
        );
        for Column { program, .. } in &self.columns {
            push_line(out, format_args!("{}: {}", program.system.name, program.version));
        }
        for (name, why) in &self.absent {
            push_line(out, format_args!("{name}: not measured, {why}"));
        }
        out.push_str("less is better; ratio: masthead to the best of the others\n\n");
    }

    /// System, question and difference, for each answer that is not the last system's.
    fn differences(&self) -> Vec<(&'static str, &'static str, String)> {
        let Some((reference, others)) = self.columns.split_last() else { return Vec::new() };
        let mut all = Vec::new();
        for (number, question) in QUESTIONS.iter().enumerate() {
            let Some(want) = reference.asked(number) else { continue };
            for column in others {
                let got = column.asked(number);
                let difference =
                    got.and_then(|got| questions::difference(&want.answered, &got.answered));
                if let Some(difference) = difference {
                    all.push((column.program.system.name, question.name, difference));
                }
            }
        }
        all
    }

    /// As JSON, for machines; numbers are in base units, as the keys say.
    pub(crate) fn json(&self) -> Value {
        let corpus = &self.loads.corpus;
        let systems = self.columns.iter().map(|Column { program, measured }| {
            let asked =
                QUESTIONS.iter().zip(&measured.asked).map(|(question, asked)| match asked {
                    Ok(asked) => json!({
                        "name": question.name, "expr": question.expr, "p50_ms": asked.p50_ms,
                        "cpu_ms": asked.cpu_ms,
                    }),
                    Err(error) => json!({ "name": question.name, "error": error }),
                });
            let value = json!({
                "version": program.version,
                "numbers": measured.numbers,
                "questions": asked.collect::<Vec<_>>(),
                "failures": measured.failures,
            });
            (program.system.name.to_owned(), value)
        });
        json!({
            "machine": self.machine.json(),
            "data": {
                "bytes": corpus.bytes, "lines": corpus.lines(), "hours": corpus.hours,
                "seed": corpus.seed, "end_ns": corpus.end.0, "push": self.loads.encoding.words(),
            },
            "systems": systems.collect::<Map<_, _>>(),
            "absent": self.absent.iter().map(|(name, why)| ((*name).to_owned(), json!(why)))
                .collect::<Map<_, _>>(),
        })
    }

    fn failures(&self) -> Vec<String> {
        let mut all = Vec::new();
        for Column { program, measured } in &self.columns {
            let name = program.system.name;
            all.extend(measured.failures.iter().map(|failure| format!("{name}: {failure}")));
            for (question, asked) in QUESTIONS.iter().zip(&measured.asked) {
                if let Err(error) = asked {
                    all.push(format!("{name}: question {:?}: {error}", question.name));
                }
            }
        }
        all
    }
}

impl Column {
    fn asked(&self, number: usize) -> Option<&Asked> {
        self.measured.asked.get(number)?.as_ref().ok()
    }
}

/// The first number divided by the smallest of the others, in words.
fn ratio(numbers: &[Option<f64>]) -> String {
    let dash = "-".to_owned();
    let Some((Some(own), others)) = numbers.split_first() else { return dash };
    let best = others.iter().flatten().copied().reduce(f64::min);
    best.filter(|best| *best > 0.0).map_or(dash, |best| format!("{:.2}", own / best))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use masthead_model::Nanos;

    use super::*;
    use crate::{
        logs::{corpus::Corpus, peers::SYSTEMS, push::Encoding, questions::Answered},
        measure::Rest,
        queries::Effort,
    };

    fn column(number: usize, ms: f64, count: usize) -> Column {
        let answered = || Answered::Lines { count, hash: count as u64 };
        let asked = || Ok(Asked { p50_ms: ms, cpu_ms: ms * 2.0, answered: answered() });
        let asked = QUESTIONS.iter().map(|_| asked()).collect();
        let numbers = [("load_cpu", ms), ("crash_lost", 0.0)].into_iter().collect();
        let program =
            Program { system: SYSTEMS[number], path: "/x".into(), version: format!("{number}.0") };
        Column { program, measured: Measured { numbers, asked, failures: Vec::new() } }
    }

    fn report(columns: Vec<Column>) -> Report {
        let end = Nanos(1_800_000_000_000_000_000);
        let corpus = Corpus { bytes: 1_000_000, hours: 6, seed: 1, end };
        let loads = Loads {
            crash: corpus.clone(),
            corpus,
            encoding: Encoding::Protobuf,
            effort: Effort { least: 1, most: 1, time: Duration::ZERO },
            rest: Rest { least: Duration::ZERO, most: Duration::ZERO },
            idle: Duration::ZERO,
        };
        let machine = Machine { cores: 2, memory_bytes: 2e9, kernel: "Linux 6".into() };
        let mut report = Report { machine, loads, columns, absent: Vec::new() };
        report.summarise();
        report
    }

    #[test]
    fn ratios_are_to_the_best_peer_and_differing_answers_are_named() {
        let report = report(vec![column(0, 1.0, 3), column(1, 4.0, 2)]);
        let text = report.text();
        let f = |start: &str, want: &str| {
            let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
            assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), want, "{text}");
        };
        f("ingest: CPU", "ingest: CPU s per GB 1.000 4.000 0.25");
        f("questions: CPU", "questions: CPU ms, geometric mean 2.000 8.000 0.25");
        f("ingest: wall", "ingest: wall s per GB - - -");
        f("rare phrase", "rare phrase 1.00 / 2.00 4.00 / 8.00 0.25");
        f("masthead differs: rare", "masthead differs: rare phrase: 3 lines where the other has 2");
        assert!(report.is_complete());
    }

    #[test]
    fn what_failed_is_told_and_alone_there_is_no_ratio() {
        let mut alone = column(0, 1.0, 3);
        alone.measured.failures.push("crash: gone".to_owned());
        alone.measured.asked[0] = Err("status 500".to_owned());
        let report = report(vec![alone]);
        let text = report.text();
        assert!(text.contains("FAILED masthead: crash: gone"), "{text}");
        assert!(text.contains(&format!("question {:?}: status 500", QUESTIONS[0].name)), "{text}");
        assert!(!report.is_complete() && !text.contains("differs"));
        assert_eq!(report.json()["systems"]["masthead"]["numbers"]["load_cpu"], 1.0);
    }
}
