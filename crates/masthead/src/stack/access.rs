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
use masthead_http_api::{Auth, AuthConfig, AuthOptions, CheckedAuth};
use masthead_http_client::Secret;
use masthead_model::Regexp;
use masthead_sysio::{Clock, Fs as _, Metadata, RealFs, read_to_vec};

use super::upkeep::Upkeep;
use crate::{
    cli::{AuthArgs, CORS_ORIGIN_DEFAULT, ServeArgs, UsageError},
    config,
};

/// A larger file of users and tokens, or of a password, is refused.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// How often it is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Who may come in, and where that is written.
#[derive(Debug)]
pub(super) struct Access {
    auth: Auth,
    written: Written,
    /// What the files looked like when they were last read.
    seen: Mutex<Vec<Option<Metadata>>>,
}

/// Where it is written who may come in.
#[derive(Debug)]
struct Written {
    flags: AuthConfig,
    /// `--auth.file`
    file: Option<Utf8PathBuf>,
    /// `--config`, which may have the section `auth`.
    config: Option<Utf8PathBuf>,
}

impl Access {
    /// Reads what the flags say and the files that they name.
    ///
    /// # Errors
    /// A file that cannot be read; an entry that is wrong.
    pub(super) fn open(args: &ServeArgs, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let written = Written {
            flags: from_flags(&args.auth),
            file: args.auth.file.clone(),
            config: args.config.clone(),
        };
        let usage = |error: anyhow::Error| UsageError(format!("{error:#}"));
        let seen = written.look();
        let config = written.read().map_err(usage)?;
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
        Ok(Self { auth, written, seen: Mutex::new(seen) })
    }

    /// The guard.
    pub(super) fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Reads and checks the files as they are now.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(&self) -> anyhow::Result<CheckedAuth> {
        let seen = self.written.look();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        self.auth.check(&self.written.read()?).context("--auth")
    }

    /// Reads the files again if one of them has changed.
    pub(super) fn refresh(&self) {
        let now = self.written.look();
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return;
        }
        match self.read() {
            Ok(read) => {
                self.auth.put(read);
                tracing::info!("Read again who may come in.");
            }
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
    if access.written.look().is_empty() {
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

impl Written {
    /// What the files look like now; nothing for one that is not there.
    fn look(&self) -> Vec<Option<Metadata>> {
        let password = self.flags.admin_password_file.as_deref().map(Utf8Path::new);
        let named = [password, self.file.as_deref(), self.config.as_deref()];
        named.into_iter().flatten().map(|path| RealFs.metadata(path).ok()).collect()
    }

    /// The flags, the files, and the secrets that all of them name.
    fn read(&self) -> anyhow::Result<AuthConfig> {
        let mut config = self.flags.clone();
        if let Some(file) = &self.file {
            let what = || format!("--auth.file {file}");
            let text = text_of(file).with_context(what)?;
            config.extend(placed(file, yaml::parse(&text).with_context(what)?));
        }
        if let Some(file) = &self.config {
            config.extend(placed(file, config::auth(file)?));
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
}

/// What a file says, with the files that it names where they are.
fn placed(file: &Utf8Path, mut said: AuthConfig) -> AuthConfig {
    if let Some(path) = &mut said.admin_password_file {
        *path = beside(file, path);
    }
    for path in said.users.iter_mut().filter_map(|user| user.password_file.as_mut()) {
        *path = beside(file, path);
    }
    said
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
