//! `masthead token new` and `masthead hash-password`: secrets for the configuration of a server.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use masthead_http_api::{hash_password, new_token};
use masthead_sysio::{Clock as _, RealClock};

use crate::{
    cli::{NewTokenArgs, ScopeName, TokenCommand, UsageError},
    terminal,
};

/// Bytes of a password that are read.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// Prints a new token and its entry.
///
/// # Errors
/// The system has no randomness; the time is not one that can be written.
pub(crate) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::New(NewTokenArgs { scope, name, expires_in }) = command;
    let (token, hash) = new_token()?;
    let scopes: Vec<&str> = scope.iter().copied().map(written).collect();
    let name = serde_json::to_string(name)?;
    let mut entry = format!(
        "tokens:\n  - name: {name}\n    hash: {hash}\n    scopes: [{}]\n",
        scopes.join(", ")
    );
    if let Some(expires_in) = expires_in {
        let end = RealClock::new().now().saturating_add(*expires_in);
        let end = jiff::Timestamp::from_nanosecond(end.0.into()).context("--expires-in")?;
        entry = format!("{entry}    expires: {end:.0}\n");
    }
    terminal::say("The token, which is shown this once:");
    terminal::print(&token)?;
    terminal::say("For the file of --auth.file; what is not in it any more is refused:");
    terminal::print(entry.trim_end())?;
    Ok(())
}

fn written(scope: ScopeName) -> &'static str {
    match scope {
        ScopeName::Read => "read",
        ScopeName::Write => "write",
        ScopeName::Admin => "admin",
    }
}

/// Prints the argon2 hash of the password on stdin, which is one line.
///
/// # Errors
/// There is no password.
pub(crate) fn hash() -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let what = "the password is read from a pipe, so that it is shown on no screen: printf %s \"$PASSWORD\" | masthead hash-password";
        return Err(UsageError(what.to_owned()).into());
    }
    let mut text = String::new();
    stdin.lock().take(PASSWORD_BYTES_MAX).read_to_string(&mut text).context("cannot read stdin")?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let hash = hash_password(password.strip_suffix('\r').unwrap_or(password))?;
    terminal::print(&hash)?;
    Ok(())
}
