//! How the C library's allocator divides memory between threads, and when it gives memory back.
//!
//! One of three modules of this crate with unsafe code, because no safe call tells the allocator.

#![expect(unsafe_code, reason = "mallopt(3) and malloc_trim(3) have no safe wrappers")]

/// An allocation of at least so many bytes is a mapping of its own. The buffers of streams, of
/// requests and of compressors mostly are; what is often made anew is smaller, and a mapping costs a
/// page fault for every 4 KiB each time.
#[cfg(target_env = "gnu")]
const MAPPED_BYTES_MIN: i32 = 512 << 10;

/// Sets the allocator up for a process that runs long:
///
/// - one arena for each processor: what one thread has given back serves others too. Left to itself,
///   glibc gives eight arenas to every processor, and each keeps the most that it ever needed. Fewer
///   make threads that run at the same time wait for each other.
/// - large buffers are mapped, however often: what is freed goes back at once, and of room that is
///   only reserved nothing is resident. Left to itself, glibc keeps them in its heap from the first
///   one on that was freed, where the small ones between them hold the memory.
///
/// To be called before there is a second thread. Without glibc it does nothing.
pub fn tune_allocator() {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tune(i32::try_from(processors).unwrap_or(i32::MAX));
}

#[cfg(target_env = "gnu")]
fn tune(arenas: i32) {
    // SAFETY: `mallopt` takes two numbers and sets a limit inside the allocator under its lock; if it
    // refuses, which it says by zero, the limit stays what it was.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, arenas);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
    };
}

#[cfg(not(target_env = "gnu"))]
fn tune(_: i32) {}

/// Gives back to the kernel what the allocator has free. It takes about a millisecond. Without glibc
/// it does nothing.
pub fn release_free() {
    trim();
}

#[cfg(target_env = "gnu")]
fn trim() {
    // SAFETY: `malloc_trim` takes the allocator's own locks, and gives back pages that no live
    // allocation touches.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn trim() {}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(clippy::disallowed_methods, reason = "tests ask the kernel what is resident")]
mod tests {
    use super::*;

    fn resident() -> usize {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
        // The smallest that there is; a larger one makes all figures smaller alike.
        pages * 4096
    }

    /// One test: the other's allocations would be seen where both run in one process.
    #[test]
    fn what_is_freed_goes_back() {
        large_buffers_also_when_as_much_was_freed_before();
        small_ones_when_it_is_asked_for();
    }

    fn large_buffers_also_when_as_much_was_freed_before() {
        tune_allocator();
        let before = resident();
        for _ in 0..3 {
            // A small one behind each large one would hold it in a heap.
            let held: Vec<(Vec<u8>, Box<[u8; 100]>)> =
                (0..32).map(|_| (vec![1; 1 << 20], Box::new([1; 100]))).collect();
            assert!(resident() > before + (24 << 20));
            let small: Vec<Box<[u8; 100]>> = held.into_iter().map(|(_, small)| small).collect();
            assert!(resident() < before + (8 << 20), "{} of {before}", resident());
            drop(small);
        }
    }

    fn small_ones_when_it_is_asked_for() {
        let held: Vec<Box<[u8; 1000]>> = (0..32_768).map(|_| Box::new([1; 1000])).collect();
        // One in a thousand stays, and holds the heap at its size.
        let kept: Vec<_> = held.into_iter().step_by(1000).collect();
        let before = resident();
        release_free();
        assert!(resident() + (16 << 20) < before, "{} of {before}", resident());
        drop(kept);
    }
}
