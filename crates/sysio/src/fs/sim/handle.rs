//! Open files and locks of a simulated machine.
//!
//! A handle holds its machine, not its bytes: once the machine has crashed or its process was
//! killed, every call fails. What a failed write or sync leaves behind is decided here.

use std::{
    io,
    sync::{Arc, Mutex},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Machine, Operation, injected, lock, tree::NodeId};
use crate::fs::{
    File, FileBytes, Metadata, OpenOptions, error::at, fill_exact, options::not_opened_for,
};

#[derive(Debug)]
pub(super) struct SimFile {
    machine: Arc<Mutex<Machine>>,
    node: NodeId,
    path: Utf8PathBuf,
    options: OpenOptions,
}

impl SimFile {
    /// Takes over one count of the file's `opens`.
    pub(super) fn new(
        machine: &Arc<Mutex<Machine>>,
        node: NodeId,
        path: &Utf8Path,
        options: OpenOptions,
    ) -> Self {
        Self { machine: Arc::clone(machine), node, path: path.to_owned(), options }
    }

    /// Runs `act` as one operation, and hands it the fault that it is told to fail with.
    fn operate<T>(
        &self,
        operation: Operation,
        verb: &'static str,
        refusal: Option<&str>,
        act: impl FnOnce(&mut Machine, Option<io::Error>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut machine = lock(&self.machine);
        machine
            .begin(operation, &self.path)
            .and_then(|fault| match refusal {
                Some(flag) => Err(not_opened_for(flag)),
                None => act(&mut machine, fault.map(injected)),
            })
            .map_err(at(verb, &self.path))
    }

    fn read(&self, act: impl FnOnce(&mut Machine) -> io::Result<usize>) -> io::Result<usize> {
        let refusal = (!self.options.read).then_some("with read");
        self.operate(Operation::Read, "read", refusal, |machine, fault| {
            fault.map_or(Ok(()), Err)?;
            let count = act(machine)?;
            machine.faults.counters.read_bytes += count as u64;
            Ok(count)
        })
    }

    /// Writes at `offset`, or at the end when there is none.
    fn write(
        &self,
        verb: &'static str,
        refusal: Option<&str>,
        bytes: &[u8],
        offset: Option<u64>,
    ) -> io::Result<()> {
        self.operate(Operation::Write, verb, refusal, |machine, fault| {
            let end = machine.disk.file(self.node)?.len() as u64;
            let taken = match fault {
                None => bytes,
                Some(_) => &bytes[..machine.random.index(bytes.len() + 1)],
            };
            let now = machine.clock.now();
            let (count, result) = machine.disk.write(self.node, taken, offset.unwrap_or(end), now);
            machine.faults.counters.written_bytes += count as u64;
            fault.map_or(result, Err)
        })
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read(|machine| {
            let available = machine.disk.file(self.node)?.read(buffer, offset);
            if !machine.faults.short_reads || available == 0 {
                return Ok(available);
            }
            let count = 1 + machine.random.index(available);
            // A caller that goes by the buffer instead of the count must not get away with it.
            machine.random.fill(&mut buffer[count..available]);
            Ok(count)
        })
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read(|machine| {
            let file = machine.disk.file(self.node)?;
            let wanted = buffer.len();
            fill_exact(buffer, offset, |buffer, offset| Ok(file.read(buffer, offset)))?;
            Ok(wanted)
        })
        .map(|_| ())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let allowed = self.options.write && !self.options.append;
        let refusal = (!allowed).then_some("with write, without append");
        self.write("write", refusal, bytes, Some(offset))
    }

    fn append_all(&self, bytes: &[u8]) -> io::Result<()> {
        let refusal = (!self.options.append).then_some("with append");
        self.write("append to", refusal, bytes, None)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.operate(Operation::Sync, "sync", None, |machine, fault| match fault {
            None => {
                machine.disk.file_mut(self.node)?.sync();
                Ok(())
            }
            Some(error) => {
                machine.disk.drop_unsynced(self.node)?;
                Err(error)
            }
        })
    }

    fn sync_all(&self) -> io::Result<()> {
        // Times are always durable here, so there is nothing more to do.
        self.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let refusal = (!self.options.writes()).then_some("with write or append");
        self.operate(Operation::SetLen, "resize", refusal, |machine, fault| {
            fault.map_or(Ok(()), Err)?;
            let now = machine.clock.now();
            machine.disk.set_len(self.node, len, now)
        })
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.operate(Operation::Metadata, "look at", None, |machine, fault| {
            fault.map_or(Ok(()), Err)?;
            machine.disk.node_metadata(self.node)
        })
    }

    fn map(&self) -> io::Result<FileBytes> {
        let refusal = (!self.options.read).then_some("with read");
        self.operate(Operation::Map, "map", refusal, |machine, fault| {
            fault.map_or(Ok(()), Err)?;
            Ok(FileBytes::shared(Arc::clone(&machine.disk.file(self.node)?.current)))
        })
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        lock(&self.machine).disk.close(self.node);
    }
}

/// Keeps a lock, and the locked file alive.
#[derive(Debug)]
pub(super) struct SimLock {
    machine: Arc<Mutex<Machine>>,
    node: NodeId,
}

impl SimLock {
    /// Takes over a lock that [`super::disk::Disk::lock`] took.
    pub(super) fn new(machine: &Arc<Mutex<Machine>>, node: NodeId) -> Self {
        Self { machine: Arc::clone(machine), node }
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        lock(&self.machine).disk.unlock(self.node);
    }
}
