//! One garbler, one evaluator: [Chen, Khisti] with half gates [ZRE15].
//!
//! The label of a shared bit is the sum of labels of its shares, so that no server tells another its share. Each server but the
//! garbler has t = q + b R for its share b, q being the garbler's; the garbler's zero label is the sum of all q, plus R where its
//! own share is 1.

use super::lanes::{masks, rows};
use super::price::{Demand, Move};
use super::shape::{inputs, others};
use super::{Piece, PieceLayout, Shape, broken};
use crate::mesh::Mesh;
use crate::ots::Ots;
use crate::servers::Place;
use subrosa_core::{Blocks, Prg, ReceiverCots, SenderCots, Wire};
use subrosa_garble::{ActiveLabels, Evaluator, Garbler, LabelsLayout, Owner, Tables, TablesLayout};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{BitMatrix, xor_into};

const GARBLER: Place = Place(0);
pub(super) const EVALUATOR: Place = Place(1);

/// The evaluator's: tables, active labels of the shared bits, and its random shares of the results' bits.
pub type Kept = (Tables, (Blocks, BitMatrix));

pub(super) fn demand(shape: &Shape, from: Place) -> Demand {
    Demand {
        correlated: match from {
            GARBLER => shape.shared_planes(),
            _ => 0,
        },
        random: 0,
    }
}

/// Labels of the public bits, value by value.
pub(super) fn labels(shape: &Shape) -> Vec<LabelsLayout> {
    let layout = LabelsLayout {
        wires: shape.width(),
        lanes: shape.lanes,
    };
    vec![layout; shape.values()]
}

/// The public bits, value by value.
pub(super) fn parts(shape: &Shape, c: &BitMatrix) -> Vec<BitMatrix> {
    let width = shape.width();
    let values = 0..shape.values();
    values.map(|value| rows(c, value * width, width)).collect()
}

fn shared_labels(shape: &Shape) -> usize {
    shape.shared_planes() * shape.lanes
}

fn tables(shape: &Shape) -> TablesLayout {
    TablesLayout {
        ands: shape.circuit().ands(),
        lanes: shape.lanes,
    }
}

pub(super) fn piece(shape: &Shape, at: Place) -> PieceLayout {
    match at {
        GARBLER => PieceLayout::Zeros(labels(shape)),
        EVALUATOR => {
            PieceLayout::Tables((tables(shape), (shared_labels(shape), shape.output_bits())))
        }
        _ => PieceLayout::Nothing,
    }
}

/// All servers with no part but their shares.
fn helpers(servers: usize) -> impl Iterator<Item = Place> {
    (2..servers).map(Place)
}

pub(super) fn offline(shape: &Shape, remotes: usize) -> Vec<Move> {
    let flips = BitMatrix::size(&shape.shared_bits());
    let labels = Blocks::size(&shared_labels(shape));
    let tables = Tables::size(&tables(shape));
    vec![
        Move::new(others(remotes, GARBLER).map(|from| (from, GARBLER, flips))),
        Move::new(helpers(remotes + 1).map(|from| (from, EVALUATOR, labels))),
        Move::new([(GARBLER, EVALUATOR, tables)]),
    ]
}

pub(super) fn prepare(
    shape: &Shape,
    bits: &BitMatrix,
    ots: &mut Ots,
    prg: &mut Prg,
    mesh: &mut Mesh<'_>,
) -> Result<(Piece, BitMatrix), RunError> {
    if mesh.servers.me == GARBLER {
        return garble(shape, bits, ots, prg, mesh);
    }
    let planes = shape.shared_planes();
    let got = ots.receive_correlated(GARBLER, planes, shape.lanes, mesh.s)?;
    mesh.exchange::<_, ()>(vec![(GARBLER, flips(bits, &got))], &[])?;
    if mesh.servers.me == EVALUATOR {
        return accept(shape, got, prg, mesh);
    }
    mesh.exchange::<_, ()>(vec![(EVALUATOR, Blocks(got.values))], &[])?;
    mesh.exchange::<(), ()>(Vec::new(), &[])?;
    let none = BitMatrix::new(shape.output_planes(), shape.lanes);
    Ok((Piece::Nothing, none))
}

/// What turns the random choices into `bits`. Uniform.
fn flips(bits: &BitMatrix, got: &ReceiverCots) -> BitMatrix {
    let mut flips = bits.clone();
    xor_into(flips.words_mut(), got.choices.words());
    flips
}

