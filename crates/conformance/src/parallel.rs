use crate::Failure;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Trials that run at once. Most wait for a timeout rather than compute.
const WORKERS: usize = 6;

/// Tries every item until one fails, and returns the first failure in order.
pub(crate) fn each<T: Sync>(
    items: &[T],
    trial: impl Fn(&T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return failures;
            };
            if let Err(failure) = trial(item) {
                next.store(items.len(), Ordering::Relaxed);
                failures.push((at, failure));
            }
        }
    };
    let mut failures: Vec<(usize, Failure)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().flat_map(|worker| worker.join());
        joined.flatten().collect()
    });
    failures.sort_by_key(|(at, _)| *at);
    match failures.into_iter().next() {
        Some((_, failure)) => Err(failure),
        None => Ok(()),
    }
}
