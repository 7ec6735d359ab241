//! Inputs that make sense, from which the others are made.

use std::sync::Arc;

use camino::Utf8Path;
use masthead_chunk::{floats, ints, lines, times, xor};
use masthead_durable::journal::{Frame, Journal, JournalOptions};
use masthead_model::{Labels, Millis, Nanos};
use masthead_sysio::{Fs as _, SimClock, SimFs, atomic_write};
use masthead_tsdb::simulation::block_sections;
use masthead_wire::{
    loki, remote_read,
    remote_write::{EncoderV1, EncoderV2, FloatPoint, compress},
};

const EXPOSITION: &str = "# HELP a_total What.\n# TYPE a_total counter\n\
    a_total{b=\"c\\n\",le=\"+Inf\"} 1.5e3 1700000000000 # {trace_id=\"x\"} 1 1700000000\n\
    # TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n\
    {\"quoted.name\",\"l.l\"=\"v\"} NaN\n# EOF\n";

const PROMQL: &[&str] = &[
    "sum by (a) (rate(http_total{code=~\"5..\",b!=\"\"}[5m] offset -1h)) / on (a) group_left (c) x @ end()",
    "histogram_quantile(0.99, sum(rate(h_bucket[1m:15s])) without (le)) > bool 1e-3 and -2 ^ 3",
    "label_replace(absent_over_time(m[1h30m]), \"a\", \"$1\", \"b\", `(.*)`) or vector(0x1F) # note",
    "topk(3, {__name__=~\"a|b\", \"quoted.name\"}) unless quantile_over_time(0.5, m[5m]) == Inf",
];

const LOGQL: &[&str] = &[
    "{a=\"b\", c=~`x|y`} |= \"err\" or `warn` !~ \"t.*\" | json x=\"a.b[0]\" | status >= 500 and d > 1h | line_format \"{{.x}}\"",
    "sum by (a) (count_over_time({a=\"b\"} | logfmt --strict | drop x, y=\"z\" [5m] offset 1m)) > 3",
    "quantile_over_time(0.99, {a=\"b\"} | pattern \"<_> <x>\" | unwrap bytes(x) | __error__=\"\" [1m]) by (y)",
    "topk(2, rate({a=\"b\"} |> `<_> b <_>` | decolorize | label_format y=\"{{ .x | ToUpper }}\" [1h]))",
];

const PROMETHEUS_YML: &str = "global:\n  scrape_interval: 15s\n  external_labels: {a: b}\n\
scrape_configs:\n- job_name: x\n  static_configs:\n  - targets: ['a:1', 'b:2']\n    labels: {c: d}\n  \
relabel_configs:\n  - source_labels: [__address__]\n    regex: '(.*):.*'\n    target_label: host\n    \
replacement: $1\n  kubernetes_sd_configs:\n  - role: pod\n  basic_auth: {username: u, password: p}\n\
remote_write:\n- url: http://a/b\n";

const PROMTAIL_YML: &str = "clients:\n- url: http://a/loki/api/v1/push\npositions: {filename: /p}\n\
scrape_configs:\n- job_name: x\n  static_configs:\n  - targets: [localhost]\n    labels: {__path__: /l/*.log}\n  \
pipeline_stages:\n  - cri: {}\n  - json:\n      expressions: {a: b.c}\n  - regex: {expression: '(?P<x>.*)'}\n  \
- match:\n      selector: '{a=\"b\"} |= \"c\"'\n      stages:\n      - drop: {expression: d}\n  - labels: {x: }\n";

const RULES: &[&str] = &[
    "groups:\n- name: g\n  interval: 1m\n  rules:\n  - record: a:b\n    expr: sum(rate(x[5m]))\n    labels: {c: d}\n  \
     - alert: A\n    expr: up == 0\n    for: 5m\n    keep_firing_for: 1m\n    annotations: {s: '{{ $value | humanize }}'}\n",
    "rule_files: [a.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n  - series: 'up{job=\"a\"}'\n    \
     values: '0+1x5 _ stale'\n  alert_rule_test:\n  - eval_time: 5m\n    alertname: A\n    exp_alerts: []\n  \
     promql_expr_test:\n  - expr: up\n    eval_time: 2m\n    exp_samples:\n    - labels: 'up{job=\"a\"}'\n      value: 2\n",
];

