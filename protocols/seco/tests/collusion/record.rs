//! The real protocol over memory: all that passes between the parties, and all that each of them keeps.

use crate::nets::Model;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use subrosa_core::{PartyId, Seed, Stock, Wire};
use subrosa_ir::Tensor;
use subrosa_net::{
    HEADER_LEN, Links, Network, RunError, Session, SessionTerms, Tap, is_data, memory_mesh_tapped,
};
use subrosa_protocol::{Plan, Protocol, Role, WholePlan};
use subrosa_seco::{Asking, GATEWAY, Gateway, Remote, USER, Whole, remote_party};

/// Inferences are numbered from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Setup,
    Offline(usize),
    Online(usize),
}

thread_local! {
    /// What the party of this thread is at.
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Setup) };
}

/// Messages of one direction in one stage, in order.
pub type Messages = BTreeMap<(Stage, PartyId, PartyId), Vec<Vec<u8>>>;

/// Where a frame's header has the step of its message.
const STEP: Range<usize> = 8..12;

#[derive(Default)]
struct Recorder(Mutex<Recorded>);

#[derive(Default)]
struct Recorded {
    messages: Messages,
    /// Of the last frame of each direction.
    steps: BTreeMap<(PartyId, PartyId), Vec<u8>>,
}

impl Tap for Recorder {
    /// A long message is several frames of one step.
    fn frame(&self, from: PartyId, to: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if is_data(&bytes) {
            let Recorded { messages, steps } = &mut *self.0.lock().unwrap();
            let direction = messages.entry((STAGE.get(), from, to)).or_default();
            let (step, payload) = (bytes[STEP].to_vec(), &bytes[HEADER_LEN..]);
            let before = steps.insert((from, to), step.clone());
            match direction.last_mut() {
                Some(message) if before == Some(step) => message.extend(payload),
                _ => direction.push(payload.to_vec()),
            }
        }
        vec![bytes]
    }
}

/// What a party keeps.
pub struct Kept<R: Role> {
    pub keys: R::Keys,
    /// Of each inference.
    pub pieces: Vec<Vec<R::Piece>>,
    pub answers: Vec<Option<Vec<Tensor>>>,
}

pub struct Record {
    pub messages: Messages,
    pub user: Kept<Asking>,
    pub gateway: Kept<Gateway>,
    pub remotes: Vec<Kept<Remote>>,
}

pub struct Job<'a> {
    pub model: &'a Model,
    /// Of each inference.
    pub inputs: Vec<Tensor>,
    /// Replaces the randomness of all parties.
    pub insecure_seed: Option<u64>,
}

/// One setup, then all inferences one after the other.
pub fn record(job: &Job<'_>) -> Record {
    let whole = &job.model.whole;
    let count = whole.remotes();
    let parties: Vec<PartyId> = whole.seats().iter().map(|seat| seat.party).collect();
    let tap = Arc::new(Recorder::default());
    let mut mesh = memory_mesh_tapped(&parties, &whole.links(), Network::LOOPBACK, tap.clone());
    let mut links = |party: PartyId| mesh.remove(&party).unwrap();
    let [at_user, at_gateway] = [links(USER), links(GATEWAY)];
    let at_remotes: Vec<Links> = (0..count).map(|j| links(remote_party(j))).collect();
    let threads = 1;
    let (user, gateway, remotes) = thread::scope(|scope| {
        let user = scope.spawn(|| sit(Asking { threads }, job, at_user));
        let gateway = scope.spawn(|| sit(Gateway { threads }, job, at_gateway));
        let remotes = at_remotes.into_iter().enumerate();
        let remotes: Vec<_> = remotes
            .map(|(number, links)| scope.spawn(move || sit(Remote { number, threads }, job, links)))
            .collect();
        let remotes = remotes.into_iter().map(|one| one.join().unwrap().unwrap());
        let remotes = remotes.collect();
        (
            user.join().unwrap().unwrap(),
            gateway.join().unwrap().unwrap(),
            remotes,
        )
    });
    let messages = std::mem::take(&mut tap.0.lock().unwrap().messages);
    Record {
        messages,
        user,
        gateway,
        remotes,
    }
}

fn sit<R>(role: R, job: &Job<'_>, links: Links) -> Result<Kept<R>, RunError>
where
    R: Role,
    R::Of: Protocol<Whole = Whole>,
{
    let Model { whole, weights, .. } = job.model;
    let (plan, me) = (role.view(whole), links.me());
    let peers = links.peers().into_iter();
    let terms = SessionTerms {
        fingerprints: peers.map(|peer| (peer, plan.fingerprint(peer))).collect(),
        untold: role.untold(),
        timeout: Duration::from_secs(60),
        insecure_seed: job.insecure_seed,
    };
    let mut s = Session::open(links, terms)?;
    let keys = role.setup(&plan, &mut s)?;
    let holding = whole.holding(me, weights, &Seed::insecure_seeded(7))?;
    let part = role.part(&plan, &holding)?;
    let layouts = role.pieces(&plan);
    let (mut pieces, mut answers) = (Vec::new(), Vec::new());
    for (number, input) in job.inputs.iter().enumerate() {
        STAGE.set(Stage::Offline(number));
        let mut shelf: Vec<R::Piece> = Vec::new();
        role.offline(&plan, &keys, &part, &mut shelf, &mut s)?;
        let pairs = shelf.iter().zip(&layouts);
        pieces.push(pairs.map(|(piece, layout)| copy(piece, layout)).collect());
        STAGE.set(Stage::Online(number));
        let input = (me == USER).then(|| vec![input.clone()]);
        let running = role.share(&plan, &keys, Stock::from(shelf), input, &mut s)?;
        let outcome = role.online(&plan, &keys, &part, running, &mut s)?;
        answers.push(role.reveal(&plan, &keys, outcome, &mut s)?);
    }
    Ok(Kept {
        keys,
        pieces,
        answers,
    })
}

fn copy<T: Wire>(piece: &T, layout: &T::Layout) -> T {
    let mut bytes = Vec::new();
    piece.encode(&mut bytes);
    T::decode(layout, &bytes).unwrap()
}
