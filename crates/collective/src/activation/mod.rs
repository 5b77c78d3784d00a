//! Activations: one garbled circuit for each step, from public and shared bits to public and shared bits.
//!
//! A value of n bits is x = c + μ: the bits of c are *public* (known to all servers, online), those of the mask μ are *shared*
//! (XOR over all servers, offline). Every bit v of a result comes out as v = e + l mod 2: e known to all servers, online, l
//! shared by XOR over all servers, offline. All e are fair coins to all servers but one together, in both readings but for one
//! pair of `Single`.
//!
//! | | [`Garbling::Bmr`] | [`Garbling::Single`] |
//! |---|---|---|
//! | source | Ben-Efraim, Lindell, Omri, CCS 2016, ePrint 2016/1066 | Chen, Khisti, arXiv 2404.16232; half gates, Eurocrypt 2015 |
//! | garbles | all remotes, each under its own offset | remote 0 |
//! | evaluates | the gateway, which has no offset | remote 1 |
//! | stands | all servers but one together | the same, **but remotes 0 and 1 together read every value** |
//! | offline | 5 moves for each block of lanes, 64 n bytes an AND gate and lane from each of n remotes | 3 moves, 32 bytes an AND gate and lane |
//! | online | labels of the public bits, then e: 2 moves | labels of the public bits, then e: 2 moves |
//!
//! Where remotes 0 and 1 of `Single` together read the values before and after a layer, they also obtain the layer's weights after
//! enough queries.
//!
//! All servers are semi-honest. A message of a wrong length is refused, one with wrong contents is not in general: nothing here
//! checks that a circuit is garbled or evaluated as it should be.

mod bmr;
mod lanes;
mod online;
mod piece;
mod price;
mod shape;
mod single;

#[cfg(test)]
mod tests;

pub use online::{evaluate, evaluate_all, online_all};
pub use piece::{Piece, PieceLayout};
pub use price::{Demand, Message, Move};
pub use shape::{Garbling, Shape};

use crate::mesh::Mesh;
use crate::ots::Ots;
use subrosa_core::Prg;
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::BitMatrix;

/// The offline half of a step at every server, in one order. bits: [shared_planes, lanes], this server's XOR shares of the shared
/// bits -> what it keeps, and its XOR shares l^j of the results' bits, [output_planes, lanes].
///
/// Draws what [`Shape::demand`] says, in the order of [`directions`](crate::ots::directions).
///
/// # Errors
/// [`LocalFault::Invariant`] where `bits` has another shape.
pub fn prepare(
    shape: &Shape,
    garbling: Garbling,
    bits: &BitMatrix,
    ots: &mut Ots,
    prg: &mut Prg,
    mesh: &mut Mesh<'_>,
) -> Result<(Piece, BitMatrix), RunError> {
    check(bits, shape.shared_planes(), shape.lanes)?;
    match garbling {
        Garbling::Bmr => bmr::prepare(shape, bits, ots, prg, mesh),
        Garbling::Single => single::prepare(shape, bits, ots, prg, mesh),
    }
}

fn check(bits: &BitMatrix, planes: usize, lanes: usize) -> Result<(), RunError> {
    if (bits.planes(), bits.lanes()) == (planes, lanes) {
        return Ok(());
    }
    Err(LocalFault::Invariant.into())
}

fn broken<T>(_: T) -> RunError {
    LocalFault::Invariant.into()
}
