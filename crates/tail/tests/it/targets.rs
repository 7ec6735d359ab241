//! Which targets are followed, and where reading begins.

use masthead_sysio::atomic_write;

use crate::harness::{Node, config};

const LOG: &str = "/log/app.log";

#[test]
fn a_target_on_another_machine_is_left_out() {
    let mut node = Node::new(
        "scrape_configs:\n- job_name: j\n  static_configs:\n  - labels: {job: here, __host__: \
         node1, __path__: /log/a.log}\n  - labels: {job: there, __host__: node2, __path__: \
         /log/b.log}\n  - labels: {job: any, __path__: /log/c.log}\n",
    );
    for path in ["/log/a.log", "/log/b.log", "/log/c.log"] {
        node.write(path, "one\n");
    }
    node.run_seconds(6);
    let want =
        [r#"{filename="/log/a.log", job="here"} one"#, r#"{filename="/log/c.log", job="any"} one"#];
    assert_eq!(node.stored(), want);
}

/// A node on which a Promtail ran that kept its positions where it does if nobody says where.
fn after_promtail(positions: &str) -> Node {
    let node = Node::new(&config("/log/*.log", ""));
    node.write(LOG, "one\ntwo\n");
    node.write("/var/log/positions.yaml", "");
    atomic_write(&node.fs, "/var/log/positions.yaml".into(), positions.as_bytes()).unwrap();
    node
}

fn positions(node: &Node) -> String {
    let path = "/var/log/positions.yaml".into();
    let bytes = masthead_sysio::read_to_vec(&node.fs, path, 1 << 20).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn promtails_positions_are_found_where_it_keeps_them() {
    let mut node = after_promtail("positions: {/log/app.log: '4', cursor-j: s=1;i=2}\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["two"]);
    node.write(LOG, "three\n");
    node.run_seconds(30);
    let want = "positions:\n  \"/log/app.log\": \"14\"\n  \"cursor-j\": \"s=1;i=2\"\n";
    assert_eq!(positions(&node), want);
}

#[test]
fn a_file_that_was_emptied_is_read_whole_whatever_promtails_positions_said() {
    let mut node = after_promtail("positions: {/log/app.log: '8'}\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), [""; 0]);
    node.copy(LOG, "/log/app.log.1");
    node.empty(LOG);
    node.write(LOG, "3\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["3"]);
}

#[test]
fn nobody_makes_a_file_of_positions_where_promtail_kept_none() {
    let mut node = Node::new(&config("/log/*.log", ""));
    node.write(LOG, "one\n");
    node.run_seconds(30);
    assert_eq!(node.lines(), ["one"]);
    assert!(masthead_sysio::Fs::metadata(&node.fs, "/var/log/positions.yaml".into()).is_err());
}
