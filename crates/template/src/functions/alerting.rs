//! What alerting rules add to a template: asking the store, results, and numbers for people.
//!
//! Facts: upstream's `template/template.go`. A result of `query` is a list of objects with the
//! fields `Labels` and `Value`; it lives in the [`crate::Env`] that was asked. Functions that take a
//! number take a text that holds one, too.

// Addresses alone: `core` has no sockets.
use core::net::IpAddr;

use masthead_model::{GoDuration, PromDuration};

use super::Kind::{Any, Text};
use super::{Call, Function, bytes, f, string, url};
use crate::exec::list;
use crate::value::Value;
use crate::{Time, print};

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("query", &[Text], query, "What an expression gives now: a list of values with their labels."),
    f("first", &[Any], |_, a| first(a), "The first of what `query` gave."),
    f("label", &[Text, Any], |_, a| Ok(label(a.get(1), bytes(a, 0))), "The value of a label of one of what `query` gave."),
    f("value", &[Any], |_, a| field(a.first(), b"Value"), "The value of one of what `query` gave."),
    f("strvalue", &[Any], |_, a| Ok(label(a.first(), b"__value__")), "The label `__value__` of one of what `query` gave."),
    f("sortByLabel", &[Text, Any], |_, a| sort_by_label(a), "What `query` gave, in the order of a label's values."),
    f("args", &[Any], |_, a| Ok(args(a)), "Its arguments as `arg0`, `arg1` and so on, to hand several to a template.").variadic(),
    f("humanize", &[Any], |_, a| Ok(humanize(number(a)?)), "A number with a unit prefix: `1.234M`."),
    f("humanize1024", &[Any], |_, a| Ok(humanize_binary(number(a)?)), "A number with a binary unit prefix: `1.206Mi`."),
    f("humanizeDuration", &[Any], |_, a| Ok(humanize_duration(number(a)?)), "Seconds as `1h 2m 3s`."),
    f("humanizePercentage", &[Any], |_, a| Ok(format("%.4g%%", number(a)? * 100.0, "")), "A ratio as `12.5%`."),
    f("humanizeTimestamp", &[Any], |_, a| humanize_timestamp(number(a)?), "Seconds since 1970 as a date."),
    f("toTime", &[Any], |_, a| Ok(Value::Time(time(number(a)?)?)), "Seconds since 1970 as an instant."),
    f("toDuration", &[Any], |_, a| Ok(Value::text(GoDuration(nanos(number(a)?)?).to_string())), "Seconds as Go writes a duration: `1m30s`."),
    f("parseDuration", &[Text], |_, a| parse_duration(&string(a, 0)), "The seconds of a duration such as `1h30m`."),
    f("reReplaceAll", &[Text, Text, Text], |call, a| super::regex::replace_all(call, &string(a, 0), bytes(a, 2), bytes(a, 1)), "The last text with all matches of the first replaced by the second, in which $1 is a group."),
    f("match", &[Text, Text], |call, a| super::regex::is_match(call, &string(a, 0), bytes(a, 1)), "Whether the first text, an expression, matches somewhere in the second."),
    f("title", &[Text], |_, a| Ok(Value::text(super::text::title(&string(a, 0)))), "A text with a capital at the start of each word."),
    f("toUpper", &[Text], |_, a| Ok(Value::text(string(a, 0).to_uppercase())), "A text in capital letters."),
    f("toLower", &[Text], |_, a| Ok(Value::text(string(a, 0).to_lowercase())), "A text in small letters."),
    f("safeHtml", &[Text], |_, a| Ok(a.first().cloned().unwrap_or_default()), "The text itself: nothing is escaped here."),
    f("stripPort", &[Text], |_, a| Ok(Value::text(strip_port(&string(a, 0)).to_owned())), "A host and port without the port."),
    f("stripDomain", &[Text], |_, a| Ok(Value::text(strip_domain(&string(a, 0)))), "A host without its domain, with the port if there was one."),
    f("urlQueryEscape", &[Text], |_, a| Ok(Value::bytes(url::encode(bytes(a, 0)))), "A text as it is written in the query of a URL."),
    f("graphLink", &[Text], |_, a| Ok(link(bytes(a, 0), '0')), "The path of the page that shows an expression as a graph."),
    f("tableLink", &[Text], |_, a| Ok(link(bytes(a, 0), '1')), "The path of the page that shows an expression as a table."),
    f("pathPrefix", &[], |call, _| Ok(Value::text(path(call.env().external_url()).to_owned())), "The path of the address at which people reach this server."),
    f("externalURL", &[], |call, _| Ok(Value::text(call.env().external_url().to_owned())), "The address at which people reach this server."),
    f("now", &[], |call, _| Ok(Value::Float(seconds(call.env().now()))), "The instant of the evaluation in seconds since 1970."),
];

fn query<'v>(call: &Call<'_, 'v>, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    call.env().query(&string(args, 0))
}

const NOT_A_RESULT: &str = "wrong type for value; expected template.queryResult; got ";

fn results<'a, 'v>(value: Option<&'a Value<'v>>) -> Result<&'a [Value<'v>], String> {
    match value {
        Some(Value::List(list)) => Ok(list),
        other => Err(format!("{NOT_A_RESULT}{}", other.map_or("<nil>", Value::type_name))),
    }
}

fn first<'v>(args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let found = results(args.first())?.first().cloned();
    found.ok_or_else(|| "first() called on vector with no elements".to_owned())
}

fn field<'v>(value: Option<&Value<'v>>, name: &[u8]) -> Result<Value<'v>, String> {
    match value {
        Some(Value::Object(object)) => Ok(object.get(name).unwrap_or_default()),
        other => {
            let got = other.map_or("<nil>", Value::type_name);
            Err(format!("wrong type for value; expected *template.sample; got {got}"))
        }
    }
}

