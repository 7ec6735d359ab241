//! The running server: is it ready, what is its configuration, load it anew.

use std::fmt::Debug;

use masthead_model::{Labels, Millis};

/// What the binary knows about itself.
pub trait ServerView: Send + Sync + Debug {
    /// Whether requests should be sent here.
    fn readiness(&self) -> Readiness;

    /// The configuration in force as YAML, every secret masked.
    fn config_text(&self) -> String;

    /// Labels that the configuration adds for the outside world (`global.external_labels`).
    fn external_labels(&self) -> Labels;

    /// The state of the process.
    fn runtime(&self) -> RuntimeInfo;

    /// Reads the configuration again and puts it in force; the old one stays on an error.
    ///
    /// # Errors
    /// [`ReloadError`] says which file, line and key.
    fn reload(&self) -> Result<(), ReloadError>;

    /// The configuration of one scrape pool as YAML, every secret masked; nothing where there is no
    /// such pool.
    fn pool_config_text(&self, pool: &str) -> Option<String> {
        let _ = pool;
        None
    }

    /// What the server counts about itself, in the text format that a scrape gets.
    fn self_metrics(&self) -> String {
        String::new()
    }

    /// Ends the process as a signal would; returns before it has ended.
    ///
    /// # Errors
    /// [`ReloadError::Disabled`].
    fn quit(&self) -> Result<(), ReloadError> {
        Err(ReloadError::Disabled)
    }
}

/// Whether requests should be sent here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Yes.
    Ready,
    /// Yes, but something is set aside or broken; each in one sentence.
    Degraded(Vec<String>),
    /// Not yet: the journal is being replayed.
    Starting,
    /// Not any more: the server is shutting down.
    Stopping,
}

/// Why the configuration was not loaded, or the server does not end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// `--web.enable-lifecycle` is off.
    #[error("Lifecycle API is not enabled.")]
    Disabled,
    /// The new configuration is wrong.
    #[error("failed to reload config: {0}")]
    Failed(String),
}

/// The state of the process.
#[derive(Debug, Clone, Default)]
pub struct RuntimeInfo {
    /// When the process began.
    pub started: Millis,
    /// Its working directory.
    pub directory: String,
    /// The machine's name.
    pub hostname: String,
    /// Whether the last attempt to load the configuration went well.
    pub reload_ok: bool,
    /// When the configuration in force was loaded.
    pub config_loaded: Option<Millis>,
    /// Blocks and journal segments found broken since the start.
    pub corruptions: u64,
    /// Threads that run now.
    pub threads: u64,
    /// Cores that may be used.
    pub cores: u64,
    /// How long and how much is kept, such as `15d or 10GiB`.
    pub retention: String,
}
