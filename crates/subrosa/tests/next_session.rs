//! A remote server of a divided network vanishes in the middle: all others learn who it was, the user of its gateway alone, and
//! the gateway serves the next session.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use subrosa::{
    Endpoint, Fingerprint, Holding, Identity, Model, Network, Participant, PartyId, Peer, Planned,
    Prepared, RunError, Tensor, Terms, connect, find,
};

const GATEWAY: PartyId = PartyId(1);
const LOST: PartyId = PartyId(3);
const TIMEOUT: Duration = Duration::from_secs(20);

/// What one party is told of all.
struct Known {
    identities: Vec<Identity>,
    prints: Vec<Fingerprint>,
    holdings: Vec<Holding>,
}

/// One session of one party, as far as it goes. Who vanishes leaves after setup.
fn session(
    planned: &Planned,
    known: &Known,
    me: PartyId,
    endpoint: Endpoint,
    addresses: &[SocketAddr],
    vanishes: bool,
    input: &Tensor,
) -> Result<Option<Vec<Tensor>>, RunError> {
    let at = usize::from(me.0);
    let peer = |party: PartyId| Peer {
        party,
        fingerprint: known.prints[usize::from(party.0)],
        address: (party < me).then(|| addresses[usize::from(party.0)]),
    };
    let peers: Vec<Peer> = planned.neighbours(me).into_iter().map(peer).collect();
    let identity = &known.identities[at];
    let links = connect(
        me,
        identity,
        Some(endpoint),
        &peers,
        Network::LOOPBACK,
        TIMEOUT,
    )?;
    let view = planned.parties()[at].view.clone();
    let mut party = Participant::new(planned.protocol, view, 1, links, TIMEOUT).unwrap();
    party.setup(&known.holdings[at])?;
    if vanishes {
        return Ok(None);
    }
    party.offline()?;
    let inputs = (me == PartyId(0)).then(|| vec![input.clone()]);
    Ok(party.infer(inputs)?.value)
}

#[test]
fn the_gateway_serves_the_next_after_a_remote_is_gone() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist-mlp.onnx");
    let model = Model::read(&model).unwrap();
    let prepared = Prepared::new(&model, 1, &[[0.0, 1.0]], None).unwrap();
    let mut terms = Terms::default();
    terms.division.at = Some("/2/Relu".to_owned());
    let planned = prepared.plan(find("seco").unwrap(), &terms).unwrap();
    let count = planned.parties().len();
    let identities: Vec<Identity> = (0..count).map(|_| Identity::generate().unwrap()).collect();
    let known = Known {
        prints: identities.iter().map(Identity::fingerprint).collect(),
        holdings: planned.holdings(&prepared.weights).unwrap(),
        identities,
    };
    let input = Tensor {
        shape: vec![1, 1, 28, 28],
        values: (0..784).map(|i| (i % 7) as f32 / 7.0).collect(),
    };
    let round = |vanishes: Option<PartyId>| -> Vec<Result<Option<Vec<Tensor>>, RunError>> {
        let endpoints = (0..count).map(|_| Endpoint::bind("127.0.0.1:0").unwrap());
        let endpoints: Vec<Endpoint> = endpoints.collect();
        let addresses = endpoints.iter().map(|e| e.local_addr().unwrap());
        let addresses: Vec<SocketAddr> = addresses.collect();
        std::thread::scope(|scope| {
            let (planned, known, input, addresses) = (&planned, &known, &input, &addresses);
            let threads = endpoints.into_iter().zip(0u8..).map(|(endpoint, me)| {
                let (me, gone) = (PartyId(me), vanishes == Some(PartyId(me)));
                scope.spawn(move || session(planned, known, me, endpoint, addresses, gone, input))
            });
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        })
    };
    let failed = round(Some(LOST));
    for (party, ending) in failed.iter().enumerate() {
        let culprit = match (party, ending) {
            (_, Err(error)) => error.culprit(),
            (party, Ok(_)) => {
                assert_eq!(PartyId(party as u8), LOST, "only who left sees no error");
                continue;
            }
        };
        let named = if party == 0 { GATEWAY } else { LOST };
        assert_eq!(culprit, Some(named), "party {party}: {ending:?}");
    }
    // The same gateway, with the same identity and part of the model.
    let served = round(None);
    let answer = served[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!(answer[0].shape, [1, 10]);
    assert!(served.iter().all(Result::is_ok));
}
