//! Clients that are known and mean harm, strangers by the hundred, and nodes that are cut off: who behaves is served
//! all the while, and afterwards a node holds no more than before.

use crate::between::{SERVERS, Triple};
use crate::child::{Process, logged, wait};
use crate::hand::*;
use crate::harness::*;
use crate::refusals::visit;
use crate::relay::Relay;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use subrosa::PartyId;
use subrosa_net::Line;
use subrosa_node::ClientFault;
use subrosa_node::message::{Id, Join, Reply, Request};

/// Kibibytes that a node may have more after an attack.
const GROWTH: usize = 48 << 10;
/// Descriptors that a node may have more: connections to other nodes that are kept idle.
const KEPT: usize = 8;
/// Connections of one client.
const OF_ONE: usize = 8;

fn silent(cloud: &Cloud, client: usize, greets: bool) -> Vec<Line> {
    let key = &cloud.clients[client];
    let line = |at| match greets {
        true => meet(cloud, key, at),
        false => dial(cloud, key, at).unwrap(),
    };
    (0..OF_ONE).map(|number| line(number % 3)).collect()
}

/// A connection on which a message comes for as long as a node waits for it.
fn dripping(cloud: &Cloud, client: usize, at: usize) -> Line {
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, cloud.ports[at]));
    let relay = Relay::new(Ipv4Addr::LOCALHOST.into(), to);
    let through = SocketAddr::from((Ipv4Addr::LOCALHOST, relay.port));
    let peer = cloud.keys[at].identity().fingerprint();
    let key = cloud.clients[client].identity();
    let mut line = Line::dial(through, &key, peer, TIMEOUT).unwrap();
    relay.drip();
    line.send(&[0; 1000], TIMEOUT).unwrap();
    line
}

/// A gigabyte in one message, and as much as is taken in good ones that nobody asked for and of which the answers are
/// left lying.
fn garbage(cloud: &Cloud, client: usize) {
    let key = &cloud.clients[client];
    let mut line = meet(cloud, key, 0);
    assert!(line.send(&vec![0; 1 << 30], TIMEOUT).is_err());
    let chunk = postcard::to_allocvec(&Request::Chunk(vec![1; 1 << 20])).unwrap();
    let mut line = meet(cloud, key, 0);
    let _ = (0..64).try_for_each(|_| line.send(&chunk, TIMEOUT));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, cloud.ports[1]));
    for _ in 0..8 {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = (0..64).try_for_each(|_| stream.write_all(&[22; 1 << 16]));
    }
}

/// Opens connections beyond what one client may have; those that are served.
fn crowd(cloud: &Cloud, client: usize) -> Vec<Line> {
    let key = &cloud.clients[client];
    let lines = (0..3 * OF_ONE).filter_map(|_| dial(cloud, key, 0).ok());
    let mut lines: Vec<Line> = lines.collect();
    let hello = Request::Hello {
        version: subrosa_node::message::VERSION,
    };
    lines.retain_mut(|line| say(line, &hello).is_ok());
    lines
}

fn ask_for_visit(cloud: &Cloud, client: usize, deployment: Id) -> Option<(Line, Id)> {
    let mut line = meet(cloud, &cloud.clients[client], 0);
    match say(&mut line, &Request::Visit(visit(deployment, 1))) {
        Ok(Reply::Ticket { ticket, .. }) => Some((line, ticket)),
        _ => None,
    }
}

/// Comes to its visit, and is gone when it begins.
fn leave(cloud: &Cloud, client: usize, deployment: Id) -> bool {
    let Some((lead, ticket)) = ask_for_visit(cloud, client, deployment) else {
        return false;
    };
    let join = || {
        let from = PartyId(3);
        Request::Join(Join {
            ticket,
            from,
            call: None,
        })
    };
    let lines: Vec<Line> = [1, 2]
        .map(|at| {
            let mut line = meet(cloud, &cloud.clients[client], at);
            assert!(matches!(say(&mut line, &join()), Ok(Reply::Joined)));
            line
        })
        .into();
    drop((lead, lines));
    true
}

fn strangers(cloud: &Cloud) -> Vec<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, cloud.ports[0]));
    let stranger = Key::new();
    for _ in 0..200 {
        drop(dial(cloud, &stranger, 0));
    }
    (0..200)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect()
}

