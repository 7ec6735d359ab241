//! Names, units and attribute keys as Prometheus has them.
//!
//! Facts: `metric_namer.go`, `unit_namer.go`, `label_namer.go` of prometheus/otlptranslator.

use masthead_model::quote;

use super::{
    TranslationStrategy,
    message::{Data, Metric},
};

const UNITS: [(&str, &str); 26] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

const PER_UNITS: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The name of a metric's family; the error is upstream's.
pub(super) fn metric_name(
    metric: &Metric<'_>,
    strategy: TranslationStrategy,
) -> Result<String, String> {
    let name = metric.name.as_ref();
    let (main, per) = units(&metric.unit);
    let counter = matches!(metric.data, Data::Sum { monotonic: true, .. });
    let ratio = metric.unit == "1" && matches!(metric.data, Data::Gauge(_));
    let built = match (strategy.escapes(), strategy.adds_suffixes()) {
        (true, true) => normalized(name, &main, &per, counter, ratio),
        (true, false) => {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
            let parts: Vec<_> = name.split(|c| !fits(c)).filter(|part| !part.is_empty()).collect();
            not_a_digit_first(parts.join("_"))
        }
        (false, true) => suffixed(name, &main, &per, counter, ratio),
        (false, false) => name.to_owned(),
    };
    if built.is_empty() {
        return Err(format!("normalization for metric {} resulted in empty name", quote(name)));
    }
    if strategy.escapes() && built != name && built.chars().all(|c| c == '_') {
        let (name, built) = (quote(name), quote(&built));
        return Err(format!("normalization for metric {name} resulted in invalid name {built}"));
    }
    Ok(built)
}

/// The name of the label that an attribute becomes; the error is upstream's.
pub(super) fn label_name(key: &str, strategy: TranslationStrategy) -> Result<String, String> {
    if key.is_empty() {
        return Err(format!("normalization for label name {} resulted in empty name", quote(key)));
    }
    if !strategy.escapes() {
        return Ok(key.to_owned());
    }
    let mut name: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "key_");
    } else if name.starts_with('_') && !name.starts_with("__") {
        name.insert_str(0, "key");
    }
    if name != key && name.chars().all(|c| c == '_') {
        let (key, name) = (quote(key), quote(&name));
        return Err(format!("normalization for label name {key} resulted in invalid name {name}"));
    }
    Ok(name)
}

/// `By/s` is `bytes` and `per_second`; a unit in braces is a remark.
fn units(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let known = |unit: &str, table: &[(&str, &'static str)]| {
        let unit = unit.trim();
        if unit.contains(['{', '}']) {
            return String::new();
        }
        let found = table.iter().find(|(short, _)| *short == unit);
        found.map_or(unit, |(_, long)| long).to_owned()
    };
    let (main, per) = (known(main, &UNITS), known(per, &PER_UNITS));
    (main, if per.is_empty() { per } else { format!("per_{per}") })
}

/// Words joined by single underscores, with unit and type as the last words.
fn normalized(name: &str, main: &str, per: &str, counter: bool, ratio: bool) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let mut words: Vec<&str> = name.split(|c| !fits(c)).filter(|word| !word.is_empty()).collect();
    let (main, per) = (cleaned(main), cleaned(per));
    let mut main = main.as_str();
    let per = if per == "per_" { "" } else { per.strip_suffix('_').unwrap_or(&per) };
    let is_new = |word: &str| !word.is_empty() && !words.contains(&word);
    let (add_main, add_per) = (is_new(main), is_new(per));
    if add_per {
        main = main.strip_suffix('_').unwrap_or(main);
    }
    if add_main && !main.is_empty() {
        words.push(main);
    }
    if add_per {
        words.push(per);
    }
    for (wanted, suffix) in [(counter, "total"), (ratio, "ratio")] {
        if wanted {
            words.retain(|word| *word != suffix);
            words.push(suffix);
        }
    }
    not_a_digit_first(words.join("_"))
}

/// Unit and type put at the end of a name that is left as it is.
fn suffixed(name: &str, main: &str, per: &str, counter: bool, ratio: bool) -> String {
    let mut name = name;
    let mut after = Vec::new();
    for (wanted, suffix) in [(ratio, "ratio"), (counter, "total"), (!per.is_empty(), per)] {
        if wanted {
            // With the byte before it, which is taken for an underscore.
            if let Some(base) = name.strip_suffix(suffix)
                && let Some((last, _)) = base.char_indices().next_back()
                && last > 0
            {
                name = base.get(..last).unwrap_or(base);
            }
            after.push(suffix);
        }
    }
    let mut out = name.to_owned();
    if !main.is_empty() && !out.ends_with(main) {
        out = format!("{out}_{main}");
    }
    for suffix in after.iter().rev() {
        out = format!("{out}_{suffix}");
    }
    out
}

