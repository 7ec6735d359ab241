//! Instants to texts and back.

use super::Kind::{Any, Text, Time as Instant};
use super::{Call, Function, f, string};
use crate::time::Time;
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("date", &[Text, Any], |call, a| Ok(date(call, a)), "An instant, or a number of seconds since 1970, written by a layout."),
    f("toDate", &[Text, Text], |_, a| Ok(parsed(&string(a, 0), &string(a, 1), "UTC")), "The instant that the second text shows by the layout of the first; year 1 if it shows none."),
    f("toDateInZone", &[Text, Text, Text], |_, a| Ok(parsed(&string(a, 0), &string(a, 2), &string(a, 1))), "The instant that the third text shows by the layout of the first, in the zone of the second."),
    f("unixEpoch", &[Instant], |_, a| Ok(Value::text(time(a).seconds().to_string())), "Seconds since 1970."),
    f("unixEpochMillis", &[Instant], |_, a| Ok(Value::text(time(a).millis().to_string())), "Milliseconds since 1970."),
    f("unixEpochNanos", &[Instant], |_, a| Ok(Value::text(time(a).nanos().to_string())), "Nanoseconds since 1970."),
    f("unixToTime", &[Text], |_, a| unix_to_time(&string(a, 0)), "The instant so many days, seconds, milli-, micro- or nanoseconds after 1970, told by the number of digits."),
];

fn time(args: &[Value<'_>]) -> Time {
    match args.first() {
        Some(Value::Time(time)) => time.clone(),
        _ => Time::zero(),
    }
}

fn parsed<'v>(layout: &str, text: &str, zone: &str) -> Value<'v> {
    Value::Time(Time::parse(layout, text, zone).unwrap_or_else(Time::zero))
}

fn date<'v>(call: &Call<'_, 'v>, args: &[Value<'v>]) -> Value<'v> {
    let time = match args.get(1) {
        Some(Value::Time(time)) => time.clone(),
        Some(Value::Int(seconds) | Value::Int64(seconds)) => Time::from_seconds(*seconds),
        _ => Time::from_nanos(call.env.now()),
    };
    Value::text(time.format(&string(args, 0)))
}

fn unix_to_time<'v>(text: &str) -> Result<Value<'v>, String> {
    let number: i64 = text.parse().map_err(|_| {
        let shown = masthead_model::quote(text);
        format!("unable to parse time '{text}': strconv.ParseInt: parsing {shown}: invalid syntax")
    })?;
    Ok(Value::Time(match text.len() {
        5 => Time::from_seconds(number.saturating_mul(86_400)),
        10 => Time::from_seconds(number),
        13 => Time::from_nanos(number.saturating_mul(1_000_000)),
        16 => Time::from_nanos(number.saturating_mul(1_000)),
        19 => Time::from_nanos(number),
        // Go wraps an error that is not there.
        _ => return Err(format!("unable to parse time '{text}': %!w(<nil>)")),
    }))
}
