//! Pipelines as they are written, over files.

use crate::harness::{Node, config};

#[test]
fn json_lines_become_labels_times_and_metadata() {
    let stages = "{json: {expressions: {level: , ts: time, msg: , id: request_id}}}, \
                  {labels: {level: }}, {timestamp: {source: ts, format: RFC3339}}, \
                  {structured_metadata: {id: }}, {output: {source: msg}}, \
                  {drop: {source: level, value: debug}}";
    let mut node = Node::new(&config("/log/*.log", stages));
    node.write(
        "/log/a.log",
        "{\"level\":\"warn\",\"time\":\"2024-01-01T00:00:01Z\",\"msg\":\"slow\",\"request_id\":7}\n\
         {\"level\":\"debug\",\"time\":\"2024-01-01T00:00:02Z\",\"msg\":\"noise\"}\n",
    );
    node.run_seconds(2);
    let entries = node.store.inner.entries();
    assert_eq!(entries.len(), 1);
    let (labels, lines) = &entries[0];
    assert_eq!(labels.to_string(), r#"{filename="/log/a.log", job="files", level="warn"}"#);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].line, b"slow");
    assert_eq!(lines[0].timestamp.0, 1_704_067_201_000_000_000);
    assert_eq!(lines[0].structured_metadata.to_string(), r#"{id="7"}"#);
    assert_eq!(node.stats.dropped_lines(), [("drop_stage".to_owned(), 1)]);
}

#[test]
fn the_logs_of_pods_have_the_labels_of_the_chart() {
    let mut node = Node::pods("/log/pods");
    let path = "/log/pods/default_api-7c9d8b6f5d-x2v4k_0f3c/api/0.log";
    node.write(path, "2024-01-01T00:00:01.000000001Z stdout F hello\n");
    node.run_seconds(2);
    assert_eq!(
        node.stored(),
        [format!(
            r#"{{app="api", container="api", filename="{path}", job="default/api", namespace="default", node_name="node1", pod="api-7c9d8b6f5d-x2v4k", stream="stdout"}} hello"#
        )]
    );
}
