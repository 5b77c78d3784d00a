//! Work shared out among scoped threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// `work` of 0, 1, .. count - 1, in that order, on `threads` threads, the calling one among them.
pub(super) fn in_parallel<T: Send>(
    threads: usize,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < count);
    let run = || -> Vec<(usize, T)> { std::iter::from_fn(take).map(|i| (i, work(i))).collect() };
    let mut done = thread::scope(|scope| {
        let others = 1..threads.min(count);
        let others: Vec<_> = others.map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, value)| value).collect()
}
