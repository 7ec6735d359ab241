//! `/tail`: lines as they come in, over WebSocket.
//!
//! First come the newest lines of the past, then what is pushed from then on. The two overlap
//! rather than leave a gap, and what the first brought is not sent again. Whoever reads too slowly
//! is told which lines it missed. Structured metadata and what a pipeline parsed are labels of a
//! stream like others only where there is a pipeline; who asks for labels by where they come from
//! gets them with each line. Facts: `pkg/querier/http.go`, `pkg/querier/tail.go`,
//! `pkg/loghttp/tail.go`, `pkg/util/marshal/query.go`.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{
        FromRequestParts as _, Request, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    response::{IntoResponse, Response},
};
use masthead_logql::{
    LineLabels, Lines, Pair, Pipeline,
    ast::{Expr, LogExpr},
    stages::{Keep, Line},
};
use masthead_model::{Labels, Nanos};
use masthead_ports::Direction;
use masthead_wire::loki::label_text;

use super::{
    Refusal, Shared, language,
    live::{Missed, Run},
    params::Asked,
    query::{self, push_categorized, push_text, push_whole, time_text},
};
use crate::{desk::Work, error::ApiError, json};

/// Seconds that lines may be held back at most.
const DELAY_MAX: u64 = 5;
/// Lines of one message at most.
const MESSAGE_LINES: usize = 1000;
/// The client is asked this often whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How long a client may take to answer that its connection is closed.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);
/// WebSocket's code for a server that cannot do what is asked.
const INTERNAL_ERROR: u16 = 1011;
const GOING_AWAY: u16 = 1001;

/// `/loki/api/v1/tail`
pub(super) async fn tail(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    open(shared, request, Form::Current).await.unwrap_or_else(IntoResponse::into_response)
}

/// `/api/prom/tail`
pub(super) async fn legacy(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    open(shared, request, Form::Legacy).await.unwrap_or_else(IntoResponse::into_response)
}

/// What a message looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    #[default]
    Current,
    /// What a line has beyond the labels of its stream stands beside the line.
    Categorized,
    Legacy,
}

/// What is to be followed.
#[derive(Debug)]
struct Question {
    log: LogExpr,
    pipeline: Pipeline,
    /// Whether labels beyond the stream's are shown as if they were its own; without a pipeline
    /// they are not.
    all_labels: bool,
    start: Nanos,
    limit: usize,
    delay: Duration,
    form: Form,
}

async fn open(shared: Arc<Shared>, request: Request, form: Form) -> Result<Response, Refusal> {
    let (mut head, body) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let categorized = query::wants_categories(&head.headers);
    let asked = Asked::read(Request::from_parts(head, body), &shared).await?;
    // A browser's WebSocket cannot have headers of its own, so the address may say it too.
    let categorized = categorized || query::is_categorize(asked.first("encodingFlags"));
    let form = if categorized && form == Form::Current { Form::Categorized } else { form };
    let expr = language::parse(asked.first("query"))?;
    let limit = asked.limit("limit")?;
    super::query::check_entries(&shared, limit)?;
    let (start, _) = asked.bounds()?;
    let delay = match asked.first("delay_for") {
        "" => 0,
        text => text.parse().map_err(|_| {
            let quoted = masthead_model::quote(text);
            Refusal::bad(format!("strconv.Atoi: parsing {quoted}: invalid syntax"))
        })?,
    };
    if delay > DELAY_MAX {
        return Err(Refusal::bad(format!("delay_for can't be greater than {DELAY_MAX}")));
    }
    let upgrade = upgrade.map_err(|error| Refusal::bad(error.body_text()))?;
    let log = match expr {
        Expr::Log(log) => log,
        Expr::Metric(_) => {
            return Ok(upgrade.on_upgrade(|mut socket| async move {
                close(&mut socket, INTERNAL_ERROR, "only log selector is supported").await;
            }));
        }
    };
    let pipeline = Pipeline::new(&log)?;
    let Ok(place) = Arc::clone(&shared.tails).try_acquire_owned() else {
        let most = shared.parts.limits.tails;
        let text = format!(
            "max concurrent tail requests limit exceeded, count > limit ({} > {most}); see --logs.max-tails",
            most + 1
        );
        return Err(Refusal::bad(text));
    };
    let all_labels = !log.stages.is_empty() && form != Form::Categorized;
    let delay = Duration::from_secs(delay);
    let question = Question { log, pipeline, all_labels, start, limit, delay, form };
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _place = place;
        follow(shared, socket, question).await;
    }))
}

