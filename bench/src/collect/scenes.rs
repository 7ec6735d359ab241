//! What happens while a node's containers write. To add a row: a [`Scene`] and its line in
//! [`SCENES`].

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use masthead_model::Nanos;

use super::{
    Load,
    count::{self, Counts},
    tree::Tree,
};
use crate::{
    http::Patience,
    measure,
    peers::Program,
    server::{Server, free_port},
};

/// Between two writes of the containers.
const WRITE_EVERY: Duration = Duration::from_millis(20);
/// How long lines may take to be seen after the last one was written.
const ARRIVE: Duration = Duration::from_mins(2);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// What happens in a row of the table.
pub(super) struct Scene {
    pub what: &'static str,
    /// Goes on until the containers are to stop.
    act: fn(&mut Stage<'_>) -> Result<()>,
    rotates: bool,
    /// Whether lines are there before the collector is, and nothing is written later.
    is_backlog: bool,
}

const fn scene(what: &'static str, act: fn(&mut Stage<'_>) -> Result<()>) -> Scene {
    Scene { what, act, rotates: false, is_backlog: false }
}

/// In the order of the table.
pub(super) const SCENES: [Scene; 7] = [
    scene("steady", |stage| stage.wait(1.0)),
    Scene { rotates: true, ..scene("rotation, a line late", |stage| stage.wait(1.0)) },
    scene("collector killed 3 times", |stage| {
        for _ in 0..3 {
            stage.wait(0.25)?;
            stage.kill_collector()?;
            stage.start_collector()?;
        }
        stage.wait(0.25)
    }),
    scene("killed, rotated meanwhile", |stage| {
        stage.wait(0.3)?;
        stage.kill_collector()?;
        stage.wait(0.2)?;
        stage.tree().rotate()?;
        stage.wait(0.2)?;
        stage.start_collector()?;
        stage.wait(0.3)
    }),
    Scene {
        rotates: true,
        ..scene("server away, rotation", |stage| {
            stage.wait(0.3)?;
            stage.server.take().context("no server")?.terminate()?;
            stage.stay_away()?;
            stage.start_server()?;
            stage.wait(0.3)
        })
    },
    scene("server killed", |stage| {
        stage.wait(0.3)?;
        stage.server.take().context("no server")?.kill()?;
        stage.stay_away()?;
        stage.start_server()?;
        stage.wait(0.3)
    }),
    Scene {
        rotates: true,
        ..scene("all of it, and new pods", |stage| {
            stage.wait(0.25)?;
            stage.kill_collector()?;
            stage.tree().add()?;
            stage.start_collector()?;
            stage.server.take().context("no server")?.kill()?;
            stage.stay_away()?;
            stage.kill_collector()?;
            stage.tree().add()?;
            stage.start_collector()?;
            stage.start_server()?;
            stage.wait(0.25)?;
            stage.kill_collector()?;
            stage.start_collector()?;
            stage.wait(0.25)
        })
    },
];

pub(super) const BACKLOG: Scene = Scene { is_backlog: true, ..scene("backlog", |_| Ok(())) };

/// What the collector took; nothing where that would say nothing, because it was started again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Costs {
    pub cpu_per_gb: Option<f64>,
    pub resident_mb: Option<f64>,
    pub peak_mb: Option<f64>,
}

