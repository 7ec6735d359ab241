//! Names of flags and of their variables.

use super::*;

#[test]
fn variables_with_secrets_are_known_by_their_names() {
    let secret = secret_variables();
    let mut left = vec![Cli::command()];
    while let Some(command) = left.pop() {
        for name in command.get_arguments().filter_map(|flag| flag.get_env()) {
            let text = name.to_string_lossy();
            let ends = ["_TOKEN", "_PASSWORD", "_HEADER", "_REMOTE_WRITE", "_LOKI"];
            let wanted = ends.iter().any(|end| text.ends_with(end));
            assert_eq!(secret.contains(name), wanted, "{text}");
        }
        left.extend(command.get_subcommands().cloned());
    }
    assert!(secret.len() >= 6, "{secret:?}");
}

#[test]
fn the_names_that_prometheus_has_for_flags_are_taken_too() {
    let typed = "masthead serve --config.file=p.yml --storage.tsdb.path=d \
        --storage.tsdb.retention.time=3d --storage.tsdb.retention.size=1GB \
        --web.listen-address=:9090";
    let Command::Serve(args) = Cli::parse_from(typed.split_whitespace()).command else {
        panic!("serve was typed");
    };
    assert_eq!(args.prometheus_config, Some("p.yml".into()));
    assert_eq!((args.data.as_str(), args.retention_size), ("d", Some(1 << 30)));
    assert_eq!(args.retention_time, Duration::from_hours(3 * 24));
    assert_eq!(args.listen, SocketAddr::from(([0, 0, 0, 0], 9090)));
}

#[test]
fn every_argument_has_a_variable_and_a_help_text() {
    let cli = Cli::command();
    cli.clone().debug_assert();
    for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
        for flag in command.get_arguments() {
            let variable = flag.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            assert!(variable.starts_with("MASTHEAD_"), "{} {flag}", command.get_name());
            assert!(flag.get_help().is_some(), "{} {flag}", command.get_name());
        }
    }
}
