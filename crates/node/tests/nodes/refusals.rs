//! What is refused, with the reason at the asking side and a line in the node's own log.

use crate::child::{Process, logged};
use crate::hand::*;
use crate::harness::*;
use std::path::PathBuf;
use subrosa::{Bytes, LinkFault, Terms, VaultFault};
use subrosa_net::{HandshakeFault, LineFault};
use subrosa_node::config::{Directory, KnownNode, NodeConfig};
use subrosa_node::message::{
    Amount, Id, MOST_FILLED, MOST_INFERRED, Refusal, Reply, Request, Right, Staging, Standing,
    VERSION, Visit,
};
use subrosa_node::{Client, ClientFault, Node, NodeFault, OwnerFault, TalkFault};

/// A client's question fails at a node for this reason.
fn fault<T>(asked: Result<T, ClientFault>) -> TalkFault {
    match asked.err() {
        Some(ClientFault::Node { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

pub fn refusal<T>(asked: Result<T, ClientFault>) -> Refusal {
    match fault(asked) {
        TalkFault::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// One server, and what may be said to it.
struct Single {
    cloud: Cloud,
    lots: Lots,
    log: PathBuf,
    _node: Process,
}

impl Single {
    fn new(name: &str, change: impl FnOnce(&mut Cloud)) -> Self {
        let mut cloud = Cloud::new(name, &["server"], 2);
        change(&mut cloud);
        let node = Process::node(&cloud, 0);
        Self {
            lots: Lots::new("mnist-mlp.onnx", "clear", &[1], Terms::default()),
            log: cloud.place(0),
            cloud,
            _node: node,
        }
    }
}

fn asking(cloud: &Cloud, key: &Key, nodes: Vec<KnownNode>) -> Result<(), ClientFault> {
    let state = cloud.folder.join("asking");
    let seed = subrosa::Seed::insecure_seeded(9);
    let client = Client::open(key.identity(), nodes, &state, &seed, TIMEOUT)?;
    client.ask("digits", None).map(drop)
}

#[test]
fn who_is_not_known_or_not_valid_gets_no_connection() {
    let expired = Key::expired();
    let single = Single::new("refused-strangers", |cloud| {
        let print = expired.identity().fingerprint();
        cloud.more = format!(
            "[[allow]]\nname = \"expired\"\nfingerprint = \"{print}\"\npredict = [\"*\"]\n"
        );
    });
    let (cloud, log) = (&single.cloud, &single.log);
    let rejected = TalkFault::Link(LinkFault::Handshake(HandshakeFault::Rejected));
    let nodes = || cloud.directory(&["server"]);
    for (key, why) in [
        (
            &Key::new(),
            "the certificate's fingerprint is not the one expected",
        ),
        (&expired, "the certificate is not valid now"),
    ] {
        assert_eq!(fault(asking(cloud, key, nodes())), rejected);
        logged(log, &["turned away", why]);
    }
    // The node that answers is not the one whose fingerprint the client was given.
    let print = Key::new().identity().fingerprint();
    let text = format!(
        "identity = \"x\"\n[[node]]\nname = \"server\"\naddress = \"127.0.0.1:{}\"\nfingerprint = \"{print}\"\n",
        cloud.ports[0]
    );
    let other = Directory::parse(&text).unwrap().nodes;
    let fault = fault(asking(cloud, &cloud.clients[0], other));
    assert!(fault.is_other_node(), "{fault:?}");
    logged(log, &["turned away", "refused this party's certificate"]);
}

#[test]
fn a_node_whose_certificate_is_not_valid_is_refused() {
    let single = Single::new("refused-expired", |cloud| cloud.keys[0] = Key::expired());
    let (cloud, log) = (&single.cloud, &single.log);
    let nodes = cloud.directory(&["server"]);
    let expired = TalkFault::Link(LinkFault::Handshake(HandshakeFault::Expired));
    assert_eq!(fault(asking(cloud, &cloud.clients[0], nodes)), expired);
    logged(log, &["turned away", "refused this party's certificate"]);
}

#[test]
fn another_version_and_words_out_of_place_are_refused() {
    let single = Single::new("refused-words", |_| {});
    let (cloud, log) = (&single.cloud, &single.log);
    let client = &cloud.clients[0];
    let theirs = VERSION + 1;
    let ours = VERSION;
    let mut line = dial(cloud, client, 0).unwrap();
    let said = refused(&mut line, &Request::Hello { version: theirs });
    assert_eq!(said, Refusal::Version { ours, theirs });
    logged(
        log,
        &[
            "client-0",
            "speaks version 1 of the nodes' protocol, this side version 2",
        ],
    );
    // Nothing more is heard there.
    assert_eq!(
        say(&mut line, &Request::Status).err(),
        Some(LineFault::Closed)
    );
    let mut line = dial(cloud, client, 0).unwrap();
    assert_eq!(refused(&mut line, &Request::Status), Refusal::Malformed);
    let mut line = meet(cloud, client, 0);
    assert_eq!(
        refused(&mut line, &Request::Chunk(vec![1])),
        Refusal::Malformed
    );
    line.send(&[255; 100], TIMEOUT).unwrap();
    let said = line.receive(1 << 16, TIMEOUT, TIMEOUT).unwrap();
    let said = postcard::from_bytes(&said);
    assert!(matches!(said, Ok(Reply::Refused(Refusal::Malformed))));
    logged(log, &["client-0", "what it says is not understood"]);
    let long = vec![0; 2 << 20];
    let mut line = meet(cloud, client, 0);
    let _ = line.send(&long, TIMEOUT);
    logged(log, &["client-0", "connection ended", "2097152"]);
}

#[test]
fn what_nobody_has_allowed_is_refused() {
    let (nobody, narrow) = (Key::new(), Key::new());
    let single = Single::new("refused-rights", |cloud| {
        for (name, key, rights) in [
            ("nobody", &nobody, ""),
            (
                "narrow",
                &narrow,
                "predict = [\"letters\"]\ndeploy = [\"letters\"]\n",
            ),
        ] {
            let print = key.identity().fingerprint();
            cloud.more += &format!("[[allow]]\nname = \"{name}\"\nfingerprint = \"{print}\"\n");
            cloud.more += rights;
        }
    });
    let (cloud, log) = (&single.cloud, &single.log);
    let deployed = cloud.deploy("digits", &single.lots).unwrap();
    let nodes = || cloud.directory(&["server"]);
    for (name, key) in [("nobody", &nobody), ("narrow", &narrow)] {
        let who = key.identity().fingerprint();
        let denied = |what: Right| Refusal::Denied { who, what };
        let predict = denied(Right::Predict("digits".to_owned()));
        assert_eq!(refusal(asking(cloud, key, nodes())), predict);
        logged(log, &[name, "refused", "may not ask the model `digits`"]);
        let mut line = meet(cloud, key, 0);
        let visit = Request::Visit(visit(deployed.deployment, 1));
        assert_eq!(refused(&mut line, &visit), predict);
        logged(log, &[name, "model=\"digits\"", "may not ask"]);
        let deploy = denied(Right::Deploy("digits".to_owned()));
        let (model, deployment) = ("digits".to_owned(), deployed.deployment);
        for request in [
            Request::Activate {
                model: model.clone(),
                deployment,
            },
            Request::Standing {
                model: model.clone(),
                deployment,
            },
            Request::Remove {
                model: model.clone(),
            },
            Request::Stage(Staging {
                model,
                deployment,
                appointment: Bytes(1),
                holdings: vec![],
            }),
        ] {
            let mut line = meet(cloud, key, 0);
            assert_eq!(refused(&mut line, &request), deploy);
        }
        logged(log, &[name, "refused", "may not deploy `digits`"]);
        logged(log, &[name, "not staged", "may not deploy `digits`"]);
        let told = Client::status(&key.identity(), &nodes(), TIMEOUT);
        let status = TalkFault::Refused(denied(Right::Status));
        assert_eq!(told[0].1, Err(status));
        logged(log, &[name, "may not ask for status"]);
    }
    let mut other = Cloud::new("refused-owner", &["server"], 0);
    other.keys = vec![Key::of(&cloud.keys[0].identity())];
    (other.ports, other.owner) = (cloud.ports.clone(), nobody);
    let what = Right::Deploy("digits".to_owned());
    let who = other.owner.identity().fingerprint();
    match other.deploy("digits", &single.lots).err() {
        Some(OwnerFault::Node { fault, .. }) => {
            assert_eq!(fault, TalkFault::Refused(Refusal::Denied { who, what }));
        }
        found => panic!("{found:?}"),
    }
    let standing = Request::Standing {
        model: "digits".to_owned(),
        deployment: deployed.deployment,
    };
    let found = say(&mut meet(cloud, &cloud.owner, 0), &standing).unwrap();
    assert!(matches!(found, Reply::Standing(Standing::Active)));
}

pub fn visit(deployment: Id, batch: u32) -> Visit {
    Visit {
        model: "digits".to_owned(),
        deployment,
        batch,
        enrolment: None,
        pooled: false,
        pool: None,
        fill: 0,
        infer: 1,
    }
}

#[test]
fn what_is_not_there_or_too_much_is_refused() {
    let single = Single::new("refused-amounts", |_| {});
    let (cloud, log) = (&single.cloud, &single.log);
    let client = cloud.client(0, &["server"]).unwrap();
    let model = "digits".to_owned();
    assert_eq!(
        refusal(client.ask("digits", None)),
        Refusal::NoModel { model }
    );
    logged(log, &["client-0", "refused", "it has no model `digits`"]);
    let deployed = cloud.deploy("digits", &single.lots).unwrap();
    let mut ask = client.ask("digits", None).unwrap();
    let said = refusal(ask.infer(7, vec![picture(7, 0)], &mut |_| {}));
    assert_eq!(said, Refusal::NoBatch { batch: 7 });
    logged(
        log,
        &["client-0", "refused", "not deployed for a batch of 7"],
    );
    let mut line = meet(cloud, &cloud.clients[0], 0);
    for (what, most, text) in [
        (Amount::Inferences, MOST_INFERRED, "inferences in one visit"),
        (Amount::Material, MOST_FILLED, "inferences' material"),
    ] {
        let mut many = visit(deployed.deployment, 1);
        match what {
            Amount::Material => many.fill = most + 1,
            _ => many.infer = most + 1,
        }
        let said = refused(&mut line, &Request::Visit(many));
        let (limit, found) = (most.into(), u64::from(most) + 1);
        assert_eq!(said, Refusal::TooMuch { what, limit, found });
        let text = format!("{text}: at most {limit}, asked for {found}");
        logged(log, &["client-0", "refused", &text]);
    }
    let expected = Id([7; 16]);
    let said = refused(&mut line, &Request::Visit(visit(expected, 1)));
    let (model, found) = ("digits".to_owned(), deployed.deployment);
    assert_eq!(
        said,
        Refusal::OtherDeployment {
            model,
            expected,
            found
        }
    );
    logged(log, &["client-0", "refused", "another version"]);
    // After all that, the connections still serve.
    let answers = ask.infer(1, vec![picture(1, 0)], &mut |_| {}).unwrap();
    close(&answers.outputs[0], &single.lots.clear(&picture(1, 0)));
}

#[test]
fn a_model_that_is_too_large_is_refused() {
    let limits = |cloud: &mut Cloud| cloud.limits = "model_bytes = \"64 KiB\"".to_owned();
    let single = Single::new("refused-size", limits);
    let (cloud, log) = (&single.cloud, &single.log);
    match cloud.deploy("digits", &single.lots).err() {
        Some(OwnerFault::Node {
            fault: TalkFault::Refused(Refusal::TooMuch { what, limit, .. }),
            ..
        }) => assert_eq!((what, limit), (Amount::ModelBytes, 64 << 10)),
        other => panic!("{other:?}"),
    }
    logged(
        log,
        &["owner", "not staged", "bytes of a model: at most 65536"],
    );
    // Lengths whose sum is none.
    let staging = Staging {
        model: "digits".to_owned(),
        deployment: Id([1; 16]),
        appointment: Bytes(u64::MAX),
        holdings: vec![Bytes(u64::MAX); 3],
    };
    let said = refused(&mut meet(cloud, &cloud.owner, 0), &Request::Stage(staging));
    assert!(matches!(
        said,
        Refusal::TooMuch {
            found: u64::MAX,
            ..
        }
    ));
}

#[test]
fn a_store_under_another_key_is_refused() {
    let cloud = Cloud::new("refused-key", &["server"], 1);
    let open = |key: u64| {
        let config = NodeConfig::parse(&cloud.config(0)).unwrap();
        let key = subrosa::Seed::insecure_seeded(key);
        Node::open(config, cloud.keys[0].identity(), &key).map(drop)
    };
    open(1).unwrap();
    match open(2).err() {
        Some(NodeFault::Store(fault)) => assert_eq!(fault, VaultFault::WrongKey),
        other => panic!("{other:?}"),
    }
    open(1).unwrap();
    drop(cloud.client(0, &["server"]).unwrap());
    let state = cloud.folder.join("client-0");
    let key = subrosa::Seed::insecure_seeded(2);
    let nodes = cloud.directory(&["server"]);
    let client = Client::open(cloud.clients[0].identity(), nodes, &state, &key, TIMEOUT);
    assert!(matches!(
        client.err(),
        Some(ClientFault::State(VaultFault::WrongKey))
    ));
}
