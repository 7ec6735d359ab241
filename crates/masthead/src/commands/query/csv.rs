//! An answer as CSV (RFC 4180): time, value, then one column for each label that any series has.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Data;

pub(super) fn render(data: &Data) -> String {
    let none = BTreeMap::new();
    let rows: Vec<(f64, String, &BTreeMap<String, String>)> = match data {
        Data::None => Vec::new(),
        Data::Scalar(point) | Data::String(point) => vec![(point.0, point.1.clone(), &none)],
        Data::Vector(samples) => samples
            .iter()
            .flat_map(|sample| {
                let float = sample.value.iter().map(|p| (p.0, p.1.clone(), &sample.metric));
                let histogram =
                    sample.histogram.iter().map(|p| (p.0, p.1.to_string(), &sample.metric));
                float.chain(histogram)
            })
            .collect(),
        Data::Matrix(all) => all
            .iter()
            .flat_map(|series| {
                let floats = series.values.iter().map(|p| (p.0, p.1.clone(), &series.metric));
                let histograms =
                    series.histograms.iter().map(|p| (p.0, p.1.to_string(), &series.metric));
                floats.chain(histograms)
            })
            .collect(),
    };
    let labels: BTreeSet<&String> = rows.iter().flat_map(|(_, _, metric)| metric.keys()).collect();
    let mut out = String::new();
    let head = ["timestamp", "value"].into_iter().chain(labels.iter().map(|l| l.as_str()));
    push_line(&mut out, head);
    for (at, value, metric) in &rows {
        let at = at.to_string();
        let cells = labels.iter().map(|l| metric.get(*l).map_or("", String::as_str));
        push_line(&mut out, [at.as_str(), value.as_str()].into_iter().chain(cells));
    }
    out
}

fn push_line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            out.extend(["\"", &cell.replace('"', "\"\""), "\""]);
        } else {
            out.push_str(cell);
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_is_a_column() {
        let f = |json: &str, want: &str| {
            assert_eq!(render(&serde_json::from_str(json).unwrap()), want);
        };
        f(r#"{"resultType":"scalar","result":[1.5,"2"]}"#, "timestamp,value\n1.5,2\n");
        f(
            r#"{"resultType":"matrix","result":[
                {"metric":{"__name__":"up","b":"x,\"y\"\nz"},"values":[[1,"2"],[3,"NaN"]]},
                {"metric":{"a":"c"},"histograms":[[1,{"count":"3","sum":"4"}]]}]}"#,
            concat!(
                "timestamp,value,__name__,a,b\n",
                "1,2,up,,\"x,\"\"y\"\"\nz\"\n",
                "3,NaN,up,,\"x,\"\"y\"\"\nz\"\n",
                "1,count=3 sum=4,,c,\n",
            ),
        );
        f(
            r#"{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"2"]}]}"#,
            "timestamp,value,a\n1,2,b\n",
        );
    }
}
