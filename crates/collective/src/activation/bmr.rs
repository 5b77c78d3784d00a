//! All remotes garble, the gateway evaluates: [BLO16] as [`subrosa_garble::bmr`] has it.
//!
//! The gateway's share of a shared bit is its e of that wire, the sum of the remotes' shares is the mask. Of a result the gateway finds e,
//! and adds random bits of its own before it tells the remotes: these are its shares of the mask.

use super::lanes::{columns, paste};
use super::price::{Demand, Move};
use super::{Piece, PieceLayout, Shape, broken};
use crate::mesh::Mesh;
use crate::ots::{Ots, directions};
use crate::servers::Place;
use std::collections::BTreeMap;
use subrosa_core::{Prg, ReceiverCots, ReceiverOts, SenderCots, SenderOts, Wire};
use subrosa_garble::bmr::{
    self, ActiveInputs, First, Garbled, Garbler, Pair, RowShares, Rows, RowsLayout, Second, Third,
    receiver_labels, sender_zeros,
};
use subrosa_garble::{ActiveLabels, Circuit, LabelsLayout};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{BitMatrix, xor_into};

/// The gateway's: of each block of lanes the rows and each remote's labels of the shared bits; then its own shared bits, and its random
/// shares of the results' bits.
pub type Kept = (Vec<(Rows, Vec<ActiveLabels>)>, (BitMatrix, BitMatrix));

/// Blocks of lanes that are garbled one after another, so that the rows of all remotes together are a mebibyte for each AND gate, however
/// many remotes there are: first lane and shape of each.
fn blocks(shape: &Shape, remotes: usize) -> impl Iterator<Item = (usize, Shape)> + use<> {
    let Shape { lanes, kind } = *shape;
    let most = ((1 << 14) / (remotes * remotes).max(1)).max(64) / 64 * 64;
    (0..lanes).step_by(most).map(move |first| {
        let lanes = most.min(lanes - first);
        (first, Shape { lanes, kind })
    })
}

pub(super) fn demand(shape: &Shape, remotes: usize, from: Place, to: Place) -> Demand {
    let garblers = bmr::Demand::of(&shape.circuit());
    match (from.0 < remotes, to.0 < remotes) {
        (true, true) => Demand {
            correlated: garblers.cots,
            random: garblers.ots,
        },
        (true, false) => Demand {
            correlated: shape.shared_planes(),
            random: 0,
        },
        (false, _) => Demand::default(),
    }
}

/// Labels of the public bits, block by block.
pub(super) fn labels(shape: &Shape, remotes: usize) -> Vec<LabelsLayout> {
    let layout = |(_, block): (usize, Shape)| LabelsLayout {
        wires: block.public_planes(),
        lanes: block.lanes,
    };
    blocks(shape, remotes).map(layout).collect()
}

/// The public bits, block by block.
pub(super) fn parts(shape: &Shape, remotes: usize, c: &BitMatrix) -> Vec<BitMatrix> {
    let blocks = blocks(shape, remotes);
    blocks
        .map(|(first, block)| columns(c, first, block.lanes))
        .collect()
}

pub(super) fn piece(shape: &Shape, remotes: usize, at: Place) -> PieceLayout {
    if at.0 < remotes {
        return PieceLayout::Zeros(labels(shape, remotes));
    }
    let circuit = shape.circuit();
    let block = |(_, block): (usize, Shape)| {
        let labels = LabelsLayout {
            wires: block.shared_planes(),
            lanes: block.lanes,
        };
        let rows = RowsLayout::of(&circuit, remotes, block.lanes);
        (rows, vec![labels; remotes])
    };
    let blocks = blocks(shape, remotes).map(block).collect();
    PieceLayout::Rows((blocks, (shape.shared_bits(), shape.output_bits())))
}

