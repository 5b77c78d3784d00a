//! How many visits run at a time, and how many wait.

use crate::message::Refusal;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

struct Counts {
    running: u32,
    /// Numbers of those who wait; the smallest is next.
    waiting: Vec<u64>,
    next: u64,
    closed: bool,
}

/// A fair gate: who came first goes first.
pub struct Admission {
    slots: u32,
    queue: u32,
    counts: Mutex<Counts>,
    changed: Condvar,
}

/// A visit's place. It is given back when this is dropped.
pub struct Slot(Arc<Admission>);

impl Admission {
    /// `slots` at a time; `queue` more may wait.
    pub fn new(slots: u32, queue: u32) -> Arc<Self> {
        Arc::new(Self {
            slots,
            queue,
            counts: Mutex::new(Counts {
                running: 0,
                waiting: Vec::new(),
                next: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that run, and those that wait.
    pub fn standing(&self) -> (u32, u32) {
        let counts = self.counts();
        (counts.running, counts.waiting.len() as u32)
    }

    /// Waits for a slot at most as long as `patience`.
    pub fn enter(self: &Arc<Self>, patience: Duration) -> Result<Slot, Refusal> {
        let until = Instant::now() + patience;
        let mut counts = self.counts();
        let full = counts.running >= self.slots || !counts.waiting.is_empty();
        if full && counts.waiting.len() as u32 >= self.queue && !counts.closed {
            return Err(busy(&counts));
        }
        let me = counts.next;
        counts.next += 1;
        counts.waiting.push(me);
        loop {
            let first = counts.waiting.first() == Some(&me);
            let granted = first && counts.running < self.slots;
            let left = until.saturating_duration_since(Instant::now());
            if !counts.closed && !granted && !left.is_zero() {
                let waited = self.changed.wait_timeout(counts, left);
                counts = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            counts.waiting.retain(|other| *other != me);
            if counts.closed {
                return Err(Refusal::Draining);
            }
            if !granted {
                self.changed.notify_all();
                return Err(busy(&counts));
            }
            counts.running += 1;
            self.changed.notify_all();
            return Ok(Slot(self.clone()));
        }
    }

    /// Nobody gets in any more.
    pub fn close(&self) {
        self.counts().closed = true;
        self.changed.notify_all();
    }

    /// Waits until nothing runs; says whether that came about.
    pub fn empty(&self, patience: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.counts(), patience, |counts| counts.running > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.running == 0
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.counts().running -= 1;
        self.0.changed.notify_all();
    }
}

fn busy(counts: &Counts) -> Refusal {
    Refusal::Busy {
        running: counts.running,
        waiting: counts.waiting.len() as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn slots_and_queue_are_bounded_and_the_first_goes_first() {
        let gate = Admission::new(1, 2);
        let inside = gate.enter(LONG).unwrap();
        let (sender, order) = mpsc::channel();
        let mut threads = Vec::new();
        for number in 0..2 {
            let (waiting, sender) = (gate.clone(), sender.clone());
            threads.push(std::thread::spawn(move || {
                let slot = waiting.enter(LONG).unwrap();
                sender.send(number).unwrap();
                drop(slot);
            }));
            while gate.standing().1 <= number {
                std::thread::yield_now();
            }
        }
        let busy = Refusal::Busy {
            running: 1,
            waiting: 2,
        };
        assert_eq!(gate.enter(LONG).err(), Some(busy));
        drop(inside);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(gate.standing(), (0, 0));
    }

    #[test]
    fn who_waits_too_long_or_comes_too_late_is_refused() {
        let gate = Admission::new(1, 2);
        let inside = gate.enter(LONG).unwrap();
        let refused = gate.enter(Duration::from_millis(20)).err();
        assert!(matches!(refused, Some(Refusal::Busy { waiting: 0, .. })));
        assert!(!gate.empty(Duration::from_millis(1)));
        gate.close();
        assert_eq!(gate.enter(LONG).err(), Some(Refusal::Draining));
        drop(inside);
        assert!(gate.empty(LONG));
    }
}
