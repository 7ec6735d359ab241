//! What a wrong environment is told, and that the defaults are right.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::read(|name| {
        pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    })
}

#[test]
fn an_empty_environment_is_a_working_service_on_loopback() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.listen_addr.to_string(), "127.0.0.1:8000");
    assert_eq!(settings.metrics_addr.to_string(), "127.0.0.1:9464");
    assert_eq!(settings.database.url.to_string(), "sqlite://items.db?mode=rwc");
    assert_eq!(settings.limits.body, 65_536);
    assert!(!settings.demo_faults);
}

#[test]
fn an_empty_value_counts_as_absent() {
    assert_eq!(read(&[("LISTEN_ADDR", "")]).unwrap().listen_addr.port(), 8000);
}

#[test]
fn every_example_is_accepted() {
    for variable in VARIABLES {
        assert!(read(&[(variable.name, variable.example)]).is_ok(), "{}", variable.name);
    }
}

#[test]
fn a_wrong_value_is_named_shown_and_answered_with_an_example() {
    let f = |pairs: &[(&str, &str)], wants: &[&str]| {
        let error = read(pairs).unwrap_err().to_string();
        for want in wants {
            assert!(error.contains(want), "{pairs:?}: {want:?} is not in {error:?}");
        }
    };
    f(
        &[("LISTEN_ADDR", "8000")],
        &["LISTEN_ADDR=\"8000\"", "for example LISTEN_ADDR=0.0.0.0:8000"],
    );
    f(&[("METRICS_ADDR", "x")], &["METRICS_ADDR=\"x\""]);
    f(&[("DATABASE_URL", "mysql://db/x")], &["DATABASE_URL=\"mysql://db/x\"", "postgres:"]);
    f(&[("DATABASE_POOL_SIZE", "0")], &["DATABASE_POOL_SIZE=\"0\"", "1 to 1000"]);
    f(&[("DATABASE_TIMEOUT", "2")], &["DATABASE_TIMEOUT=\"2\"", "unit"]);
    f(&[("DATABASE_WAIT", "long")], &["DATABASE_WAIT=\"long\""]);
    f(&[("BODY_LIMIT", "1GiB")], &["BODY_LIMIT=\"1GiB\""]);
    f(&[("REQUEST_TIMEOUT", "0s")], &["REQUEST_TIMEOUT=\"0s\"", "zero"]);
    f(&[("CONCURRENCY_LIMIT", "-1")], &["CONCURRENCY_LIMIT=\"-1\""]);
    f(&[("CONNECTION_LIMIT", "many")], &["CONNECTION_LIMIT=\"many\""]);
    f(&[("SHUTDOWN_DELAY", "10s")], &["SHUTDOWN_DELAY", "shorter than SHUTDOWN_GRACE (10s)"]);
    f(&[("SHUTDOWN_GRACE", "2h")], &["SHUTDOWN_GRACE=\"2h\""]);
    f(&[("LOG_LEVEL", "loud!")], &["LOG_LEVEL=\"loud!\"", "for example LOG_LEVEL=info"]);
    f(&[("LOG_FORMAT", "xml")], &["LOG_FORMAT=\"xml\"", "for example LOG_FORMAT="]);
    f(&[("DEMO_FAULTS", "maybe")], &["DEMO_FAULTS=\"maybe\""]);
    f(
        &[("LISTEN_ADDR", "127.0.0.1:9000"), ("METRICS_ADDR", "127.0.0.1:9000")],
        &["METRICS_ADDR=\"127.0.0.1:9000\"", "must differ from LISTEN_ADDR"],
    );
    // All of them at once, not the first alone.
    f(&[("LISTEN_ADDR", "x"), ("LOG_FORMAT", "y")], &["LISTEN_ADDR=\"x\"", "LOG_FORMAT=\"y\""]);
}

#[test]
fn port_zero_may_be_asked_for_twice() {
    assert!(read(&[("LISTEN_ADDR", "127.0.0.1:0"), ("METRICS_ADDR", "127.0.0.1:0")]).is_ok());
}