async fn follow(shared: Arc<Shared>, mut socket: WebSocket, question: Question) {
    // From here on nothing is missed; what the past holds too is sent once.
    let mut following = shared.parts.sink.follow(question.log.matchers.clone());
    let question = Arc::new(question);
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    match past(&shared, &question).await {
        Ok(lines) => {
            let mut frame = Frame::new(question.form);
            for entry in &lines.entries {
                let Some(labels) = lines.labels.get(entry.labels) else { continue };
                let key: Key<'_> = (&labels.stream, entry.at, &entry.text);
                seen.insert(hasher.hash_one(key));
                frame.add(labels, question.all_labels, entry.at, entry.text.to_vec());
            }
            if !frame.is_empty() && send(&shared, &mut socket, frame.text()).await.is_err() {
                return;
            }
        }
        Err(refusal) => return close(&mut socket, INTERNAL_ERROR, &refusal.message).await,
    }
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        let run = tokio::select! {
            run = following.next() => run,
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            _ = ping.tick() => {
                if send_message(&shared, &mut socket, Message::Ping(bytes::Bytes::new())).await.is_err() {
                    return;
                }
                continue;
            }
        };
        let Some(run) = run else {
            return close(&mut socket, GOING_AWAY, "the server is stopping").await;
        };
        if !question.delay.is_zero() {
            tokio::time::sleep(question.delay).await;
        }
        let mut frame = Frame { missed: following.missed(), ..Frame::new(question.form) };
        let mut run = Some(run);
        while let Some(next) = run {
            add_run(&mut frame, &question, &next, |key| seen.remove(&hasher.hash_one(key)));
            run = if frame.lines < MESSAGE_LINES { following.next_now() } else { None };
        }
        if !frame.is_empty() && send(&shared, &mut socket, frame.text()).await.is_err() {
            return;
        }
    }
}

/// The newest lines before now, oldest first.
async fn past(shared: &Arc<Shared>, question: &Arc<Question>) -> Result<Lines, Refusal> {
    let ctx = shared.desk.ctx(None);
    let place = shared.desk.place(Work::Query, &ctx, shared.desk.limits.query.timeout).await?;
    let (task, question) = (Arc::clone(shared), Arc::clone(question));
    let found = tokio::task::spawn_blocking(move || {
        let _place = place;
        let range = (question.start, task.now().saturating_add(1));
        let expr = Expr::Log(question.log.clone());
        let mut lines =
            query::lines(&task, &ctx, &expr, range, question.limit, Direction::Backward)?;
        lines.entries.reverse();
        Ok::<_, ApiError>(lines)
    });
    match found.await {
        Ok(lines) => Ok(lines?),
        Err(error) => {
            tracing::error!(%error, "Reading the past of followed lines failed.");
            Err(Refusal::bad("reading the past failed; see the server's log"))
        }
    }
}

/// What identifies a line that the past and the present both bring.
type Key<'a> = (&'a [Pair], Nanos, &'a [u8]);

