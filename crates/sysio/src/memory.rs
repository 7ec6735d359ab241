//! How the C library's allocator divides memory between threads.
//!
//! One of three modules of this crate with unsafe code, because no safe call tells the allocator.

#![expect(unsafe_code, reason = "mallopt(3) has no safe wrapper")]

/// Leaves the allocator one arena for each processor: what one thread has given back serves others
/// too. Left to itself, glibc gives eight arenas to every processor, and each keeps the most that it
/// ever needed. Fewer make threads that run at the same time wait for each other.
///
/// To be called before there is a second thread. Without glibc it does nothing.
pub fn limit_arenas() {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    limit(i32::try_from(processors).unwrap_or(i32::MAX));
}

#[cfg(target_env = "gnu")]
fn limit(arenas: i32) {
    // SAFETY: `mallopt` takes two numbers and sets a limit inside the allocator under its lock; if it
    // refuses, which it says by zero, the limit stays what it was.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
}

#[cfg(not(target_env = "gnu"))]
fn limit(_: i32) {}
