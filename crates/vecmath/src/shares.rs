//! The pieces of one query, worked on by the calling thread and those of a pool.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use rayon::ThreadPool;

/// Runs `work` for each number below `count`, in parallel where there is a pool; the results are in
/// the order of the numbers.
///
/// The calling thread takes pieces too, so that with two processors one thread is woken and not two,
/// and a query goes on while the pool is busy. It ends when the threads it asked for help have looked
/// in, so no sooner than the pieces of others that they are at.
///
/// # Panics
/// When `work` does, in whichever thread.
pub fn each<T: Send>(
    pool: Option<&ThreadPool>,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let others = pool.map_or(0, ThreadPool::current_num_threads).min(count).saturating_sub(1);
    let Some(pool) = pool.filter(|_| others > 0) else { return (0..count).map(work).collect() };
    let next = AtomicUsize::new(0);
    let made = Mutex::new(Vec::with_capacity(count));
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return;
            }
            let one = work(at);
            made.lock().unwrap_or_else(PoisonError::into_inner).push((at, one));
        }
    };
    pool.in_place_scope(|scope| {
        for _ in 0..others {
            scope.spawn(|_| run());
        }
        run();
    });
    let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.sort_unstable_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    fn pool(threads: usize) -> ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")
    }

    #[test]
    fn all_numbers_are_worked_on_once_and_come_back_in_order() {
        for threads in [1, 2, 5] {
            let pool = pool(threads);
            for count in [0, 1, 2, 3, 100] {
                let want: Vec<usize> = (0..count).map(|at| at * at).collect();
                assert_eq!(each(Some(&pool), count, |at| at * at), want, "{threads} {count}");
                assert_eq!(each(None, count, |at| at * at), want);
            }
        }
    }

    #[test]
    fn the_calling_thread_works_too_and_alone_where_there_is_one_thread_or_one_piece() {
        let of = |threads, count| -> Vec<_> {
            each(Some(&pool(threads)), count, |_| thread::current().id())
        };
        let here = thread::current().id();
        assert_eq!(of(1, 3), [here; 3]);
        assert_eq!(of(4, 1), [here]);
        // Two pieces that wait for each other need two threads, and one of them is this one.
        let both = std::sync::Barrier::new(2);
        let by: HashSet<_> = each(Some(&pool(2)), 2, |_| {
            both.wait();
            thread::current().id()
        })
        .into_iter()
        .collect();
        assert!(by.len() == 2 && by.contains(&here), "{by:?}");
    }

    #[test]
    #[should_panic(expected = "piece 3")]
    fn a_panic_of_one_piece_comes_back() {
        each(Some(&pool(2)), 8, |at| assert_ne!(at, 3, "piece 3"));
    }
}
