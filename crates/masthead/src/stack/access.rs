//! Who may come in, read from flags and files, and read again when a file changes.
//!
//! What is wrong with a changed file is logged once, and everybody who could come in still can:
//! an editor that saves half a file must not lock anybody out.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::yaml;
use masthead_http_api::{Auth, AuthConfig, AuthOptions};
use masthead_http_client::Secret;
use masthead_model::Regexp;
use masthead_sysio::{Clock, Fs as _, Metadata, RealFs, read_to_vec};

use super::upkeep::Upkeep;
use crate::cli::{AuthArgs, CORS_ORIGIN_DEFAULT, ServeArgs, UsageError};

/// A larger file of users and tokens, or of a password, is refused.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// How often it is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Who may come in, and where that is written.
#[derive(Debug)]
pub(super) struct Access {
    auth: Auth,
    flags: AuthConfig,
    file: Option<Utf8PathBuf>,
    /// What the files looked like when they were last read.
    seen: Mutex<Vec<Option<Metadata>>>,
}

impl Access {
    /// Reads what the flags say and the files that they name.
    ///
    /// # Errors
    /// A file that cannot be read; an entry that is wrong.
    pub(super) fn open(args: &ServeArgs, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let flags = from_flags(&args.auth);
        let file = args.auth.file.clone();
        let usage = |error: anyhow::Error| UsageError(format!("{error:#}"));
        let seen = look(&flags, file.as_deref());
        let config = read(&flags, file.as_deref()).map_err(usage)?;
        let origins = match args.cors_origin.as_str() {
            // Everybody's pages may ask, as upstream has it; to change something is more.
            CORS_ORIGIN_DEFAULT => None,
            named => Some(
                Regexp::new(named)
                    .map_err(|error| UsageError(format!("--web.cors.origin: {error}")))?,
            ),
        };
        let options = AuthOptions {
            session_lifetime: args.auth.session_lifetime,
            failures: args.auth.max_failures,
            any_host: args.insecure,
            tls: args.tls.cert.is_some(),
            origins,
        };
        let auth = Auth::new(&config, options, clock)
            .map_err(|error| UsageError(format!("--auth: {error}")))?;
        Ok(Self { auth, flags, file, seen: Mutex::new(seen) })
    }

    /// The guard.
    pub(super) fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// What is wrong with them; then everything is as before.
    pub(super) fn reload(&self) -> anyhow::Result<()> {
        let seen = look(&self.flags, self.file.as_deref());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        let config = read(&self.flags, self.file.as_deref())?;
        self.auth.set(&config).context("--auth")
    }

    /// Reads the files again if one of them has changed.
    pub(super) fn refresh(&self) {
        let now = look(&self.flags, self.file.as_deref());
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("Read again who may come in."),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(
                    error,
                    "A file of users or tokens was not taken; the old one goes on."
                );
            }
        }
    }
}

/// Starts the thread that looks whether a file has changed, if there is one to look at.
///
/// # Errors
/// The machine has no thread left.
pub(super) fn keep_up(access: &Arc<Access>, upkeep: &mut Upkeep) -> anyhow::Result<()> {
    if look(&access.flags, access.file.as_deref()).is_empty() {
        return Ok(());
    }
    let access = Arc::clone(access);
    upkeep.spawn("access", LOOK_EVERY, move || {
        access.refresh();
        Ok::<_, Infallible>(())
    })
}

fn from_flags(args: &AuthArgs) -> AuthConfig {
    let password = args.admin_password.as_ref().map_or("", |password| password.expose());
    AuthConfig {
        admin_user: Some(args.admin_user.clone()),
        admin_password: Secret::from(password),
        admin_password_file: args.admin_password_file.as_ref().map(ToString::to_string),
        ..AuthConfig::default()
    }
}

/// What the files look like now; nothing for one that is not there.
fn look(flags: &AuthConfig, file: Option<&Utf8Path>) -> Vec<Option<Metadata>> {
    let named = [flags.admin_password_file.as_deref().map(Utf8Path::new), file];
    named.into_iter().flatten().map(|path| RealFs.metadata(path).ok()).collect()
}

/// The flags, the file, and the secrets that both name.
fn read(flags: &AuthConfig, file: Option<&Utf8Path>) -> anyhow::Result<AuthConfig> {
    let mut config = flags.clone();
    if let Some(file) = file {
        let what = || format!("--auth.file {file}");
        let text = text_of(file).with_context(what)?;
        let mut more: AuthConfig = yaml::parse(&text).with_context(what)?;
        if let Some(path) = &mut more.admin_password_file {
            *path = beside(file, path);
        }
        for path in more.users.iter_mut().filter_map(|user| user.password_file.as_mut()) {
            *path = beside(file, path);
        }
        config.extend(more);
    }
    if let Some(path) = &config.admin_password_file
        && config.admin_password.is_empty()
    {
        config.admin_password = secret(path).context("password of the administrator")?;
    }
    for user in &mut config.users {
        if let Some(path) = &user.password_file
            && user.password_hash.is_empty()
        {
            user.password_hash =
                secret(path).with_context(|| format!("password of user {:?}", user.name))?;
        }
    }
    Ok(config)
}

/// A path that a file names is meant from where that file is.
fn beside(file: &Utf8Path, path: &str) -> String {
    file.parent().unwrap_or(Utf8Path::new("")).join(path).into_string()
}

/// The first line of a file, which must not be empty.
fn secret(path: &str) -> anyhow::Result<Secret> {
    let text = text_of(Utf8Path::new(path)).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().next().unwrap_or("");
    anyhow::ensure!(!line.is_empty(), "{path} has no password in its first line");
    Ok(Secret::from(line))
}

fn text_of(path: &Utf8Path) -> anyhow::Result<String> {
    String::from_utf8(read_to_vec(&RealFs, path, FILE_BYTES_MAX)?)
        .map_err(|_| anyhow::Error::msg("is not UTF-8"))
}
