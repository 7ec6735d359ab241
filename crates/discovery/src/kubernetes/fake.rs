//! An API server on loopback that behaves as a real one: lists in pages, watches from a version on,
//! bookmarks, forgotten versions, refusals, broken connections. It keeps what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// Objects of a page, whatever limit is asked for, so that lists have several.
const PAGE: usize = 2;
/// What a server says of a path that no API of it has.
const NO_SUCH_KIND: &str = "404 page not found\n";

/// A running server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Fake {
    port: u16,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    /// Versions before this one are forgotten.
    oldest: u64,
    /// By plural, then namespace and name.
    objects: BTreeMap<String, BTreeMap<(String, String), Value>>,
    events: Vec<(u64, String, Value)>,
    /// What every request is answered with.
    refusal: Option<u16>,
    /// What requests are answered with whose path ends so.
    refusals: BTreeMap<String, u16>,
    /// Whether the next page of a list that goes on is too old.
    forgets_page: bool,
    /// Raised to tell all watches that their version is too old.
    expiries: u64,
    /// Objects of a page, if not [`PAGE`].
    page: Option<usize>,
    /// Whoever does not bear this token is told 401.
    token: Option<String>,
    /// Whether requests are read and not answered.
    silent: bool,
    /// Whether watches end as soon as they are begun, as some proxies have it.
    ends_watches: bool,
    /// Raised to end all watches.
    cuts: u64,
    requests: Vec<String>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let state = Mutex::new(State { version: 100, ..State::default() });
        let shared = Arc::new(Shared { state, changed: watch::channel(0).0 });
        let mut tasks = JoinSet::new();
        let server = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&server)));
            }
        });
        Self { port, shared, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets an object, `plural` being `pods` or the like.
    pub(crate) fn set(&self, plural: &str, mut object: Value) {
        self.change(|state| {
            state.version += 1;
            object["metadata"]["resourceVersion"] = state.version.to_string().into();
            let key = key(&object);
            let known = state.objects.entry(plural.to_owned()).or_default();
            let kind =
                if known.insert(key, object.clone()).is_some() { "MODIFIED" } else { "ADDED" };
            let event = json!({"type": kind, "object": object});
            state.events.push((state.version, plural.to_owned(), event));
        });
    }

    pub(crate) fn delete(&self, plural: &str, namespace: &str, name: &str) {
        self.change(|state| {
            let key = (namespace.to_owned(), name.to_owned());
            let object = state.objects.get_mut(plural).and_then(|all| all.remove(&key));
            let mut object = object.expect("it is there");
            state.version += 1;
            object["metadata"]["resourceVersion"] = state.version.to_string().into();
            let event = json!({"type": "DELETED", "object": object});
            state.events.push((state.version, plural.to_owned(), event));
        });
    }

    /// Tells all watches that nothing happened up to now.
    pub(crate) fn bookmark(&self, plural: &str) {
        self.change(|state| {
            state.version += 1;
            // An object with nothing in it, and with lists that are null.
            let metadata =
                json!({"resourceVersion": state.version.to_string(), "creationTimestamp": null});
            let object = json!({"metadata": metadata, "spec": {"containers": null}, "status": {}});
            let event = json!({"type": "BOOKMARK", "object": object});
            state.events.push((state.version, plural.to_owned(), event));
        });
    }

    /// Ends all watches; those that come again from an older version are told 410.
    pub(crate) fn forget(&self) {
        self.change(|state| {
            state.oldest = state.version + 1;
            state.version += 1;
            state.events.clear();
            state.cuts += 1;
        });
    }

    /// Breaks all watches.
    pub(crate) fn cut(&self) {
        self.change(|state| state.cuts += 1);
    }

    /// Refuses everything with this status, or nothing any more.
    pub(crate) fn refuse(&self, status: Option<u16>) {
        self.change(|state| {
            state.refusal = status;
            state.cuts += 1;
        });
    }

    /// Refuses what ends so, such as `/namespaces/shop/pods`, or no more; 404 is for kinds that the
    /// server does not have.
    pub(crate) fn refuse_at(&self, path: &str, status: Option<u16>) {
        self.change(|state| {
            state.refusals.remove(path);
            state.refusals.extend(status.map(|status| (path.to_owned(), status)));
            state.cuts += 1;
        });
    }

    /// The next list that is asked to go on is told once that it took too long.
    pub(crate) fn forget_page(&self) {
        self.change(|state| state.forgets_page = true);
    }

    /// Tells every watch in an event that its version is too old, as a server does whose cache was
    /// made anew.
    pub(crate) fn expire(&self) {
        self.change(|state| {
            state.version += 1;
            state.oldest = state.version;
            state.expiries += 1;
        });
    }

    /// Answers lists in pages of so many.
    pub(crate) fn page(&self, objects: usize) {
        self.change(|state| state.page = Some(objects));
    }

    /// Asks for this token from now on.
    pub(crate) fn want_token(&self, token: &str) {
        self.change(|state| {
            state.token = Some(token.to_owned());
            state.cuts += 1;
        });
    }

    /// Answers nothing from now on, or again; what was asked meanwhile is never answered.
    pub(crate) fn be_silent(&self, silent: bool) {
        self.change(|state| {
            state.silent = silent;
            state.cuts += 1;
        });
    }

    /// Ends every watch as soon as it is begun.
    pub(crate) fn end_watches(&self) {
        self.change(|state| state.ends_watches = true);
    }

    /// The request lines so far that hold `text`.
    pub(crate) fn requests(&self, text: &str) -> Vec<String> {
        let state = self.shared.lock();
        state.requests.iter().filter(|request| request.contains(text)).cloned().collect()
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.shared.lock());
        self.shared.changed.send_modify(|count| *count += 1);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panicked while it was held")
    }
}

