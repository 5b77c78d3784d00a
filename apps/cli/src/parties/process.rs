//! One party's process as the program sees it.

use super::message::{self, Command, Reply};
use std::fmt;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

/// What comes from a process.
pub enum Event {
    Reply(Reply),
    /// It has closed its standard output: it is no more.
    Gone,
}

/// Settings of the GNU allocator for a party: memory that one step gives back is kept for the next, where it would
/// go back to the kernel and come again page by page. It halves the time of large batches; elsewhere it is unread.
const ALLOCATOR: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296:glibc.malloc.top_pad=67108864",
);

/// Killed and awaited on drop.
pub struct Process {
    child: Child,
    /// Commands that its writing thread takes.
    commands: Sender<Command>,
}

impl Process {
    /// Starts this same program as the party of that name. What it says goes to `events` under `index`.
    pub fn start(name: &str, index: usize, events: Sender<(usize, Event)>) -> io::Result<Self> {
        let (tunables, settings) = ALLOCATOR;
        let settings = std::env::var_os(tunables).unwrap_or(settings.into());
        let mut child = std::process::Command::new(std::env::current_exe()?)
            .args(["party", name])
            .env(tunables, settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An interrupt from the terminal is the program's alone: a party ends, and tidies up, when its input closes.
            .process_group(0)
            .spawn()?;
        let (commands, queue) = mpsc::channel::<Command>();
        if let Some(mut stdin) = child.stdin.take() {
            std::thread::spawn(move || {
                for command in queue {
                    if message::write(&mut stdin, &command).is_err() {
                        // The reading thread finds the process gone.
                        return;
                    }
                }
            });
        }
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || listen(stdout, index, &events));
        }
        Ok(Self { child, commands })
    }

    pub fn tell(&self, command: Command) {
        // A process that is gone is found out by what it no longer says.
        let _ = self.commands.send(command);
    }

    /// How it ended, if it ends within a moment.
    pub fn death(&mut self) -> Death {
        let until = Instant::now() + Duration::from_millis(500);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    return Death {
                        signal: status.signal(),
                        code: status.code(),
                    };
                }
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                _ => {
                    return Death {
                        signal: None,
                        code: None,
                    };
                }
            }
        }
    }
}

fn listen(mut stdout: ChildStdout, index: usize, events: &Sender<(usize, Event)>) {
    loop {
        match message::read(&mut stdout) {
            Ok(reply) => {
                if events.send((index, Event::Reply(reply))).is_err() {
                    return;
                }
            }
            Err(_) => {
                let _ = events.send((index, Event::Gone));
                return;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either it is dead already, or now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended that should not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    pub signal: Option<i32>,
    pub code: Option<i32>,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.signal, self.code) {
            (Some(signal), _) => write!(f, "its process was killed by signal {signal}"),
            (None, Some(code)) => write!(f, "its process ended with status {code}"),
            (None, None) => f.write_str("its process closed its output"),
        }
    }
}