fn add_run(
    frame: &mut Frame,
    question: &Question,
    run: &Run,
    mut was_sent: impl FnMut(Key<'_>) -> bool,
) {
    for tailed in &run.lines {
        let metadata = Some(&tailed.metadata).filter(|metadata| !metadata.is_empty());
        let mut line = Line::new(question.pipeline.needed());
        line.reset(&run.labels, metadata, &tailed.line, tailed.timestamp.0);
        if question.pipeline.process(&mut line) == Keep::No {
            continue;
        }
        let labels = LineLabels::of(&line);
        let text: Box<[u8]> = line.text().into();
        if !was_sent((&labels.stream, tailed.timestamp, &text)) {
            frame.add(&labels, question.all_labels, tailed.timestamp, text.into_vec());
        }
    }
}

fn shown(labels: &LineLabels, all: bool) -> Vec<(String, String)> {
    let text = |pair: &Pair| {
        let (name, value) = pair;
        (name.to_string(), String::from_utf8_lossy(value).into_owned())
    };
    if all {
        labels.all().into_iter().map(text).collect()
    } else {
        labels.stream.iter().map(text).collect()
    }
}

/// Labels as they are shown.
type Shown = Vec<(String, String)>;

/// A line as it is sent.
#[derive(Debug)]
struct SentLine {
    at: Nanos,
    text: Vec<u8>,
    /// What else it has, as JSON after a comma.
    more: Vec<u8>,
}

/// One message.
#[derive(Debug, Default)]
struct Frame {
    form: Form,
    streams: BTreeMap<Shown, Vec<SentLine>>,
    lines: usize,
    missed: Vec<Missed>,
}

impl Frame {
    fn new(form: Form) -> Self {
        Self { form, ..Self::default() }
    }

    fn add(&mut self, labels: &LineLabels, all: bool, at: Nanos, text: Vec<u8>) {
        let mut more = Vec::new();
        if self.form == Form::Categorized {
            push_categorized(&mut more, labels);
        }
        self.streams.entry(shown(labels, all)).or_default().push(SentLine { at, text, more });
        self.lines += 1;
    }

    fn is_empty(&self) -> bool {
        self.lines == 0 && self.missed.is_empty()
    }

    fn text(&self) -> String {
        let mut out = b"{\"streams\":[".to_vec();
        for (at, (labels, lines)) in self.streams.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            match self.form {
                Form::Current | Form::Categorized => push_stream(&mut out, labels, lines),
                Form::Legacy => push_legacy_stream(&mut out, labels, lines),
            }
        }
        out.push(b']');
        if !self.missed.is_empty() || self.form == Form::Legacy {
            out.extend_from_slice(b",\"dropped_entries\":");
            push_missed(&mut out, &self.missed);
        }
        if self.form == Form::Categorized {
            out.extend_from_slice(b",\"encodingFlags\":[\"categorize-labels\"]");
        }
        out.push(b'}');
        // Everything above writes text.
        String::from_utf8(out).unwrap_or_default()
    }
}

fn push_stream(out: &mut Vec<u8>, labels: &[(String, String)], lines: &[SentLine]) {
    out.extend_from_slice(b"{\"stream\":{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::push_string(out, name);
        out.push(b':');
        json::push_string(out, value);
    }
    out.extend_from_slice(b"},\"values\":[");
    for (at, line) in lines.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",[\"" } else { b"[\"" });
        push_whole(out, line.at.0);
        out.extend_from_slice(b"\",");
        push_text(out, &line.text);
        out.extend_from_slice(&line.more);
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
}

fn push_legacy_stream(out: &mut Vec<u8>, labels: &[(String, String)], lines: &[SentLine]) {
    out.extend_from_slice(b"{\"labels\":");
    json::push_string(out, &label_text(labels.iter().map(|(n, v)| (n.as_str(), v.as_str()))));
    out.extend_from_slice(b",\"entries\":[");
    for (at, line) in lines.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",{\"ts\":" } else { b"{\"ts\":" });
        json::push_string(out, &time_text(line.at));
        out.extend_from_slice(b",\"line\":");
        push_text(out, &line.text);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn push_missed(out: &mut Vec<u8>, missed: &[Missed]) {
    let text = |labels: &Labels| label_text(labels.iter().map(|l| (l.name, l.value)));
    out.push(b'[');
    for (at, Missed { labels, timestamp }) in missed.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",{\"timestamp\":" } else { b"{\"timestamp\":" });
        json::push_string(out, &time_text(*timestamp));
        out.extend_from_slice(b",\"labels\":");
        json::push_string(out, &text(labels));
        out.push(b'}');
    }
    out.push(b']');
}

