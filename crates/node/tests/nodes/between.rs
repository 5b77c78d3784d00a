//! What servers refuse of each other, of owners who divide badly, and of clients who are not who they say.

use crate::child::{Process, logged, wait};
use crate::hand::*;
use crate::harness::*;
use crate::refusals::{refusal, visit};
use subrosa::{Fingerprint, PartyId, Terms};
use subrosa_net::{Line, LineFault};
use subrosa_node::message::{Amount, Call, Id, Join, Refusal, Reply, Request, Right};
use subrosa_node::{ClientFault, Deployed, OwnerFault, TalkFault};

pub const SERVERS: [&str; 3] = ["server-0", "server-1", "server-2"];

/// Three servers with a model.
pub struct Triple {
    pub cloud: Cloud,
    pub lots: Lots,
    pub nodes: Vec<Process>,
}

impl Triple {
    fn new(name: &str) -> Self {
        Self::with(name, 2, |_| {})
    }

    pub fn with(name: &str, clients: usize, change: impl FnOnce(&mut Cloud)) -> Self {
        let mut cloud = Cloud::new(name, &SERVERS, clients);
        change(&mut cloud);
        let nodes = (0..3).map(|at| Process::node(&cloud, at)).collect();
        let lots = Lots::new("mnist-mlp.onnx", "replicated3", &[1], Terms::default());
        cloud.deploy("digits", &lots).unwrap();
        Self { cloud, lots, nodes }
    }

    /// One answer, which is right, for the first client: of which version.
    pub fn asked(&self) -> Result<Id, ClientFault> {
        self.asked_by(0)
    }

    pub fn asked_by(&self, client: usize) -> Result<Id, ClientFault> {
        let client = self.cloud.client(client, &SERVERS)?;
        let mut ask = client.ask("digits", None)?;
        let answers = ask.infer(1, vec![picture(1, 0)], &mut |_| {})?;
        close(&answers.outputs[0], &self.lots.clear(&picture(1, 0)));
        Ok(ask.deployment)
    }

    pub fn deploy(&self) -> Result<Deployed, OwnerFault> {
        self.cloud.deploy("digits", &self.lots)
    }

    fn owner(&self, at: usize) -> Line {
        meet(&self.cloud, &self.cloud.owner, at)
    }
}

/// A change to a part, and why it is refused then.
type Case<'a> = (&'a dyn Fn(&mut Part), Refusal);

#[test]
fn deployments_that_a_node_cannot_keep_are_refused() {
    let triple = Triple::new("refused-deployments");
    let (cloud, lots) = (&triple.cloud, &triple.lots);
    let before = triple.asked().unwrap();
    let client = cloud.client(1, &SERVERS).unwrap();
    let side = client.ask("digits", None).unwrap().side;
    let stranger = Fingerprint([3; 32]);
    let own = cloud.keys[1].identity().fingerprint();
    let deployment = Id([8; 16]);
    let log = cloud.place(1);
    let cases: [Case; 9] = [
        (
            &|part| part.appointment.neighbours[0].1 = stranger,
            Refusal::UnknownPeer(stranger),
        ),
        (
            &|part| part.appointment.neighbours[1].1 = own,
            Refusal::OwnPeer,
        ),
        (
            &|part| part.appointment.protocol = "none".to_owned(),
            Refusal::NoProtocol("none".to_owned()),
        ),
        (
            &|part| part.appointment.lots[0].view = vec![1, 2, 3],
            Refusal::BadPart,
        ),
        (&|part| part.appointment.lots.clear(), Refusal::Malformed),
        (
            &|part| part.appointment.lots[0].holding.0 += 1,
            Refusal::Malformed,
        ),
        (&|part| drop(part.holdings.pop()), Refusal::Malformed),
        (&|part| part.holdings[0].fill(255), Refusal::BadPart),
        (
            &|part| (part.appointment.lead, part.appointment.side) = (PartyId(1), None),
            Refusal::Malformed,
        ),
    ];
    for (change, why) in &cases {
        let mut part = part(cloud, lots, &side, deployment, 1);
        change(&mut part);
        match stage(&mut triple.owner(1), &part) {
            Reply::Refused(found) => assert_eq!(found, *why),
            _ => panic!("staged, expected {why}"),
        }
        logged(&log, &["owner", "not staged", &why.to_string()]);
    }
    let whole = part(cloud, lots, &side, deployment, 1);
    let mut line = triple.owner(1);
    match stage_bytes(&mut line, &whole.appointment, &[255; 300], &whole.holdings) {
        Reply::Refused(found) => assert_eq!(found, Refusal::Malformed),
        _ => panic!("staged"),
    }
    let model = "digits".to_owned();
    let activate = Request::Activate { model, deployment };
    let said = refused(&mut triple.owner(1), &activate);
    assert_eq!(said, Refusal::Incomplete { deployment });
    logged(&log, &["owner", "refused", "is not complete at this node"]);
    assert_eq!(triple.asked().unwrap(), before);
}

