//! The online half of a step: labels of the public bits to the evaluator, e of the results' bits to all others.

use super::price::Move;
use super::shape::others;
use super::{Garbling, Piece, Shape, bmr, broken, check, single};
use crate::mesh::Mesh;
use std::sync::Arc;
use subrosa_core::Wire;
use subrosa_garble::{ActiveLabels, LabelsLayout, ZeroLabels};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::BitMatrix;

/// Labels of the public bits from one garbler: value by value in `Single`, block of lanes by block of lanes in `Bmr`.
pub fn labels(shape: &Shape, garbling: Garbling, remotes: usize) -> Vec<LabelsLayout> {
    match garbling {
        Garbling::Bmr => bmr::labels(shape, remotes),
        Garbling::Single => single::labels(shape),
    }
}

pub fn moves(shape: &Shape, garbling: Garbling, remotes: usize) -> Vec<Move> {
    let labels = Vec::<ActiveLabels>::size(&labels(shape, garbling, remotes));
    let found = BitMatrix::size(&shape.output_bits());
    let evaluator = garbling.evaluator(remotes);
    vec![
        Move::new(
            garbling
                .garblers(remotes)
                .map(|from| (from, evaluator, labels)),
        ),
        Move::new(others(remotes, evaluator).map(|to| (evaluator, to, found))),
    ]
}

/// The online half of a step at every server. c: [public_planes, lanes], the public bits -> e of the results' bits,
/// [output_planes, lanes], the same at all servers.
///
/// # Errors
/// [`LocalFault::Invariant`] where `c` has another shape, where the piece is of another step or place, and at the evaluator of `Bmr`
/// where the garblers' labels disagree: which of them lies cannot be told. [`RunError::Peer`] where a label is that of the other bit.
pub fn evaluate(
    shape: &Shape,
    garbling: Garbling,
    piece: Piece,
    c: &BitMatrix,
    mesh: &mut Mesh<'_>,
) -> Result<BitMatrix, RunError> {
    check(c, shape.public_planes(), shape.lanes)?;
    let (remotes, me) = (mesh.servers.remotes(), mesh.servers.me);
    let evaluator = garbling.evaluator(remotes);
    let garblers = garbling.garblers(remotes);
    let is_garbler = garblers.clone().any(|at| at == me);
    match piece {
        Piece::Zeros(zeros) if is_garbler => {
            let active = activate(shape, garbling, remotes, zeros, c)?;
            mesh.exchange::<_, ()>(vec![(evaluator, active)], &[])?;
        }
        Piece::Nothing if !is_garbler && me != evaluator => {
            mesh.exchange::<(), ()>(Vec::new(), &[])?;
        }
        Piece::Tables(_) | Piece::Rows(_) if me == evaluator => {
            let layout = labels(shape, garbling, remotes);
            let from: Vec<_> = garblers.map(|at| (at, layout.clone())).collect();
            let active = mesh.exchange::<(), _>(Vec::new(), &from)?;
            let found = match (garbling, piece) {
                (Garbling::Single, Piece::Tables(kept)) => single::found(shape, kept, active)?,
                (Garbling::Bmr, Piece::Rows(kept)) => {
                    bmr::found(shape, kept, active, c, mesh.servers)?
                }
                _ => return Err(LocalFault::Invariant.into()),
            };
            let found = Arc::new(found);
            let out = mesh.servers.others().map(|at| (at, found.clone()));
            mesh.exchange::<_, ()>(out.collect(), &[])?;
            return Ok(Arc::unwrap_or_clone(found));
        }
        _ => return Err(LocalFault::Invariant.into()),
    }
    let mut found = mesh.exchange::<(), _>(Vec::new(), &[(evaluator, shape.output_bits())])?;
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
