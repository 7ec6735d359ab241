//! All groups: one loop that waits until a group is due, evaluates it on a thread that may block,
//! and hands what must be told to the notifier.
//!
//! Groups run side by side, at most [`Settings::groups_at_once`] of them; a group never runs beside
//! itself. A reload keeps every group whose text did not change, running or not, with all that it
//! knows; of the others, alerts and series go over by rule. Series of what is gone are marked stale
//! two intervals later, unless a rule of another group makes them by then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use masthead_model::{Labels, Millis, Nanos};
use masthead_ports::{Alertmanagers, RuleGroup, RulesView, SampleSink};
use masthead_sysio::Clock;
use parking_lot::Mutex;
use tokio::{sync::Notify, task::JoinSet, time::sleep};
use tracing::error;

use crate::{
    GroupSpec, Language, Notifier, Querier,
    alert::Outage,
    group::{Group, World, mark_stale},
    schedule::{Schedule, Turn, hash},
};

/// What the rules stand on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Answers PromQL.
    pub samples: Arc<dyn Querier>,
    /// Answers LogQL.
    pub logs: Arc<dyn Querier>,
    /// Where results go.
    pub sink: Arc<dyn SampleSink>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who is told of alerts.
    pub notifier: Notifier,
}

/// What does not change with the rule files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach this server; links in alerts begin with it.
    pub external_url: String,
    /// An alert that goes on is told again after so long: `--rules.alert.resend-delay`.
    pub resend_delay: Duration,
    /// State older than this is not read back: `--rules.alert.for-outage-tolerance`.
    pub outage_tolerance: Duration,
    /// An alert that was about to fire waits so long after a restart:
    /// `--rules.alert.for-grace-period`.
    pub grace_period: Duration,
    /// Groups that are evaluated at the same time.
    pub groups_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            external_url: String::new(),
            resend_delay: Duration::from_mins(1),
            outage_tolerance: Duration::from_hours(1),
            grace_period: Duration::from_mins(10),
            groups_at_once: 4,
        }
    }
}

/// The rules in force. Clones are the same rules.
#[derive(Debug, Clone)]
pub struct Rules {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    parts: Parts,
    settings: Settings,
    loaded: Mutex<Loaded>,
    /// Held during a reload.
    loading: Mutex<()>,
    changed: Notify,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct Loaded {
    slots: Vec<Arc<Slot>>,
    graves: Vec<Grave>,
    external_labels: Labels,
    /// Whether there were rules before: only those of the first load have a past to read back.
    begun: bool,
}

/// A group in its place.
#[derive(Debug)]
struct Slot {
    spec: Arc<GroupSpec>,
    interval: Duration,
    offset: Duration,
    /// Nothing once the slot is retired. Held while the group is evaluated.
    group: Mutex<Option<Group>>,
    schedule: Mutex<Schedule>,
    running: AtomicBool,
    /// As the last evaluation left it, so that looking never waits for one.
    view: Mutex<RuleGroup>,
    counts: Counts,
}

/// Series that nothing makes any more.
#[derive(Debug)]
struct Grave {
    series: Vec<Labels>,
    /// When they ended.
    at: Millis,
    /// When that is written.
    due: i64,
}

/// What a group counts.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) evaluations: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) refused: AtomicU64,
    iterations: AtomicU64,
    missed: AtomicU64,
    samples: AtomicU64,
}

/// What a group has counted, and how it fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStats {
    /// File and name, as upstream's label `rule_group` has them.
    pub group: String,
    /// From one evaluation to the next.
    pub interval: Duration,
    /// How long the last evaluation took.
    pub evaluation_time: Duration,
    /// When it was last evaluated.
    pub last_evaluation: Option<Millis>,
    /// Rules of the group.
    pub rules: u64,
    /// Evaluations of rules.
    pub evaluations: u64,
    /// Evaluations of rules that failed.
    pub failures: u64,
    /// Results that the store refused.
    pub refused: u64,
    /// Turns of the group, missed ones included.
    pub iterations: u64,
    /// Turns that were missed.
    pub missed: u64,
    /// Samples that the last evaluation made.
    pub last_samples: u64,
}

/// What a group is known by.
type Key = (Arc<str>, String, Language);

