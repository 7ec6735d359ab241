//! The table, the list of differing answers, and the same as JSON.
//!
//! Less is better in every row. The ratio is Masthead's number divided by the better peer's, so 0.5
//! says that Masthead takes half. To add a row: note its number in `phases.rs` and add its line to
//! [`rows`].

use serde_json::{Map, Value, json};

use crate::{
    answers,
    data::{self, Plan},
    measure::Machine,
    peers::Program,
    phases::{Loads, Measured, grid_key, recorded_key, wide_key},
    queries::{Asked, QUERIES, Reach},
};

/// One system's column.
#[derive(Debug)]
pub(crate) struct Column {
    pub program: Program,
    pub measured: Measured,
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub machine: Machine,
    pub loads: Loads,
    pub columns: Vec<Column>,
    /// Systems that were not measured, and why.
    pub absent: Vec<(&'static str, String)>,
}

/// The system whose numbers are divided by the others', and the one whose answers are right.
const COMPARED: &str = "masthead";
const REFERENCE: &str = "prometheus";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Plain,
    Mebibytes,
    Count,
}

impl Unit {
    pub(crate) fn show(self, number: f64) -> String {
        match self {
            Self::Plain if number >= 100.0 => format!("{number:.0}"),
            Self::Plain => format!("{number:.3}"),
            Self::Mebibytes => format!("{:.0}", number / 1_048_576.0),
            Self::Count => format!("{number:.0}"),
        }
    }
}

struct Row {
    key: String,
    title: String,
    unit: Unit,
}

fn rows(loads: &Loads) -> Vec<Row> {
    let row = |key: &str, title: &str, unit| Row { key: key.into(), title: title.into(), unit };
    let mut rows = vec![
        row("load_cpu", "ingest: CPU s per million samples", Unit::Plain),
        row("load_wall", "ingest: wall s per million samples", Unit::Plain),
        row("load_bytes", "resident after it, MiB", Unit::Mebibytes),
        row("load_peak_bytes", "resident at its peak, MiB", Unit::Mebibytes),
        row("asked_peak_bytes", "the same after all queries, MiB", Unit::Mebibytes),
        row("disk_load", "on disk right after it, bytes per sample", Unit::Plain),
        row("disk_final", "on disk in final form, bytes per sample", Unit::Plain),
        row("compact_cpu", "to final form: CPU s per million samples", Unit::Plain),
        row("start_ready", "start with it: s until ready", Unit::Plain),
        row("start_answer", "start with it: s until the first answer", Unit::Plain),
        row("empty_bytes", "resident when empty, MiB", Unit::Mebibytes),
    ];
    for plan in &loads.wide {
        let name = format!("{} series x {}", plan.hosts * plan.series, plan.rounds);
        let mut add = |what, title: &str, unit| {
            rows.push(row(&wide_key(plan, what), &format!("{name}: {title}"), unit));
        };
        add("cpu", "CPU s per million samples", Unit::Plain);
        add("bytes", "resident, MiB", Unit::Mebibytes);
        add("peak_bytes", "resident at its peak, MiB", Unit::Mebibytes);
        add("start", "start, s until the first answer", Unit::Plain);
    }
    let mut sized = |name: &str, key: &dyn Fn(&str) -> String| {
        for (what, title) in [
            ("cpu", "CPU s per million samples"),
            ("disk_load", "on disk right after it, bytes per sample"),
            ("disk_final", "in final form, bytes per sample"),
        ] {
            rows.push(row(&key(what), &format!("{name}: {title}"), Unit::Plain));
        }
    };
    for plan in &loads.grids {
        let name = format!("{} % off the grid", plan.jitter_percent);
        sized(&name, &|what| grid_key(plan, what));
    }
    if loads.recording.is_some() {
        sized("recorded", &recorded_key);
    }
    rows.extend([
        row("query_p50", "queries: p50 ms, geometric mean", Unit::Plain),
        row("query_cpu", "queries: CPU ms, geometric mean", Unit::Plain),
        row("query_one_p50", "of one host: p50 ms", Unit::Plain),
        row("query_one_cpu", "of one host: CPU ms", Unit::Plain),
        row("query_fleet_p50", "of the fleet: p50 ms", Unit::Plain),
        row("query_fleet_cpu", "of the fleet: CPU ms", Unit::Plain),
        row("crash_lost", "SIGKILL: acknowledged samples lost", Unit::Count),
        row("crash_twice", "SIGKILL: samples there twice", Unit::Count),
    ]);
    rows
}

/// What the table says of one query's answer.
struct Comparison {
    query: &'static str,
    system: &'static str,
    difference: String,
}

