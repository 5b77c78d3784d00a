//! All servers of a session in threads.

use std::sync::Arc;
use std::time::Duration;
use subrosa_collective::{Keys, Piece, Place, Scheme, Servers, Shares, evaluate_all, prepare_all};
use subrosa_core::{PartyId, Prg, Seed, Stock, Wire, Words, WordsLayout};
use subrosa_net::{Network, Phase, Session, SessionTerms, Tap, memory_mesh_tapped};
use subrosa_ring::mask;

/// Lets everything through.
pub struct Silent;

impl Tap for Silent {
    fn frame(&self, _: PartyId, _: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        vec![bytes]
    }
}

/// What each server gets out of `run`, by place.
pub fn among_tapped<T: Send>(
    remotes: usize,
    tap: Arc<dyn Tap>,
    run: impl Fn(&Servers, &mut Session) -> T + Sync,
) -> Vec<T> {
    let ids: Vec<PartyId> = (0..remotes).map(|j| PartyId(2 + j as u8)).collect();
    let parties: Vec<PartyId> = ids.into_iter().chain([PartyId(1)]).collect();
    let lower = |high: usize| (0..high).map(move |low| (low, high));
    let pairs: Vec<_> = (0..parties.len())
        .flat_map(lower)
        .map(|(low, high)| (parties[low], parties[high]))
        .collect();
    let mut mesh = memory_mesh_tapped(&parties, &pairs, Network::LOOPBACK, tap);
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..parties.len())
            .map(|me| {
                let links = mesh.remove(&parties[me]).unwrap();
                let servers = Servers {
                    me: Place(me),
                    parties: parties.clone(),
                };
                let run = &run;
                scope.spawn(move || {
                    let peers = links.peers();
                    let terms = SessionTerms {
                        fingerprints: peers.iter().map(|peer| (*peer, [0; 32])).collect(),
                        timeout: Duration::from_secs(60),
                        insecure_seed: None,
                        untold: Vec::new(),
                    };
                    let mut s = Session::open(links, terms).unwrap();
                    run(&servers, &mut s)
                })
            })
            .collect();
        started.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

pub fn among<T: Send>(remotes: usize, run: impl Fn(&Servers, &mut Session) -> T + Sync) -> Vec<T> {
    among_tapped(remotes, Arc::new(Silent), run)
}

pub fn coded<T: Wire>(value: &T, layout: &T::Layout) -> T {
    T::decode(layout, &bytes_of(value, layout)).unwrap()
}

pub fn bytes_of<T: Wire>(value: &T, layout: &T::Layout) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(bytes.len() as u64, T::size(layout).0);
    bytes
}

/// What a server knows at the end of an inference.
pub struct Known {
    /// Its share of the mask of each input, and of each output.
    pub inputs: Vec<Words>,
    pub masks: Vec<Words>,
    /// Its pieces, as bytes.
    pub pieces: Vec<Vec<u8>>,
    /// The outputs, less their masks.
    pub outputs: Vec<Words>,
}

/// A whole inference, its keys, pieces and shares of the weights through their encodings. x: the inputs, modulo 2^64.
pub fn infer(
    scheme: &Scheme,
    weights: &[Vec<u64>],
    x: &[Vec<u64>],
    seed: u64,
    tap: Arc<dyn Tap>,
) -> Vec<Known> {
    let masks = |place: usize| -> Vec<Words> {
        let seed = Seed::insecure_seeded(seed).derive("masks", &[place as u8]);
        let mut prg = Prg::new(&seed);
        let layouts = scheme.inputs.iter();
        layouts.map(|l| drawn(&mut prg, l)).collect()
    };
    let all: Vec<_> = (0..scheme.servers()).map(masks).collect();
    let masked: Vec<Words> = x
        .iter()
        .enumerate()
        .map(|(at, x)| less(x, all.iter().map(|masks| &masks[at])))
        .collect();
    let division = Seed::insecure_seeded(seed).derive("division", &[]);
    among_tapped(scheme.remotes, tap, |servers, s| {
        let me = servers.me;
        let part = Shares::divide(scheme, weights, &division, me).unwrap();
        let part = coded(&part, &scheme.shares(me));
        let keys = Keys::setup(scheme, servers, s).unwrap();
        let keys: Keys = coded(&keys, &(scheme.parameters.clone(), servers.clone()));
        s.enter(Phase::Offline);
        let mut shelf: Vec<Piece> = Vec::new();
        let inputs = masks(me.0);
        let masks = prepare_all(
            scheme,
            &keys,
            &part,
            servers,
            inputs.clone(),
            &mut shelf,
            1,
            s,
        )
        .unwrap();
        let layouts = scheme.pieces(servers);
        assert_eq!(shelf.len(), layouts.len());
        let pairs = shelf.iter().zip(&layouts);
        let pieces: Vec<Vec<u8>> = pairs.map(|(piece, l)| bytes_of(piece, l)).collect();
        let pairs = pieces.iter().zip(&layouts);
        let stock: Vec<Piece> = pairs.map(|(b, l)| Piece::decode(l, b).unwrap()).collect();
        s.enter(Phase::Online);
        let stock = Stock::from(stock);
        let outputs = evaluate_all(scheme, &part, servers, stock, masked.clone(), 1, s).unwrap();
        assert_eq!(s.bill(), &scheme.bill(servers), "{me:?}");
        Known {
            inputs,
            masks,
            pieces,
            outputs,
        }
    })
}

fn drawn(prg: &mut Prg, layout: &WordsLayout) -> Words {
    Words {
        bits: layout.bits,
        values: prg.words(layout.bits, layout.count),
    }
}

/// x less all masks.
fn less<'a>(x: &[u64], masks: impl Iterator<Item = &'a Words>) -> Words {
    let (mut values, mut bits) = (x.to_vec(), 64);
    for words in masks {
        bits = words.bits;
        for (x, mask) in values.iter_mut().zip(&words.values) {
            *x = x.wrapping_sub(*mask);
        }
    }
    values.iter_mut().for_each(|x| *x &= mask(bits));
    Words { bits, values }
}

/// Chi-square of counts over equally likely cells is within 7 deviations of its mean.
pub fn assert_uniform(cells: usize, samples: impl Iterator<Item = usize>) {
    let mut counts = vec![0u64; cells];
    samples.for_each(|cell| counts[cell] += 1);
    let total: u64 = counts.iter().sum();
    let each = total as f64 / cells as f64;
    assert!(each >= 20.0, "too few samples: {total} for {cells}");
    let off = counts.iter().map(|n| (*n as f64 - each).powi(2) / each);
    let (chi, mean) = (off.sum::<f64>(), cells as f64 - 1.0);
    let deviations = (chi - mean) / (2.0 * mean).sqrt();
    assert!(
        deviations.abs() < 7.0,
        "{deviations:.1} deviations over {cells} cells"
    );
}
