use crate::Failure;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Trials that run at once. Most wait for a timeout rather than compute.
const WORKERS: usize = 6;

/// Tries every item until one fails, and returns the first failure in order.
pub(crate) fn each<T: Sync>(
    items: &[T],
    trial: impl Fn(&T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    map(items, WORKERS, trial).map(|_| ())
}

/// What `work` makes of every item, in order, or the first failure in order of those that there were before all stopped.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    work: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return done;
            };
            let result = work(item);
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((at, result));
        }
    };
    let mut done: Vec<(usize, Result<R, Failure>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().flat_map(|worker| worker.join());
        joined.flatten().collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
