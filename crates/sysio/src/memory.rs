//! How the C library's allocator divides memory between threads, and when memory is given back: what
//! it has free, and pages of the program itself.
//!
//! One of three modules of this crate with unsafe code, because no safe call tells the allocator, or
//! the kernel where the program lies.

#![expect(
    unsafe_code,
    reason = "mallopt(3), malloc_trim(3), dl_iterate_phdr(3) and madvise(2) have no safe wrappers"
)]

/// An allocation of at least so many bytes is a mapping of its own. The buffers of streams, of
/// requests and of compressors mostly are; what is often made anew is smaller, and a mapping costs a
/// page fault for every 4 KiB each time.
pub(crate) const MAPPED_BYTES_MIN: usize = 512 << 10;

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
    let mapped = i32::try_from(MAPPED_BYTES_MIN).unwrap_or(i32::MAX);
    // SAFETY: `mallopt` takes two numbers and sets a limit inside the allocator under its lock; if it
    // refuses, which it says by zero, the limit stays what it was.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, arenas);
        libc::mallopt(libc::M_MMAP_THRESHOLD, mapped);
    };
}

#[cfg(not(target_env = "gnu"))]
fn tune(_: i32) {}

/// Gives back to the kernel what the allocator has free. It takes about a millisecond. Without glibc
/// it does nothing.
pub fn release_free() {
    trim();
}

/// Lets go of the pages of the program and its libraries that were read from their files: for the end
/// of a start, most of whose program never runs again. What still does is there again at once, from
/// the kernel's cache, for a page fault for every 16 pages. Nothing is lost but a breakpoint that a
/// debugger had set. Elsewhere than on Linux it does nothing.
pub fn release_program() {
    forget_program();
}

#[cfg(target_os = "linux")]
fn forget_program() {
    // SAFETY: `one_file` keeps to what the call promises, and needs no data.
    unsafe { libc::dl_iterate_phdr(Some(one_file), std::ptr::null_mut()) };
}

#[cfg(not(target_os = "linux"))]
fn forget_program() {}

/// Lets go of the segments of one file that are never written.
#[cfg(target_os = "linux")]
unsafe extern "C" fn one_file(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    _: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the caller is `dl_iterate_phdr`, which passes a description that is valid meanwhile, with
    // the place and number of the headers of a file that stays loaded.
    let (base, headers) = unsafe {
        let info = &*info;
        (info.dlpi_addr, std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()))
    };
    let page = rustix::param::page_size();
    for header in headers {
        if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        let Some((start, len)) = whole_pages(base + header.p_vaddr, header.p_memsz, page) else {
            continue;
        };
        let first = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: the pages are mapped privately from a file and never written, so that reading them
        // again brings the same bytes. If the kernel refuses, they stay.
        unsafe { libc::madvise(first, len, libc::MADV_DONTNEED) };
    }
    0
}

/// The pages that lie within `len` bytes from `start` on, so that nothing beside those is touched.
#[cfg(target_os = "linux")]
fn whole_pages(start: u64, len: u64, page: usize) -> Option<(usize, usize)> {
    let end = usize::try_from(start.checked_add(len)?).ok()? / page * page;
    let start = usize::try_from(start).ok()?.checked_next_multiple_of(page)?;
    Some((start, end.checked_sub(start)?)).filter(|(_, len)| *len > 0)
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

    /// One test: the others' memory would be seen where all run in one process.
    #[test]
    fn what_is_not_needed_goes_back() {
        large_buffers_also_when_as_much_was_freed_before();
        small_ones_when_it_is_asked_for();
        pages_of_the_program_go_and_come_again();
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

    /// Pages of the program's file, as many as are read.
    static TABLE: [u8; 8 << 20] = [7; 8 << 20];

    fn pages_of_the_program_go_and_come_again() {
        let sum = || TABLE.iter().step_by(4096).map(|byte| usize::from(*byte)).sum::<usize>();
        let of_files = || {
            let text = std::fs::read_to_string("/proc/self/statm").unwrap();
            text.split(' ').nth(2).unwrap().parse::<usize>().unwrap() * 4096
        };
        assert_eq!(std::hint::black_box(sum)(), 7 * TABLE.len() / 4096);
        let before = of_files();
        release_program();
        let after = of_files();
        assert!(after + (6 << 20) < before, "{after} of {before}");
        assert_eq!(std::hint::black_box(sum)(), 7 * TABLE.len() / 4096);
    }

    #[test]
    fn a_page_that_is_shared_with_something_else_stays() {
        let f = |start, len, want| assert_eq!(whole_pages(start, len, 4096), want, "{start} {len}");
        f(4096, 8192, Some((4096, 8192)));
        f(4097, 8191, Some((8192, 4096)));
        f(4096, 8191, Some((4096, 4096)));
        f(4097, 8190, None);
        f(1, 4095, None);
        f(4096, 0, None);
        f(u64::MAX - 1, 4096, None);
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
