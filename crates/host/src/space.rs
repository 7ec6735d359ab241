//! The seam to `statvfs(3)`: how much space a mounted file system has.

use std::{fmt::Debug, io};

use camino::Utf8Path;
use rustix::fs::StatVfsMountFlags;

/// Measures mounted file systems.
pub trait Space: Send + Sync + Debug {
    /// Measures the file system mounted at `path`.
    ///
    /// # Errors
    /// What the operating system answers, such as permission denied or a stale NFS handle.
    fn measure(&self, path: &Utf8Path) -> io::Result<MountSpace>;
}

/// What a file system has, in bytes and inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MountSpace {
    /// All of it.
    pub size_bytes: u64,
    /// What nobody uses.
    pub free_bytes: u64,
    /// What users other than root can still use.
    pub avail_bytes: u64,
    /// All inodes.
    pub files: u64,
    /// Inodes that nobody uses.
    pub files_free: u64,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// The operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealSpace;

impl Space for RealSpace {
    fn measure(&self, path: &Utf8Path) -> io::Result<MountSpace> {
        let found = rustix::fs::statvfs(path.as_std_path())?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(MountSpace {
            size_bytes: bytes(found.f_blocks),
            free_bytes: bytes(found.f_bfree),
            avail_bytes: bytes(found.f_bavail),
            files: found.f_files,
            files_free: found.f_ffree,
            read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_exists_has_a_size_and_one_that_does_not_is_an_error() {
        let space = RealSpace.measure(Utf8Path::new("/")).expect("the root is mounted");
        assert!(space.size_bytes > 0 && space.avail_bytes <= space.free_bytes, "{space:?}");
        assert!(RealSpace.measure(Utf8Path::new("/no/such/place")).is_err());
    }
}
