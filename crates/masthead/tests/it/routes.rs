//! `docs/reference/http-routes.md` is made of the table of scopes and of what a live server says.
#![expect(clippy::disallowed_methods, reason = "the test reads documents")]

use masthead_http_api::{Scope, routes};

use crate::{serve::Server, table};

const HEAD: &str = "| route | methods | scope | described in |\n| --- | --- | --- | --- |\n";
const PAGES: [&str; 3] = ["http-prometheus.md", "http-loki.md", "http-masthead.md"];

/// The methods that the server names when it is asked with one that no route has.
fn methods(server: &Server, path: &str) -> Vec<String> {
    let (status, answer) = server.ask(&format!("TRACE {path} HTTP/1.1"), b"").unwrap();
    assert_eq!(status, 405, "{path} is no route of the server: {answer}");
    let allowed = answer.lines().find_map(|line| line.strip_prefix("allow: ")).unwrap_or_default();
    // Their GET is a route only to say which method it wants.
    let is_refused = path.starts_with("/-/") && server.get(path).0 == 405;
    let methods = allowed.split(',').map(str::trim);
    let taken = |method: &&str| *method != "HEAD" && !(is_refused && *method == "GET");
    methods.filter(taken).map(str::to_owned).collect()
}

/// The page that names a route; there it is written `/label/NAME`.
fn described_in(route: &str) -> &'static str {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference");
    let written: String = route
        .split_inclusive('/')
        .map(|part| match part.strip_prefix('{') {
            Some(name) => name.to_uppercase().replace('}', ""),
            None => part.to_owned(),
        })
        .collect();
    let names = |page: &&&str| {
        let text = std::fs::read_to_string(format!("{folder}/{page}")).unwrap();
        let mut code = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        code.any(|code| code.split([' ', '?']).any(|word| word == written))
    };
    PAGES.iter().find(names).unwrap_or_else(|| panic!("no page names {written}"))
}

#[test]
fn the_reference_of_routes_is_what_a_live_server_answers() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let rows = || {
        let mut rows = Vec::new();
        let mut apart: Vec<String> = Vec::new();
        for (route, rule, scope) in routes() {
            let path = route.replace(['{', '}'], "");
            let mut methods = methods(&server, &path);
            match rule {
                "*" => methods.retain(|method| !apart.contains(method)),
                named => methods.retain(|method| method == named),
            }
            apart = if rule == "*" { Vec::new() } else { methods.clone() };
            assert!(!methods.is_empty(), "{route} has no method for {rule}");
            let (scope, page) = (scope.map_or("open", Scope::name), described_in(route));
            let methods = methods.join(" ");
            rows.push(format!("| `{route}` | {methods} | {scope} | [{page}]({page}) |"));
        }
        rows
    };
    table::compare("docs/reference/http-routes.md", HEAD, rows);
}
