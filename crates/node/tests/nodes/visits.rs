//! A model is deployed and asked, across restarts.

use crate::harness::*;
use subrosa::{Garbling, Terms};

fn through(name: &str, protocol: &'static str, seats: &[&'static str], known: &[&str]) {
    let mut cloud = Cloud::new(name, seats, 1);
    cloud.start_all();
    let mut terms = Terms::default();
    terms.division.garbling = Garbling::Single;
    terms.division.at = (protocol == "seco").then(|| "/2/Relu".to_owned());
    let lots = Lots::new("mnist-mlp.onnx", protocol, &[1, 2], terms);
    let deployed = cloud.deploy("digits", &lots).unwrap();
    assert!(deployed.following.is_empty());
    let expected: Vec<Vec<f32>> = (0..3).map(|n| lots.clear(&picture(1, n))).collect();
    let asked = |cloud: &Cloud, pooled: u32, enrolled: bool, level: u64| {
        let client = cloud.client(0, known).unwrap();
        let mut ask = client.ask("digits", Some(deployed.fingerprint)).unwrap();
        assert_eq!(ask.batches(), [2, 1]);
        let inputs = (0..3).map(|n| picture(1, n)).collect();
        let mut seen = Vec::new();
        let answers = ask.infer(1, inputs, &mut |done| seen.push(done)).unwrap();
        for (found, expected) in answers.outputs.iter().zip(&expected) {
            close(found, expected);
        }
        assert_eq!(seen, [1, 2, 3]);
        let tally = answers.tally;
        assert_eq!((tally.inferred, tally.pooled), (3, pooled));
        assert_eq!(tally.enrolled, enrolled);
        let price = ask.price(1).unwrap();
        assert_eq!(tally.bill.online.bytes.0, 3 * price.online.bytes.0);
        assert_eq!(
            tally.bill.offline.bytes.0,
            u64::from(3 - pooled) * price.offline.bytes.0
        );
        assert_eq!(ask.standing(1).unwrap(), (true, level));
    };
    asked(&cloud, 0, true, 0);
    asked(&cloud, 0, false, 0);
    let fill = |cloud: &Cloud, count: u32| {
        let client = cloud.client(0, known).unwrap();
        let mut ask = client.ask("digits", None).unwrap();
        let made = ask.fill(1, count, &mut |_| {}).map(|made| made.tally);
        made.map(|made| made.filled)
    };
    let keeps = protocol != "clear";
    if keeps {
        assert_eq!(fill(&cloud, 5).unwrap(), 5);
        // Pools have a level that is not passed.
        assert!(fill(&cloud, 4).is_err());
        asked(&cloud, 3, false, 2);
    }
    cloud.stop_all();
    cloud.start_all();
    if keeps {
        asked(&cloud, 2, false, 0);
    }
    asked(&cloud, 0, false, 0);
    // Another version: other keys, the same architecture.
    let again = cloud.deploy("digits", &lots).unwrap();
    assert_eq!(again.fingerprint, deployed.fingerprint);
    assert_ne!(again.deployment, deployed.deployment);
    asked(&cloud, 0, true, 0);
    let status = cloud.nodes[0].as_ref().unwrap().handle.status();
    assert_eq!(status.models.len(), 1);
    assert_eq!(status.models[0].counts.inferences, 3);
}

#[test]
fn replicated3_across_restarts() {
    let servers = ["server-0", "server-1", "server-2"];
    through("replicated3", "replicated3", &servers, &servers);
}

#[test]
fn two_party_across_restarts() {
    through("two-party", "two-party", &["vendor"], &["vendor"]);
}

#[test]
fn seco_across_restarts() {
    let servers = ["gateway", "remote-0", "remote-1"];
    through("seco", "seco", &servers, &["gateway"]);
}

#[test]
fn clear_across_restarts() {
    through("clear", "clear", &["server"], &["server"]);
}
