//! A range drawn in the terminal with Braille dots, two by four to a character.
//!
//! ```text
//!  1.5 ┤        ⢀⠔⠢⡀
//!      │  ⣀⠤⠒⠊⠁    ⠑⠤
//!    0 ┼⠊⠁
//!      └──────────────────
//!       10:00        11:00
//!  ■ up{job="api"}  1.5
//! ```

use anstyle::{AnsiColor, Style};

use super::answer::{Data, series_name};
use super::table::moment;
use crate::terminal::{DIM, Output};

/// Columns and rows when stdout is no terminal.
pub(super) const SIZE_DEFAULT: (usize, usize) = (80, 24);
/// More lines than this cannot be told apart; the rest is counted.
const SERIES_MAX: usize = 8;
const ROWS_MAX: usize = 20;
const COLOURS: [AnsiColor; SERIES_MAX] = [
    AnsiColor::Green,
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::Red,
    AnsiColor::BrightGreen,
    AnsiColor::BrightBlue,
];

struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

pub(super) fn render(data: &Data, (columns, rows): (usize, usize), output: &Output) -> String {
    let Data::Matrix(all) = data else { return String::new() };
    let lines: Vec<Line> = all
        .iter()
        .map(|series| Line {
            name: series_name(&series.metric),
            points: series
                .values
                .iter()
                .filter_map(|p| Some((p.0, p.1.parse().ok()?)))
                .filter(|(_, value): &(f64, f64)| value.is_finite())
                .collect(),
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let Some((time, value)) = bounds(&lines) else { return "(no series with numbers)".to_owned() };
    let drawn = lines.get(..SERIES_MAX).unwrap_or(&lines);
    let labels = [number(value.1), number(f64::midpoint(value.0, value.1)), number(value.0)];
    let margin = labels.iter().map(String::len).max().unwrap_or(0) + 1;
    let width = columns.saturating_sub(margin + 2).max(10);
    let height = rows.saturating_sub(drawn.len() + 4).clamp(4, ROWS_MAX);

    let mut canvas = Canvas::new(width, height);
    for (number, line) in drawn.iter().enumerate() {
        canvas.line(line, time, value, number);
    }
    let mut out = String::new();
    for (row, cells) in canvas.cells.chunks(width).enumerate() {
        let label = match row {
            0 => labels.first(),
            _ if row == height / 2 => labels.get(1),
            _ if row == height - 1 => labels.get(2),
            _ => None,
        };
        let (label, tick) = label.map_or(("", "│"), |label| (label.as_str(), "┤"));
        out.push_str(&output.paint(DIM, &format!("{label:>margin$}{tick}")));
        // Neighbours of one colour are painted together.
        for run in cells.chunk_by(|a, b| a.paint() == b.paint()) {
            let text: String = run.iter().map(Cell::glyph).collect();
            match run.first().and_then(Cell::paint) {
                Some(series) => out.push_str(&output.paint(colour(series), &text)),
                None => out.push_str(&text),
            }
        }
        out.push('\n');
    }
    let axis = format!("{:margin$}└{}", "", "─".repeat(width));
    let (from, to) = (moment(time.0), moment(time.1));
    let gap = width.saturating_sub(from.len() + to.len()).max(1);
    let times = format!("{:margin$} {from}{:gap$}{to}", "", "");
    out.extend([output.paint(DIM, &axis), output.paint(DIM, &times)].map(|line| line + "\n"));
    for (number, line) in drawn.iter().enumerate() {
        let last = line.points.last().map_or(String::new(), |(_, value)| self::number(*value));
        let mark = output.paint(colour(number), "■");
        out.extend([" ", &mark, " ", &line.name, "  ", &last, "\n"]);
    }
    if let Some(more) = lines.len().checked_sub(SERIES_MAX).filter(|more| *more > 0) {
        out.extend([" … and ", &more.to_string(), " more; --format table shows all\n"]);
    }
    out
}

fn colour(series: usize) -> Style {
    COLOURS.get(series % SERIES_MAX).map_or(Style::new(), |colour| colour.on_default())
}

/// The range of times and of values, neither of them empty.
fn bounds(lines: &[Line]) -> Option<((f64, f64), (f64, f64))> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let min = |pick: fn(&(f64, f64)) -> f64| points().map(pick).min_by(f64::total_cmp);
    let max = |pick: fn(&(f64, f64)) -> f64| points().map(pick).max_by(f64::total_cmp);
    let time = (min(|p| p.0)?, max(|p| p.0)?);
    let value = (min(|p| p.1)?, max(|p| p.1)?);
    let widen = |(low, high): (f64, f64), by: f64| {
        if high > low { (low, high) } else { (low - by, high + by) }
    };
    Some((widen(time, 1.0), widen(value, (value.0.abs() / 10.0).max(1.0))))
}

/// Four significant digits are what fits beside an axis.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e6).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    series: usize,
}

