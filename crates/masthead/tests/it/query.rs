//! `masthead query` against a server that answers from a script.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use crate::process::masthead;

/// Answers one request with `status` and `body`; gives back the request's line and body.
fn server(status: &'static str, body: &'static str) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answered = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut form = vec![0; length];
        reader.read_exact(&mut form).unwrap();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).unwrap();
        (first, String::from_utf8(form).unwrap())
    });
    (url, answered)
}

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[5,"1"]}]},"warnings":["half of it"]}"#;

#[test]
fn a_question_is_asked_and_its_answer_shown() {
    let (url, answered) = server("200 OK", VECTOR);
    let (code, stdout, stderr) =
        masthead(&["query", "up == 1", "--url", &url, "--time", "5"]).finish();
    let (line, form) = answered.join().unwrap();
    assert_eq!(
        (line.as_str(), form.as_str()),
        ("POST /api/v1/query HTTP/1.1\r\n", "query=up+%3D%3D+1&time=5")
    );
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (Some(0), "1  up\n", "note: half of it\n")
    );
}

#[test]
fn each_form_has_its_own_look() {
    let f = |format: &str, want: &str| {
        let (url, answered) = server("200 OK", VECTOR);
        let (code, stdout, _) =
            masthead(&["query", "up", "--url", &url, "--format", format]).finish();
        answered.join().unwrap();
        assert_eq!((code, stdout.as_str()), (Some(0), want));
    };
    f("csv", "timestamp,value,__name__\n5,1,up\n");
    f("json", &format!("{VECTOR}\n"));
}

#[test]
fn a_range_off_a_terminal_is_a_table_unless_a_graph_is_asked_for() {
    const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[0,"1"],[60,"2"]]}]}}"#;
    let f = |extra: &[&str], want: &str| {
        let (url, answered) = server("200 OK", MATRIX);
        let mut args =
            vec!["query", "x", "--url", &url, "--range", "1m", "--step", "1m", "--time", "60"];
        args.extend(extra);
        let (code, stdout, stderr) = masthead(&args).finish();
        let (line, form) = answered.join().unwrap();
        assert!(line.starts_with("POST /api/v1/query_range "), "{line}");
        assert_eq!(form, "query=x&start=0&end=60&step=60");
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.contains(want) && !stdout.contains('\u{1b}'), "{stdout}");
    };
    f(&[], "1970-01-01T00:00:00Z  1  {a=\"b\"}\n");
    f(&["--format", "graph"], "■ {a=\"b\"}  2");
}

#[test]
fn errors_say_what_where_and_what_to_do() {
    let (url, answered) = server(
        "400 Bad Request",
        r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error: unexpected end of input"}"#,
    );
    let (code, stdout, stderr) = masthead(&["query", "up(", "--url", &url]).finish();
    answered.join().unwrap();
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.ends_with("unexpected end of input\n  up(\n     ^\n"), "{stderr}");

    let f = |args: &[&str], code: i32, want: &str| {
        let (got, _, stderr) = masthead(args).finish();
        assert_eq!(got, Some(code), "{stderr}");
        assert!(stderr.contains(want), "{stderr}");
    };
    f(&["query", "up", "--url", "http://127.0.0.1:1"], 1, "--url says where to ask");
    f(&["query", "up", "--url", "https://127.0.0.1:1"], 1, "--url says where to ask");
    f(&["query", "up", "--step", "1m"], 2, "--range");
    f(&["query", "up", "--time", "noon"], 2, "write it like 2026");
    let (url, answered) = server("200 OK", VECTOR);
    f(&["query", "up", "--url", &url, "--format", "graph"], 2, "--range 1h");
    answered.join().unwrap();
}