const OTLP: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},
"scopeMetrics":[{"scope":{"name":"n"},"metrics":[{"name":"a.b","unit":"s","sum":{"aggregationTemporality":2,"isMonotonic":true,
"dataPoints":[{"timeUnixNano":"1700000000000000000","asInt":"3","attributes":[{"key":"k","value":{"boolValue":true}}]}]}},
{"name":"h","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1","count":"2","sum":3,"scale":1,
"zeroCount":"1","positive":{"offset":1,"bucketCounts":["1","0"]}}]}}]}]}]}"#;

const OTLP_LOGS: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"app","value":{"stringValue":"s"}}]},
"scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000000000000","severityNumber":17,"severityText":"ERROR",
"body":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}]}},"traceId":"5b8aa5a2d2c872e8321cf37308d69df2"}]}]}]}"#;

const JSON_LINE: &str =
    r#"{"a":{"b":[1,{"c":"d\u0041"}]},"level":"error","x":1.5e3,"_entry":"e","z":[null,true]}"#;

/// Answers of a SOCKS proxy, of an HTTP proxy and of a server, each behind the byte that chooses it.
const HTTP_ANSWERS: &[&[u8]] = &[
    b"\x00\x05\x02\x01\x00\x05\x00\x00\x03\x02xy\x00\x50",
    b"\x00\x05\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50",
    b"\x01HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n",
    b"\x01HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno",
    b"\x02HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
      5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"\x02HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n\
      \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x54\x30\xe4\x02\x00\x36\xe7\x1b\xbc\x04\x00\x00\x00",
    b"\x02HTTP/1.0 302 Found\r\nLocation: /b\r\nConnection: close\r\n\r\nrest",
];

const OAUTH2_TOKENS: &[&str] = &[
    r#"0{"access_token":"a.b","token_type":"bearer","expires_in":"3600"}"#,
    r#"2{"error":"invalid_client","error_description":"no such client"}"#,
    "1access_token=x&token_type=mac&expires_in=12.5&scope=a+b",
];

/// The example key of RFC 8410, which everybody knows, and a certificate for it.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n\
MIIBLjCB4aADAgECAhRRP1Hw7Bu113efWxbmExBDMM9W9jAFBgMrZXAwDDEKMAgG\n\
A1UEAwwBYTAgFw0yNjExMjMwMzAyMjdaGA8yMTI2MTAzMDAzMDIyN1owDDEKMAgG\n\
A1UEAwwBYTAqMAUGAytlcAMhABm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1w\n\
MWbho1MwUTAdBgNVHQ4EFgQUoozB+G5ZYNPgOudcliyXqNRIKTwwHwYDVR0jBBgw\n\
FoAUoozB+G5ZYNPgOudcliyXqNRIKTwwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXAD\n\
QQCr5rJ1NUBwpyR7QjtCyjNvGLxDcBR5B1KtMb6ZdOXqZNKzrcqvV4xzvGeABAGb\n\
WSu6O59b5+t4nKZ3mHPTgzwJ\n\
-----END CERTIFICATE-----\n";

const KUBERNETES_WATCH: &[&str] = &[
    concat!(
        r#"{"type":"ADDED","object":{"metadata":{"name":"p","namespace":"n","uid":"u","resourceVersion":"7","labels":{"app.k/x":"y"},"ownerReferences":[{"kind":"ReplicaSet","name":"r","controller":true}]},"spec":{"nodeName":"o","containers":[{"name":"c","image":"i","ports":[{"name":"http","containerPort":8000,"protocol":"TCP"}]}]},"status":{"podIP":"10.0.0.1","phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}}"#,
        "\n",
        r#"{"type":"MODIFIED","object":{"metadata":{"name":"o","annotations":{"a":""}},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.2"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}}"#,
        "\n",
        r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#,
        "\n",
        r#"{"type":"ERROR","object":{"code":410,"message":"too old"}}"#,
    ),
    concat!(
        r#"{"type":"ADDED","object":{"metadata":{"name":"s","namespace":"n"},"spec":{"type":"ExternalName","clusterIP":"10.0.0.7","externalName":"e","ports":[{"name":"m","port":80,"protocol":"TCP"}],"rules":[{"host":"h","http":{"paths":[{"path":"/x"}]}}],"tls":[{"hosts":["h"]}]}}}"#,
        "\n",
        r#"{"type":"ADDED","object":{"metadata":{"name":"s","namespace":"n"},"subsets":[{"addresses":[{"ip":"10.0.0.1","nodeName":"o","hostname":"q","targetRef":{"kind":"Pod","namespace":"n","name":"p"}}],"notReadyAddresses":[{"ip":"10.0.0.3"}],"ports":[{"name":"m","port":80}]}]}}"#,
        "\n",
        r#"{"type":"DELETED","object":{"metadata":{"name":"none"}}}"#,
    ),
    r#"{"metadata":{"resourceVersion":"1","continue":"x"},"items":[{"metadata":{"name":"s-1","namespace":"n","labels":{"kubernetes.io/service-name":"s"}},"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"],"conditions":{"ready":true,"serving":true},"zone":"z","nodeName":"o","targetRef":{"kind":"Pod","name":"p","namespace":"n"}}],"ports":[{"name":"m","port":80,"appProtocol":"http"}]}]}"#,
];

