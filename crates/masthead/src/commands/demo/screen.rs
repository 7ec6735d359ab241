//! The items API's lines on their way to the terminal, and what is remembered of them.
//!
//! Shown means: its stdout on ours, as readable lines; its stderr on ours. Remembered are the last
//! lines, for when it ends early, and the story that `--check` wants. Once nobody reads our stdout
//! any more nothing is written to it, and the demo is told so.

use std::{collections::VecDeque, io, time::Duration};

use tokio::sync::mpsc;

use super::{
    check::{LogStory, Verdict},
    log_line::LogLine,
};
use crate::{
    child::{Line, Stream},
    terminal::{self, Output, one_line},
};

/// Lines repeated when the items API ends early, and their longest part shown.
const LAST_LINES_MAX: usize = 20;
const LAST_LINE_CHARS_MAX: usize = 1000;
/// Lines held back until the banner is there.
const HELD_LINES_MAX: usize = 1000;

#[derive(Debug)]
pub(super) struct Screen {
    output: Output,
    lines: mpsc::Receiver<Line>,
    lines_ended: bool,
    held: Vec<Line>,
    last: VecDeque<String>,
    story: LogStory,
    reader_is_gone: bool,
}

impl Screen {
    pub(super) fn new(output: Output, lines: mpsc::Receiver<Line>, story: LogStory) -> Self {
        Self {
            output,
            lines,
            lines_ended: false,
            held: Vec::new(),
            last: VecDeque::new(),
            story,
            reader_is_gone: false,
        }
    }

    /// The next line; pends for ever after the last one.
    pub(super) async fn next(&mut self) -> Line {
        match self.next_or_end().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }

    async fn next_or_end(&mut self) -> Option<Line> {
        if self.lines_ended {
            return None;
        }
        let line = self.lines.recv().await;
        self.lines_ended = line.is_none();
        line
    }

    /// Keeps a line until [`Screen::raise`]; gives back what it says.
    ///
    /// # Errors
    /// When too many lines are held.
    pub(super) fn hold(&mut self, line: Line) -> anyhow::Result<Option<LogLine>> {
        anyhow::ensure!(
            self.held.len() < HELD_LINES_MAX,
            "the items API logged {HELD_LINES_MAX} lines, but not its addresses"
        );
        self.remember(&line);
        let parsed = LogLine::parse(&line.text).ok().filter(|_| line.stream == Stream::Stdout);
        self.held.push(line);
        Ok(parsed)
    }

    /// Shows the banner, then the lines held back.
    pub(super) fn raise(&mut self, banner: &str) -> io::Result<()> {
        self.line(banner)?;
        for line in std::mem::take(&mut self.held) {
            self.write(&line)?;
        }
        Ok(())
    }

    /// Shows a line of the items API.
    pub(super) fn show(&mut self, line: &Line) -> io::Result<()> {
        self.remember(line);
        self.write(line)
    }

    /// Shows lines as they come until `work` is done.
    pub(super) async fn show_while<T>(&mut self, work: impl Future<Output = T>) -> io::Result<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return Ok(result),
                line = self.next() => self.show(&line)?,
            }
        }
    }

    /// Shows what an ended process left, for at most `time`.
    pub(super) async fn show_rest(&mut self, time: Duration) -> io::Result<()> {
        let rest = async {
            while let Some(line) = self.next_or_end().await {
                self.show(&line)?;
            }
            Ok(())
        };
        tokio::time::timeout(time, rest).await.unwrap_or(Ok(()))
    }

    /// Remembers what an ended process left, without showing it.
    pub(super) async fn take_rest(&mut self) {
        while let Some(line) = self.next_or_end().await {
            self.remember(&line);
        }
    }

    /// Repeats the last lines on stderr.
    pub(super) fn tell_last_lines(&self) {
        terminal::say("The last lines of the items API:");
        for line in &self.last {
            terminal::say(&format!("  {line}"));
        }
    }

    /// Writes a line of the demo's own.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.reader_is_gone {
            return Ok(());
        }
        match terminal::print(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_is_gone = true;
                Ok(())
            }
            result => result,
        }
    }

    /// Writes a line of the demo's own that stands out.
    pub(super) fn headline(&mut self, text: &str) -> io::Result<()> {
        self.line(&self.output.paint(terminal::BOLD, text))
    }

    pub(super) fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        let (style, mark) =
            if verdict.good { (terminal::GREEN, "ok  ") } else { (terminal::RED, "FAIL") };
        let mark = self.output.paint(style, mark);
        self.line(&format!("{mark}      {}", one_line(&verdict.text)))
    }

    pub(super) fn story(&self) -> &LogStory {
        &self.story
    }

    /// True once a write to stdout found that nobody reads it.
    pub(super) fn reader_is_gone(&self) -> bool {
        self.reader_is_gone
    }

    fn remember(&mut self, line: &Line) {
        if self.last.len() == LAST_LINES_MAX {
            self.last.pop_front();
        }
        self.last.push_back(one_line(&line.text).chars().take(LAST_LINE_CHARS_MAX).collect());
        if line.stream == Stream::Stdout {
            self.story.take(&line.text, &LogLine::parse(&line.text));
        }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mark = if line.cut { " … (cut)" } else { "" };
        match (line.stream, LogLine::parse(&line.text)) {
            (Stream::Stdout, Ok(parsed)) => self.line(&parsed.render(&self.output)),
            (Stream::Stdout, Err(_)) => self.line(&(one_line(&line.text) + mark)),
            (Stream::Stderr, _) => {
                terminal::say(&(one_line(&line.text) + mark));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line { stream: Stream::Stdout, text: text.to_owned(), cut: false }
    }

    fn screen() -> (Screen, mpsc::Sender<Line>) {
        let (sender, receiver) = mpsc::channel(100);
        (Screen::new(Output::plain(), receiver, LogStory::default()), sender)
    }

    #[tokio::test]
    async fn the_last_lines_are_remembered_and_no_more() {
        let (mut screen, sender) = screen();
        for number in 0..30 {
            sender.send(line(&format!("line {number}\u{1b}"))).await.unwrap();
        }
        drop(sender);
        screen.take_rest().await;
        assert_eq!(screen.last.len(), LAST_LINES_MAX);
        assert_eq!(screen.last.front().unwrap(), "line 10\\u{1b}");
        assert_eq!(screen.last.back().unwrap(), "line 29\\u{1b}");
    }

    #[tokio::test]
    async fn lines_are_held_up_to_a_limit() {
        let (mut screen, _sender) = screen();
        let parsed = screen.hold(line(r#"{"message":"up"}"#)).unwrap().unwrap();
        assert_eq!(parsed.text("message"), "up");
        let stderr = Line { stream: Stream::Stderr, ..line("{}") };
        assert_eq!(screen.hold(stderr).unwrap(), None);
        for _ in 2..HELD_LINES_MAX {
            assert_eq!(screen.hold(line("not JSON")).unwrap(), None);
        }
        assert!(screen.hold(line("one too many")).is_err());
    }

    #[tokio::test]
    async fn after_the_last_line_only_the_work_goes_on() {
        let (mut screen, sender) = screen();
        drop(sender);
        let work = tokio::time::sleep(Duration::from_millis(10));
        screen.show_while(work).await.unwrap();
        let started = tokio::time::Instant::now();
        screen.show_rest(Duration::from_mins(1)).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
