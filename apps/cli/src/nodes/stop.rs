//! Being told to stop.

use crate::fault::Fault;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a signal is looked for.
const LOOK: Duration = Duration::from_millis(100);
/// With which a second signal ends the program.
const CUT_OFF: i32 = 1;

/// Whether SIGTERM or SIGINT has come. A second one ends the program at once.
#[derive(Clone)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn on_signals() -> Result<Self, Fault> {
        let told = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // In this order: the first signal finds the flag down.
            let second = flag::register_conditional_shutdown(signal, CUT_OFF, told.clone());
            second.map_err(Fault::Signals)?;
            flag::register(signal, told.clone()).map_err(Fault::Signals)?;
        }
        Ok(Self(told))
    }

    pub fn told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub fn wait(&self) {
        while !self.told() {
            std::thread::sleep(LOOK);
        }
    }

    /// Waits this long, or until told. Gives whether it was told.
    pub fn wait_for(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.told() && Instant::now() < until {
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        self.told()
    }
}