pub(super) fn offline(shape: &Shape, remotes: usize) -> Vec<Move> {
    let circuit = shape.circuit();
    let demand = bmr::Demand::of(&circuit);
    let gateway = Place(remotes);
    let all = move || (0..remotes).map(Place);
    let mut moves = Vec::new();
    for (_, block) in blocks(shape, remotes) {
        let among = |bytes| {
            let pairs = all().flat_map(move |from| all().map(move |to| (from, to, bytes)));
            Move::new(pairs.filter(|(from, to, _)| from != to))
        };
        let flips = BitMatrix::size(&block.shared_bits());
        let rows = RowShares::size(&RowsLayout::of(&circuit, remotes, block.lanes));
        moves.push(Move::new(all().map(|to| (gateway, to, flips))));
        moves.push(among(First::size(&demand.first(block.lanes))));
        moves.push(among(Second::size(&demand.second(block.lanes))));
        moves.push(among(Third::size(&demand.second(block.lanes))));
        moves.push(Move::new(all().map(|from| (from, gateway, rows))));
    }
    moves
}

pub(super) fn prepare(
    shape: &Shape,
    bits: &BitMatrix,
    ots: &mut Ots,
    prg: &mut Prg,
    mesh: &mut Mesh<'_>,
) -> Result<(Piece, BitMatrix), RunError> {
    let remotes = mesh.servers.remotes();
    let circuit = shape.circuit();
    if mesh.servers.is_gateway() {
        let mut kept = Vec::new();
        for (first, block) in blocks(shape, remotes) {
            let bits = columns(bits, first, block.lanes);
            kept.push(accept(&block, &circuit, &bits, ots, mesh)?);
        }
        let own = prg.bits(shape.output_planes(), shape.lanes);
        let piece = Piece::Rows((kept, (bits.clone(), own.clone())));
        return Ok((piece, own));
    }
    let place = mesh.servers.me.0;
    let mut garbler = Garbler::new(place, remotes, ots.offset(), Prg::new(&prg.seed()));
    let mut own = BitMatrix::new(shape.output_planes(), shape.lanes);
    let mut zeros = Vec::new();
    for (first, block) in blocks(shape, remotes) {
        let bits = columns(bits, first, block.lanes);
        let garbled = garble(&block, &circuit, &mut garbler, &bits, ots, mesh)?;
        paste(&mut own, first, &garbled.outputs);
        zeros.push(garbled.publics);
        let gateway = mesh.servers.gateway();
        mesh.exchange::<_, ()>(vec![(gateway, garbled.rows)], &[])?;
    }
    Ok((Piece::Zeros(zeros), own))
}

/// The gateway's part in a block.
fn accept(
    block: &Shape,
    circuit: &Circuit,
    bits: &BitMatrix,
    ots: &mut Ots,
    mesh: &mut Mesh<'_>,
) -> Result<(Rows, Vec<ActiveLabels>), RunError> {
    let remotes = mesh.servers.remotes();
    let (mut out, mut labels) = (Vec::new(), Vec::new());
    for from in (0..remotes).map(Place) {
        let got = ots.receive_correlated(from, block.shared_planes(), block.lanes, mesh.s)?;
        let (flips, own) = receiver_labels(got, bits).map_err(broken)?;
        out.push((from, flips));
        labels.push(own);
    }
    mesh.exchange::<_, ()>(out, &[])?;
    for _ in 0..3 {
        mesh.exchange::<(), ()>(Vec::new(), &[])?;
    }
    let layout = RowsLayout::of(circuit, remotes, block.lanes);
    let from: Vec<_> = (0..remotes).map(|at| (Place(at), layout)).collect();
    let shares: Vec<RowShares> = mesh.exchange::<(), _>(Vec::new(), &from)?;
    Ok((Rows::add(shares).map_err(broken)?, labels))
}

/// A remote's OTs for one block, with the gateway and with each other remote.
struct Drawn {
    gateway: SenderCots,
    pairs: Vec<Pair>,
}

