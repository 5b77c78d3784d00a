//! What is wrong with a file of a key.

use std::io;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum KeyFault {
    #[error("exists already, and keys are never written over")]
    Exists,
    #[error("no such file")]
    Missing,
    #[error("expected a file, found a folder or a device")]
    NotAFile,
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// The mode's last nine bits.
    #[error("its mode {mode:04o} lets others than its owner have it, expected 0600 or 0400")]
    Readable { mode: u32 },
    #[error("expected at most {most} bytes, found more")]
    Long { most: u64 },
    #[error("expected {expected}, found something else")]
    Form { expected: &'static str },
    #[error("its certificate and its key do not belong together")]
    Mismatch,
    #[error(
        "no passphrase is given: expected store_key, passphrase_file, or {variable} in the environment"
    )]
    NoPassphrase { variable: &'static str },
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    #[error("the system gives no random bytes")]
    Randomness,
    #[error("no certificate could be made")]
    Certificate,
    #[error("the clock is before 1970")]
    Clock,
}