fn label<'v>(sample: Option<&Value<'v>>, name: &[u8]) -> Value<'v> {
    match field(sample, b"Labels") {
        Ok(Value::Object(labels)) => labels.get(name).unwrap_or_else(|| labels.zero()),
        _ => Value::text(""),
    }
}

fn sort_by_label<'v>(args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let name = bytes(args, 0);
    let text = |sample: &Value<'v>| match label(Some(sample), name) {
        Value::Text(text) => text.into_owned(),
        _ => Vec::new(),
    };
    let mut sorted = results(args.get(1))?.to_vec();
    sorted.sort_by_cached_key(text);
    Ok(list(sorted))
}

fn args<'v>(args: &[Value<'v>]) -> Value<'v> {
    let named = args.iter().enumerate().map(|(at, arg)| (format!("arg{at}").into(), arg.clone()));
    Value::Map(std::rc::Rc::new(named.collect()))
}

fn number(args: &[Value<'_>]) -> Result<f64, String> {
    #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
    match args.first() {
        Some(Value::Float(value)) => Ok(*value),
        Some(Value::Int(value) | Value::Int64(value)) => Ok(*value as f64),
        Some(Value::Text(text)) => crate::go::parse_float(text),
        other => {
            let got = other.map_or("<nil>", Value::type_name);
            Err(format!("can't convert {got} to float"))
        }
    }
}

fn format(pattern: &str, value: f64, unit: &'static str) -> Value<'static> {
    let args = [Value::Float(value), Value::text(unit)];
    let used = if pattern.contains("%s") { 2 } else { 1 };
    Value::bytes(print::printf(pattern.as_bytes(), args.get(..used).unwrap_or_default()))
}

/// Divides by `base` while that is possible, at most once for each prefix.
fn scaled(
    mut value: f64,
    base: f64,
    prefixes: [&'static str; 8],
    goes_on: fn(f64, f64) -> bool,
) -> (f64, &'static str) {
    let mut found = "";
    for prefix in prefixes {
        if !goes_on(value.abs(), base) {
            break;
        }
        found = prefix;
        value = if value.abs() < 1.0 { value * base } else { value / base };
    }
    (value, found)
}

const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

fn humanize(value: f64) -> Value<'static> {
    if value == 0.0 || !value.is_finite() {
        return format("%.4g", value, "");
    }
    let (value, prefix) = if value.abs() >= 1.0 {
        let large = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
        scaled(value, 1000.0, large, |value, base| value >= base)
    } else {
        scaled(value, 1000.0, SMALL, |value, _| value < 1.0)
    };
    format("%.4g%s", value, prefix)
}

fn humanize_binary(value: f64) -> Value<'static> {
    if value.abs() <= 1.0 || !value.is_finite() {
        return format("%.4g", value, "");
    }
    let binary = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    let (value, prefix) = scaled(value, 1024.0, binary, |value, base| value >= base);
    format("%.4g%s", value, prefix)
}

fn humanize_duration(value: f64) -> Value<'static> {
    if !value.is_finite() {
        return format("%.4g", value, "");
    }
    if value == 0.0 {
        return format("%.4gs", value, "");
    }
    if value.abs() < 1.0 {
        let (value, prefix) = scaled(value, 1000.0, SMALL, |value, _| value < 1.0);
        return format("%.4g%ss", value, prefix);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds; saturates beyond them")]
    let whole = value.abs() as i64;
    let (seconds, minutes) = (whole % 60, whole / 60 % 60);
    let (hours, days) = (whole / 3600 % 24, whole / 86_400);
    let sign = if value < 0.0 { "-" } else { "" };
    Value::text(if days != 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours != 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes != 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        return format("%.4gs", value, "");
    })
}

fn nanos(seconds: f64) -> Result<i64, String> {
    let nanos = seconds * 1e9;
    if !(-9.2e18..9.2e18).contains(&nanos) {
        return Err(format!(
            "{seconds} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let nanos = nanos as i64;
    Ok(nanos)
}

fn seconds(nanos: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our times are exact")]
    let millis = (nanos / 1_000_000) as f64;
    millis / 1000.0
}

fn time(seconds: f64) -> Result<Time, String> {
    nanos(seconds).map(Time::from_nanos)
}

fn humanize_timestamp(value: f64) -> Result<Value<'static>, String> {
    if !value.is_finite() {
        return Ok(format("%.4g", value, ""));
    }
    Ok(Value::text(time(value)?.to_string()))
}

fn parse_duration(text: &str) -> Result<Value<'static>, String> {
    let parsed = PromDuration::parse(text).map_err(|error| error.to_string())?;
    #[expect(clippy::cast_precision_loss, reason = "a duration has fewer than 2^53 milliseconds")]
    let millis = parsed.as_millis() as f64;
    Ok(Value::Float(millis / 1000.0))
}

/// Go's `net.SplitHostPort`, without its reasons.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(inner) => Some((inner.strip_suffix(']')?, port)),
        None if host.contains([':', '[', ']']) => None,
        None => Some((host, port)),
    }
}

fn strip_port(text: &str) -> &str {
    split_host_port(text).map_or(text, |(host, _)| host)
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or(host);
    if port.is_empty() { host.to_owned() } else { format!("{host}:{port}") }
}

fn link(expression: &[u8], tab: char) -> Value<'static> {
    let mut link = b"/graph?g0.expr=".to_vec();
    link.extend(url::encode(expression));
    link.extend(format!("&g0.tab={tab}").into_bytes());
    Value::bytes(link)
}

fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("");
    path.split(['?', '#']).next().unwrap_or("")
}
