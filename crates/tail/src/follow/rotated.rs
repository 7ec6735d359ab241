//! Files that had the name of a path before: where they are now, those that came and went between
//! two looks, and when each is done with.

use std::{collections::BTreeMap, io, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Metadata, OpenOptions};
use tracing::{info, warn};

use super::Follow;
use crate::{position::Position, rotation, world::World};

/// A rotated file that brought nothing for so long is closed; if it grows, it is opened again.
const ROTATED_IDLE: Duration = Duration::from_secs(30);

impl Follow {
    /// Another file has the name, or none: finds the old one, and those that came and went since.
    pub(super) fn find_rotated(
        &mut self,
        now: Option<&Metadata>,
        first: bool,
        world: &mut World,
    ) -> io::Result<()> {
        let newest = self.readers.iter().map(|reader| reader.position.modified).max();
        self.locate_rotated(first, world)?;
        self.find_between(now, newest, world)?;
        rotation::sort_by_age(&self.path, &mut self.readers, |reader| &reader.path);
        Ok(())
    }

    /// Finds the files that are read under whatever name they have now.
    pub(super) fn locate_rotated(&mut self, first: bool, world: &mut World) -> io::Result<()> {
        self.dirty = true;
        let siblings = rotation::siblings(&*world.fs, &self.path)?;
        for (path, found) in &siblings.files {
            if let Some(reader) = self.readers.iter_mut().find(|reader| reader.id() == found.id) {
                reader.path.clone_from(path);
            }
        }
        if first { self.drop_strangers(&siblings.files, world) } else { Ok(()) }
    }

    /// Adds files that were rotated after `since` and that nobody has read.
    pub(super) fn find_between(
        &mut self,
        now: Option<&Metadata>,
        since: Option<i64>,
        world: &mut World,
    ) -> io::Result<()> {
        let Some(since) = since else { return Ok(()) };
        let siblings = rotation::rotated(&*world.fs, &self.path)?;
        world.stats.compressed_skipped.add(siblings.compressed_since(since));
        let mut between: Vec<_> = siblings
            .files
            .into_iter()
            .filter(|(_, found)| {
                now.is_none_or(|now| now.id != found.id)
                    && found.modified.0 >= since
                    && world.owner(&self.job, found.id).is_none()
            })
            .collect();
        between.sort_by_key(|(_, found)| found.modified.0);
        rotation::sort_by_age(&self.path, &mut between, |(path, _)| path);
        for (path, found) in between {
            if self.has_current && self.is_of_current(&path, world) {
                continue;
            }
            info!(path = %path, of = %self.path, "Reading a file that was rotated meanwhile.");
            let modified = found.modified.0;
            let position = Position { id: found.id, modified, ..Position::default() };
            if self.has_current {
                self.add_before_current(&path, position, world);
            } else {
                self.add(&path, position, world);
            }
        }
        Ok(())
    }

    /// The file grew, or was emptied before anything of it had been read: its bytes do not tell which,
    /// so the copies do that were made since. `changed` is when it was last seen to change.
    pub(super) fn find_unread_copies(&mut self, changed: i64, world: &mut World) -> io::Result<()> {
        let is_unread =
            self.readers.last().is_some_and(|current| current.position.fingerprint.len == 0);
        if is_unread {
            self.copies_since.get_or_insert(changed.max(self.job_since));
        }
        let Some(since) = self.copies_since else { return Ok(()) };
        self.drop_overwritten(world);
        self.find_between(None, Some(since), world)?;
        if !is_unread {
            // From now on what was read tells.
            self.copies_since = None;
        }
        Ok(())
    }

    /// Whether a file is a copy of what the one that has the name now still holds: it is being made,
    /// and the file is about to be emptied. What cannot be read is left alone too.
    fn is_of_current(&self, path: &Utf8Path, world: &World) -> bool {
        let Some(current) = self.readers.last() else { return false };
        let copy = world.fs.open(path, OpenOptions::READ);
        copy.and_then(|copy| current.begins_with(&*copy)).unwrap_or(true)
    }

