//! One `io.prometheus.client.Metric`, read into buffers that the next one reuses.

use masthead_model::{Histogram, Millis};

use crate::{
    Error, Exemplar, Limits,
    labels::{Pairs, to_labels},
    native::{self, Side},
    proto::Field,
};

/// Whatever a metric can be; which fields count is decided by its family's type.
#[derive(Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) labels: Vec<(&'a str, &'a str)>,
    pub(super) timestamp: i64,
    pub(super) created: Option<Millis>,
    /// Of a counter, a gauge or an untyped metric.
    pub(super) value: f64,
    /// Of a counter.
    pub(super) exemplar: Option<Field<'a>>,
    count: f64,
    float_count: f64,
    pub(super) sum: f64,
    pub(super) quantiles: Vec<(f64, f64)>,
    pub(super) histogram: ClassicAndNative<'a>,
}

/// What a histogram message can hold.
#[derive(Debug, Default)]
pub(super) struct ClassicAndNative<'a> {
    pub(super) buckets: Vec<Bucket<'a>>,
    pub(super) exemplars: Vec<Field<'a>>,
    schema: i32,
    zero_threshold: f64,
    zero_count: f64,
    float_zero_count: f64,
    count: f64,
    float_count: f64,
    sum: f64,
    /// Fields 9 to 14, read only if the native histogram is wanted.
    sides: Vec<Field<'a>>,
    has_spans: bool,
}

/// One classic bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket<'a> {
    pub(super) bound: f64,
    count: f64,
    float_count: f64,
    pub(super) exemplar: Option<Field<'a>>,
}

impl Bucket<'_> {
    pub(super) fn count(&self) -> f64 {
        if self.float_count == 0.0 { self.count } else { self.float_count }
    }
}

