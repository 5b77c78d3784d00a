mod agreement;
mod faults;
mod secrecy;
mod uniform;

use super::{Garbling, Piece, Shape, evaluate, prepare};
use crate::{Mesh, OtKeys, OtPlan, Ots, Place, Servers};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subrosa_core::{PartyId, Prg, Seed, Wire};
use subrosa_net::{
    Bill, Network, Phase, RunError, Session, SessionTerms, Tap, memory_mesh, memory_mesh_tapped,
};
use subrosa_ring::{BitMatrix, mask, sign_extend, to_planes, xor_into};
use subrosa_share::select::Lift;
use subrosa_share::step::Kind;

const GARBLINGS: [Garbling; 2] = [Garbling::Bmr, Garbling::Single];

fn kinds(narrow: u32, wide: u32) -> [Kind; 4] {
    let lift = Lift { narrow, wide };
    [
        Kind::Positive(lift),
        Kind::Maximum { bits: narrow },
        Kind::Choice { bits: narrow },
        Kind::Lift(lift),
    ]
}

fn party(place: Place, remotes: usize) -> PartyId {
    PartyId(match place.0 {
        at if at == remotes => 1,
        at => 2 + at as u8,
    })
}

/// Every server in a thread with a session of its own.
fn together<T: Send>(
    remotes: usize,
    tap: Option<Arc<dyn Tap>>,
    run: impl Fn(&Servers, &mut Session) -> Result<T, RunError> + Sync,
) -> Vec<Result<T, RunError>> {
    let parties: Vec<_> = (0..=remotes).map(|at| party(Place(at), remotes)).collect();
    let pairs = (0..=remotes).flat_map(|a| (a + 1..=remotes).map(move |b| (a, b)));
    let pairs: Vec<_> = pairs.map(|(a, b)| (parties[a], parties[b])).collect();
    let mut mesh = match tap {
        Some(tap) => memory_mesh_tapped(&parties, &pairs, Network::LOOPBACK, tap),
        None => memory_mesh(&parties, &pairs, Network::LOOPBACK),
    };
    let start = |at: usize| {
        let servers = Servers {
            me: Place(at),
            parties: parties.clone(),
        };
        let others = servers.others().filter_map(|other| servers.party(other));
        let terms = SessionTerms {
            fingerprints: others.map(|other| (other, [0; 32])).collect(),
            timeout: Duration::from_secs(20),
            insecure_seed: Some(5),
            untold: Vec::new(),
        };
        let (links, run) = (mesh.remove(&parties[at]).unwrap(), &run);
        move || {
            let mut s = Session::open(links, terms).unwrap();
            let end = run(&servers, &mut s);
            if let Err(error) = &end {
                s.fail(error);
            }
            end
        }
    };
    let starts: Vec<_> = (0..=remotes).map(start).collect();
    std::thread::scope(|scope| {
        let handles: Vec<_> = starts.into_iter().map(|run| scope.spawn(run)).collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    })
}

/// A step's inputs: public bits, and shares of the shared bits by place.
struct Inputs {
    public: BitMatrix,
    shares: Vec<BitMatrix>,
}

/// What one server has of a step.
struct Outcome {
    /// l^j.
    own: BitMatrix,
    /// e.
    found: BitMatrix,
    bill: Bill,
}

/// Values of n bits, column by column, under uniform masks.
fn masked(shape: &Shape, columns: &[Vec<i64>], remotes: usize, prg: &mut Prg) -> Inputs {
    let n = shape.width() as u32;
    let (mut public, mut shared) = (Vec::new(), Vec::new());
    for column in columns {
        let mu = prg.words(n, shape.lanes);
        let pairs = column.iter().zip(&mu);
        let c: Vec<u64> = pairs
            .map(|(x, mu)| (*x as u64).wrapping_sub(*mu) & mask(n))
            .collect();
        public.extend_from_slice(to_planes(&c, 0, n).words());
        shared.extend_from_slice(to_planes(&mu, 0, n).words());
    }
    let mut last = BitMatrix::from_words(shape.shared_planes(), shape.lanes, shared);
    let mut shares = Vec::new();
    for _ in 0..remotes {
        let share = prg.bits(shape.shared_planes(), shape.lanes);
        xor_into(last.words_mut(), share.words());
        shares.push(share);
    }
    shares.push(last);
    Inputs {
        public: BitMatrix::from_words(shape.public_planes(), shape.lanes, public),
        shares,
    }
}

