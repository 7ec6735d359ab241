//! `masthead logs --follow`: lines over WebSocket, for as long as both sides live.
//!
//! When the connection breaks it is made again, from the newest line on that was shown.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_tungstenite::tungstenite::Message;

use super::{CATEGORIZED, answer, nanos, now, show::Show};
use crate::{
    cli::LogsCommandArgs,
    client::Limits,
    server::{Server, Socket},
    terminal,
};

/// Bytes of one message at most.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Between two attempts to connect again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Attempts without a line in between.
const ATTEMPTS_MAX: u32 = 60;

/// Why a connection ended.
enum End {
    /// The user wants no more.
    Interrupted,
    /// It may work again later.
    Broken(String),
}

/// Shows lines until Ctrl-C.
///
/// # Errors
/// The server refuses, cannot be reached, or stays away.
pub(super) async fn run(args: &LogsCommandArgs, show: &mut Show) -> anyhow::Result<()> {
    let server = Server::new(&args.server.url, &args.server.access, Limits::default())?;
    let mut start = args.from.unwrap_or_else(|| now() - args.since.as_secs_f64());
    let mut connected = false;
    let mut attempts = 0;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let mut newest = None;
        let end = tokio::select! {
            end = connection(&server, args, start, show, &mut connected, &mut newest) => end?,
            _ = interrupt.recv() => End::Interrupted,
        };
        if let Some(newest) = newest {
            // The line after the newest one; exact to the microsecond, as the parameter is.
            start = newest + 1e-6;
            attempts = 0;
        }
        match end {
            End::Interrupted => return Ok(()),
            End::Broken(why) => {
                attempts += 1;
                if attempts > ATTEMPTS_MAX {
                    bail!("the connection broke off: {why}");
                }
                terminal::say(&format!("note: {}; connecting again", terminal::one_line(&why)));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

async fn connection(
    server: &Server,
    args: &LogsCommandArgs,
    start: f64,
    show: &mut Show,
    connected: &mut bool,
    newest: &mut Option<f64>,
) -> anyhow::Result<End> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("query", &args.query);
    query.append_pair("start", &nanos(start));
    query.append_pair("limit", &args.limit.to_string());
    let endpoint = format!("/loki/api/v1/tail?{}", query.finish());
    let mut socket = match server.socket(&endpoint, &[CATEGORIZED], MESSAGE_BYTES_MAX).await? {
        Socket::Open(socket) => socket,
        Socket::Refused(why) => bail!(why),
        Socket::Away(error) if *connected => return Ok(End::Broken(format!("{error:#}"))),
        Socket::Away(error) => {
            let at = server.base();
            return Err(error).with_context(|| format!("cannot follow {at}; --url says where"));
        }
    };
    *connected = true;
    loop {
        let text = match socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 1011 => {
                bail!("{}", terminal::lines(&frame.reason));
            }
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                return Ok(End::Broken(if reason.is_empty() {
                    "closed".to_owned()
                } else {
                    reason
                }));
            }
            // Pings are answered by the library.
            Some(Ok(_)) => continue,
            Some(Err(error)) => return Ok(End::Broken(error.to_string())),
            None => return Ok(End::Broken("the connection ended".to_owned())),
        };
        let (mut lines, missed) = answer::parse_tail(&text)?;
        // They come stream by stream.
        lines.sort_by_key(|line| line.at);
        if missed > 0 {
            terminal::say(&format!(
                "note: {missed} lines were missed, because they came too quickly"
            ));
        }
        for line in &lines {
            show.line(line)?;
            #[expect(clippy::cast_precision_loss, reason = "exact to the microsecond")]
            let at = line.at as f64 / 1e9;
            *newest = Some(newest.map_or(at, |newest: f64| newest.max(at)));
        }
    }
}
