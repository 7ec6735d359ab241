//! Prints what this machine would answer to a scrape, to be compared with `node_exporter`.

use std::{io::Write as _, sync::Arc};

use masthead_host::{Host, Options, RealSpace};
use masthead_sysio::{RealClock, RealFs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(RealClock::new());
    let host = Host::new(Arc::new(RealFs), Arc::new(RealSpace), clock, &Options::default())?;
    let mut text = Vec::new();
    host.collect().write_text(&mut text);
    std::io::stdout().write_all(&text)?;
    Ok(())
}
