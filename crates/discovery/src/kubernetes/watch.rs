//! Objects as they are now: listed once, then kept up to date by a watch.
//!
//! A watch that ends is begun again at the version it had reached, and only a version that the
//! server has forgotten (410) costs a new list. While the server is away nothing is forgotten.

use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use masthead_http_client::HttpClientConfig;
use masthead_sysio::Fs;
use tokio::{sync::Notify, task::JoinSet};

use super::{
    SILENCE_MAX,
    api::{Api, Event, Failure, Timing},
    objects::{Objects, Resource},
};
use crate::Error;

/// More objects of one kind than this are not taken.
const OBJECTS_MAX: usize = 200_000;

/// The API servers in use, and what is watched of each; jobs that want the same share it.
#[derive(Debug, Default)]
pub struct Clusters {
    timing: Timing,
    apis: Mutex<Vec<Weak<Api>>>,
    watches: Mutex<Vec<Shared>>,
}

/// Something that is watched, as long as anybody looks at it.
#[derive(Debug)]
struct Shared {
    api: Weak<Api>,
    path: (&'static str, &'static str),
    namespace: Option<String>,
    label: String,
    field: String,
    watched: Weak<dyn Any + Send + Sync>,
}

impl Clusters {
    /// Nothing is watched yet.
    pub fn new(timing: Timing) -> Self {
        Self { timing, ..Self::default() }
    }

    /// The server at `server`; that of the own cluster if it is empty.
    ///
    /// # Errors
    /// Those of [`Api::new`].
    pub fn api(
        &self,
        server: &str,
        config: &HttpClientConfig,
        fs: &Arc<dyn Fs>,
    ) -> Result<Arc<Api>, Error> {
        let mut apis = lock(&self.apis);
        apis.retain(|api| api.strong_count() > 0);
        let mut known = apis.iter().filter_map(Weak::upgrade);
        if let Some(api) = known.find(|api| api.is_at(server, config)) {
            return Ok(api);
        }
        let api = Arc::new(Api::new(server, config, fs, self.timing)?);
        apis.push(Arc::downgrade(&api));
        Ok(api)
    }

    /// All objects of a kind, in a namespace or in all of them, as far as the selectors choose.
    /// Must be called within a tokio runtime. The watch ends when nobody holds it any more.
    pub fn watch<T: Resource>(
        &self,
        api: &Arc<Api>,
        namespace: Option<&str>,
        label: &str,
        field: &str,
    ) -> Arc<Watched<T>> {
        let mut watches = lock(&self.watches);
        watches.retain(|shared| shared.watched.strong_count() > 0);
        let path = (T::GROUP, T::PLURAL);
        let known = watches.iter().find(|shared| {
            shared.api.ptr_eq(&Arc::downgrade(api))
                && shared.path == path
                && shared.namespace.as_deref() == namespace
                && shared.label == label
                && shared.field == field
        });
        let known = known.and_then(|shared| shared.watched.upgrade()?.downcast().ok());
        if let Some(known) = known {
            return known;
        }
        let namespace = namespace.map(str::to_owned);
        let follower = Follower {
            api: Arc::clone(api),
            namespace: namespace.clone(),
            label: label.to_owned(),
            field: field.to_owned(),
            state: Arc::default(),
        };
        let state = Arc::clone(&follower.state);
        let mut tasks = JoinSet::new();
        tasks.spawn(follower.run());
        let watched = Arc::new(Watched { state, _tasks: tasks });
        let any: Weak<Watched<T>> = Arc::downgrade(&watched);
        let api = Arc::downgrade(api);
        let (label, field) = (label.to_owned(), field.to_owned());
        watches.push(Shared { api, path, namespace, label, field, watched: any });
        watched
    }
}

/// Objects of one kind as they are now.
#[derive(Debug)]
pub struct Watched<T> {
    state: Arc<Mutex<State<T>>>,
    /// Ends what keeps them up to date when it is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct State<T> {
    objects: Objects<T>,
    /// Whether all of them were known at one time.
    synced: bool,
    problem: Option<String>,
    listeners: Vec<Weak<Notify>>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { objects: Objects::new(), synced: false, problem: None, listeners: Vec::new() }
    }
}

impl<T> Watched<T> {
    /// All of them.
    pub(crate) fn objects(&self) -> Objects<T> {
        lock(&self.state).objects.clone()
    }

    /// All of them, in the order of their names.
    pub fn list(&self) -> Vec<Arc<T>> {
        lock(&self.state).objects.values().cloned().collect()
    }

    /// Whether all were known at one time.
    pub fn is_synced(&self) -> bool {
        lock(&self.state).synced
    }

    /// Why they are not up to date, if they are not.
    pub fn problem(&self) -> Option<String> {
        lock(&self.state).problem.clone()
    }

