//! Expressions as text: on one line here, over several in `printer/pretty.rs`.
//!
//! What is printed parses to the same expression. Blanks, commas and units are upstream's
//! (`pkg/logql/syntax/ast.go`), down to the two blanks behind `on (a)`.

use std::fmt::{self, Display, Write as _};

use masthead_model::{
    GoDuration, Matcher, PromDuration, format_exact, format_shortest, quote, quote_bytes,
};

use crate::ast::{
    Binary, Cardinality, Expr, Extraction, Grouping, LabelFilterExpr, LabelReplace,
    LabelValueFormat, LineFilterExpr, LogExpr, LogRange, MetricExpr, NamedMatcher,
    RangeAggregation, StageExpr, Unwrap, UnwrapConversion, VectorAggregation,
};

mod pretty;

pub use pretty::pretty;

impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(log) => log.fmt(f),
            Self::Metric(metric) => metric.fmt(f),
        }
    }
}

impl Display for LogExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        list(f, &self.matchers, ", ", Matcher::fmt)?;
        f.write_char('}')?;
        self.stages.iter().try_for_each(|stage| write!(f, " {stage}"))
    }
}

impl Display for StageExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineFilter(filter) => filter.fmt(f),
            Self::Json(extractions) => {
                f.write_str("| json")?;
                extracted(f, extractions)
            }
            Self::Logfmt { strict, keep_empty, extractions } => {
                f.write_str("| logfmt")?;
                f.write_str(if *strict { " --strict" } else { "" })?;
                f.write_str(if *keep_empty { " --keep-empty" } else { "" })?;
                extracted(f, extractions)
            }
            Self::Regexp(pattern) => write!(f, "| regexp {}", quote(pattern)),
            Self::Pattern(pattern) => write!(f, "| pattern {}", quote(pattern)),
            Self::Unpack => f.write_str("| unpack"),
            Self::Decolorize => f.write_str("| decolorize"),
            Self::LineFormat(template) => write!(f, "| line_format {}", quote(template)),
            Self::LabelFormat(formats) => {
                f.write_str("| label_format ")?;
                list(f, formats, ",", |format, f| match &format.value {
                    LabelValueFormat::Rename(from) => write!(f, "{}={from}", format.name),
                    LabelValueFormat::Template(text) => {
                        write!(f, "{}={}", format.name, quote(text))
                    }
                })
            }
            Self::LabelFilter(filter) => write!(f, "| {filter}"),
            Self::Keep(matchers) => {
                f.write_str("| keep ")?;
                list(f, matchers, ",", NamedMatcher::fmt)
            }
            Self::Drop(matchers) => {
                f.write_str("| drop ")?;
                list(f, matchers, ",", NamedMatcher::fmt)
            }
        }
    }
}

impl Display for LineFilterExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.op.as_str())?;
        list(f, &self.any, " or ", |value, f| {
            let text = quote_bytes(&value.text);
            if value.ip { write!(f, "ip({text})") } else { f.write_str(&text) }
        })
    }
}

impl Display for NamedMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Matcher(matcher) => matcher.fmt(f),
        }
    }
}

impl Display for LabelFilterExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(left, right) => write!(f, "( {left} , {right} )"),
            Self::Or(left, right) => write!(f, "( {left} or {right} )"),
            Self::Text(matcher) => matcher.fmt(f),
            Self::Number { name, comparison, value } => {
                write!(f, "{name}{}{}", comparison.as_str(), format_exact(*value))
            }
            Self::Duration { name, comparison, nanos } => {
                write!(f, "{name}{}{}", comparison.as_str(), GoDuration(*nanos))
            }
            Self::Size { name, comparison, bytes } => {
                write!(f, "{name}{}{}", comparison.as_str(), humanized(*bytes))
            }
            Self::Ip { name, negated, addresses } => {
                let op = if *negated { "!=" } else { "=" };
                write!(f, "{name}{op}ip({})", quote(addresses))
            }
        }
    }
}