const MONITORS: &[&str] = &[
    r#"{"selector":{"matchLabels":{"a.b/c":"d"},"matchExpressions":[{"key":"t","operator":"In","values":["a","b"]}]},"jobLabel":"app","targetLabels":["app"],"sampleLimit":7,"attachMetadata":{"node":true},"endpoints":[{"port":"m","path":"/m","interval":"15s","scheme":"HTTPS","params":{"a":["b"]},"relabelings":[{"action":"Replace","targetLabel":"x","replacement":""}]},{"targetPort":8080,"filterRunning":false,"basicAuth":{"username":{"name":"s","key":"u"}}}]}"#,
    r#"{"selector":{},"namespaceSelector":{"any":true},"podMetricsEndpoints":[{"portNumber":80,"tlsConfig":{"insecureSkipVerify":true}}]}"#,
    r#"{"prober":{"url":"b:1","scheme":"https"},"module":"m","targets":{"staticConfig":{"static":["a","b"],"labels":{"c":"d"}},"ingress":{"selector":{"matchLabels":{"a":"b"}}}}}"#,
    r#"{"staticConfigs":[{"targets":["a:1"],"labels":{"b":"c"}}],"kubernetesSDConfigs":[{"role":"Pod","selectors":[{"role":"Pod","label":"a=b"}]}],"httpSDConfigs":[{"url":"http://a/b"}],"relabelings":[{"action":"LabelMap","regex":"a(.*)"}],"scrapeInterval":"30s"}"#,
];

/// Files that this store wrote, from the folder of all versions.
const METRICS_JOURNAL: &[u8] =
    include_bytes!("../../../testdata/format/v1/metrics/journal/journal-00000009-00");
const LOGS_JOURNAL: &[u8] =
    include_bytes!("../../../testdata/format/v1/logs/journal/journal-00000011-00");
const LOGS_BLOCK: &[u8] =
    include_bytes!("../../../testdata/format/v1/logs/blocks/block-0000000000000001/data");
const METRICS_BLOCK: &[u8] =
    include_bytes!("../../../testdata/format/v1/metrics/blocks/block-0000000000000001/data");
const METRICS_HEAD: &[u8] =
    include_bytes!("../../../testdata/format/v1/metrics-with-head/head/head-00000012");

