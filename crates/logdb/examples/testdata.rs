//! Writes the store of `testdata/format/` into a new directory:
//! `cargo run -p masthead-logdb --example testdata DIR`. For a new version of a format only: what
//! older versions wrote is never written again.

use std::{process::ExitCode, sync::Arc};

use masthead_sysio::RealFs;

#[expect(clippy::print_stdout, reason = "it talks to whoever calls it")]
fn main() -> ExitCode {
    let Some(dir) = std::env::args().nth(1) else {
        println!("give a directory that does not exist yet");
        return ExitCode::FAILURE;
    };
    match masthead_logdb::simulation::write_testdata(Arc::new(RealFs), dir.as_str().into()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