    /// From now on `listener` is told of every change, and once at first.
    pub fn tell(&self, listener: &Arc<Notify>) {
        lock(&self.state).listeners.push(Arc::downgrade(listener));
        listener.notify_one();
    }
}

/// What keeps the objects up to date.
#[derive(Debug)]
struct Follower<T> {
    api: Arc<Api>,
    namespace: Option<String>,
    label: String,
    field: String,
    state: Arc<Mutex<State<T>>>,
}

impl<T: Resource> Follower<T> {
    async fn run(self) {
        let Timing { backoff_min, backoff_max, .. } = self.api.timing();
        let mut version: Option<String> = None;
        let mut wait = backoff_min;
        loop {
            let listed = version.is_none();
            let outcome = match version.take() {
                None => self.list().await,
                Some(from) => self.follow(from).await,
            };
            match outcome {
                Ok(reached) => {
                    version = Some(reached);
                    wait = backoff_min;
                    if !listed {
                        // A proxy may end every watch at once; it is not to be asked without end.
                        tokio::time::sleep(backoff_min).await;
                    }
                }
                Err((Failure::Gone, _)) => tokio::time::sleep(backoff_min).await,
                Err((Failure::Other(what), reached)) => {
                    version = reached;
                    self.change(|state| state.problem = Some(what));
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(backoff_max);
                }
            }
        }
    }

    /// Takes all objects anew, and returns the version they had.
    async fn list(&self) -> Result<String, (Failure, Option<String>)> {
        let (mut objects, mut next) = (Objects::new(), String::new());
        loop {
            let namespace = self.namespace.as_deref();
            let page = self.api.page::<T>(namespace, &self.selectors(), &next).await;
            let page = page.map_err(|failure| (failure, None))?;
            for object in page.items {
                objects.insert(object.meta().key(), Arc::new(object));
            }
            if objects.len() > OBJECTS_MAX {
                return Err((too_many::<T>(), None));
            }
            if page.metadata.next.is_empty() {
                self.change(|state| {
                    state.objects = objects;
                    state.synced = true;
                    state.problem = None;
                });
                return Ok(page.metadata.resource_version);
            }
            next = page.metadata.next;
        }
    }

    /// Takes changes after `version` until the watch ends, and returns the version that was
    /// reached, with an error too.
    async fn follow(&self, mut version: String) -> Result<String, (Failure, Option<String>)> {
        let namespace = self.namespace.as_deref();
        let watch = self.api.watch::<T>(namespace, &self.selectors(), &version).await;
        let mut watch = watch.map_err(|failure| (failure, Some(version.clone())))?;
        self.recovered();
        loop {
            let event = tokio::time::timeout(SILENCE_MAX, watch.next::<T>()).await;
            let event = match event.unwrap_or_else(|_| Err(silence())) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(version),
                Err(failure) => return Err((failure, Some(version))),
            };
            match event {
                Event::Bookmark(reached) => version = reached,
                Event::Set(object) => {
                    version.clone_from(&object.meta().resource_version);
                    let key = object.meta().key();
                    let mut state = lock(&self.state);
                    if state.objects.len() >= OBJECTS_MAX && !state.objects.contains_key(&key) {
                        drop(state);
                        return Err((too_many::<T>(), Some(version)));
                    }
                    state.objects.insert(key, Arc::new(object));
                    tell(&mut state);
                }
                Event::Deleted(object) => {
                    version.clone_from(&object.meta().resource_version);
                    self.change(|state| {
                        state.objects.remove(&object.meta().key());
                    });
                }
            }
        }
    }

    fn selectors(&self) -> [(&'static str, &str); 2] {
        [("labelSelector", &self.label), ("fieldSelector", &self.field)]
    }

    /// The server answers again.
    fn recovered(&self) {
        let mut state = lock(&self.state);
        if state.problem.take().is_some() {
            tell(&mut state);
        }
    }

    fn change(&self, with: impl FnOnce(&mut State<T>)) {
        let mut state = lock(&self.state);
        with(&mut state);
        tell(&mut state);
    }
}

fn tell<T>(state: &mut State<T>) {
    state.listeners.retain(|listener| match listener.upgrade() {
        Some(listener) => {
            listener.notify_one();
            true
        }
        None => false,
    });
}

fn too_many<T: Resource>() -> Failure {
    let what =
        format!("more than {OBJECTS_MAX} {}; choose with `namespaces` or `selectors`", T::PLURAL);
    Failure::Other(what)
}

fn silence() -> Failure {
    Failure::Other(format!("nothing came on a watch for {} s", Duration::as_secs(&SILENCE_MAX)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held, so a poisoned lock still holds whole values.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
