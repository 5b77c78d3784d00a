//! Pieces read and decoded before an inference asks for them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use subrosa_core::{Bytes, Stock, StockFault};
use subrosa_net::{LocalFault, RunError};

/// Bytes that are read ahead, as they were encoded; one piece of any length always is.
const AHEAD: u64 = 64 << 20;

type Piece<T> = Result<T, StockFault>;

struct Held<T> {
    /// With their bytes.
    pieces: VecDeque<(Piece<T>, u64)>,
    bytes: u64,
    /// Whether nothing comes any more.
    ended: bool,
    /// Whether nobody takes anything any more.
    left: bool,
}

struct Shared<T> {
    held: Mutex<Held<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn held(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as `on` says.
    fn wait(&self, on: impl Fn(&Held<T>) -> bool) -> MutexGuard<'_, Held<T>> {
        let waited = self.changed.wait_while(self.held(), |held| on(held));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose end of the pieces is gone says so to the other.
struct Reading<T>(Arc<Shared<T>>);
struct Taking<T>(Arc<Shared<T>>);

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.0.held().ended = true;
        self.0.changed.notify_all();
    }
}

impl<T> Drop for Taking<T> {
    fn drop(&mut self) {
        self.0.held().left = true;
        self.0.changed.notify_all();
    }
}

/// Reads the pieces, of these lengths, in a thread of their own. Returns when all of them are in memory, or as many
/// as may be.
pub fn read_ahead<T: Send + 'static>(
    stock: Stock<T>,
    lengths: Vec<Bytes>,
) -> Result<Stock<T>, RunError> {
    let shared = Arc::new(Shared {
        held: Mutex::new(Held {
            pieces: VecDeque::new(),
            bytes: 0,
            ended: false,
            left: false,
        }),
        changed: Condvar::new(),
    });
    let (reading, taking) = (Reading(shared.clone()), Taking(shared.clone()));
    let thread = std::thread::Builder::new().name("pieces".to_owned());
    let spawned = thread.spawn(move || read(stock, lengths, &reading.0));
    spawned.map_err(|error| LocalFault::System {
        code: error.raw_os_error().unwrap_or(0),
    })?;
    drop(shared.wait(|held| !held.ended && held.bytes < AHEAD));
    Ok(Stock::new(taking))
}

fn read<T>(mut stock: Stock<T>, lengths: Vec<Bytes>, shared: &Shared<T>) {
    for length in lengths {
        let piece = stock.take();
        let failed = piece.is_err();
        let mut held = shared.wait(|held| held.bytes >= AHEAD && !held.left);
        if held.left {
            return;
        }
        held.bytes += length.0;
        held.pieces.push_back((piece, length.0));
        shared.changed.notify_all();
        if failed {
            return;
        }
    }
}

impl<T> Iterator for Taking<T> {
    type Item = Piece<T>;
    fn next(&mut self) -> Option<Piece<T>> {
        let mut held = self.0.wait(|held| held.pieces.is_empty() && !held.ended);
        let (piece, length) = held.pieces.pop_front()?;
        let before = held.bytes;
        held.bytes -= length;
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

    #[test]
    fn pieces_come_in_order_and_no_more_than_may_be_are_held() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let pieces = (0..8).map(move |at| {
            count.fetch_add(1, SeqCst);
            Ok(at)
        });
        let lengths = vec![Bytes(24 << 20); 8];
        let mut stock = read_ahead(Stock::new(pieces), lengths).unwrap();
        // Three are as many as may be, and the fourth is in the reader's hand.
        assert!((3..=4).contains(&made.load(SeqCst)));
        for at in 0..8 {
            assert_eq!(stock.take(), Ok(at));
            assert!(made.load(SeqCst) <= at + 5);
        }
        assert_eq!(stock.take(), Err(StockFault::Exhausted));
    }

    #[test]
    fn faults_come_where_they_are_and_a_stock_may_be_left() {
        let pieces = [Ok(1), Err(StockFault::Malformed)];
        let stock = Stock::new(pieces.into_iter());
        let mut stock = read_ahead(stock, vec![Bytes(1); 3]).unwrap();
        assert_eq!(stock.take(), Ok(1));
        assert_eq!(stock.take(), Err(StockFault::Malformed));
        assert_eq!(stock.take(), Err(StockFault::Exhausted));
        let held = Arc::new(());
        let guard = held.clone();
        let endless = std::iter::repeat_with(move || Ok(Arc::strong_count(&guard)));
        let lengths = vec![Bytes(AHEAD); 1000];
        drop(read_ahead(Stock::new(endless), lengths).unwrap());
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while Arc::strong_count(&held) > 1 {
            assert!(std::time::Instant::now() < until, "the reader goes on");
            std::thread::yield_now();
        }
    }
}
