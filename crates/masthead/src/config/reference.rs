//! `docs/reference/config.md`, made from the table of settings and the flags that they stand for.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::settings::{NOT_IN_THE_FILE, SETTINGS, TYPED};
use crate::{cli::Cli, reference};

const HEAD: &str = r"# masthead.yaml

`masthead serve --config masthead.yaml` reads one file for what is scraped, what is collected, and every setting.
Nothing in it is required: without a file the defaults below are in force.
A flag on the command line is preferred to its environment variable, that to the file, and the file to the default.
Unknown keys are errors that name the line; a known key that is not supported is named in the log.

`masthead check config masthead.yaml` says what is wrong with a file, and so does `masthead serve --check-config` with the flags that a server is started with; both end with 2 when something is.
At SIGHUP and `POST /-/reload` (with `web.enable_lifecycle`) the file is read again: what is scraped and what is collected changes at once, and a setting that needs a restart is named in the log.
A file that is wrong changes nothing.
`/api/v1/status/config` shows it with every secret masked.

```yaml masthead
data: /var/lib/masthead
listen:
  address: 127.0.0.1:3000
metrics:
  global: {scrape_interval: 15s}
  scrape_configs:
  - job_name: shop
    static_configs:
    - targets: ['127.0.0.1:8080']
  storage:
    retention_time: 30d
logs:
  scrape_configs:
  - job_name: shop
    static_configs:
    - targets: [localhost]
      labels: {app: shop, __path__: /var/log/shop/*.log}
    pipeline_stages:
    - json: {expressions: {level: level}}
    - labels: {level: }
  storage:
    retention_time: 7d
```

This page is generated: `UPDATE=1 cargo test -p masthead reference` writes it anew, and a test compares.

## Sections with a format of their own

| section | what it is |
| --- | --- |
";

const MIDDLE: &str = "
Relative names of files are relative to the directory of the file that names them.
`logs.clients` are pushed to beside keeping the lines here.

## Settings

Switches are `true` or `false`, lists are YAML lists or words with commas.

| key | flag | default | meaning |
| --- | --- | --- | --- |
";

fn page() -> String {
    let mut out = HEAD.to_owned();
    for (key, what) in TYPED {
        writeln!(out, "| `{key}` | {what} |").unwrap();
    }
    out.push_str(MIDDLE);
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    for setting in SETTINGS {
        let flag = serve.get_arguments().find(|flag| flag.get_long() == Some(setting.flag));
        let flag = flag.unwrap_or_else(|| panic!("{} is no flag", setting.flag));
        let (key, name) = (setting.key, setting.flag);
        let default = reference::default(flag);
        let meaning = reference::cell(&flag.get_help().unwrap().to_string());
        writeln!(out, "| `{key}` | `--{name}` | {default} | {meaning} |").unwrap();
    }
    out
}

#[test]
fn the_reference_of_the_configuration_is_what_is_read() {
    reference::compare("docs/reference/config.md", &page());
}

#[test]
fn every_flag_of_the_server_has_its_place_in_the_file() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    for flag in serve.get_arguments().filter_map(clap::Arg::get_long) {
        let there = SETTINGS.iter().any(|setting| setting.flag == flag);
        let not = NOT_IN_THE_FILE.contains(&flag) || flag == "help";
        assert!(there != not, "--{flag} needs a row in config/settings.rs");
    }
}
