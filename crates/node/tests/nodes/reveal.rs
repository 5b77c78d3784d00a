//! What is opened is settled at deployment, and many clients ask at once.

use crate::harness::*;
use subrosa::{Reveal, Terms};
use subrosa_node::ClientFault;

const SERVERS: [&str; 3] = ["server-0", "server-1", "server-2"];

fn revealing(protocol: &'static str, reveal: Reveal) -> Lots {
    let terms = Terms {
        reveal,
        ..Terms::default()
    };
    Lots::new("mnist-mlp.onnx", protocol, &[1], terms)
}

/// A client that takes a plan for more than the owner has allowed finds nobody who follows it.
fn check(name: &str, protocol: &'static str, seats: &[&'static str]) {
    let mut cloud = Cloud::new(name, seats, 1);
    cloud.start_all();
    let (allowed, wanted) = (Reveal::ArgMax, Reveal::All);
    let lots = revealing(protocol, allowed);
    cloud.deploy("digits", &lots).unwrap();
    let client = cloud.client(0, seats).unwrap();
    let mut ask = client.ask("digits", None).unwrap();
    assert_eq!(ask.side.opened.to_string(), "argmax");
    let honest = ask.side.lots.clone();
    ask.side.lots = vec![(1, revealing(protocol, wanted).view(ask.side.me))];
    let greedy = ask.infer(1, vec![picture(1, 0)], &mut |_| {}).err();
    assert!(
        matches!(
            greedy,
            Some(ClientFault::Session { .. } | ClientFault::Own(_))
        ),
        "{greedy:?}"
    );
    ask.side.lots = honest;
    let logits = revealing(protocol, wanted).clear(&picture(1, 0));
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let class = logits.iter().position(|logit| *logit == largest).unwrap();
    let answers = ask.infer(1, vec![picture(1, 0)], &mut |_| {}).unwrap();
    assert_eq!(answers.outputs[0][0].values, [class as f32]);
}

#[test]
fn three_servers_open_what_was_allowed() {
    check("reveal-replicated3", "replicated3", &SERVERS);
}

#[test]
fn a_vendor_opens_what_was_allowed() {
    check("reveal-two-party", "two-party", &["vendor"]);
}

#[test]
fn a_hundred_clients_at_once_are_all_answered() {
    const CLIENTS: usize = 100;
    let mut cloud = Cloud::new("hundred", &SERVERS, CLIENTS);
    cloud.limits = "connections = 400\nqueue = 100\n".to_owned();
    cloud.start_all();
    let lots = revealing("replicated3", Reveal::All);
    cloud.deploy("digits", &lots).unwrap();
    let expected: Vec<Vec<f32>> = (0..4)
        .map(|number| lots.clear(&picture(1, number)))
        .collect();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (cloud, expected) = (&cloud, &expected);
            scope.spawn(move || {
                let client = cloud.client(number, &SERVERS).unwrap();
                let mut ask = client.ask("digits", None).unwrap();
                let inputs = (0..4).map(|number| picture(1, number)).collect();
                let answers = ask.infer(1, inputs, &mut |_| {}).unwrap();
                for (found, expected) in answers.outputs.iter().zip(expected) {
                    close(found, expected);
                }
            });
        }
    });
    for node in cloud.nodes.iter().flatten() {
        let status = node.handle.status();
        let counts = status.models[0].counts;
        assert_eq!((counts.inferences, counts.failures), (400, 0));
        assert_eq!(status.models[0].enrolments, CLIENTS as u64);
        assert_eq!((status.running, status.waiting, status.guests), (0, 0, 0));
    }
}