impl<'a> Metric<'a> {
    pub(super) fn read(&mut self, field: &Field<'a>, limits: &Limits) -> Result<(), Error> {
        self.clear();
        let mut message = field.message("Metric")?;
        while let Some(field) = message.next()? {
            match field.number {
                1 if self.labels.len() > limits.labels => {}
                1 => self.labels.push(read_label(&field)?),
                2 | 3 | 5 => self.read_value(&field)?,
                4 => self.read_summary(&field)?,
                6 => self.timestamp = field.signed()?,
                7 => self.read_histogram(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        let mut empty = Self::default();
        // The lists keep their memory.
        std::mem::swap(&mut empty.labels, &mut self.labels);
        std::mem::swap(&mut empty.quantiles, &mut self.quantiles);
        std::mem::swap(&mut empty.histogram.buckets, &mut self.histogram.buckets);
        std::mem::swap(&mut empty.histogram.sides, &mut self.histogram.sides);
        empty.labels.clear();
        empty.quantiles.clear();
        empty.histogram.buckets.clear();
        empty.histogram.sides.clear();
        *self = empty;
    }

    pub(super) fn count(&self) -> f64 {
        if self.float_count == 0.0 { self.count } else { self.float_count }
    }

    /// A gauge, counter or untyped value.
    fn read_value(&mut self, field: &Field<'a>) -> Result<(), Error> {
        let mut message = field.message("Counter")?;
        while let Some(field) = message.next()? {
            match field.number {
                1 => self.value = field.double()?,
                2 => self.exemplar = Some(field),
                3 => self.created = Some(read_timestamp(&field)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_summary(&mut self, field: &Field<'a>) -> Result<(), Error> {
        let mut message = field.message("Summary")?;
        while let Some(field) = message.next()? {
            Limits::check_items(self.quantiles.len())?;
            match field.number {
                1 => self.count = native::count(field.unsigned()?),
                2 => self.sum = field.double()?,
                3 => {
                    let mut quantile = field.message("Quantile")?;
                    let mut pair = (0.0, 0.0);
                    while let Some(field) = quantile.next()? {
                        match field.number {
                            1 => pair.0 = field.double()?,
                            2 => pair.1 = field.double()?,
                            _ => {}
                        }
                    }
                    self.quantiles.push(pair);
                }
                4 => self.created = Some(read_timestamp(&field)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_histogram(&mut self, field: &Field<'a>) -> Result<(), Error> {
        let mut message = field.message("Histogram")?;
        let histogram = &mut self.histogram;
        while let Some(field) = message.next()? {
            Limits::check_items(
                histogram.buckets.len() + histogram.exemplars.len() + histogram.sides.len(),
            )?;
            match field.number {
                1 => self.count = native::count(field.unsigned()?),
                2 => self.sum = field.double()?,
                3 => histogram.buckets.push(read_bucket(&field)?),
                4 => self.float_count = field.double()?,
                5 => histogram.schema = field.sint32()?,
                6 => histogram.zero_threshold = field.double()?,
                7 => histogram.zero_count = native::count(field.unsigned()?),
                8 => histogram.float_zero_count = field.double()?,
                9..=14 => {
                    histogram.has_spans |= matches!(field.number, 9 | 12);
                    histogram.sides.push(field);
                }
                15 => self.created = Some(read_timestamp(&field)?),
                16 => histogram.exemplars.push(field),
                _ => {}
            }
        }
        (histogram.count, histogram.float_count, histogram.sum) =
            (self.count, self.float_count, self.sum);
        Ok(())
    }
}

impl ClassicAndNative<'_> {
    /// Whether anything in it is native. One without observations says so with a span of length
    /// zero.
    pub(super) fn is_native(&self) -> bool {
        self.has_spans
            || self.zero_threshold > 0.0
            || self.zero_count > 0.0
            || self.float_zero_count > 0.0
    }

    pub(super) fn to_native(&self) -> Result<Histogram, Error> {
        let floats = self.float_count > 0.0 || self.float_zero_count > 0.0;
        let (mut positive, mut negative) = (Side::default(), Side::default());
        for field in &self.sides {
            match field.number {
                9 => negative.span(field)?,
                10 => negative.deltas(field)?,
                11 => negative.counts(field)?,
                12 => positive.span(field)?,
                13 => positive.deltas(field)?,
                _ => positive.counts(field)?,
            }
        }
        let mut histogram = Histogram {
            zero_threshold: self.zero_threshold,
            zero_count: if floats { self.float_zero_count } else { self.zero_count },
            count: if floats { self.float_count } else { self.count },
            sum: self.sum,
            ..Histogram::default()
        };
        (histogram.positive_spans, histogram.positive_buckets) = positive.finish(floats);
        (histogram.negative_spans, histogram.negative_buckets) = negative.finish(floats);
        native::settle(&mut histogram, self.schema, floats)?;
        Ok(histogram)
    }
}

fn read_label<'a>(field: &Field<'a>) -> Result<(&'a str, &'a str), Error> {
    let mut message = field.message("LabelPair")?;
    let (mut name, mut value) = ("", "");
    while let Some(field) = message.next()? {
        match field.number {
            1 => name = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
    }
    Ok((name, value))
}

fn read_bucket<'a>(field: &Field<'a>) -> Result<Bucket<'a>, Error> {
    let mut message = field.message("Bucket")?;
    let mut bucket = Bucket::default();
    while let Some(field) = message.next()? {
        match field.number {
            1 => bucket.count = native::count(field.unsigned()?),
            2 => bucket.bound = field.double()?,
            3 => bucket.exemplar = Some(field),
            4 => bucket.float_count = field.double()?,
            _ => {}
        }
    }
    Ok(bucket)
}

/// A `google.protobuf.Timestamp`, cut to milliseconds.
fn read_timestamp(field: &Field<'_>) -> Result<Millis, Error> {
    let mut message = field.message("Timestamp")?;
    let (mut seconds, mut nanos) = (0, 0);
    while let Some(field) = message.next()? {
        match field.number {
            1 => seconds = field.signed()?,
            2 => nanos = field.signed()?,
            _ => {}
        }
    }
    Ok(Millis(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000)))
}

pub(super) fn read_exemplar(field: &Field<'_>, limits: &Limits) -> Result<Exemplar, Error> {
    let mut message = field.message("Exemplar")?;
    let mut pairs: Pairs<'_> = Vec::new();
    let (mut value, mut timestamp) = (0.0, None);
    while let Some(field) = message.next()? {
        match field.number {
            1 => {
                let (name, value) = read_label(&field)?;
                if pairs.len() <= limits.labels {
                    pairs.push((name.into(), value.into()));
                }
            }
            2 => value = field.double()?,
            3 => timestamp = Some(read_timestamp(&field)?),
            _ => {}
        }
    }
    Ok(Exemplar { labels: to_labels(&mut pairs, limits)?, value, timestamp })
}