/// A node, its collector and the server.
pub(super) struct Stage<'a> {
    load: Load,
    directory: Utf8PathBuf,
    server_program: &'a Program,
    collector_program: &'a Program,
    patience: &'a Patience,
    port: u16,
    server: Option<Server<'a>>,
    collector: Option<Server<'a>>,
    /// Whether it is the one that was started first.
    is_first: bool,
    tree: Arc<Mutex<Tree>>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        load: Load,
        directory: &Utf8Path,
        (server_program, collector_program): (&'a Program, &'a Program),
        patience: &'a Patience,
    ) -> Result<Self> {
        let tree = Arc::new(Mutex::new(Tree::new(&directory.join("pods"), load.seed)?));
        let mut stage = Self {
            load,
            directory: directory.to_owned(),
            server_program,
            collector_program,
            patience,
            port: free_port()?,
            server: None,
            collector: None,
            is_first: true,
            tree,
        };
        stage.start_server()?;
        Ok(stage)
    }

    /// Plays a scene to its end, and counts once every line has had its time to arrive.
    pub(super) fn play(mut self, scene: &Scene) -> Result<(Counts, Costs)> {
        let began = now()?;
        if scene.is_backlog {
            while self.tree().bytes < self.load.backlog_bytes {
                self.patience.check()?;
                self.tree().write(100)?;
            }
        }
        self.start_collector()?;
        if !scene.is_backlog {
            self.write_while(scene)?;
        }
        let want = self.tree().containers.iter().map(|one| one.lines).sum::<u64>();
        let server = self.server.as_ref().context("no server")?;
        let until = Instant::now() + ARRIVE;
        let range = loop {
            let range = (began, Nanos(now()?.0 + 1_000_000_000));
            if count::there(server, range)? >= want || Instant::now() > until {
                break range;
            }
            self.patience.sleep(LOOK)?;
        };
        let costs = self.costs()?;
        let counts = count::counts(server, &self.tree(), self.load.seed, range)?;
        for one in [self.collector.take(), self.server.take()].into_iter().flatten() {
            one.terminate()?;
        }
        Ok((counts, costs))
    }

    /// The containers write beside the scene, until it is over.
    fn write_while(&mut self, scene: &Scene) -> Result<()> {
        let (load, patience, over) = (self.load, self.patience.clone(), AtomicBool::new(false));
        let tree = Arc::clone(&self.tree);
        thread::scope(|scope| {
            let writer = scope.spawn(|| write(&tree, load, scene.rotates, &over, &patience));
            let acted = (scene.act)(self);
            over.store(true, Ordering::Relaxed);
            let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            acted.and(written)
        })
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a share of the time for which the containers write.
    fn wait(&self, share: f64) -> Result<()> {
        self.patience.sleep(self.load.time.mul_f64(share))
    }

    fn stay_away(&self) -> Result<()> {
        self.patience.sleep(self.load.away)
    }

    fn start_server(&mut self) -> Result<()> {
        let (directory, at) = (self.directory.join("server"), Some(self.port));
        let started = Server::start_with(self.server_program, &directory, at, &[], self.patience);
        self.server = Some(started.context("the server")?.0);
        Ok(())
    }

    fn start_collector(&mut self) -> Result<()> {
        let directory = self.directory.join("collector");
        let to = format!("http://127.0.0.1:{}/loki/api/v1/push", self.port);
        let pods = self.directory.join("pods");
        let more = ["--loki", &to, "--pods-log-dir", pods.as_str()];
        let started =
            Server::start_with(self.collector_program, &directory, None, &more, self.patience);
        self.collector = Some(started.context("the collector")?.0);
        Ok(())
    }

    fn kill_collector(&mut self) -> Result<()> {
        self.is_first = false;
        self.collector.take().context("no collector")?.kill()
    }

    fn costs(&self) -> Result<Costs> {
        let Some(collector) = self.collector.as_ref().filter(|_| self.is_first) else {
            return Ok(Costs::default());
        };
        let memory = measure::own_memory(collector.pid())?;
        Ok(Costs {
            cpu_per_gb: Some(
                measure::cpu_seconds(collector.pid())? / self.tree().bytes as f64 * 1e9,
            ),
            resident_mb: Some(memory.resident_bytes / 1e6),
            peak_mb: Some(memory.peak_bytes / 1e6),
        })
    }
}

/// Writes as many lines as the time asks for, until it is over.
fn write(
    tree: &Mutex<Tree>,
    load: Load,
    rotates: bool,
    over: &AtomicBool,
    patience: &Patience,
) -> Result<()> {
    let (began, mut written, mut rotations) = (Instant::now(), 0, 1);
    while !over.load(Ordering::Relaxed) {
        patience.sleep(WRITE_EVERY)?;
        let mut tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a count"
        )]
        let due = (began.elapsed().as_secs_f64() * f64::from(load.rate)) as u64;
        tree.write(due.saturating_sub(written))?;
        written = due;
        if rotates && began.elapsed() > load.rotation * rotations {
            rotations += 1;
            tree.rotate()?;
        }
    }
    Ok(())
}

fn now() -> Result<Nanos> {
    Ok(Nanos(jiff::Timestamp::now().as_nanosecond().try_into()?))
}