/// The seeds of a target; none of a target that there is not.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "columns" => columns(),
        "cri" => texts(&[
            "2024-01-01T00:00:00.123456789Z stdout F a line",
            "2024-01-01T00:00:00+02:00 stderr P part of a line",
        ]),
        "exposition" => {
            vec![EXPOSITION.into(), b"\x0c\x0a\x01a\x18\x00\x22\x05\x1a\x03\x09\x00\x00".to_vec()]
        }
        "head" => vec![METRICS_HEAD.to_vec(), [&[9; 7], METRICS_HEAD].concat()],
        "http_answer" => HTTP_ANSWERS.iter().map(|answer| answer.to_vec()).collect(),
        "journal" => vec![METRICS_JOURNAL.to_vec(), LOGS_JOURNAL.to_vec()],
        "forward_frame" | "remote_write_frame" => {
            vec![
                METRICS_JOURNAL.to_vec(),
                LOGS_JOURNAL.to_vec(),
                b"\x01\x02a\x01b\x00\x05\x03abc".to_vec(),
            ]
        }
        "journal_entry" => texts(&[
            r#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1700000000000000","MESSAGE":[104,105],"PRIORITY":"3","_SYSTEMD_UNIT":"a.service"}"#,
        ]),
        "kubernetes_watch" => texts(KUBERNETES_WATCH),
        "labels" => texts(&["{a=\"b\", c=\"d\\\"\\n\"}", "{\"quoted.name\"=\"x\"}", "{}"]),
        "log_json" => texts(&[JSON_LINE]),
        "log_level" => texts(&[JSON_LINE, "level=warn msg=x", "E0101 failed", "[INFO] up"]),
        "log_logfmt" => texts(&["a=b level=info msg=\"x \\\"y\\\"\" d= =e f", "a=1 a=2 c=\"open"]),
        "log_pattern" => texts(&[
            "<_> b <x>\na b c d",
            "(?P<x>\\d+)-(?P<y>.*)\n12-abc",
            "10.0.0.0/8\nfrom 10.1.2.3 to ::1",
        ]),
        "logql" => texts(LOGQL),
        "logql_query" => LOGQL
            .iter()
            .map(|query| format!("{query}\n{JSON_LINE}\na=b x=3kb\nplain b text").into_bytes())
            .collect(),
        "logs" => vec![LOGS_JOURNAL.to_vec(), LOGS_BLOCK.to_vec()],
        "loki_push" => loki_push(),
        "metrics_block" => metrics_block(),
        "metrics_frame" => metrics_frames(),
        "monitors" => texts(MONITORS),
        "oauth2_token" => texts(OAUTH2_TOKENS),
        "otlp" => texts(&[OTLP]),
        "otlp_logs" => texts(&[OTLP_LOGS]),
        "pem" => texts(&[PEM]),
        "prometheus_block" => (0..8).map(|kind| [&[kind], METRICS_BLOCK].concat()).collect(),
        "prometheus_config" => texts(&[PROMETHEUS_YML]),
        "promql" => texts(PROMQL),
        "promtail_config" => texts(&[PROMTAIL_YML]),
        "promtail_positions" => texts(&[
            "positions:\n  /var/log/a.log: \"123\"\n  \"/b: c\": \"9\"\n  journal-j: s=0;i=1\n",
        ]),
        "promtail_stages" => promtail_stages(),
        "regexp" => texts(&["(a|b)+[^c-e]{2,3}\\pL\\b\nabab xy", "(?i:x)(?P<n>.*?)$\nXyz"]),
        "remote_read" => remote_read_request(),
        "remote_write" => remote_write(),
        "rules" => texts(RULES),
        "target_groups" => texts(&[
            r#"[{"targets":["a:1","[::1]:2"],"labels":{"b":"c"}},null]"#,
            "- targets: [a, b]\n  labels: &x {c: d}\n- targets: []\n  labels: *x\n",
        ]),
        "template" => texts(&[
            "{{ range $k, $v := . }}{{ $k }}={{ $v | ToUpper | trunc 3 }}{{ else }}x{{ end }}\nvalue",
            "{{ if and .a (eq .a `b`) }}{{ regexReplaceAll \"(a)\" .a \"$1\" }}{{ end }}{{ printf \"%05.2f\" 1.5 }}\nabc",
            "{{ $l := splitList `,` .a }}{{ range uniq $l }}{{ dict `k` (list . 1) | toJson }}{{ end }}{{ regexSplit `b*` .a -1 | join `-` | snakecase | Hash `s` }}\nabBc,d,d",
        ]),
        _ => Vec::new(),
    }
}

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn labels() -> Labels {
    [("__name__", "a_total"), ("job", "x")].into_iter().collect()
}

fn columns() -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new(); 5];
    let times_of: Vec<i64> = (0..50).map(|at| 1_700_000_000_000 + at * 15_000 + at % 3).collect();
    let values: Vec<f64> = (0..50).map(|at| f64::from(at * at % 17) / 4.0).collect();
    let [of_ints, of_floats, of_times, of_lines, of_xor] = &mut all[..] else { return all };
    let mut column = xor::Appender::default();
    let pushed = values.iter().try_for_each(|value| column.push(*value));
    column.save(of_xor);
    let text = b"GET /a/1 200 12msGET /a/27 500 9msPOST /b 201 113ms";
    let done = [
        ints::encode(&times_of, of_ints),
        floats::encode(&values, of_floats),
        times::encode(&times_of, of_times),
        lines::Encoder::new(3).encode(text, &[17, 34, text.len()], of_lines),
        pushed,
    ];
    assert!(done.iter().all(Result::is_ok), "BUG: a small column: {done:?}");
    all
}