impl Drawn {
    fn new(block: &Shape, ots: &mut Ots, mesh: &mut Mesh<'_>) -> Result<Self, RunError> {
        let (servers, lanes) = (mesh.servers, block.lanes);
        let mut sent: BTreeMap<Place, (SenderCots, SenderOts)> = BTreeMap::new();
        let mut got: BTreeMap<Place, (ReceiverCots, ReceiverOts)> = BTreeMap::new();
        let mut gateway = None;
        for (from, to) in directions(servers) {
            let Demand { correlated, random } = demand(block, servers.remotes(), from, to);
            if to == servers.gateway() {
                gateway = Some(ots.send_correlated(to, correlated, lanes, mesh.s)?);
            } else if from == servers.me {
                let labels = ots.send_correlated(to, correlated, lanes, mesh.s)?;
                sent.insert(to, (labels, ots.send(to, random, lanes, mesh.s)?));
            } else {
                let labels = ots.receive_correlated(from, correlated, lanes, mesh.s)?;
                got.insert(from, (labels, ots.receive(from, random, lanes, mesh.s)?));
            }
        }
        let pairs = sent.into_values().zip(got.into_values());
        let pair = |((sent, sent_bits), (got, got_bits))| Pair {
            sent,
            got,
            sent_bits,
            got_bits,
        };
        Ok(Self {
            gateway: gateway.ok_or(LocalFault::Invariant)?,
            pairs: pairs.map(pair).collect(),
        })
    }
}

/// A remote's part in a block, but for the rows' way to the gateway.
fn garble(
    block: &Shape,
    circuit: &Circuit,
    garbler: &mut Garbler,
    bits: &BitMatrix,
    ots: &mut Ots,
    mesh: &mut Mesh<'_>,
) -> Result<Garbled, RunError> {
    let gateway = mesh.servers.gateway();
    let lanes = block.lanes;
    let drawn = Drawn::new(block, ots, mesh)?;
    let mut flips = mesh.exchange::<(), _>(Vec::new(), &[(gateway, block.shared_bits())])?;
    let flips: BitMatrix = flips.pop().ok_or(LocalFault::Invariant)?;
    let zeros = sender_zeros(drawn.gateway, &flips, &ots.offset()).map_err(broken)?;
    let demand = bmr::Demand::of(circuit);

    let begun = garbler.begin(circuit, lanes, bits, zeros, drawn.pairs);
    let (stage, out) = begun.map_err(broken)?;
    let got: Vec<First> = among(mesh, out, demand.first(lanes))?;
    let (stage, out) = stage.second(got).map_err(broken)?;
    let got: Vec<Second> = among(mesh, out, demand.second(lanes))?;
    let (stage, out) = stage.third(got).map_err(broken)?;
    let got: Vec<Third> = among(mesh, out, demand.second(lanes))?;
    stage.finish(got).map_err(broken)
}

/// One message to each other remote and one from each, in order of place.
fn among<T: Wire>(mesh: &mut Mesh<'_>, out: Vec<T>, layout: T::Layout) -> Result<Vec<T>, RunError> {
    let gateway = mesh.servers.gateway();
    let others = || mesh.servers.others().filter(|at| *at != gateway);
    let from: Vec<_> = others().map(|at| (at, layout.clone())).collect();
    let out = others().zip(out).collect();
    mesh.exchange(out, &from)
}

/// e of the results' bits, plus the gateway's shares.
pub(super) fn found(
    shape: &Shape,
    (kept, (bits, own)): Kept,
    active: Vec<Vec<ActiveLabels>>,
    c: &BitMatrix,
    remotes: usize,
) -> Result<BitMatrix, RunError> {
    let circuit = shape.circuit();
    let mut active: Vec<_> = active.into_iter().map(Vec::into_iter).collect();
    let mut found = own;
    for ((first, block), (rows, labels)) in blocks(shape, remotes).zip(kept) {
        let shared = ActiveInputs {
            bits: &columns(&bits, first, block.lanes),
            labels,
        };
        let public = ActiveInputs {
            bits: &columns(c, first, block.lanes),
            labels: active.iter_mut().filter_map(Iterator::next).collect(),
        };
        let outputs = bmr::evaluate(&circuit, rows, shared, public).map_err(broken)?;
        let mut all = columns(&found, first, block.lanes);
        xor_into(all.words_mut(), outputs.words());
        paste(&mut found, first, &all);
    }
    Ok(found)
}
