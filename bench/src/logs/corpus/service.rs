//! JSON lines of services: one request each, as a structured access log has them.

use std::fmt::Write as _;

use masthead_model::Labels;
use masthead_sysio::Random;

use super::pick;

const APPS: [&str; 12] = [
    "api", "web", "auth", "cart", "search", "billing", "orders", "mail", "images", "stock",
    "reviews", "gateway",
];
const PATHS: [&str; 8] = [
    "/api/items",
    "/api/items/{id}",
    "/api/users/{id}",
    "/api/orders",
    "/api/search",
    "/login",
    "/health/ready",
    "/static/{file}",
];
const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15",
    "curl/8.11.0",
    "kube-probe/1.34",
    "okhttp/4.12.0",
];
const METHODS: [&str; 6] = ["GET", "GET", "GET", "POST", "PUT", "DELETE"];

pub(super) fn labels(stream: usize) -> Labels {
    let app = APPS[stream % APPS.len()];
    let replica = stream / APPS.len();
    let pod = format!("{app}-7d9c5b7f6d-{replica}x{}k", stream % 7);
    [
        ("app", app),
        ("container", app),
        ("kind", "service"),
        ("namespace", if stream.is_multiple_of(3) { "shop" } else { "platform" }),
        ("node_name", ["node-1", "node-2", "node-3"][replica % 3]),
        ("pod", &pod),
        ("stream", "stdout"),
    ]
    .into_iter()
    .collect()
}

pub(super) fn write(
    out: &mut String,
    stream: usize,
    at: &str,
    request_id: &str,
    random: &mut Random,
) {
    let (level, status) = match random.below(1_000) {
        0..20 => ("ERROR", [500, 502, 503, 504][random.index(4)]),
        20..90 => ("WARN", [400, 401, 404, 409, 422, 429][random.index(6)]),
        90..290 => ("INFO", [201, 204, 302, 304][random.index(4)]),
        _ => ("INFO", 200),
    };
    // Most requests are quick and few take long.
    let longest = 1 << (8 + random.below(13));
    let micros = 200 + random.below(longest);
    let (path, method) = (pick(&PATHS, random), pick(&METHODS, random));
    let app = APPS[stream % APPS.len()];
    // Writing to a string cannot fail.
    let _written = write!(
        out,
        r#"{{"timestamp":"{at}","level":"{level}","service":"{app}","message":"request completed","request_id":"{request_id}","method":"{method}","path":"{path}","status":{status},"duration_ms":{}.{:03},"bytes":{},"client":"10.{}.{}.{}","user_agent":"{}""#,
        micros / 1_000,
        micros % 1_000,
        random.below(60_000),
        random.below(4),
        random.below(256),
        random.below(256),
        pick(&AGENTS, random),
    );
    if level == "ERROR" {
        let why = match random.below(4) {
            0 => "connection error: upstream closed",
            1 => "timeout after 5000ms",
            2 => "error: pool exhausted",
            _ => "deadlock detected, transaction rolled back",
        };
        let _written = write!(out, r#","error":"{why}""#);
    }
    out.push('}');
}
