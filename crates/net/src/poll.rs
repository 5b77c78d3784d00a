//! Waiting for any of several sockets.

use crate::error::LocalFault;
use crate::network::now;
use rustix::event::PollFd;
use rustix::io::Errno;
use rustix::time::Timespec;

/// Waits until one of `sockets` can go on, or until a time of [`now`]. A signal ends the wait early.
pub(crate) fn poll(mut sockets: Vec<PollFd<'_>>, until: u64) -> Result<(), LocalFault> {
    let left = until.saturating_sub(now());
    let timeout = Timespec {
        tv_sec: i64::try_from(left / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: (left % 1_000_000_000) as _,
    };
    match rustix::event::poll(&mut sockets, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(LocalFault::System {
            code: error.raw_os_error(),
        }),
    }
}
