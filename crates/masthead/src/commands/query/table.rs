//! An answer as aligned lines: value first, because names have any length.

use super::answer::{Data, series_name};
use crate::terminal::one_line;

pub(super) fn render(data: &Data) -> String {
    let rows: Vec<[String; 3]> = match data {
        Data::None => Vec::new(),
        Data::Scalar(point) | Data::String(point) => {
            vec![[String::new(), one_line(&point.1), String::new()]]
        }
        Data::Vector(samples) => samples
            .iter()
            .map(|sample| {
                let value = match (&sample.value, &sample.histogram) {
                    (Some(point), _) => one_line(&point.1),
                    (None, Some(point)) => one_line(&point.1.to_string()),
                    (None, None) => String::new(),
                };
                [String::new(), value, series_name(&sample.metric)]
            })
            .collect(),
        Data::Matrix(all) => all
            .iter()
            .flat_map(|series| {
                let name = series_name(&series.metric);
                let floats = series.values.iter().map(|point| (point.0, one_line(&point.1)));
                let histograms =
                    series.histograms.iter().map(|point| (point.0, one_line(&point.1.to_string())));
                let mut points: Vec<_> = floats.chain(histograms).collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                let row = move |(at, value)| [moment(at), value, name.clone()];
                points.into_iter().map(row).collect::<Vec<_>>()
            })
            .collect(),
    };
    if rows.is_empty() {
        return "(no series)".to_owned();
    }
    let width = |column: usize| {
        rows.iter().map(|row| row.get(column).map_or(0, |cell| cell.chars().count())).max()
    };
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    let line = |[at, value, name]: &[String; 3]| {
        format!("{at:<first$}{}{value:>second$}  {name}", if first > 0 { "  " } else { "" })
    };
    rows.iter().map(line).map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// RFC 3339 in UTC, with milliseconds where there are some.
pub(super) fn moment(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; jiff then refuses it")]
    let millis = (seconds * 1000.0).round() as i64;
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(json: &str) -> Data {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn values_are_aligned_and_names_follow() {
        let f = |json: &str, want: &str| assert_eq!(render(&data(json)), want);
        f(r#"{"resultType":"scalar","result":[1,"2.5"]}"#, "2.5\n");
        f(r#"{"resultType":"vector","result":[]}"#, "(no series)");
        f(
            r#"{"resultType":"vector","result":[
                {"metric":{"__name__":"up"},"value":[1,"1"]},
                {"metric":{"job":"a"},"value":[1,"12.5"]},
                {"metric":{},"histogram":[1,{"count":"3","sum":"4"}]}]}"#,
            concat!("            1  up\n", "         12.5  {job=\"a\"}\n", "count=3 sum=4  {}\n",),
        );
        f(
            r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up"},
                "values":[[0,"1"],[1.5,"20"]],"histograms":[[1,{"count":"3","sum":"4"}]]}]}"#,
            concat!(
                "1970-01-01T00:00:00Z                1  up\n",
                "1970-01-01T00:00:01Z    count=3 sum=4  up\n",
                "1970-01-01T00:00:01.5Z             20  up\n",
            ),
        );
    }

    #[test]
    fn values_from_elsewhere_cannot_move_the_cursor() {
        let text = render(&data("{\"resultType\":\"string\",\"result\":[1,\"\\u001b[2J\"]}"));
        assert_eq!(text, "\\u{1b}[2J\n");
    }

    #[test]
    fn absurd_times_are_printed_as_they_are() {
        assert_eq!(moment(1e300), format!("{}", 1e300));
    }
}