fn key(object: &Value) -> (String, String) {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or("").to_owned();
    (text("namespace"), text("name"))
}

/// Answers requests until the other end hangs up.
async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.split_whitespace().nth(1).unwrap_or("").to_owned();
        let (refusal, silent, ends_watches) = {
            let mut state = shared.lock();
            state.requests.push(target.clone());
            let bears = |token: &String| {
                let wanted = format!("authorization: bearer {token}").to_lowercase();
                head.lines().any(|line| line.to_lowercase() == wanted)
            };
            let stranger = state.token.as_ref().is_some_and(|token| !bears(token));
            let path = target.split('?').next().unwrap_or("");
            let of_path = state.refusals.iter().find(|(end, _)| path.ends_with(end.as_str()));
            let of_path = of_path.map(|(_, status)| *status);
            let forgot = state.forgets_page && target.contains("continue=");
            state.forgets_page &= !forgot;
            let refusal = state.refusal.or(of_path).or(stranger.then_some(401));
            let refusal = refusal.or(forgot.then_some(410));
            (refusal, state.silent, state.ends_watches)
        };
        if silent {
            // Until the other end has had enough.
            drop(stream.read_u8().await);
            return;
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // api/v1/… or apis/GROUP/v1/…
        let parts = if path.starts_with("/apis") { &parts[3..] } else { &parts[2..] };
        let (namespace, rest) = match parts {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            rest => (None, rest),
        };
        if let Some(status) = refusal {
            let body = json!({"kind": "Status", "message": "not now", "code": status}).to_string();
            let body = if status == 404 { NO_SUCH_KIND.to_owned() } else { body };
            if answer(&mut stream, status, &body).await.is_none() {
                return;
            }
        } else if let [plural, name] = rest {
            let key = (namespace.unwrap_or("").to_owned(), (*name).to_owned());
            let found = shared.lock().objects.get(*plural).and_then(|all| all.get(&key)).cloned();
            let (status, body) = found.map_or((404, json!({})), |object| (200, object));
            if answer(&mut stream, status, &body.to_string()).await.is_none() {
                return;
            }
        } else if query.contains_key("watch") {
            let from = query.get("resourceVersion").and_then(|v| v.parse().ok()).unwrap_or(0);
            let plural = rest.first().copied().unwrap_or("");
            if ends_watches {
                let body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
                drop(stream.write_all(body.as_bytes()).await);
                return;
            }
            watch_from(&mut stream, &shared, plural, namespace, from).await;
            return;
        } else {
            let plural = rest.first().copied().unwrap_or("");
            let body = list(&shared, plural, namespace, query.get("continue"));
            if answer(&mut stream, 200, &body.to_string()).await.is_none() {
                return;
            }
        }
    }
}

fn list(shared: &Shared, plural: &str, namespace: Option<&str>, next: Option<&String>) -> Value {
    let state = shared.lock();
    let all = state.objects.get(plural).into_iter().flatten();
    let all = all.filter(|((own, _), _)| namespace.is_none_or(|namespace| own == namespace));
    let all: Vec<&Value> = all.map(|(_, object)| object).collect();
    let from: usize = next.and_then(|next| next.parse().ok()).unwrap_or(0);
    let page = state.page.unwrap_or(PAGE);
    let items: Vec<&&Value> = all.iter().skip(from).take(page).collect();
    let mut metadata = json!({"resourceVersion": state.version.to_string()});
    if from + page < all.len() {
        metadata["continue"] = (from + page).to_string().into();
        metadata["remainingItemCount"] = (all.len() - from - page).into();
    }
    // A list of nothing is written so by some servers.
    let items = if items.is_empty() { Value::Null } else { json!(items) };
    json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items})
}

async fn watch_from(
    stream: &mut TcpStream,
    shared: &Shared,
    plural: &str,
    namespace: Option<&str>,
    mut from: u64,
) {
    let mut changed = shared.changed.subscribe();
    let (oldest, cuts, expiries) = {
        let state = shared.lock();
        (state.oldest, state.cuts, state.expiries)
    };
    if from < oldest {
        let body = json!({"kind": "Status", "message": "too old", "code": 410});
        answer(stream, 410, &body.to_string()).await;
        return;
    }
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    drop(stream.write_all(head.as_bytes()).await);
    loop {
        let (lines, ended) = {
            let state = shared.lock();
            let mut lines = Vec::new();
            for (version, kind, event) in &state.events {
                let (own, _) = key(&event["object"]);
                let wanted = own.is_empty() || namespace.is_none_or(|namespace| own == namespace);
                if *version > from && kind == plural && wanted {
                    lines.push(format!("{event}\n"));
                }
            }
            from = from.max(state.events.last().map_or(0, |event| event.0));
            let expired = state.expiries != expiries;
            if expired {
                let status = json!({"kind": "Status", "reason": "Expired", "code": 410,
                    "message": "too old resource version"});
                lines.push(format!("{}\n", json!({"type": "ERROR", "object": status})));
            }
            (lines, expired || state.cuts != cuts)
        };
        for line in lines {
            // In two parts, so that a line never comes with its own end.
            let (one, two) = line.split_at(line.len() / 2);
            for part in [one, two] {
                let chunk = format!("{:x}\r\n{part}\r\n", part.len());
                if stream.write_all(chunk.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
        if ended || changed.changed().await.is_err() {
            return;
        }
    }
}

async fn answer(stream: &mut TcpStream, status: u16, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()
}