impl Cell {
    /// Whose colour it has; nothing where it is empty.
    fn paint(&self) -> Option<usize> {
        (self.dots > 0).then_some(self.series)
    }

    fn glyph(&self) -> char {
        if self.dots == 0 {
            return ' ';
        }
        char::from_u32(0x2800 + u32::from(self.dots)).unwrap_or(' ')
    }
}

struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<Cell>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![Cell::default(); width * height] }
    }

    /// Dots for every point, joined where they are neighbours in time.
    fn line(&mut self, line: &Line, time: (f64, f64), value: (f64, f64), series: usize) {
        let place = |part: f64, (low, high): (f64, f64), dots: usize| {
            let share = ((part - low) / (high - low)).clamp(0.0, 1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "0 to some thousand dots"
            )]
            let dot = (share * (dots - 1) as f64).round() as usize;
            dot
        };
        let spacing = line
            .points
            .windows(2)
            .filter_map(|pair| Some(pair.last()?.0 - pair.first()?.0))
            .min_by(f64::total_cmp)
            .unwrap_or(0.0);
        let mut before: Option<(f64, usize, usize)> = None;
        for (at, number) in &line.points {
            let x = place(*at, time, self.width * 2);
            let y = self.height * 4 - 1 - place(*number, value, self.height * 4);
            match before {
                // A missing step is a gap in the series, and stays one in the picture.
                Some((last, from_x, from_y)) if at - last <= spacing * 1.5 => {
                    self.join((from_x, from_y), (x, y), series);
                }
                _ => self.dot(x, y, series),
            }
            before = Some((*at, x, y));
        }
    }

    fn join(&mut self, from: (usize, usize), to: (usize, usize), series: usize) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |a: usize, b: usize, step: usize| {
            if b >= a { a + (b - a) * step / steps } else { a - (a - b) * step / steps }
        };
        for step in 0..=steps {
            self.dot(between(from.0, to.0, step), between(from.1, to.1, step), series);
        }
    }

    fn dot(&mut self, x: usize, y: usize, series: usize) {
        // The numbering of Braille dots: two columns of three, then the bottom row.
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let dot = DOTS.get(y % 4).and_then(|row| row.get(x % 2)).copied().unwrap_or(0);
        if let Some(cell) = self.cells.get_mut((y / 4) * self.width + x / 2) {
            cell.dots |= dot;
            cell.series = series;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(json: &str) -> String {
        render(&serde_json::from_str(json).unwrap(), (30, 10), &Output::plain())
    }

    #[test]
    fn a_rising_line_rises() {
        let text = draw(
            r#"{"resultType":"matrix","result":[{"metric":{"__name__":"a"},
               "values":[[0,"0"],[10,"1"],[20,"2"],[30,"3"]]}]}"#,
        );
        let rows: Vec<&str> = text.lines().collect();
        let first_dot = |row: usize| rows[row].chars().position(|c| c > '\u{2800}').unwrap();
        assert!(rows[0].starts_with("   3┤"), "{text}");
        assert!(rows[4].starts_with("   0┤"), "{text}");
        assert!(first_dot(0) > first_dot(2) && first_dot(2) > first_dot(4), "{text}");
        assert!(rows.iter().any(|row| row.contains("1970-01-01T00:00:00Z")), "{text}");
        assert!(text.ends_with(" ■ a  3\n"), "{text}");
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let row = |values: &str| {
            let json = format!(
                r#"{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{values}]}}]}}"#
            );
            draw(&json).chars().filter(|c| *c > '\u{2800}' && *c <= '\u{28ff}').count()
        };
        let whole = row(r#"[0,"1"],[10,"1"],[20,"1"],[30,"1"],[40,"1"]"#);
        let gap = row(r#"[0,"1"],[10,"1"],[30,"1"],[40,"1"]"#);
        assert!(gap < whole && gap > 2, "{gap} {whole}");
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        assert_eq!(draw(r#"{"resultType":"matrix","result":[]}"#), "(no series with numbers)");
        let nan =
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"NaN"],[2,"+Inf"]]}]}"#;
        assert_eq!(draw(nan), "(no series with numbers)");
        let series = r#"{"metric":{},"values":[[1,"5"]]}"#;
        let many = format!(r#"{{"resultType":"matrix","result":[{}]}}"#, [series; 11].join(","));
        assert!(draw(&many).contains("… and 3 more"));
    }

    #[test]
    fn numbers_beside_the_axis_are_short() {
        let f = |value: f64, want: &str| assert_eq!(number(value), want);
        f(0.0, "0");
        f(1.5, "1.5");
        f(123_456.0, "123456");
        f(12_345_678.0, "1.23e7");
        f(0.000_012, "1.20e-5");
        f(-2.0, "-2");
    }
}
