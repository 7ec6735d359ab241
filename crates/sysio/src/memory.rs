//! How the C library's allocator divides memory between threads, and what is given back of the
//! memory that nobody needs.
//!
//! One of three modules of this crate with unsafe code, because no safe call tells the allocator or
//! the kernel.

#![expect(unsafe_code, reason = "mallopt(3), malloc_trim(3) and madvise(2) have no safe wrappers")]

/// An allocation of at least so many bytes is a mapping of its own. The buffers of streams, of
/// requests and of compressors are larger; what is often made anew is mostly smaller.
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

/// Gives back what the allocator has free, and the pages of the program itself: what is run or read
/// again comes back by itself, from the kernel's cache of files; what only a start or a rare request
/// needed does not. It takes about a millisecond.
pub fn release_unused() {
    release_free();
    release_program();
}

#[cfg(target_env = "gnu")]
fn release_free() {
    // SAFETY: `malloc_trim` takes the allocator's own locks, and gives back pages that no live
    // allocation touches.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn release_free() {}

/// Returns how many bytes were offered to the kernel.
#[cfg(target_os = "linux")]
fn release_program() -> usize {
    /// Is called for the program first, and ends there.
    unsafe extern "C" fn release(
        object: *mut libc::dl_phdr_info,
        _: libc::size_t,
        released: *mut libc::c_void,
    ) -> libc::c_int {
        let page = rustix::param::page_size();
        // SAFETY: the loader calls with a description that is valid during the call, whose headers
        // are `dlpi_phnum` in number, and with the pointer that it was given, to a number that nobody
        // else uses meanwhile.
        let (object, released) = unsafe { (&*object, &mut *released.cast::<usize>()) };
        for at in 0..usize::from(object.dlpi_phnum) {
            // SAFETY: as above.
            let header = unsafe { &*object.dlpi_phdr.add(at) };
            if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
                continue;
            }
            let word = |number| usize::try_from(number).unwrap_or(0);
            let start = word(object.dlpi_addr).wrapping_add(word(header.p_vaddr));
            // Whole pages of this part alone.
            let from = start.next_multiple_of(page);
            let to = start.wrapping_add(word(header.p_memsz)) / page * page;
            if let Some(length) = to.checked_sub(from) {
                // SAFETY: this part of the program was never written to, nor can it be, so its pages
                // are those of the file, and come from there again when they are touched.
                unsafe { libc::madvise(from as *mut libc::c_void, length, libc::MADV_DONTNEED) };
                *released += length;
            }
        }
        1
    }
    let mut released = 0_usize;
    // SAFETY: the function is called before this returns, and only with what it expects.
    unsafe { libc::dl_iterate_phdr(Some(release), (&raw mut released).cast()) };
    released
}

#[cfg(not(target_os = "linux"))]
fn release_program() -> usize {
    0
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(clippy::disallowed_methods, reason = "tests ask the kernel what is resident")]
mod tests {
    use super::*;

    /// Resident KiB of the mappings of this program that nobody writes to.
    fn program_kib() -> u64 {
        let text = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let name = std::env::current_exe().unwrap();
        let (mut sum, mut own) = (0, false);
        for line in text.lines() {
            if line.contains("-p ") || line.contains("wp ") || line.contains("xp ") {
                own = line.ends_with(name.to_str().unwrap()) && !line.contains(" rw-p ");
            } else if let Some(rest) = line.strip_prefix("Rss:")
                && own
            {
                sum += rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
            }
        }
        sum
    }

    #[test]
    fn pages_of_the_program_are_given_back_and_come_again() {
        let constants: &[u64] = &std::hint::black_box([3, 1, 4, 1, 5, 9, 2, 6]);
        let sum: u64 = constants.iter().sum();
        // Whatever is behind the functions of this module is touched.
        let before = program_kib();
        assert!(release_program() > 100 << 10);
        let after = program_kib();
        assert!(after < before, "{before} KiB, then {after}");
        assert_eq!(std::hint::black_box(constants).iter().sum::<u64>(), sum);
        assert!(std::panic::catch_unwind(|| panic!("unwinding reads tables")).is_err());
    }

    #[test]
    fn what_is_freed_goes_back_also_when_as_much_was_freed_before() {
        tune_allocator();
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/statm").unwrap();
            let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
            pages * rustix::param::page_size()
        };
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
        release_unused();
    }
}
