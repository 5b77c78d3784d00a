//! A relay in the middle of TCP connections. It keeps what passes, and can slow it down.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Relay {
    pub port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    to: SocketAddr,
    drips: AtomicBool,
    /// What has passed of each direction of each connection.
    kept: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
}

impl Relay {
    /// Listens on a free port of `at`, for as long as the process lives.
    pub fn new(at: IpAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((at, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            to,
            drips: AtomicBool::new(false),
            kept: Mutex::default(),
        });
        let relaying = inner.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(relaying.to) else {
                    continue;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (inner, kept) = (relaying.clone(), Arc::default());
                    inner.kept.lock().unwrap().push(Arc::clone(&kept));
                    std::thread::spawn(move || pass(&inner, from, to, &kept));
                }
            }
        });
        Self { port, inner }
    }

    /// From here on, one byte a second passes in each direction.
    pub fn drip(&self) {
        self.inner.drips.store(true, Ordering::SeqCst);
    }

    /// Takes what has passed, one string of bytes for each direction of each connection.
    pub fn take(&self) -> Vec<Vec<u8>> {
        let kept = self.inner.kept.lock().unwrap();
        let take = |one: &Arc<Mutex<Vec<u8>>>| std::mem::take(&mut *one.lock().unwrap());
        kept.iter().map(take).collect()
    }
}

fn pass(inner: &Inner, mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let drips = inner.drips.load(Ordering::SeqCst);
        let most = if drips { 1 } else { buffer.len() };
        let Ok(length @ 1..) = from.read(&mut buffer[..most]) else {
            break;
        };
        kept.lock().unwrap().extend_from_slice(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        if drips {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
