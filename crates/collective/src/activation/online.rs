//! The online half of a step: labels of the public bits to the evaluator, e of the results' bits to all others.

use super::price::Move;
use super::shape::others;
use super::{Garbling, Piece, Shape, bmr, broken, check, single};
use crate::mesh::Mesh;
use std::slice;
use std::sync::Arc;
use subrosa_core::{BitsLayout, Wire};
use subrosa_garble::{ActiveLabels, LabelsLayout, ZeroLabels};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::BitMatrix;

/// Labels of the public bits from one garbler: value by value in `Single`, block of lanes by block of lanes in `Bmr`.
fn labels(shape: &Shape, garbling: Garbling, remotes: usize) -> Vec<LabelsLayout> {
    match garbling {
        Garbling::Bmr => bmr::labels(shape, remotes),
        Garbling::Single => single::labels(shape),
    }
}

/// The moves of several steps online, in order, where [`evaluate_all`] runs them together.
pub fn online_all(shapes: &[Shape], garbling: Garbling, remotes: usize) -> Vec<Move> {
    let labels = Vec::<Vec<ActiveLabels>>::size(&all_labels(shapes, garbling, remotes));
    let found = Vec::<BitMatrix>::size(&results(shapes));
    let (evaluator, garblers) = (garbling.evaluator(remotes), garbling.garblers(remotes));
    vec![
        Move::new(garblers.map(|from| (from, evaluator, labels))),
        Move::new(others(remotes, evaluator).map(|to| (evaluator, to, found))),
    ]
}

fn all_labels(shapes: &[Shape], garbling: Garbling, remotes: usize) -> Vec<Vec<LabelsLayout>> {
    let of = |shape| labels(shape, garbling, remotes);
    shapes.iter().map(of).collect()
}

fn results(shapes: &[Shape]) -> Vec<BitsLayout> {
    shapes.iter().map(Shape::output_bits).collect()
}

/// The online half of a step at every server. c: [public_planes, lanes], the public bits -> e of the results' bits,
/// [output_planes, lanes], the same at all servers.
///
/// # Errors
/// As [`evaluate_all`].
pub fn evaluate(
    shape: &Shape,
    garbling: Garbling,
    piece: Piece,
    c: &BitMatrix,
    mesh: &mut Mesh<'_>,
) -> Result<BitMatrix, RunError> {
    let (shapes, c) = (slice::from_ref(shape), slice::from_ref(c));
    let mut found = evaluate_all(shapes, garbling, vec![piece], c, mesh)?;
    Ok(found.pop().ok_or(LocalFault::Invariant)?)
}

/// [`evaluate`] for several steps, in the exchanges of one.
///
/// # Errors
/// [`LocalFault::Invariant`] where `c` has another shape, where a piece is of another step or place, and at the evaluator of `Bmr`
/// where the garblers' labels disagree: which of them lies cannot be told.
pub fn evaluate_all(
    shapes: &[Shape],
    garbling: Garbling,
    pieces: Vec<Piece>,
    c: &[BitMatrix],
    mesh: &mut Mesh<'_>,
) -> Result<Vec<BitMatrix>, RunError> {
    if (pieces.len(), c.len()) != (shapes.len(), shapes.len()) {
        return Err(LocalFault::Invariant.into());
    }
    for (shape, c) in shapes.iter().zip(c) {
        check(c, shape.public_planes(), shape.lanes)?;
    }
    let (remotes, me) = (mesh.servers.remotes(), mesh.servers.me);
    let evaluator = garbling.evaluator(remotes);
    let garblers = garbling.garblers(remotes);
    let is_garbler = garblers.clone().any(|at| at == me);
    let fits = |piece: &Piece| match piece {
        Piece::Zeros(_) => is_garbler,
        Piece::Tables(_) => garbling == Garbling::Single && me == evaluator,
        Piece::Rows(_) => garbling == Garbling::Bmr && me == evaluator,
        Piece::Nothing => !is_garbler && me != evaluator,
    };
    if !pieces.iter().all(fits) {
        return Err(LocalFault::Invariant.into());
    }
    let steps = shapes.iter().zip(pieces).zip(c);
    if me == evaluator {
        let layout = all_labels(shapes, garbling, remotes);
        let from: Vec<_> = garblers.map(|at| (at, layout.clone())).collect();
        let active: Vec<Vec<Vec<ActiveLabels>>> = mesh.exchange::<(), _>(Vec::new(), &from)?;
        let mut active: Vec<_> = active.into_iter().map(Vec::into_iter).collect();
        let found = steps.map(|((shape, piece), c)| {
            let labels = active.iter_mut().filter_map(Iterator::next).collect();
            match piece {
                Piece::Tables(kept) => single::found(shape, kept, labels),
                Piece::Rows(kept) => bmr::found(shape, kept, labels, c, remotes),
                _ => Err(LocalFault::Invariant.into()),
            }
        });
        let found = Arc::new(found.collect::<Result<Vec<_>, RunError>>()?);
        let out = mesh.servers.others().map(|at| (at, found.clone()));
        mesh.exchange::<_, ()>(out.collect(), &[])?;
        return Ok(Arc::unwrap_or_clone(found));
    }
    if is_garbler {
        let active = steps.map(|((shape, piece), c)| match piece {
            Piece::Zeros(zeros) => activate(shape, garbling, remotes, zeros, c),
            _ => Err(LocalFault::Invariant.into()),
        });
        let active: Vec<_> = active.collect::<Result<_, RunError>>()?;
        mesh.exchange::<_, ()>(vec![(evaluator, active)], &[])?;
    } else {
        mesh.exchange::<(), ()>(Vec::new(), &[])?;
    }
    let mut found = mesh.exchange::<(), _>(Vec::new(), &[(evaluator, results(shapes))])?;
    Ok(found.pop().ok_or(LocalFault::Invariant)?)
}

fn activate(
    shape: &Shape,
    garbling: Garbling,
    remotes: usize,
    zeros: Vec<ZeroLabels>,
    c: &BitMatrix,
) -> Result<Vec<ActiveLabels>, RunError> {
    let parts = match garbling {
        Garbling::Bmr => bmr::parts(shape, remotes, c),
        Garbling::Single => single::parts(shape, c),
    };
    let pairs = zeros.into_iter().zip(&parts);
    let active = pairs.map(|(zeros, bits)| zeros.choose(bits));
    active.collect::<Result<_, _>>().map_err(broken)
}