/// The bits that a step is to give.
fn clear(shape: &Shape, columns: &[Vec<i64>]) -> BitMatrix {
    let lanes = 0..shape.lanes;
    let values = lanes.map(|lane| match shape.kind {
        Kind::Positive(_) | Kind::Maximum { .. } => columns[0][lane].max(0) as u64,
        Kind::Lift(_) => columns[0][lane] as u64,
        Kind::Choice { .. } if columns[0][lane] >= 0 => columns[1][lane] as u64,
        Kind::Choice { .. } => 0,
    });
    to_planes(&values.collect::<Vec<_>>(), 0, shape.output_planes() as u32)
}

/// Uniform values of n bits, the bounds among them.
fn samples(shape: &Shape, prg: &mut Prg) -> Vec<Vec<i64>> {
    let n = shape.width() as u32;
    let columns = shape.public_planes() / shape.width();
    let mut column = || {
        let words = prg.words(n, shape.lanes);
        let mut x: Vec<i64> = words.iter().map(|w| sign_extend(*w, n)).collect();
        let top = sign_extend(1 << (n - 1), n);
        for (x, bound) in x.iter_mut().zip([0, -1, 1, top, !top]) {
            *x = bound;
        }
        x
    };
    (0..columns).map(|_| column()).collect()
}

/// Keys by place, made once for all tests.
fn keys(remotes: usize) -> Arc<Vec<OtKeys>> {
    static MADE: Mutex<BTreeMap<usize, Arc<Vec<OtKeys>>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let setup = || {
        let keys = together(remotes, None, OtKeys::setup);
        Arc::new(keys.into_iter().map(Result::unwrap).collect())
    };
    made.entry(remotes).or_insert_with(setup).clone()
}

/// One step at one server: offline, the piece through its encoding, online.
fn serve(
    shape: &Shape,
    garbling: Garbling,
    inputs: &Inputs,
    keys: &[OtKeys],
    servers: &Servers,
    s: &mut Session,
) -> Result<Outcome, RunError> {
    let (remotes, me) = (servers.remotes(), servers.me);
    s.enter(Phase::Offline);
    let mut plan = OtPlan::default();
    shape.add_to(garbling, remotes, &mut plan);
    let mut ots = Ots::new(&keys[me.0], &plan, servers, s)?;
    let mut prg = Prg::new(&s.seed());
    let share = &inputs.shares[me.0];
    let mut mesh = Mesh::new(servers, s);
    let (piece, own) = prepare(shape, garbling, share, &mut ots, &mut prg, &mut mesh)?;
    s.enter(Phase::Online);
    let layout = shape.piece(garbling, remotes, me);
    let mut bytes = Vec::new();
    piece.encode(&mut bytes);
    assert_eq!(bytes.len() as u64, Piece::size(&layout).0);
    let piece = Piece::decode(&layout, &bytes).unwrap();
    let mut mesh = Mesh::new(servers, s);
    let found = evaluate(shape, garbling, piece, &inputs.public, &mut mesh)?;
    let bill = s.bill().clone();
    Ok(Outcome { own, found, bill })
}

fn run(shape: &Shape, garbling: Garbling, inputs: &Inputs, remotes: usize) -> Vec<Outcome> {
    let keys = keys(remotes);
    let outcomes = together(remotes, None, |servers, s| {
        serve(shape, garbling, inputs, &keys, servers, s)
    });
    outcomes.into_iter().map(Result::unwrap).collect()
}

fn seeded(number: u64) -> Prg {
    Prg::new(&Seed::insecure_seeded(number))
}

fn sum<'a>(of: impl IntoIterator<Item = &'a BitMatrix>) -> BitMatrix {
    let mut of = of.into_iter();
    let mut all = of.next().unwrap().clone();
    of.for_each(|next| xor_into(all.words_mut(), next.words()));
    all
}