impl Rules {
    /// No rules yet: [`Rules::load`] brings them, [`Rules::run`] evaluates them.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let (loaded, changed, stopping) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
        Self {
            shared: Arc::new(Shared {
                parts,
                settings,
                loaded,
                loading: Mutex::default(),
                changed,
                stopping,
            }),
        }
    }

    /// Puts groups in force in place of those before. `interval` and `offset` are those of groups
    /// that say none. Waits for groups that change while they are evaluated; not to be called on an
    /// async thread.
    pub fn load(
        &self,
        groups: Vec<GroupSpec>,
        external_labels: Labels,
        interval: Duration,
        offset: Duration,
    ) {
        let shared = &self.shared;
        let now = shared.parts.clock.now().0;
        // Reloads come one after the other; nobody who looks at the rules waits for one of them.
        let _turn = shared.loading.lock();
        let (before, restored) = {
            let mut loaded = shared.loaded.lock();
            (loaded.slots.clone(), std::mem::replace(&mut loaded.begun, true))
        };
        let key = |spec: &GroupSpec| (Arc::clone(&spec.file), spec.name.clone(), spec.language);
        let mut before: BTreeMap<Key, Arc<Slot>> =
            before.into_iter().map(|slot| (key(&slot.spec), slot)).collect();
        let mut slots = Vec::with_capacity(groups.len());
        for spec in groups {
            let old = before.remove(&key(&spec));
            let every = spec.interval.unwrap_or(interval);
            let behind = spec.query_offset.unwrap_or(offset);
            if let Some(same) = old
                .as_ref()
                .filter(|old| *old.spec == spec && old.interval == every && old.offset == behind)
            {
                slots.push(Arc::clone(same));
                continue;
            }
            let spec = Arc::new(spec);
            let mut group = Group::new(Arc::clone(&spec), every, behind, restored);
            if let Some(group_before) = old.and_then(|old| old.group.lock().take()) {
                group.inherit(group_before);
            }
            let place = hash(&[&spec.file, &spec.name]);
            slots.push(Arc::new(Slot {
                interval: every,
                offset: behind,
                schedule: Mutex::new(Schedule::new(place, every, now)),
                running: AtomicBool::new(false),
                view: Mutex::new(group.view()),
                counts: Counts::default(),
                group: Mutex::new(Some(group)),
                spec,
            }));
        }
        let mut graves = Vec::new();
        for slot in before.into_values() {
            let Some(group) = slot.group.lock().take() else { continue };
            let series = group.into_series();
            if !series.is_empty() {
                let wait = i64::try_from(slot.interval.as_nanos()).unwrap_or(i64::MAX / 4);
                let due = now.saturating_add(wait.saturating_mul(2));
                graves.push(Grave { series, at: Nanos(now).to_millis_floor(), due });
            }
        }
        slots.sort_by(|a, b| (&a.spec.file, &a.spec.name).cmp(&(&b.spec.file, &b.spec.name)));
        let mut loaded = shared.loaded.lock();
        loaded.slots = slots;
        loaded.graves.extend(graves);
        loaded.external_labels = external_labels;
        drop(loaded);
        shared.changed.notify_one();
    }

    /// Evaluates groups when they are due, for ever. Safe to drop: evaluations that are under way
    /// end in their own time and append what they made.
    pub async fn run(self) {
        let mut running = JoinSet::new();
        loop {
            let now = self.shared.parts.clock.now().0;
            let wait = self.start_due(now, &mut running);
            tokio::select! {
                () = sleep(wait) => {}
                () = self.shared.changed.notified() => {}
                Some(done) = running.join_next() => {
                    // A panic ends the turn of one group, never the others.
                    if let Err(error) = done && error.is_panic() {
                        error!(%error, "The evaluation of a group of rules panicked.");
                    }
                }
            }
        }
    }

    /// From now on nothing is evaluated; returns when what is under way has ended.
    pub async fn stop(&self) {
        /// Turns are short, and this waits once in the life of a process.
        const LOOK_EVERY: Duration = Duration::from_millis(5);
        self.shared.stopping.store(true, Ordering::Release);
        // Whoever starts a turn holds this lock and has seen the flag by the next time.
        let slots = self.shared.loaded.lock().slots.clone();
        while slots.iter().any(|slot| slot.running.load(Ordering::Acquire)) {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Starts what is due and says how long nothing else is.
    fn start_due(&self, now: i64, running: &mut JoinSet<()>) -> Duration {
        /// Even with nothing to do: a wall clock may be set.
        const LOOK_EVERY: Duration = Duration::from_secs(5);
        let mut wait = LOOK_EVERY;
        if self.shared.stopping.load(Ordering::Acquire) {
            return wait;
        }
        let mut loaded = self.shared.loaded.lock();
        let (due, graves) = std::mem::take(&mut loaded.graves)
            .into_iter()
            .partition::<Vec<_>, _>(|grave| grave.due <= now);
        loaded.graves = graves;
        if !due.is_empty() {
            let sink = Arc::clone(&self.shared.parts.sink);
            running.spawn_blocking(move || {
                for grave in due {
                    mark_stale(&*sink, grave.series, grave.at, 0);
                }
            });
        }
        for slot in &loaded.slots {
            if slot.running.load(Ordering::Acquire) {
                continue;
            }
            if running.len() >= self.shared.settings.groups_at_once.max(1) {
                // Whichever ends wakes the loop.
                continue;
            }
            let mut schedule = slot.schedule.lock();
            let Some(turn) = schedule.take(now) else {
                wait = wait.min(schedule.wait(now));
                continue;
            };
            slot.running.store(true, Ordering::Release);
            let (rules, slot) = (self.clone(), Arc::clone(slot));
            running.spawn_blocking(move || {
                let _done = Done(&slot.running);
                rules.turn(&slot, turn);
            });
        }
        wait
    }

    /// Evaluates one group.
    fn turn(&self, slot: &Slot, turn: Turn) {
        let shared = &self.shared;
        slot.counts.iterations.fetch_add(1 + turn.missed, Ordering::Relaxed);
        slot.counts.missed.fetch_add(turn.missed, Ordering::Relaxed);
        let external_labels = shared.loaded.lock().external_labels.clone();
        let querier = match slot.spec.language {
            Language::Promql => &shared.parts.samples,
            Language::Logql => &shared.parts.logs,
        };
        let world = World {
            querier: &**querier,
            sink: &*shared.parts.sink,
            clock: &*shared.parts.clock,
            external_labels: &external_labels,
            external_url: &shared.settings.external_url,
            resend_delay: shared.settings.resend_delay,
            counts: &slot.counts,
        };
        let at = Nanos(turn.at).to_millis_floor();
        let mut held = slot.group.lock();
        // Retired while this turn waited.
        let Some(group) = held.as_mut() else { return };
        let first = group.view().last_evaluation.is_none();
        let notifications = group.evaluate(&world, at);
        // At the first turn after a start, other groups may not have recorded anything yet.
        if !first && group.needs_restoring() {
            let outage = Outage {
                tolerance: shared.settings.outage_tolerance,
                grace: shared.settings.grace_period,
            };
            group.restore(world.querier, at, outage);
        }
        slot.counts.samples.store(group.last_samples(), Ordering::Relaxed);
        *slot.view.lock() = group.view();
        drop(held);
        shared.parts.notifier.send(notifications, &external_labels, &shared.settings.external_url);
    }

    /// Evaluates every group at `at`, one after the other: for tests, which have no time to wait.
    #[doc(hidden)]
    pub fn evaluate_all(&self, at: Millis) {
        let slots = self.shared.loaded.lock().slots.clone();
        let at = at.to_nanos().map_or(0, |nanos| nanos.0);
        for slot in slots {
            self.turn(&slot, Turn { at, missed: 0 });
        }
    }

    /// What each group has counted.
    pub fn stats(&self) -> Vec<GroupStats> {
        let slots = self.shared.loaded.lock().slots.clone();
        let one = |slot: &Arc<Slot>| {
            let view = slot.view.lock();
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            GroupStats {
                group: format!("{};{}", slot.spec.file, slot.spec.name),
                interval: slot.interval,
                evaluation_time: view.evaluation_time,
                last_evaluation: view.last_evaluation,
                rules: view.rules.len() as u64,
                evaluations: read(&slot.counts.evaluations),
                failures: read(&slot.counts.failures),
                refused: read(&slot.counts.refused),
                iterations: read(&slot.counts.iterations),
                missed: read(&slot.counts.missed),
                last_samples: read(&slot.counts.samples),
            }
        };
        slots.iter().map(one).collect()
    }

    /// The groups of one language, as the API shows them.
    pub fn groups_of(&self, language: Language) -> Vec<RuleGroup> {
        let slots = self.shared.loaded.lock().slots.clone();
        let wanted = slots.iter().filter(|slot| slot.spec.language == language);
        wanted.map(|slot| slot.view.lock().clone()).collect()
    }

    /// What the groups of one language were made of.
    pub fn specs(&self, language: Language) -> Vec<Arc<GroupSpec>> {
        let slots = self.shared.loaded.lock().slots.clone();
        let wanted = slots.iter().filter(|slot| slot.spec.language == language);
        wanted.map(|slot| Arc::clone(&slot.spec)).collect()
    }
}

/// The rules of PromQL, as `/api/v1/rules` shows them.
impl RulesView for Rules {
    fn groups(&self) -> Vec<RuleGroup> {
        self.groups_of(Language::Promql)
    }

    fn alertmanagers(&self) -> Alertmanagers {
        self.shared.parts.notifier.alertmanagers()
    }
}

/// Says that a turn is over, even one that panicked.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