/// Nobody listens any more, or not for so long that it comes to the same.
#[derive(Debug)]
struct Gone;

async fn send(shared: &Shared, socket: &mut WebSocket, text: String) -> Result<(), Gone> {
    send_message(shared, socket, Message::Text(text.into())).await
}

async fn send_message(
    shared: &Shared,
    socket: &mut WebSocket,
    message: Message,
) -> Result<(), Gone> {
    let sent = tokio::time::timeout(shared.desk.limits.stall, socket.send(message));
    match sent.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: &str) {
    /// A close frame has room for 125 bytes, the code among them.
    const REASON_BYTES_MAX: usize = 123;
    let end =
        (0..=reason.len().min(REASON_BYTES_MAX)).rev().find(|at| reason.is_char_boundary(*at));
    let reason = reason.get(..end.unwrap_or(0)).unwrap_or("");
    let frame = CloseFrame { code, reason: reason.to_owned().into() };
    let closed = async {
        socket.send(Message::Close(Some(frame))).await?;
        // What the client has sent meanwhile is read: a connection that is dropped with unread bytes
        // is reset, and the client might never see why it was closed.
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<_, axum::Error>(())
    };
    // The client may be gone or silent, which is just as well.
    drop(tokio::time::timeout(CLOSE_TIME_MAX, closed).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typescript::TailMessage;

    #[test]
    fn messages_of_all_forms() {
        let pair = |name: &str, value: &str| (name.into(), value.as_bytes().into());
        let labels = LineLabels {
            stream: vec![pair("a", "b\"")],
            metadata: vec![pair("m", "1")],
            parsed: Vec::new(),
        };
        let f = |form, all, want: &str| {
            let mut frame = Frame::new(form);
            frame.add(&labels, all, Nanos(1_500_000_000), b"one".to_vec());
            frame.add(&labels, all, Nanos(2_000_000_000), b"t\xffo".to_vec());
            assert_eq!(frame.text(), want);
            if form != Form::Legacy {
                // What the browser is told to expect.
                serde_json::from_str::<TailMessage>(want).unwrap();
            }
        };
        f(
            Form::Current,
            false,
            r#"{"streams":[{"stream":{"a":"b\""},"values":[["1500000000","one"],["2000000000","t�o"]]}]}"#,
        );
        f(
            Form::Current,
            true,
            r#"{"streams":[{"stream":{"a":"b\"","m":"1"},"values":[["1500000000","one"],["2000000000","t�o"]]}]}"#,
        );
        f(
            Form::Categorized,
            false,
            r#"{"streams":[{"stream":{"a":"b\""},"values":[["1500000000","one",{"structuredMetadata":{"m":"1"}}],["2000000000","t�o",{"structuredMetadata":{"m":"1"}}]]}],"encodingFlags":["categorize-labels"]}"#,
        );
        f(
            Form::Legacy,
            false,
            r#"{"streams":[{"labels":"{a=\"b\\\"\"}","entries":[{"ts":"1970-01-01T00:00:01.5Z","line":"one"},{"ts":"1970-01-01T00:00:02Z","line":"t�o"}]}],"dropped_entries":[]}"#,
        );
        let labels: Labels = [("a", "b")].into_iter().collect();
        let missed = vec![Missed { labels, timestamp: Nanos(0) }];
        let frame = Frame { missed, ..Frame::default() };
        let want = r#"{"streams":[],"dropped_entries":[{"timestamp":"1970-01-01T00:00:00Z","labels":"{a=\"b\"}"}]}"#;
        assert_eq!((frame.text().as_str(), frame.is_empty()), (want, false));
        serde_json::from_str::<TailMessage>(want).unwrap();
    }
}