/// The plan that one server was given is another one's: its visits fail, and say through whom.
#[test]
fn a_view_of_another_party_serves_nobody() {
    let triple = Triple::new("refused-view");
    let (cloud, lots) = (&triple.cloud, &triple.lots);
    let client = cloud.client(1, &SERVERS).unwrap();
    let side = client.ask("digits", None).unwrap().side;
    let deployment = Id([9; 16]);
    let mut lines: Vec<Line> = (0..3).map(|at| triple.owner(at)).collect();
    for (at, line) in lines.iter_mut().enumerate() {
        let mut part = part(cloud, lots, &side, deployment, at);
        if at == 1 {
            let (_, plan, _) = &lots.plans()[0];
            part.appointment.lots[0].view = view(plan, PartyId(2));
        }
        assert!(matches!(stage(line, &part), Reply::Staged));
    }
    for line in &mut lines {
        let model = "digits".to_owned();
        let activate = Request::Activate { model, deployment };
        assert!(matches!(say(line, &activate), Ok(Reply::Done)));
    }
    match triple.asked().err() {
        Some(ClientFault::Session { culprit, .. }) => assert_eq!(culprit, "server-1"),
        other => panic!("{other:?}"),
    }
    for at in 0..3 {
        logged(&cloud.place(at), &["a visit failed", "digits"]);
    }
    // The nodes go on.
    let again = cloud.deploy("digits", lots).unwrap();
    assert_eq!(triple.asked().unwrap(), again.deployment);
}

#[test]
fn a_node_that_was_away_when_a_version_became_active_follows() {
    let mut triple = Triple::new("refused-away");
    let old = triple.asked().unwrap();
    let (cloud, lots) = (&triple.cloud, &triple.lots);
    let what = subrosa_node::Deploying {
        model: "digits",
        identity: &cloud.owner.identity(),
        nodes: &cloud.directory(&SERVERS),
        lots: &lots.plans(),
        inputs: lots.inputs(),
        opened: subrosa_node::message::Opened::All,
        timeout: TIMEOUT,
    };
    let victim = &mut triple.nodes[1];
    // By the time the third server is handed its part, the second has its own.
    let deployed = subrosa_node::deploy(&what, &mut |seat, _, _| {
        if seat == "server-2" {
            victim.kill();
        }
    });
    let deployed = deployed.unwrap();
    assert_eq!(deployed.following, ["server-1"]);
    let away = cloud.client(0, &SERVERS).unwrap().ask("digits", None).err();
    match away {
        Some(ClientFault::Node { node, fault }) => {
            assert_eq!(node, "server-1");
            assert!(matches!(fault, TalkFault::Link(_)), "{fault:?}");
        }
        other => panic!("{other:?}"),
    }
    triple.nodes[1] = Process::node(&triple.cloud, 1);
    let found = wait("an answer of the new version", || triple.asked().ok());
    assert_eq!(found, deployed.deployment);
    assert_ne!(found, old);
    logged(&triple.cloud.place(1), &["active"]);
}

#[test]
fn nodes_that_disagree_are_refused() {
    let triple = Triple::new("refused-disagreement");
    let (cloud, lots) = (&triple.cloud, &triple.lots);
    let expected = triple.asked().unwrap();
    let client = cloud.client(1, &SERVERS).unwrap();
    let mut early = client.ask("digits", None).unwrap();
    let deployment = Id([9; 16]);
    let part = part(cloud, lots, &early.side, deployment, 1);
    let mut line = triple.owner(1);
    assert!(matches!(stage(&mut line, &part), Reply::Staged));
    let model = || "digits".to_owned();
    let activate = Request::Activate {
        model: model(),
        deployment,
    };
    assert!(matches!(say(&mut line, &activate), Ok(Reply::Done)));
    match client.ask("digits", None).err() {
        Some(ClientFault::Differ { model, one, other }) => {
            assert_eq!([&model, &one, &other], ["digits", "server-0", "server-1"]);
        }
        other => panic!("{other:?}"),
    }
    // Who has asked before is told by the leading node.
    let said = refusal(early.infer(1, vec![picture(1, 0)], &mut |_| {}));
    let why = Refusal::OtherDeployment {
        model: model(),
        expected,
        found: deployment,
    };
    let (seat, why) = ("server-1".to_owned(), Box::new(why));
    assert_eq!(said, Refusal::Elsewhere { seat, why });
    logged(
        &cloud.place(0),
        &["server-1", "does not take part", "another version"],
    );
    logged(&cloud.place(1), &["server-0", "refused", "another version"]);
    let again = cloud.deploy("digits", lots).unwrap();
    assert_eq!(triple.asked().unwrap(), again.deployment);
}