/// What does not fit into a name becomes an underscore, several become one, the first goes.
fn cleaned(unit: &str) -> String {
    let mut out = String::with_capacity(unit.len());
    for c in unit.chars() {
        let fits = c.is_ascii_alphanumeric() || c == ':';
        if fits || !out.ends_with('_') {
            out.push(if fits { c } else { '_' });
        }
    }
    out.strip_prefix('_').map(str::to_owned).unwrap_or(out)
}

fn not_a_digit_first(mut name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(
        name: &str,
        unit: &str,
        data: Data<'static>,
        strategy: TranslationStrategy,
    ) -> Result<String, String> {
        let (name, unit) = (name.to_owned().into(), unit.to_owned().into());
        metric_name(&Metric { name, unit, data, ..Metric::default() }, strategy)
    }

    #[test]
    fn names_get_units_and_suffixes() {
        let gauge = || Data::Gauge(vec![]);
        let sum = || Data::Sum { points: vec![], temporality: 2, monotonic: true };
        let f = |text: &str, unit: &str, data: Data<'static>, want: &str| {
            let got = name(text, unit, data, TranslationStrategy::default());
            assert_eq!(got.as_deref(), Ok(want), "{text} {unit}");
        };
        f("http.server.duration", "s", gauge(), "http_server_duration_seconds");
        f("requests.count", "1", sum(), "requests_count_total");
        f("memory.usage", "By", gauge(), "memory_usage_bytes");
        f("system.network.io", "By/s", sum(), "system_network_io_bytes_per_second_total");
        f("hw.status", "1", gauge(), "hw_status_ratio");
        f("a.total.b", "", sum(), "a_b_total");
        f("already_seconds", "s", gauge(), "already_seconds");
        f("things", "{thing}", gauge(), "things");
        f("things", "{thing}/s", gauge(), "things_per_second");
        f("9lives", "", gauge(), "_9lives");
        f("__a  b__", "", gauge(), "a_b");
        f("x", "km²/fortnight", gauge(), "x_km_per_fortnight");
        f("x", "/", gauge(), "x");
        assert_eq!(
            name("...", "", gauge(), TranslationStrategy::default()),
            Err("normalization for metric \"...\" resulted in empty name".to_owned())
        );
    }

    #[test]
    fn other_strategies_leave_more_as_it_is() {
        use TranslationStrategy::{
            NoTranslation, NoUTF8EscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes,
        };
        let sum = Data::Sum { points: vec![], temporality: 2, monotonic: true };
        let got = name("a.b.total", "By/s", sum, NoUTF8EscapingWithSuffixes);
        assert_eq!(got.as_deref(), Ok("a.b_bytes_per_second_total"));
        let gauge = || Data::Gauge(vec![]);
        assert_eq!(name("r", "1", gauge(), NoUTF8EscapingWithSuffixes).as_deref(), Ok("r_ratio"));
        assert_eq!(
            name("a.b__c", "s", gauge(), UnderscoreEscapingWithoutSuffixes).as_deref(),
            Ok("a_b__c")
        );
        assert_eq!(
            name("1é", "s", gauge(), UnderscoreEscapingWithoutSuffixes).as_deref(),
            Ok("_1")
        );
        assert_eq!(name("1 é", "s", gauge(), NoTranslation).as_deref(), Ok("1 é"));
        assert!(name("", "s", gauge(), NoTranslation).is_err());
    }

    #[test]
    fn attribute_keys_become_label_names() {
        let f = |key: &str, want: Result<&str, &str>| {
            let got = label_name(key, TranslationStrategy::default());
            assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{key}");
        };
        f("http.method", Ok("http_method"));
        f("123invalid", Ok("key_123invalid"));
        f("_private", Ok("key_private"));
        f("__reserved__", Ok("__reserved__"));
        f("a..b", Ok("a__b"));
        f("", Err("normalization for label name \"\" resulted in empty name"));
        f("ééé", Err("normalization for label name \"ééé\" resulted in invalid name \"___\""));
        assert_eq!(label_name("a.b", TranslationStrategy::NoTranslation).as_deref(), Ok("a.b"));
    }
}
