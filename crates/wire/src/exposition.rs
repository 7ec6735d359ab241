//! What a scrape brings: text 0.0.4, OpenMetrics, or Prometheus' protobuf.
//!
//! A [`Parser`] goes through a body entry by entry, as upstream's `model/textparse` does and with
//! its error texts. A series is first of all its raw bytes ([`Parser::series`]), the same from
//! scrape to scrape, so a scraper can remember which series they were and never build its
//! labels again; only [`Parser::labels`] allocates.
//!
//! It never fetches, never relabels, and never looks at the clock: a sample without a timestamp
//! stays without one.
//!
//! Where to look: tokens in `exposition/lexer.rs`, one file per format, classic histograms to
//! native ones in `exposition/nhcb.rs`, the two headers in `exposition/negotiate.rs`, writing in
//! `exposition/write.rs`.

use std::borrow::Cow;

use masthead_model::{Histogram, Labels, Millis};

use crate::{Error, Exemplar, Limits, MetricType};

mod lexer;
mod negotiate;
mod nhcb;
mod openmetrics;
mod protobuf;
mod series;
mod text;
mod write;

pub use negotiate::{EscapingScheme, Format, ScrapeProtocol, accept_header, choose_format};
pub use write::{TextWriter, WriteFormat, canonical_bound};

use nhcb::Nhcb;
use openmetrics::OpenMetrics;
use protobuf::Protobuf;
use text::Text;

/// How a body is read; the defaults are those of a scrape configuration.
#[expect(clippy::struct_excessive_bools, reason = "each is one key of a scrape configuration")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// What one body may bring.
    pub limits: Limits,
    /// Whether classic histograms become native ones with custom buckets.
    pub convert_classic_histograms: bool,
    /// Whether the classic series stay where there is a native histogram, sent or converted.
    pub keep_classic_histograms: bool,
    /// Whether what is native about protobuf histograms is passed over.
    pub ignore_native_histograms: bool,
    /// Whether `_created` lines only tell start timestamps and are no series themselves.
    pub skip_created_series: bool,
}

/// What the parser stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A family's type: [`Parser::family`], [`Parser::metric_type`].
    Type,
    /// A family's meaning in words: [`Parser::family`], [`Parser::text`].
    Help,
    /// A family's unit: [`Parser::family`], [`Parser::text`].
    Unit,
    /// A sample: [`Parser::series`], [`Parser::value`] and what follows it.
    Sample,
}

/// The value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'p> {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(&'p Histogram),
}

/// Goes through a body.
#[derive(Debug)]
pub struct Parser<'a>(Inner<'a>);