impl Report {
    /// Adds the geometric means, over the queries that every system answered: a mean over other
    /// queries would compare other work.
    pub(crate) fn summarise(&mut self) {
        let all: Vec<usize> = (0..QUERIES.len())
            .filter(|number| self.columns.iter().all(|column| column.asked(*number).is_some()))
            .collect();
        for column in &mut self.columns {
            for (key, reach) in [
                ("query", None),
                ("query_one", Some(Reach::OneHost)),
                ("query_fleet", Some(Reach::Fleet)),
            ] {
                let asked = all.iter().filter(|number| {
                    QUERIES.get(**number).is_some_and(|q| reach.is_none_or(|r| q.reach == r))
                });
                let asked: Vec<&Asked> = asked.filter_map(|number| column.asked(*number)).collect();
                let p50 = geometric_mean(asked.iter().map(|asked| asked.p50_ms));
                let cpu = geometric_mean(asked.iter().map(|asked| asked.cpu_ms));
                let numbers = &mut column.measured.numbers;
                for (what, number) in [("p50", p50), ("cpu", cpu)] {
                    if let Some(number) = number {
                        numbers.insert(format!("{key}_{what}"), number);
                    }
                }
            }
        }
    }

    /// Whether every phase of every system and every query went well.
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
        for row in rows(&self.loads) {
            let numbers: Vec<Option<f64>> =
                self.columns.iter().map(|c| c.measured.numbers.get(&row.key).copied()).collect();
            let show = |number: &Option<f64>| number.map_or("-".into(), |n| row.unit.show(n));
            let ratio = self.ratio(&numbers).map_or("-".into(), |ratio| format!("{ratio:.2}"));
            let cells = numbers.iter().map(show);
            table.push([row.title].into_iter().chain(cells).chain([ratio]).collect());
        }
        write_table(&mut out, &table);
        out.push_str("\nQueries, p50 ms / CPU ms:\n");
        let mut table = Vec::new();
        for (number, query) in QUERIES.iter().enumerate() {
            let asked: Vec<Option<&Asked>> =
                self.columns.iter().map(|column| column.asked(number)).collect();
            let show = |asked: Option<&Asked>| {
                asked.map_or("-".into(), |a| format!("{:.2} / {:.2}", a.p50_ms, a.cpu_ms))
            };
            let p50: Vec<Option<f64>> = asked.iter().map(|a| a.map(|a| a.p50_ms)).collect();
            let ratio = self.ratio(&p50).map_or("-".into(), |ratio| format!("{ratio:.2}"));
            let cells = asked.iter().copied().map(show);
            table.push([query.name.to_owned()].into_iter().chain(cells).chain([ratio]).collect());
        }
        write_table(&mut out, &table);
        self.write_comparisons(&mut out);
        for failure in self.failures() {
            push_line(&mut out, format_args!("FAILED {failure}"));
        }
        out
    }

    fn write_head(&self, out: &mut String) {
        let Machine { cores, memory_bytes, kernel } = &self.machine;
        let gib = memory_bytes / 1_073_741_824.0;
        push_line(out, format_args!("machine: {cores} cores, {gib:.1} GiB, {kernel}"));
        let plan = &self.loads.dashboards;
        push_line(
            out,
            format_args!(
                "data: {} hosts x {} series x {} scrapes {} s apart = {:.2} M samples, \
                 {} % of scrapes off the grid, seed {}",
                plan.hosts,
                plan.series,
                plan.rounds,
                data::INTERVAL_MS / 1000,
                plan.samples() as f64 / 1e6,
                plan.jitter_percent,
                plan.seed,
            ),
        );
        for plan in self.loads.grids.iter().take(1) {
            push_line(out, format_args!("off the grid: {} samples each", plan.samples()));
        }
        if let Some(recording) = &self.loads.recording {
            let (samples, series) = (recording.len(), recording.series.len());
            push_line(out, format_args!("recorded: {samples} samples of {series} series"));
        }
        push_line(out, format_args!("crash: {} samples", self.loads.crash.samples()));
        for Column { program, .. } in &self.columns {
            push_line(out, format_args!("{}: {}", program.system.name, program.version));
        }
        for (name, why) in &self.absent {
            push_line(out, format_args!("{name}: not measured, {why}"));
        }
        out.push_str("less is better; ratio: masthead to the better of the others\n\n");
    }

    fn write_comparisons(&self, out: &mut String) {
        let Some(reference) = self.reference() else { return };
        let differences = self.differences();
        for column in &self.columns {
            let name = column.program.system.name;
            if std::ptr::eq(column, reference) {
                continue;
            }
            let own: Vec<&Comparison> = differences.iter().filter(|d| d.system == name).collect();
            let asked = (0..QUERIES.len())
                .filter(|n| column.asked(*n).is_some() && reference.asked(*n).is_some())
                .count();
            push_line(
                out,
                format_args!(
                    "\n{name} answers {} of {asked} queries as {} does",
                    asked - own.len(),
                    reference.program.system.name,
                ),
            );
            for Comparison { query, difference, .. } in own {
                push_line(out, format_args!("  {query}: {difference}"));
            }
        }
    }

    /// As JSON, for machines; numbers are in base units, as the keys say.
    pub(crate) fn json(&self) -> Value {
        let plan = |plan: &Plan| {
            json!({
                "hosts": plan.hosts, "series_per_host": plan.series, "scrapes": plan.rounds,
                "jitter_percent": plan.jitter_percent, "seed": plan.seed,
                "samples": plan.samples(), "end_ms": plan.end.0,
            })
        };
        let differences = self.differences();
        let systems = self.columns.iter().map(|Column { program, measured }| {
            let name = program.system.name;
            let queries = QUERIES.iter().zip(&measured.asked).map(|(query, asked)| match asked {
                Ok(asked) => {
                    let difference = differences
                        .iter()
                        .find(|d| d.system == name && d.query == query.name)
                        .map(|d| &d.difference);
                    json!({
                        "name": query.name, "expr": query.expr, "p50_ms": asked.p50_ms,
                        "cpu_ms": asked.cpu_ms, "series": asked.answer.series().len(),
                        "difference": difference,
                    })
                }
                Err(error) => json!({ "name": query.name, "expr": query.expr, "error": error }),
            });
            let value = json!({
                "version": program.version,
                "numbers": measured.numbers,
                "queries": queries.collect::<Vec<_>>(),
                "failures": measured.failures,
            });
            (name.to_owned(), value)
        });
        let ratios = rows(&self.loads).into_iter().filter_map(|row| {
            let number = |column: &Column| column.measured.numbers.get(&row.key).copied();
            let numbers: Vec<Option<f64>> = self.columns.iter().map(number).collect();
            Some((row.key.clone(), json!(self.ratio(&numbers)?)))
        });
        json!({
            "machine": self.machine.json(),
            "data": plan(&self.loads.dashboards),
            "wide": self.loads.wide.iter().map(plan).collect::<Vec<_>>(),
            "grids": self.loads.grids.iter().map(plan).collect::<Vec<_>>(),
            "recorded_samples": self.loads.recording.as_ref().map(|recording| recording.len()),
            "crash": plan(&self.loads.crash),
            "systems": systems.collect::<Map<_, _>>(),
            "ratios": ratios.collect::<Map<_, _>>(),
            "absent": self.absent.iter().map(|(name, why)| ((*name).to_owned(), json!(why)))
                .collect::<Map<_, _>>(),
        })
    }

    /// Masthead's number divided by the smallest of the others.
    fn ratio(&self, numbers: &[Option<f64>]) -> Option<f64> {
        let (mut own, mut best) = (None, None::<f64>);
        for (column, number) in self.columns.iter().zip(numbers) {
            if column.program.system.name == COMPARED {
                own = *number;
            } else if let Some(number) = number {
                best = Some(best.map_or(*number, |best| best.min(*number)));
            }
        }
        let (own, best) = (own?, best?);
        (best > 0.0).then(|| own / best)
    }

    /// The system whose answers are taken as right: Prometheus, else the first.
    fn reference(&self) -> Option<&Column> {
        let named = |column: &&Column| column.program.system.name == REFERENCE;
        self.columns.iter().find(named).or(self.columns.first())
    }

    fn differences(&self) -> Vec<Comparison> {
        let Some(reference) = self.reference() else { return Vec::new() };
        let mut all = Vec::new();
        for (number, query) in QUERIES.iter().enumerate() {
            let Some(want) = reference.asked(number) else { continue };
            for column in self.columns.iter().filter(|column| !std::ptr::eq(*column, reference)) {
                let got = column.asked(number);
                let difference = got.and_then(|g| answers::difference(&want.answer, &g.answer));
                if let Some(difference) = difference {
                    let system = column.program.system.name;
                    all.push(Comparison { query: query.name, system, difference });
                }
            }
        }
        all
    }

    fn failures(&self) -> Vec<String> {
        let mut all = Vec::new();
        for Column { program, measured } in &self.columns {
            let name = program.system.name;
            all.extend(measured.failures.iter().map(|failure| format!("{name}: {failure}")));
            for (query, asked) in QUERIES.iter().zip(&measured.asked) {
                if let Err(error) = asked {
                    all.push(format!("{name}: query {:?}: {error}", query.name));
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

pub(crate) fn geometric_mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for number in numbers {
        sum += number.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

/// Aligns the columns, the first to the left and the others to the right.
pub(crate) fn write_table(out: &mut String, table: &[Vec<String>]) {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        table.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in table {
        let mut line = String::new();
        for (number, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            if number == 0 {
                line = format!("{cell}{pad}");
            } else {
                line = format!("{line}  {pad}{cell}");
            }
        }
        push_line(out, format_args!("{line}"));
    }
}

pub(crate) fn push_line(out: &mut String, line: std::fmt::Arguments<'_>) {
    out.push_str(&line.to_string());
    out.push('\n');
}

#[cfg(test)]
mod tests;
