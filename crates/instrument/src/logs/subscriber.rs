//! From `tracing` to lines: keeps the fields of each span as bytes, writes one line an event.
//!
//! A line holds the event's fields and those of every span around it. Names are given out in this
//! order: our own fields, the request span, the event, then other spans from the inside out.
//! An event inside of an event (a `Debug` that logs) gets a buffer of its own.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write;
use std::ops::Range;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use parking_lot::Mutex;
use smallvec::SmallVec;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::line::{Line, Message};
use super::{Format, SPAN_TARGET, count_dropped_line};

/// A buffer that grew past this for one line is given back to the allocator.
const BUFFER_BYTES_KEPT: usize = 64 * 1024;

/// RFC 3339 with six digits: enough to order what one process logs.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// Writes every line to both.
pub(super) struct Both<A, B>(pub(super) A, pub(super) B);

impl<A: Write, B: Write> Write for Both<A, B> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        // What fails for one is not kept from the other.
        let (first, second) = (self.0.write_all(line), self.1.write_all(line));
        first.and(second).map(|()| line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let (first, second) = (self.0.flush(), self.1.flush());
        first.and(second)
    }
}

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// The layer that writes lines.
pub(super) struct Lines<W> {
    format: Format,
    writer: Mutex<W>,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(format: Format, writer: W) -> Self {
        Self { format, writer: Mutex::new(writer) }
    }

    fn write(&self, line: &str) {
        let mut writer = self.writer.lock();
        // A log that can't be written has no other place to complain than a counter.
        if writer.write_all(line.as_bytes()).and_then(|()| writer.flush()).is_err() {
            count_dropped_line();
        }
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + Send + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if extensions.get_mut::<Fields>().is_none() {
            extensions.insert(Fields::default());
        }
        // Another layer of this format may have been here.
        if let Some(place) = extensions.get_mut::<Fields>().map(|fields| fields.of_mut(self.format))
            && place.is_none()
        {
            let mut fields = SpanFields::new(self.format);
            attributes.record(&mut fields);
            *place = Some(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
            && let Some(fields) = fields.of_mut(self.format)
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // The buffer is gone while the thread ends; then a new one serves.
        let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
        buffer.clear();
        self.build(&mut buffer, event, &context);
        self.write(&buffer);
        if buffer.capacity() <= BUFFER_BYTES_KEPT {
            // The same when it can't be kept: it is only a buffer.
            BUFFER.try_with(|cell| cell.set(buffer)).unwrap_or_default();
        }
    }
}

impl<W> Lines<W> {
    fn build<S>(&self, out: &mut String, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let format = self.format;
        write_head(out, format, *metadata.level());
        let mut message = Message { out, format, found: false };
        event.record(&mut message);
        let found = message.found;
        let mut line = Line::new(out, format);
        for name in ["timestamp", "level", "message", "target"] {
            line.claim(name);
        }
        if format == Format::Json {
            if !found {
                line.out.push_str("\"\"");
            }
            line.out.push_str(",\"target\":");
        } else {
            line.out.push_str(" target=");
        }
        line.text(metadata.target());

        let spans = || context.event_scope(event).into_iter().flatten();
        let is_request = |target: &str| target == SPAN_TARGET;
        for span in spans().filter(|span| is_request(span.metadata().target())) {
            if let Some(fields) = span.extensions().get::<Fields>().and_then(|all| all.of(format)) {
                fields.write(&mut line);
            }
        }
        event.record(&mut line);
        for span in spans().filter(|span| !is_request(span.metadata().target())) {
            if let Some(fields) = span.extensions().get::<Fields>().and_then(|all| all.of(format)) {
                fields.write(&mut line);
            }
        }
        out.push_str(if format == Format::Json { "}\n" } else { "\n" });
    }
}

/// Everything up to the place of the message.
fn write_head(out: &mut String, format: Format, level: Level) {
    if format == Format::Json {
        out.push_str("{\"timestamp\":\"");
    }
    // A `String` takes whatever is written to it.
    PRINTER.print_timestamp(&Timestamp::now(), &mut *out).unwrap_or_default();
    match format {
        Format::Json => write!(out, "\",\"level\":\"{level}\",\"message\":"),
        Format::Pretty => write!(out, " {level:>5} "),
    }
    .unwrap_or_default();
}

/// The fields of one span in each format in which a layer writes them.
#[derive(Default)]
struct Fields {
    json: Option<SpanFields>,
    pretty: Option<SpanFields>,
}

impl Fields {
    fn of(&self, format: Format) -> Option<&SpanFields> {
        match format {
            Format::Json => self.json.as_ref(),
            Format::Pretty => self.pretty.as_ref(),
        }
    }

    fn of_mut(&mut self, format: Format) -> &mut Option<SpanFields> {
        match format {
            Format::Json => &mut self.json,
            Format::Pretty => &mut self.pretty,
        }
    }
}

/// The fields of one span, each ready to be copied into a line with its key and comma.
struct SpanFields {
    format: Format,
    bytes: String,
    fields: SmallVec<[(&'static str, Range<usize>); 6]>,
}

impl SpanFields {
    fn new(format: Format) -> Self {
        // Room for the fields of the request span, which is nearly every span there is.
        Self { format, bytes: String::with_capacity(192), fields: SmallVec::new() }
    }

    fn write(&self, line: &mut Line<'_>) {
        for (name, range) in &self.fields {
            line.encoded(name, self.bytes.get(range.clone()).unwrap_or_default());
        }
    }

    /// Encodes one field. A field recorded again replaces its value, so that a span that is
    /// recorded for ever does not grow for ever.
    fn add(&mut self, field: &Field, record: impl FnOnce(&mut Line<'_>)) {
        if let Some(at) = self.fields.iter().position(|(name, _)| *name == field.name()) {
            let (_, old) = self.fields.remove(at);
            let removed = old.len();
            self.bytes.replace_range(old.clone(), "");
            for (_, range) in &mut self.fields {
                if range.start >= old.end {
                    *range = range.start - removed..range.end - removed;
                }
            }
        }
        let start = self.bytes.len();
        record(&mut Line::new(&mut self.bytes, self.format));
        self.fields.push((field.name(), start..self.bytes.len()));
    }
}

impl Visit for SpanFields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field, |line| line.record_debug(field, value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, |line| line.record_str(field, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, |line| line.record_i64(field, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, |line| line.record_u64(field, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, |line| line.record_f64(field, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, |line| line.record_bool(field, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, |line| line.record_error(field, value));
    }
}