#[expect(clippy::large_enum_variant, reason = "the common one is best reached directly")]
#[derive(Debug)]
enum Inner<'a> {
    Plain(Source<'a>),
    Converting(Box<Nhcb<'a>>),
}

/// One of the three formats.
#[derive(Debug)]
enum Source<'a> {
    Text(Text<'a>),
    OpenMetrics(OpenMetrics<'a>),
    Protobuf(Box<Protobuf<'a>>),
}

/// Calls the same method on whichever format it is.
macro_rules! each {
    ($source:expr, $parser:ident => $call:expr) => {
        match $source {
            Source::Text($parser) => $call,
            Source::OpenMetrics($parser) => $call,
            Source::Protobuf($parser) => $call,
        }
    };
}

impl<'a> Parser<'a> {
    /// Starts on a body.
    ///
    /// # Errors
    /// [`Error::Limit`] for its length.
    pub fn new(body: &'a [u8], format: Format, options: Options) -> Result<Self, Error> {
        options.limits.check_body(body.len())?;
        let source = match format {
            Format::Text => Source::Text(Text::new(body, options)),
            Format::OpenMetrics => Source::OpenMetrics(OpenMetrics::new(body, options)),
            Format::Protobuf => Source::Protobuf(Box::new(Protobuf::new(body, options))),
        };
        Ok(Self(if options.convert_classic_histograms {
            Inner::Converting(Box::new(Nhcb::new(source, options)))
        } else {
            Inner::Plain(source)
        }))
    }

    /// Goes to the next entry; nothing at the end, and after an error nothing more.
    ///
    /// # Errors
    /// [`Error::Exposition`] or [`Error::Proto`] where the body does not parse.
    #[inline]
    pub fn advance(&mut self) -> Result<Option<Entry>, Error> {
        match &mut self.0 {
            Inner::Plain(source) => source.advance(),
            Inner::Converting(nhcb) => nhcb.advance(),
        }
    }

    /// The family that a metadata entry speaks of.
    pub fn family(&self) -> &str {
        self.source().family()
    }

    /// The type of the last `Type` entry.
    pub fn metric_type(&self) -> MetricType {
        self.source().metric_type()
    }

    /// The help or the unit that the entry gives.
    pub fn text(&self) -> Cow<'_, str> {
        self.source().text()
    }

    /// The bytes that name the series of the sample; equal bytes, equal labels, as long as its
    /// family has the same type.
    #[inline]
    pub fn series(&self) -> &[u8] {
        match &self.0 {
            Inner::Plain(source) => source.series(),
            Inner::Converting(nhcb) => nhcb.series(),
        }
    }

    /// The value of the sample.
    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        match &self.0 {
            Inner::Plain(source) => source.value(),
            Inner::Converting(nhcb) => nhcb.value(),
        }
    }

    /// The timestamp of the sample, where the target gives one.
    #[inline]
    pub fn timestamp(&self) -> Option<Millis> {
        match &self.0 {
            Inner::Plain(source) => source.timestamp(),
            Inner::Converting(nhcb) => nhcb.timestamp(),
        }
    }

    /// The labels of the sample, the metric's name among them.
    ///
    /// # Errors
    /// [`Error::Limit`] for too many or too long; [`Error::Content`] for a name given twice or a
    /// name that is not UTF-8.
    pub fn labels(&mut self) -> Result<Labels, Error> {
        match &mut self.0 {
            Inner::Plain(source) => source.labels(),
            Inner::Converting(nhcb) => nhcb.labels(),
        }
    }

    /// Appends the exemplars of the sample; those that break a limit are left out.
    ///
    /// Returns how many were left out.
    pub fn exemplars(&mut self, out: &mut Vec<Exemplar>) -> usize {
        match &mut self.0 {
            Inner::Plain(source) => source.exemplars(out),
            Inner::Converting(nhcb) => nhcb.exemplars(out),
        }
    }

    /// When the counter of the sample started counting, if the target says so.
    pub fn start_timestamp(&mut self) -> Option<Millis> {
        match &mut self.0 {
            Inner::Plain(source) => source.start_timestamp(),
            Inner::Converting(nhcb) => nhcb.start_timestamp(),
        }
    }

    fn source(&self) -> &Source<'a> {
        match &self.0 {
            Inner::Plain(source) => source,
            Inner::Converting(nhcb) => nhcb.source(),
        }
    }
}

impl Source<'_> {
    #[inline]
    fn advance(&mut self) -> Result<Option<Entry>, Error> {
        each!(self, parser => parser.advance())
    }

    fn family(&self) -> &str {
        each!(self, parser => parser.family())
    }

    fn metric_type(&self) -> MetricType {
        each!(self, parser => parser.metric_type())
    }

    fn text(&self) -> Cow<'_, str> {
        each!(self, parser => parser.text())
    }

    #[inline]
    fn series(&self) -> &[u8] {
        each!(self, parser => parser.series())
    }

    #[inline]
    fn value(&self) -> ValueRef<'_> {
        match self {
            Source::Text(parser) => ValueRef::Float(parser.value()),
            Source::OpenMetrics(parser) => ValueRef::Float(parser.value()),
            Source::Protobuf(parser) => parser.value(),
        }
    }

    #[inline]
    fn timestamp(&self) -> Option<Millis> {
        each!(self, parser => parser.timestamp())
    }

    fn labels(&mut self) -> Result<Labels, Error> {
        each!(self, parser => parser.labels())
    }

    fn exemplars(&mut self, out: &mut Vec<Exemplar>) -> usize {
        match self {
            // The format has none.
            Source::Text(_) => 0,
            Source::OpenMetrics(parser) => parser.exemplars(out),
            Source::Protobuf(parser) => parser.exemplars(out),
        }
    }

    fn start_timestamp(&mut self) -> Option<Millis> {
        match self {
            // The format has none.
            Source::Text(_) => None,
            Source::OpenMetrics(parser) => parser.start_timestamp(),
            Source::Protobuf(parser) => parser.start_timestamp(),
        }
    }
}

#[cfg(test)]
mod tests;
