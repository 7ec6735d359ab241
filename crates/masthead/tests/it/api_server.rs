//! A Kubernetes API server on loopback for tests of the real binary: lists, watches from a version
//! on, label and field selectors as far as Masthead sends them, and outages. It has metrics itself, and
//! those of kubelets.
//!
//! Everything that misbehaves in finer ways is tested in `crates/discovery`.
#![expect(clippy::disallowed_methods, reason = "a thread looks for changes again and again")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// Between two looks for something to tell on a watch.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server; its threads end with the process of the test.
pub(crate) struct ApiServer {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<(String, String, String), Value>,
    events: Vec<(u64, String, Value)>,
    away: bool,
    asked: Vec<String>,
}

impl ApiServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { version: 1, ..State::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets an object, `plural` being `pods` or the like.
    pub(crate) fn set(&self, plural: &str, object: Value) {
        self.change("MODIFIED", plural, object);
    }

    pub(crate) fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let object = json!({"metadata": {"namespace": namespace, "name": name}});
        self.change("DELETED", plural, object);
    }

    /// Answers nothing but 503 from now on, or all again.
    pub(crate) fn away(&self, away: bool) {
        lock(&self.state).away = away;
    }

    /// How often it was asked for something that holds `part`.
    pub(crate) fn asked(&self, part: &str) -> usize {
        lock(&self.state).asked.iter().filter(|target| target.contains(part)).count()
    }

    fn change(&self, kind: &str, plural: &str, mut object: Value) {
        let mut state = lock(&self.state);
        state.version += 1;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or("").to_owned();
        let key = (plural.to_owned(), text("namespace"), text("name"));
        let before = if kind == "DELETED" {
            state.objects.remove(&key)
        } else {
            state.objects.insert(key, object.clone());
            None
        };
        // What goes is told as it was, so that selectors still choose it.
        let object = before.unwrap_or(object);
        let event = json!({"type": kind, "object": object});
        let version = state.version;
        state.events.push((version, plural.to_owned(), event));
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines();
    loop {
        let Some(Ok(first)) = lines.next() else { return };
        let mut head = Vec::new();
        while let Some(Ok(line)) =
            lines.next().filter(|line| line.as_ref().is_ok_and(|l| !l.is_empty()))
        {
            head.push(line.to_lowercase());
        }
        let target = first.split_whitespace().nth(1).unwrap_or("").to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = parameters(query);
        let is_away = {
            let mut state = lock(state);
            state.asked.push(target.clone());
            state.away
        };
        let text = "text/plain; version=0.0.4";
        let (status, kind, body) = if path == "/metrics" {
            (200, text, "items 7\n".to_owned())
        } else if let Some((node, path)) = path.split_once("/proxy/") {
            // A kubelet, behind it: for whoever shows the token of a service account.
            let is_known = head.iter().any(|line| line == "authorization: bearer mine");
            let node = node.rsplit('/').next().unwrap_or("");
            let name = path.replace('/', "_");
            (if is_known { 200 } else { 401 }, text, format!("kubelet_{name}{{of=\"{node}\"}} 1\n"))
        } else if is_away {
            (503, "application/json", json!({"message": "away", "code": 503}).to_string())
        } else if query.contains_key("watch") {
            watch(&mut stream, path, &query, state);
            return;
        } else {
            (200, "application/json", list(path, &query, state).to_string())
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// Parameters of a query; of what is escaped, only what selectors have.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.replace("%3D", "=").replace("%2F", "/")))
        .collect()
}

fn list(path: &str, query: &BTreeMap<String, String>, state: &Mutex<State>) -> Value {
    let state = lock(state);
    let plural = path.rsplit('/').next().unwrap_or("");
    let all = state.objects.iter().filter(|(key, _)| key.0 == plural);
    let items: Vec<&Value> =
        all.map(|(_, object)| object).filter(|object| wanted(object, path, query)).collect();
    json!({"metadata": {"resourceVersion": state.version.to_string()}, "items": items})
}

fn wanted(object: &Value, path: &str, query: &BTreeMap<String, String>) -> bool {
    let metadata = &object["metadata"];
    let namespace = path.split("/namespaces/").nth(1).and_then(|rest| rest.split('/').next());
    if namespace.is_some_and(|namespace| metadata["namespace"] != namespace) {
        return false;
    }
    let chosen = |selector: &str| match selector.split_once('=') {
        Some((label, value)) => metadata["labels"][label] == value,
        None => selector.is_empty() || metadata["labels"].get(selector).is_some(),
    };
    let on_node = |selector: &str| match selector.strip_prefix("spec.nodeName=") {
        Some(node) => object["spec"]["nodeName"] == node,
        None => true,
    };
    query.get("labelSelector").is_none_or(|selector| chosen(selector))
        && query.get("fieldSelector").is_none_or(|selector| on_node(selector))
}

fn watch(
    stream: &mut TcpStream,
    path: &str,
    query: &BTreeMap<String, String>,
    state: &Mutex<State>,
) {
    let mut from: u64 = query.get("resourceVersion").and_then(|v| v.parse().ok()).unwrap_or(0);
    let plural = path.rsplit('/').next().unwrap_or("");
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    if stream.write_all(head.as_bytes()).is_err() {
        return;
    }
    // The other end ends the watch by hanging up.
    while stream.take_error().is_ok_and(|error| error.is_none()) {
        let mut lines = String::new();
        {
            let state = lock(state);
            if state.away {
                return;
            }
            for (version, kind, event) in &state.events {
                if *version > from && kind == plural && wanted(&event["object"], path, query) {
                    writeln!(lines, "{event}").unwrap();
                }
            }
            from = from.max(state.version);
        }
        let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
        if !lines.is_empty() && stream.write_all(chunk.as_bytes()).is_err() {
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
}
