//! Flags about what is sent elsewhere, which `serve` and `collect` share.

use clap::Args;
use masthead_model::Labels;

use super::byte_size;

/// What each journal may have without a flag.
const JOURNAL_BYTES: u64 = 1 << 30;

#[derive(Debug, Clone, Args)]
pub(crate) struct ForwardArgs {
    /// Send samples here too by remote write, such as `http://mimir:9009/api/v1/push`; may be given
    /// several times. For more than the URL: `remote_write` in the configuration.
    #[arg(long = "remote-write", value_name = "URL", env = "MASTHEAD_REMOTE_WRITE")]
    #[arg(value_delimiter = ',', hide_env_values = true)]
    pub remote_write: Vec<String>,

    /// Push collected lines here too, such as `http://loki:3100/loki/api/v1/push`; may be given
    /// several times. For more than the URL: `clients` in the configuration.
    #[arg(long = "loki", value_name = "URL", env = "MASTHEAD_LOKI", value_delimiter = ',')]
    #[arg(hide_env_values = true)]
    pub loki: Vec<String>,

    /// A label of everything that is sent elsewhere, such as `cluster=eu-1`; may be given several
    /// times.
    #[arg(long = "external-label", value_name = "NAME=VALUE", env = "MASTHEAD_EXTERNAL_LABELS")]
    #[arg(value_parser = label, value_delimiter = ',')]
    pub external_labels: Vec<(String, String)>,

    /// Most bytes of the journal of each end that lines or samples are sent to; beyond, the oldest
    /// go. 1GB without it.
    #[arg(long = "forward.journal-size", value_name = "SIZE")]
    #[arg(env = "MASTHEAD_FORWARD_JOURNAL_SIZE", value_parser = byte_size)]
    pub journal_size: Option<u64>,
}

impl ForwardArgs {
    /// Most bytes of a journal.
    pub(crate) fn journal_bytes(&self) -> u64 {
        self.journal_size.unwrap_or(JOURNAL_BYTES)
    }

    /// `labels` with those of the flags, which are preferred.
    pub(crate) fn label(&self, labels: &Labels) -> Labels {
        let mut all = labels.to_builder();
        for (name, value) in &self.external_labels {
            all.set(name, value);
        }
        all.build()
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if masthead_model::is_legacy_label_name(name) && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("write it like cluster=eu-1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_flags_are_preferred() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let args = ForwardArgs {
            remote_write: Vec::new(),
            loki: Vec::new(),
            external_labels: vec![pair("a", "flag"), pair("c", "flag")],
            journal_size: None,
        };
        let labels = args.label(&[("a", "file"), ("b", "file")].into_iter().collect());
        assert_eq!(labels.to_string(), r#"{a="flag", b="file", c="flag"}"#);
        assert_eq!(args.journal_bytes(), 1 << 30);
    }

    #[test]
    fn labels_have_a_name_and_a_value() {
        assert_eq!(label("a=b=c"), Ok(("a".into(), "b=c".into())));
        for text in ["", "a", "a=", "=b", "a-b=c"] {
            assert!(label(text).is_err(), "{text}");
        }
    }
}
