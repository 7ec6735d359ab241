//! `timestamp`: an extracted value becomes the time of the line.
//!
//! When it cannot be read, the line gets the last time that could be and a nanosecond (`fudge`), or
//! keeps the time at which it was read (`skip`).

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp as Instant, tz::TimeZone};
use masthead_model::{Labels, Nanos};
use masthead_template::Time;
use serde::Deserialize;

use crate::{
    entry::Entry,
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made},
    },
};

/// Label sets of which the last time is remembered for one file; beyond, all start anew.
const KNOWN_MAX: usize = 1_000;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) source: Arc<str>,
    /// The first that fits counts.
    pub(crate) formats: Vec<Format>,
    /// The zone of times that name none.
    pub(crate) location: String,
    /// Whether a time is made up for a line without one.
    pub(crate) fudge: bool,
}

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// Seconds since 1970, perhaps with a fraction.
    Unix,
    /// A whole number of units of so many nanoseconds since 1970.
    UnixUnits(i64),
    /// A layout of Go's; whether the configured zone is that of times without one.
    Layout { layout: String, zoned: bool },
    /// A layout of Go's without a year.
    Yearless(String),
}

impl Format {
    pub(crate) fn new(text: &str) -> Self {
        let fixed = |layout: &str| Self::Layout { layout: layout.to_owned(), zoned: false };
        match text {
            "ANSIC" => fixed("Mon Jan _2 15:04:05 2006"),
            "UnixDate" => fixed("Mon Jan _2 15:04:05 MST 2006"),
            "RubyDate" => fixed("Mon Jan 02 15:04:05 -0700 2006"),
            "RFC822" => fixed("02 Jan 06 15:04 MST"),
            "RFC822Z" => fixed("02 Jan 06 15:04 -0700"),
            "RFC850" => fixed("Monday, 02-Jan-06 15:04:05 MST"),
            "RFC1123" => fixed("Mon, 02 Jan 2006 15:04:05 MST"),
            "RFC1123Z" => fixed("Mon, 02 Jan 2006 15:04:05 -0700"),
            "RFC3339" => fixed("2006-01-02T15:04:05Z07:00"),
            "RFC3339Nano" => fixed("2006-01-02T15:04:05.999999999Z07:00"),
            "Unix" => Self::Unix,
            "UnixMs" => Self::UnixUnits(1_000_000),
            "UnixUs" => Self::UnixUnits(1_000),
            "UnixNs" => Self::UnixUnits(1),
            layout if layout.contains("06") => {
                Self::Layout { layout: layout.to_owned(), zoned: true }
            }
            layout => Self::Yearless(layout.to_owned()),
        }
    }

    pub(crate) fn parse(&self, text: &str, location: &str, now: Nanos) -> Option<Nanos> {
        match self {
            Self::Unix => unix(text),
            Self::UnixUnits(nanos) => text.parse::<i64>().ok()?.checked_mul(*nanos).map(Nanos),
            Self::Layout { layout, zoned } => {
                let location = if *zoned { location } else { "UTC" };
                Time::parse(layout, text, location).map(|time| Nanos(time.nanos()))
            }
            Self::Yearless(layout) => yearless(layout, text, location, now),
        }
    }
}

fn unix(text: &str) -> Option<Nanos> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let mut nanos = 0_i64;
    if !fraction.is_empty() {
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
        nanos = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    }
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Nanos)
}

/// The year is the one that makes the time close to now.
fn yearless(layout: &str, text: &str, location: &str, now: Nanos) -> Option<Nanos> {
    let date = |nanos: i64| {
        let at = Instant::from_nanosecond(nanos.into()).ok()?;
        let date = at.to_zoned(TimeZone::UTC);
        Some((i64::from(date.year()), date.month()))
    };
    let in_year = |year: i64| {
        let time = Time::parse(&format!("2006 {layout}"), &format!("{year:04} {text}"), location)?;
        Some(time.nanos())
    };
    let (year, month) = date(now.0)?;
    let this_year = in_year(year)?;
    let nanos = match (date(this_year)?.1, month) {
        (12, 1) => in_year(year - 1)?,
        (1, 12) => in_year(year + 1)?,
        _ => this_year,
    };
    Some(Nanos(nanos))
}

#[derive(Debug)]
pub(crate) struct Timestamp {
    settings: Arc<Settings>,
    last: HashMap<Labels, Nanos>,
}

impl Timestamp {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), last: HashMap::new() }
    }
}

impl Stage for Timestamp {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let settings = &self.settings;
        let text = entry.text(&settings.source);
        let text = text.as_deref().and_then(|text| str::from_utf8(text).ok());
        let parsed = text.and_then(|text| {
            let parse = |format: &Format| format.parse(text, &settings.location, cx.now);
            settings.formats.iter().find_map(parse)
        });
        if parsed.is_none() {
            cx.stats.unparsed("timestamp");
        }
        if !settings.fudge {
            entry.timestamp = parsed.unwrap_or(entry.timestamp);
            return Verdict::Next;
        }
        let labels = entry.labels.resolve();
        let time = parsed.or_else(|| Some(self.last.get(&labels)?.saturating_add(1)));
        if let Some(time) = time {
            entry.timestamp = time;
            if self.last.len() >= KNOWN_MAX {
                self.last.clear();
            }
            self.last.insert(labels, time);
        }
        Verdict::Next
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(Self { settings: Arc::clone(&self.settings), last: HashMap::new() })
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    source: String,
    format: String,
    fallback_formats: Vec<String>,
    location: Option<String>,
    action_on_failure: Option<String>,
}

