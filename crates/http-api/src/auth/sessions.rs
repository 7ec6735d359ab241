//! Sessions of browsers: what a cookie stands for, for a while.
//!
//! They live in memory, so a restart ends them. The text of a cookie is not kept, only its
//! fingerprint.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::random::Fingerprint;

/// Sessions at most; the one that was longest not used goes first.
pub(super) const SESSIONS_MAX: usize = 1_000;

/// Who has logged in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) user: Arc<str>,
    /// The mark of the person when they logged in; see [`super::known::User::mark`].
    pub(super) mark: Fingerprint,
    expires: Duration,
    used: Duration,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Fingerprint, Session>>);

impl Sessions {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Fingerprint, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one that ends after `lifetime`.
    pub(super) fn begin(
        &self,
        id: Fingerprint,
        user: Arc<str>,
        mark: Fingerprint,
        now: Duration,
        lifetime: Duration,
    ) {
        let mut all = self.lock();
        if all.len() >= SESSIONS_MAX {
            all.retain(|_, session| session.expires > now);
        }
        if all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id);
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        all.insert(id, Session { user, mark, expires: now.saturating_add(lifetime), used: now });
    }

    /// The session of this cookie, if it has not ended.
    pub(super) fn find(&self, id: &Fingerprint, now: Duration) -> Option<Session> {
        let mut all = self.lock();
        let session = all.get_mut(id)?;
        if session.expires <= now {
            all.remove(id);
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    pub(super) fn end(&self, id: &Fingerprint) {
        self.lock().remove(id);
    }

    /// Ends those for which `keep` says no.
    pub(super) fn retain(&self, keep: impl Fn(&Session) -> bool) {
        self.lock().retain(|_, session| keep(session));
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn id(n: usize) -> Fingerprint {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&n.to_be_bytes());
        id
    }

    #[test]
    fn a_session_ends_by_time_or_by_will() {
        let sessions = Sessions::default();
        sessions.begin(id(1), "ann".into(), id(7), Duration::ZERO, HOUR);
        sessions.begin(id(2), "bob".into(), id(7), Duration::ZERO, HOUR);
        let almost = Duration::from_secs(3599);
        assert_eq!(sessions.find(&id(1), almost).map(|s| s.user), Some("ann".into()));
        sessions.end(&id(1));
        assert!(sessions.find(&id(1), almost).is_none());
        assert!(sessions.find(&id(2), almost).is_some());
        assert!(sessions.find(&id(2), HOUR).is_none());
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn there_are_never_more_than_the_limit_and_the_idle_one_goes() {
        let sessions = Sessions::default();
        let at = |n: usize| Duration::from_secs(n as u64);
        for n in 0..SESSIONS_MAX {
            sessions.begin(id(n), "ann".into(), id(0), at(n), HOUR);
        }
        // The first is the oldest, and in use.
        assert!(sessions.find(&id(0), at(SESSIONS_MAX)).is_some());
        sessions.begin(id(SESSIONS_MAX), "ann".into(), id(0), at(SESSIONS_MAX), HOUR);
        assert_eq!(sessions.count(), SESSIONS_MAX);
        assert!(sessions.find(&id(0), at(SESSIONS_MAX)).is_some());
        assert!(sessions.find(&id(1), at(SESSIONS_MAX)).is_none());
    }
}
