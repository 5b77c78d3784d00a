//! Pieces read from a vault before an inference asks for them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use subrosa_core::{Encoded, Stock, StockFault};
use subrosa_net::{LocalFault, RunError};

/// Bytes that are read ahead; one piece of any length always is.
const AHEAD: u64 = 64 << 20;

type Piece = Result<Encoded, StockFault>;

#[derive(Default)]
struct Held {
    pieces: VecDeque<Piece>,
    bytes: u64,
    /// Whether nothing comes any more.
    ended: bool,
    /// Whether nobody takes anything any more.
    left: bool,
}

#[derive(Default)]
struct Shared {
    held: Mutex<Held>,
    changed: Condvar,
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as `on` says.
    fn wait(&self, on: impl Fn(&Held) -> bool) -> MutexGuard<'_, Held> {
        let waited = self.changed.wait_while(self.held(), |held| on(held));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose end of the pieces is gone says so to the other.
struct Reading(Arc<Shared>);
struct Taking(Arc<Shared>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.held().ended = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.0.held().left = true;
        self.0.changed.notify_all();
    }
}

/// Reads `count` pieces in a thread of their own. Returns when all of them are in memory, or as many as may be.
pub fn read_ahead(stock: Stock<Encoded>, count: usize) -> Result<Stock<Encoded>, RunError> {
    let shared = Arc::new(Shared::default());
    let (reading, taking) = (Reading(shared.clone()), Taking(shared.clone()));
    let thread = std::thread::Builder::new().name("pieces".to_owned());
    let spawned = thread.spawn(move || read(stock, count, &reading.0));
    spawned.map_err(|error| LocalFault::System {
        code: error.raw_os_error().unwrap_or(0),
    })?;
    drop(shared.wait(|held| !held.ended && held.bytes < AHEAD));
    Ok(Stock::new(taking))
}

fn read(mut stock: Stock<Encoded>, count: usize, shared: &Shared) {
    for _ in 0..count {
        let piece = stock.take();
        let failed = piece.is_err();
        let mut held = shared.wait(|held| held.bytes >= AHEAD && !held.left);
        if held.left {
            return;
        }
        held.bytes += piece.as_ref().map_or(0, |piece| piece.length().0);
        held.pieces.push_back(piece);
        shared.changed.notify_all();
        if failed {
            return;
        }
    }
}

impl Iterator for Taking {
    type Item = Piece;
    fn next(&mut self) -> Option<Piece> {
        let mut held = self.0.wait(|held| held.pieces.is_empty() && !held.ended);
        let piece = held.pieces.pop_front()?;
        let before = held.bytes;
        held.bytes -= piece.as_ref().map_or(0, |piece| piece.length().0);
        if before >= AHEAD {
            self.0.changed.notify_all();
        }
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use subrosa_core::{Bytes, Wire};

    fn piece(length: usize, mark: u8) -> Encoded {
        Encoded::decode(&Bytes(length as u64), &vec![mark; length]).unwrap()
    }

    #[test]
    fn pieces_come_in_order_and_no_more_than_may_be_are_held() {
        const LENGTH: usize = 24 << 20;
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let pieces = (0..8u8).map(move |at| {
            count.fetch_add(1, SeqCst);
            Ok(piece(LENGTH, at))
        });
        let mut stock = read_ahead(Stock::new(pieces), 8).unwrap();
        // Three are as many as may be, and the fourth is in the reader's hand.
        assert!((3..=4).contains(&made.load(SeqCst)));
        for at in 0..8u8 {
            let mut bytes = Vec::new();
            stock.take().unwrap().encode(&mut bytes);
            assert!(bytes.len() == LENGTH && bytes.iter().all(|byte| *byte == at));
            assert!(made.load(SeqCst) <= usize::from(at) + 5);
        }
        assert_eq!(stock.take().err(), Some(StockFault::Exhausted));
    }

    #[test]
    fn faults_come_where_they_are_and_a_stock_may_be_left() {
        let pieces = [Ok(piece(1, 1)), Err(StockFault::Malformed)];
        let mut stock = read_ahead(Stock::new(pieces.into_iter()), 3).unwrap();
        assert!(stock.take().is_ok());
        assert_eq!(stock.take().err(), Some(StockFault::Malformed));
        assert_eq!(stock.take().err(), Some(StockFault::Exhausted));
        let held = Arc::new(());
        let guard = held.clone();
        let endless = std::iter::repeat_with(move || {
            let _ = &guard;
            Ok(piece(AHEAD as usize, 0))
        });
        drop(read_ahead(Stock::new(endless), usize::MAX).unwrap());
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while Arc::strong_count(&held) > 1 {
            assert!(std::time::Instant::now() < until, "the reader goes on");
            std::thread::yield_now();
        }
    }
}