/// The zone of this machine, as `TZ` or `/etc/localtime` names it; UTC where neither does.
fn local() -> String {
    TimeZone::system().iana_name().map_or_else(|| "UTC".to_owned(), str::to_owned)
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.ok_or("timestamp stage config cannot be empty")?;
    if written.source.is_empty() {
        return Err("timestamp source value is required if timestamp is specified".to_owned());
    }
    if written.format.is_empty() {
        return Err("timestamp format is required".to_owned());
    }
    let location = match written.location.as_deref() {
        // Go's names for these two.
        None | Some("") => "UTC".to_owned(),
        Some("Local") => local(),
        Some(name) => name.to_owned(),
    };
    if jiff::tz::TimeZone::get(&location).is_err() {
        return Err(format!("invalid location specified: unknown time zone {location}"));
    }
    let fudge = match written.action_on_failure.as_deref() {
        None | Some("fudge") => true,
        Some("skip") => false,
        Some(other) => {
            return Err(format!(
                "invalid action on failure {other:?} (supported values are [skip fudge])"
            ));
        }
    };
    let formats = [written.format].into_iter().chain(written.fallback_formats);
    Ok(Box::new(Timestamp::new(Settings {
        source: written.source.into(),
        formats: formats.map(|format| Format::new(&format)).collect(),
        location,
        fudge,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{
        json::{Expression, JsonStage},
        testing::Runner,
    };

    #[test]
    fn formats() {
        // 2024-01-05.
        let now = Nanos(1_704_412_800_000_000_000);
        let f = |format: &str, text: &str, want: Option<&str>| {
            let got = Format::new(format).parse(text, "Europe/Berlin", now);
            let want = want.map(|want| {
                let at: Instant = want.parse().unwrap();
                i64::try_from(at.as_nanosecond()).unwrap()
            });
            assert_eq!(got.map(|nanos| nanos.0), want, "{format} {text}");
        };
        f("RFC3339", "2024-01-02T03:04:05Z", Some("2024-01-02T03:04:05Z"));
        f("RFC3339Nano", "2024-01-02T03:04:05.25+02:00", Some("2024-01-02T01:04:05.25Z"));
        f("RFC1123Z", "Tue, 02 Jan 2024 03:04:05 +0100", Some("2024-01-02T02:04:05Z"));
        f("Unix", "1704164645", Some("2024-01-02T03:04:05Z"));
        f("Unix", "1704164645.5", Some("2024-01-02T03:04:05.5Z"));
        f("UnixMs", "1704164645250", Some("2024-01-02T03:04:05.25Z"));
        f("UnixUs", "1704164645000001", Some("2024-01-02T03:04:05.000001Z"));
        f("UnixNs", "1704164645000000001", Some("2024-01-02T03:04:05.000000001Z"));
        f("2006-01-02 15:04:05,000", "2024-01-02 03:04:05,125", Some("2024-01-02T02:04:05.125Z"));
        f("02/Jan/2006:15:04:05 -0700", "02/Jan/2024:03:04:05 +0000", Some("2024-01-02T03:04:05Z"));
        f("Jan _2 15:04:05", "Jan  2 03:04:05", Some("2024-01-02T02:04:05Z"));
        f("Jan _2 15:04:05", "Dec 31 13:00:00", Some("2023-12-31T12:00:00Z"));
        f("RFC3339", "yesterday", None);
        f("Unix", "1.x", None);
        f("UnixMs", "9223372036854775807", None);
    }

    #[test]
    fn a_time_that_is_not_there_is_made_up_or_left() {
        let f = |fudge: bool, want: [i64; 3]| {
            let json = [(Arc::from("t"), Expression::parse("t").unwrap())];
            let json = JsonStage::new(json.into(), None, false);
            let settings = Settings {
                source: "t".into(),
                formats: vec![Format::new("RFC3339"), Format::new("Unix")],
                location: "UTC".into(),
                fudge,
            };
            let stages: Vec<Box<dyn Stage>> =
                vec![Box::new(json), Box::new(Timestamp::new(settings))];
            let mut runner = Runner::new(stages);
            for line in ["{}", r#"{"t":"7"}"#, r#"{"t":"x"}"#] {
                runner.line(line);
            }
            let times: Vec<_> = runner.out.iter().map(|entry| entry.timestamp.0).collect();
            assert_eq!(times, want);
        };
        f(true, [0, 7_000_000_000, 7_000_000_001]);
        f(false, [0, 7_000_000_000, 0]);
    }
}