#[test]
fn who_does_not_lead_calls_nobody() {
    let triple = Triple::new("refused-calls");
    let cloud = &triple.cloud;
    let deployment = triple.asked().unwrap();
    let call = Call {
        deployment,
        model: "digits".to_owned(),
        batch: 1,
        client: Id([1; 16]),
        enrolment: Id([2; 16]),
        setup: true,
        pooled: false,
        pool: None,
        fill: 0,
        infer: 1,
    };
    let what = Right::Join;
    let join = |from: u8, call: Option<Call>| {
        let (ticket, from) = (Id([5; 16]), PartyId(from));
        Request::Join(Join { ticket, from, call })
    };
    let log = cloud.place(2);
    // Another server, under its own number and under the leading one's; a client; an owner.
    for (key, name, from) in [
        (&cloud.keys[1], "server-1", 1),
        (&cloud.keys[1], "server-1", 0),
        (&cloud.clients[0], "client-0", 0),
        (&cloud.owner, "owner", 3),
    ] {
        let who = key.identity().fingerprint();
        let said = refused(&mut meet(cloud, key, 2), &join(from, Some(call.clone())));
        assert_eq!(
            said,
            Refusal::Denied {
                who,
                what: what.clone()
            }
        );
        logged(&log, &[name, "refused", "may not take part in a session"]);
    }
    // A visit asked of a node that does not lead it.
    let mut line = meet(cloud, &cloud.clients[0], 1);
    let said = refused(&mut line, &Request::Visit(visit(deployment, 1)));
    assert_eq!(said, Refusal::Malformed);
    assert_eq!(triple.asked().unwrap(), deployment);
}

#[test]
fn no_more_is_made_ahead_than_a_pool_may_hold() {
    let triple = Triple::new("refused-level");
    let client = triple.cloud.client(0, &SERVERS).unwrap();
    let mut ask = client.ask("digits", None).unwrap();
    ask.fill(1, 3, &mut |_| {}).unwrap();
    let said = refusal(ask.fill(1, 6, &mut |_| {}));
    let (what, limit, found) = (Amount::Material, 8, 9);
    assert_eq!(said, Refusal::TooMuch { what, limit, found });
    assert_eq!(ask.standing(1).unwrap(), (true, 3));
    let log = triple.cloud.place(0);
    logged(
        &log,
        &["client-0", "refused", "material: at most 8, asked for 9"],
    );
}

#[test]
fn a_client_has_its_own_tickets_and_keys_alone() {
    let triple = Triple::new("refused-tickets");
    let cloud = &triple.cloud;
    let deployment = triple.asked().unwrap();
    // The enrolment of the first client, as its visit is told again.
    let mut lead = meet(cloud, &cloud.clients[0], 0);
    let Ok(Reply::Ticket {
        ticket, enrolment, ..
    }) = say(&mut lead, &Request::Visit(visit(deployment, 1)))
    else {
        panic!("no ticket");
    };
    let mut other = meet(cloud, &cloud.clients[1], 1);
    let join = Request::Join(Join {
        ticket,
        from: PartyId(3),
        call: None,
    });
    assert!(matches!(say(&mut other, &join), Ok(Reply::Joined)));
    let said = other.receive(1 << 16, TIMEOUT, TIMEOUT);
    assert_eq!(said.err(), Some(LineFault::Closed));
    logged(
        &cloud.place(1),
        &["client-1", "came to a visit that is not its own"],
    );
    let mut claim = visit(deployment, 1);
    claim.enrolment = Some(enrolment);
    let mut line = meet(cloud, &cloud.clients[1], 0);
    let said = refused(&mut line, &Request::Visit(claim));
    assert_eq!(said, Refusal::NoEnrolment);
    logged(
        &cloud.place(0),
        &["client-1", "refused", "does not have the keys"],
    );
    drop(lead);
    wait("the first client is served", || triple.asked().ok());
}
