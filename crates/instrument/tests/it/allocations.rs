//! A pair of method and route that was seen before is recorded without an allocation.
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait; it only forwards")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use http::Method;
use masthead_instrument::recording::Recording;

/// Counts the allocations of each thread, so that other tests don't disturb.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no counter any more, and nobody who would read it.
        ALLOCATIONS.try_with(|count| count.set(count.get() + 1)).unwrap_or_default();
        // SAFETY: the caller's promise about `layout` is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocations(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

#[test]
fn a_known_pair_is_recorded_without_an_allocation() {
    let recording = Recording::new(&[0.005, 0.1, 1.0]);
    let request =
        |handler, status, seconds| recording.request(&Method::GET, handler, status, seconds);
    assert!(allocations(|| request("/items/{id}", 200, 0.01)) > 0, "the first one makes the pair");
    let later = allocations(|| {
        for step in 0..1000 {
            // Every bucket, and so every exemplar, is met for the first time here.
            request("/items/{id}", 200 + step % 5, f64::from(step) / 500.0);
        }
    });
    assert_eq!(later, 0);
}