    /// Forgets rotated files that hold something else now, as when the next copy is written over the
    /// last one.
    pub(super) fn drop_overwritten(&mut self, world: &mut World) {
        let rotated = self.readers.len() - usize::from(self.has_current);
        let mut gone = Vec::new();
        for at in 0..rotated {
            let Some(reader) = self.readers.get_mut(at) else { break };
            let was_open = reader.is_open();
            let is_there = reader.open(&*world.fs).unwrap_or(false);
            if is_there && !reader.begins_as_before().unwrap_or(true) {
                gone.push(at);
            } else if !was_open {
                reader.close();
            }
        }
        for at in gone.into_iter().rev() {
            self.remove(at, world);
        }
    }

    /// After a start: forgets files that are gone, or that are others under the same number.
    fn drop_strangers(
        &mut self,
        there: &BTreeMap<Utf8PathBuf, Metadata>,
        world: &mut World,
    ) -> io::Result<()> {
        let newest = self.readers.iter().map(|reader| reader.position.modified).max();
        let mut gone = Vec::new();
        for (at, reader) in self.readers.iter_mut().enumerate() {
            let there = there.values().any(|found| found.id == reader.id());
            if there && reader.open(&*world.fs)? && reader.begins_as_before()? {
                continue;
            }
            if Some(reader.position.modified) == newest {
                world.stats.rotated_gone.add(1);
                warn!(
                    path = %self.path, read = reader.position.offset,
                    "The file that was followed before is gone; what was not read of it is lost."
                );
            }
            gone.push(at);
        }
        for at in gone.into_iter().rev() {
            self.remove(at, world);
        }
        Ok(())
    }

    /// Closes rotated files that bring nothing any more.
    pub(super) fn retire(&mut self, world: &mut World) -> io::Result<()> {
        let rotated = self.readers.len() - usize::from(self.has_current);
        let mut gone = Vec::new();
        for at in 0..rotated {
            let Some(reader) = self.readers.get_mut(at) else { break };
            let idle = world.now.monotonic.saturating_sub(reader.last_growth);
            if reader.done || idle < ROTATED_IDLE {
                continue;
            }
            let links = reader.metadata()?.map_or(1, |found| found.links);
            self.read_last_line(at, world)?;
            let Some(reader) = self.readers.get_mut(at) else { break };
            reader.done = true;
            reader.close();
            if links == 0 {
                gone.push(at);
            }
        }
        for at in gone.into_iter().rev() {
            self.remove(at, world);
        }
        Ok(())
    }

    /// At every search for files: looks after rotated ones, and for more of them while no file has
    /// the name.
    pub(crate) fn search_rotated(&mut self, world: &mut World) -> io::Result<()> {
        self.check_closed(world)?;
        if self.started && !self.has_current && !self.readers.is_empty() {
            self.find_rotated(None, false, world)?;
        }
        Ok(())
    }

    /// Looks after rotated files that were closed: those that grew are read on, those that are gone
    /// are forgotten.
    fn check_closed(&mut self, world: &mut World) -> io::Result<()> {
        if !self.readers.iter().any(|reader| reader.done) {
            return Ok(());
        }
        let mut names = None;
        let mut gone = Vec::new();
        for at in 0..self.readers.len() {
            let Some(reader) = self.readers.get_mut(at).filter(|reader| reader.done) else {
                continue;
            };
            let mut found = world.fs.metadata(&reader.path).ok();
            if found.is_none_or(|found| found.id != reader.id()) {
                if names.is_none() {
                    names = Some(rotation::siblings(&*world.fs, &self.path)?);
                }
                let files = names.iter().flat_map(|siblings| &siblings.files);
                let place = files.into_iter().find(|(_, other)| other.id == reader.id());
                found = place.map(|(path, found)| {
                    reader.path.clone_from(path);
                    *found
                });
            }
            match found {
                None => gone.push(at),
                Some(found) if found.len > reader.position.offset => {
                    reader.done = false;
                    reader.last_growth = world.now.monotonic;
                    self.next_look = world.now.monotonic;
                }
                Some(_) => {}
            }
        }
        for at in gone.into_iter().rev() {
            self.remove(at, world);
        }
        Ok(())
    }
}
