//! A relay in the middle of TCP connections. It can slow down what passes.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub struct Relay {
    pub port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    to: SocketAddr,
    drips: AtomicBool,
}

impl Relay {
    /// Listens on a free port of `at`, for as long as the process lives.
    pub fn new(at: IpAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((at, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            to,
            drips: AtomicBool::new(false),
        });
        let relaying = inner.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(relaying.to) else {
                    continue;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let inner = relaying.clone();
                    std::thread::spawn(move || pass(&inner, from, to));
                }
            }
        });
        Self { port, inner }
    }

    /// From here on, one byte a second passes in each direction.
    pub fn drip(&self) {
        self.inner.drips.store(true, Ordering::SeqCst);
    }
}

fn pass(inner: &Inner, mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let drips = inner.drips.load(Ordering::SeqCst);
        let most = if drips { 1 } else { buffer.len() };
        let Ok(length @ 1..) = from.read(&mut buffer[..most]) else {
            break;
        };
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