fn garble(
    shape: &Shape,
    bits: &BitMatrix,
    ots: &mut Ots,
    prg: &mut Prg,
    mesh: &mut Mesh<'_>,
) -> Result<(Piece, BitMatrix), RunError> {
    let mut sent = Vec::new();
    for to in mesh.servers.others() {
        sent.push(ots.send_correlated(to, shape.shared_planes(), shape.lanes, mesh.s)?);
    }
    let layout = shape.shared_bits();
    let from: Vec<_> = mesh.servers.others().map(|at| (at, layout)).collect();
    let flips: Vec<BitMatrix> = mesh.exchange::<(), _>(Vec::new(), &from)?;
    mesh.exchange::<(), ()>(Vec::new(), &[])?;
    let zeros = zeros(bits, &flips, &sent, *ots.offset().reveal());

    let circuit = shape.circuit();
    let (mut given, mut rest) = (Vec::new(), &zeros[..]);
    for input in inputs(&circuit, Owner::Evaluator) {
        let (labels, others) = rest
            .split_at_checked(input.bits.len() * shape.lanes)
            .ok_or(LocalFault::Invariant)?;
        given.push((input.bits.clone(), labels.to_vec()));
        rest = others;
    }
    let mut garbler = Garbler::with_offset(Prg::new(&prg.seed()), ots.offset());
    let garbled = garbler.garble_given(&circuit, shape.lanes, given);
    let mut garbled = garbled.map_err(broken)?;
    let mut public = Vec::new();
    for input in inputs(&circuit, Owner::Garbler) {
        let labels = garbled.inputs.take(input.bits.clone());
        public.push(labels.map_err(broken)?);
    }
    mesh.exchange::<_, ()>(vec![(EVALUATOR, garbled.tables)], &[])?;
    // Colours of zero labels: what decodes zeros.
    let zero = BitMatrix::new(shape.output_planes(), shape.lanes);
    let colours = garbled.colours.decode(&zero).map_err(broken)?;
    Ok((Piece::Zeros(public), colours))
}

/// Zero labels of the shared bits, [shared_planes, lanes].
fn zeros(own: &BitMatrix, flips: &[BitMatrix], sent: &[SenderCots], offset: u128) -> Vec<u128> {
    let mut all = own.clone();
    for flips in flips {
        xor_into(all.words_mut(), flips.words());
    }
    let mut zeros: Vec<u128> = masks(&all).map(|mask| offset & mask).collect();
    for sent in sent {
        let pairs = zeros.iter_mut().zip(&sent.zeros);
        pairs.for_each(|(zero, q)| *zero ^= q);
    }
    zeros
}

fn accept(
    shape: &Shape,
    got: ReceiverCots,
    prg: &mut Prg,
    mesh: &mut Mesh<'_>,
) -> Result<(Piece, BitMatrix), RunError> {
    let from = helpers(mesh.servers.count()).map(|at| (at, shared_labels(shape)));
    let theirs: Vec<Blocks> = mesh.exchange::<(), _>(Vec::new(), &from.collect::<Vec<_>>())?;
    let mut labels = got.values;
    for theirs in &theirs {
        let pairs = labels.iter_mut().zip(&theirs.0);
        pairs.for_each(|(label, t)| *label ^= t);
    }
    let mut tables: Vec<Tables> =
        mesh.exchange::<(), _>(Vec::new(), &[(GARBLER, tables(shape))])?;
    let tables = tables.pop().ok_or(LocalFault::Invariant)?;
    let own = prg.bits(shape.output_planes(), shape.lanes);
    let piece = Piece::Tables((tables, (Blocks(labels), own.clone())));
    Ok((piece, own))
}

/// Colours of the results' labels, plus the evaluator's shares.
pub(super) fn found(
    shape: &Shape,
    (tables, (Blocks(shared), own)): Kept,
    public: Vec<Vec<ActiveLabels>>,
) -> Result<BitMatrix, RunError> {
    let circuit = shape.circuit();
    let mut labels = Vec::with_capacity(circuit.input_bits() * shape.lanes);
    let mut shared = shared.into_iter();
    let mut public = public.iter().flatten();
    for input in circuit.inputs() {
        match input.owner {
            Owner::Garbler => {
                labels.extend_from_slice(public.next().ok_or(LocalFault::Invariant)?.values());
            }
            Owner::Evaluator => {
                labels.extend(shared.by_ref().take(input.bits.len() * shape.lanes));
            }
        }
    }
    let layout = LabelsLayout {
        wires: circuit.input_bits(),
        lanes: shape.lanes,
    };
    let labels = ActiveLabels::from_values(layout, labels).map_err(broken)?;
    let outputs = Evaluator::new().evaluate(&circuit, tables, labels);
    let mut found = outputs.map_err(broken)?.colours();
    xor_into(found.words_mut(), own.words());
    Ok(found)
}
