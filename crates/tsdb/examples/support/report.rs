//! What the examples that measure have in common: arguments that are numbers, and one report.

use std::process::ExitCode;

/// Why there is no report.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Prints what `run` reports, or why it does not.
#[expect(clippy::print_stdout, reason = "it is what the example is for")]
pub(crate) fn print(run: impl FnOnce() -> Result<String, Failure>) -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The argument at `at`, counted from 1, or `default` where it is missing or no number.
pub(crate) fn number(at: usize, default: usize) -> usize {
    std::env::args().nth(at).and_then(|argument| argument.parse().ok()).unwrap_or(default)
}