/// The frames of a journal.
fn metrics_frames() -> Vec<Vec<u8>> {
    let (fs, directory) = (Arc::new(SimFs::new(1)), Utf8Path::new("/journal"));
    let path = directory.join("journal-00000009-00");
    let mut frames = Vec::new();
    let mut keep = |frame: Frame<'_>| {
        frames.push(frame.payload.to_vec());
        Ok(())
    };
    let written =
        fs.create_dir_all(directory).and_then(|()| atomic_write(&*fs, &path, METRICS_JOURNAL));
    let clock = Arc::new(SimClock::default());
    let opened = Journal::open(fs, clock, directory, JournalOptions::default(), &mut keep);
    assert!(written.is_ok() && opened.is_ok(), "BUG: a journal of ours: {opened:?}");
    frames
}

/// A whole block, and one whose first sections are empty.
fn metrics_block() -> Vec<Vec<u8>> {
    let sections = block_sections().unwrap_or_default();
    assert!(sections.len() == 8, "BUG: a block of {} sections", sections.len());
    let file = |sections: &[Vec<u8>]| {
        let length = |section: &Vec<u8>| u16::try_from(section.len()).unwrap_or(u16::MAX);
        let lengths = sections.iter().flat_map(|section| length(section).to_le_bytes());
        lengths.chain(sections.iter().flatten().copied()).collect()
    };
    let mut without = sections.clone();
    without.iter_mut().take(5).for_each(Vec::clear);
    vec![file(&sections), file(&without)]
}

/// Each body, plain and compressed.
fn plain_and_compressed(bodies: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let both = |body: Vec<u8>| [compress(&body).unwrap_or_default(), body];
    bodies.into_iter().flat_map(both).collect()
}

fn remote_write() -> Vec<Vec<u8>> {
    let point = FloatPoint { timestamp: Millis(1_700_000_000_000), start: None, value: 1.5 };
    let (mut one, mut two) = (EncoderV1::default(), EncoderV2::default());
    one.series(&labels(), &[point, point], &[], &[]);
    two.series(&labels(), &[point], &[], &[], None);
    plain_and_compressed([one.finish(), two.finish()])
}

/// Every stage before and behind some others, over lines of each format.
fn promtail_stages() -> Vec<Vec<u8>> {
    const TEXTS: [&str; 4] = ["{{ .a | ToUpper }}", "(a|b)+", "{app=~\".+\"} |~ `a`", "a.b"];
    const LINES: &str = "2024-01-01T00:00:01Z stdout P part \n2024-01-01T00:00:02Z stdout F a end\n\
        {\"a\":{\"b\":[1,null]},\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"2024-01-01T00:00:03.5Z\"}\n\
        level=warn a=1.5s c=\"x y\"\n  \u{1b}[31mred\u{1b}[0m Jan  2 15:04:05 \u{e9}\n\n1700000000 aab end";
    let stages = |at: u8| [at, at.wrapping_mul(7), at.wrapping_add(13)];
    (0..40)
        .map(|at: u8| {
            let text = TEXTS.get(usize::from(at) % TEXTS.len()).unwrap_or(&"");
            [&[3], &stages(at)[..], text.as_bytes(), b"\n", LINES.as_bytes()].concat()
        })
        .collect()
}

fn remote_read_request() -> Vec<Vec<u8>> {
    // One query: from 1 to 2, one matcher.
    let body = b"\x0a\x0f\x08\x01\x10\x02\x1a\x09\x08\x02\x12\x01a\x1a\x02.*".to_vec();
    let limits = masthead_wire::Limits::default();
    assert!(remote_read::ReadRequest::decode(&body, &limits).is_ok(), "BUG: not a request");
    plain_and_compressed([body])
}

fn loki_push() -> Vec<Vec<u8>> {
    let mut encoder = loki::Encoder::default();
    let metadata = [("trace.id", "x")].into_iter().collect();
    let entries = [b"a line", b"b line"].map(|line| (Nanos(5), &line[..], &metadata));
    encoder.stream(&labels(), entries);
    let mut all = plain_and_compressed([encoder.finish()]);
    all.extend(texts(&[
        r#"{"streams":[{"stream":{"a":"b"},"values":[["1700000000000000000","x\n",{"m":"v"}]]}]}"#,
        r#"{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"2024-01-01T00:00:00Z","line":"x"}]}]}"#,
    ]));
    all
}