impl Display for MetricExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => f.write_str(&literal(*value)),
            Self::Vector(value) => write!(f, "vector({value:.6})"),
            Self::Range(node) => node.fmt(f),
            Self::Aggregate(node) => node.fmt(f),
            Self::Binary(node) => write!(f, "({} {} {})", node.left, operator(node), node.right),
            Self::LabelReplace(node) => {
                write!(f, "label_replace({}", node.of)?;
                for argument in arguments(node) {
                    write!(f, ",{argument}")?;
                }
                f.write_char(')')
            }
        }
    }
}

impl Display for RangeAggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.op.as_str())?;
        if let Some(parameter) = self.parameter {
            write!(f, "{},", format_exact(parameter))?;
        }
        write!(f, "{})", self.range)?;
        self.grouping.as_ref().map_or(Ok(()), |grouping| grouped(f, grouping, ","))
    }
}

impl Display for LogRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.fmt(f)?;
        if let Some(unwrap) = &self.unwrap {
            write!(f, " {unwrap}")?;
        }
        write!(f, "[{}]", window(self.range))?;
        if self.offset == 0 { Ok(()) } else { write!(f, " offset {}", GoDuration(self.offset)) }
    }
}

impl Display for Unwrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.conversion {
            UnwrapConversion::Number => write!(f, "| unwrap {}", self.label)?,
            conversion => write!(f, "| unwrap {}({})", conversion.as_str(), self.label)?,
        }
        self.filters.iter().try_for_each(|filter| write!(f, " | {filter}"))
    }
}

impl Display for VectorAggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.as_str())?;
        if !self.grouping.is_everything() {
            grouped(f, &self.grouping, ",")?;
        }
        f.write_char('(')?;
        if self.op.takes_parameter() {
            write!(f, "{},", self.parameter)?;
        }
        write!(f, "{})", self.of)
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    separator: &str,
    one: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        one(item, f)?;
    }
    Ok(())
}

fn extracted(f: &mut fmt::Formatter<'_>, extractions: &[Extraction]) -> fmt::Result {
    if !extractions.is_empty() {
        f.write_char(' ')?;
    }
    list(f, extractions, ",", |extraction, f| {
        write!(f, "{}={}", extraction.name, quote(&extraction.expression))
    })
}

fn grouped(f: &mut impl fmt::Write, grouping: &Grouping, separator: &str) -> fmt::Result {
    let word = if grouping.without { "without" } else { "by" };
    write!(f, " {word} ({})", grouping.names.join(separator))
}

/// Numbers as Go's `%v` has them, with an exponent from a million on.
fn literal(value: f64) -> String {
    format_shortest(value, 6)
}

fn window(nanos: i64) -> String {
    PromDuration::from_millis(nanos / 1_000_000).unwrap_or_default().to_string()
}

fn arguments(node: &LabelReplace) -> [String; 4] {
    [&node.to, &node.replacement, &node.from, &node.pattern].map(|text| quote(text))
}

/// An operator with everything that stands between it and its right side.
fn operator(node: &Binary) -> String {
    let mut text = node.op.as_str().to_owned();
    if node.return_bool {
        text.push_str(" bool");
    }
    let matching = &node.matching;
    if !matching.on && matching.labels.is_empty() && matching.cardinality == Cardinality::OneToOne {
        return text;
    }
    let mut group = match matching.cardinality {
        Cardinality::OneToOne => "",
        Cardinality::ManyToOne => "group_left",
        Cardinality::OneToMany => "group_right",
    }
    .to_owned();
    if !matching.include.is_empty() {
        group = format!("{group} ({})", matching.include.join(","));
    }
    let on = if matching.on { "on" } else { "ignoring" };
    format!("{text} {on} ({}) {group}", matching.labels.join(","))
}

/// Bytes in the largest decimal unit, with one digit behind the point below ten.
pub(crate) fn humanized(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    if bytes < 10 {
        return format!("{bytes}B");
    }
    #[expect(clippy::cast_precision_loss, reason = "upstream computes in floats")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let rounded = (value * 10.0 + 0.5).floor() / 10.0;
    let name = UNITS.get(unit).unwrap_or(&"");
    if rounded < 10.0 { format!("{rounded:.1}{name}") } else { format!("{rounded:.0}{name}") }
}

#[cfg(test)]
mod tests;