/// Ends the thread that behaves, also where the test fails.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn who_behaves_is_served_among_those_who_do_not() {
    let triple = Triple::with("hostile", 8, |cloud| cloud.timeout = "2s");
    let cloud = &triple.cloud;
    let (answers, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let stopping = Stopping(&stop);
        let honest = scope.spawn(|| {
            let client = cloud.client(0, &SERVERS).unwrap();
            let mut ask = client.ask("digits", None).unwrap();
            let expected = triple.lots.clear(&picture(1, 0));
            while !stop.load(Ordering::SeqCst) {
                let answer = ask.infer(1, vec![picture(1, 0)], &mut |_| {}).unwrap();
                close(&answer.outputs[0], &expected);
                answers.fetch_add(1, Ordering::SeqCst);
            }
        });
        let goes_on = |what: &str| {
            let before = answers.load(Ordering::SeqCst);
            wait(what, || {
                assert!(!honest.is_finished(), "{what}");
                (answers.load(Ordering::SeqCst) >= before + 5).then_some(())
            });
        };
        goes_on("at first");
        goes_on("at first");
        let before: Vec<(usize, usize)> = triple.nodes.iter().map(Process::held).collect();
        let deployment = triple.asked_by(7).unwrap();
        let mut held = silent(cloud, 1, false);
        goes_on("clients that say nothing at all");
        held.append(&mut silent(cloud, 2, true));
        goes_on("clients that say nothing after their first words");
        held.extend((0..3).map(|at| dripping(cloud, 3, at)));
        goes_on("a byte a second");
        garbage(cloud, 4);
        goes_on("garbage");
        let served = crowd(cloud, 5);
        assert_eq!(served.len(), OF_ONE);
        logged(
            &cloud.place(0),
            &["client-5", "turned away: too many connections"],
        );
        goes_on("connections without end");
        let open: Vec<TcpStream> = strangers(cloud);
        goes_on("strangers");
        drop((held, served, open));
        for turn in 0..2 {
            let asked = (1..6).filter_map(|client| ask_for_visit(cloud, client, deployment));
            let asked: Vec<(Line, Id)> = asked.collect();
            assert!(turn > 0 || !asked.is_empty());
            goes_on("visits to which nobody comes");
        }
        logged(&cloud.place(1), &["did not come to a visit", "the client"]);
        for client in 1..4 {
            // The visits before hold their places until it is clear that nobody comes.
            wait("a visit", || leave(cloud, client, deployment).then_some(()));
        }
        goes_on("clients who leave");
        drop(stopping);
        honest.join().unwrap();
        for (at, (memory, open)) in before.into_iter().enumerate() {
            let node = &triple.nodes[at];
            wait(
                &format!("server {at} has closed what it need not have open"),
                || (node.held().1 <= open + KEPT).then_some(()),
            );
            let grown = node.held().0.saturating_sub(memory);
            assert!(grown < GROWTH, "server {at}: {grown} KiB more");
            println!(
                "server {at}: {grown} KiB more, {} descriptors, {open} before",
                node.held().1
            );
        }
    });
    println!("{} answers", answers.into_inner());
}

#[test]
fn a_node_that_was_cut_off_serves_again() {
    let mut triple = Triple::with("cut-off", 2, |cloud| cloud.timeout = "1s");
    let served = |triple: &Triple| wait("an answer", || triple.asked().ok());
    served(&triple);
    for at in 0..3 {
        let failed = std::thread::scope(|scope| {
            let cloud = &triple.cloud;
            let asking = scope.spawn(move || {
                let client = cloud.client(1, &SERVERS)?;
                let mut ask = client.ask("digits", None)?;
                loop {
                    let inputs = (0..32).map(|number| picture(1, number)).collect();
                    ask.infer(1, inputs, &mut |_| {})?;
                }
                #[expect(unreachable_code)]
                Ok::<(), ClientFault>(())
            });
            std::thread::sleep(std::time::Duration::from_millis(500));
            triple.nodes[at].signal("STOP");
            std::thread::sleep(std::time::Duration::from_millis(2500));
            triple.nodes[at].signal("CONT");
            asking.join().unwrap().err()
        });
        match failed {
            Some(ClientFault::Session { .. } | ClientFault::Node { .. }) => {}
            other => panic!("{other:?}"),
        }
        served(&triple);
    }
    let stopped = triple.nodes.iter().enumerate();
    stopped.for_each(|(at, _)| logged(&triple.cloud.place(at), &["a visit failed"]));
    for at in 0..3 {
        triple.nodes[at].kill();
        triple.nodes[at] = Process::node(&triple.cloud, at);
        served(&triple);
    }
}
