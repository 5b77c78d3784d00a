//! Masks of known bits.
//!
//! A value x = c + λ gets a mask μ = sum of 2^i b_i of which every bit is shared by XOR and additively: all open δ = λ - μ offline,
//! uniform because μ is, and online x = (c + δ) + μ without a message. Truncation is not local on additive shares of λ,
//! but it is on c + δ and on the bits of μ.

use crate::activation::Move;
use crate::dabits::Conversion;
use crate::keys::tells;
use crate::mesh::Mesh;
use crate::ots::Ots;
use std::sync::Arc;
use subrosa_core::{Prg, Wire, Words, WordsLayout};
use subrosa_net::RunError;
use subrosa_ring::{BitMatrix, add_into, mask_into};

/// A new mask for `lanes` elements of Z/2^bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    pub lanes: usize,
    pub bits: u32,
}

/// A mask of known bits, divided by 2^by.
pub struct Mask {
    /// λ - μ, which all servers know. In Z/2^bits.
    pub delta: Words,
    /// This server's additive share of the mask, in Z/2^(bits - by).
    pub share: Vec<u64>,
    /// Its XOR shares of the mask's bits, [bits - by, lanes].
    pub bits: BitMatrix,
}

impl Refresh {
    pub fn conversion(&self) -> Conversion {
        Conversion::weighted(self.lanes, self.bits as usize, self.bits)
    }

    /// Of δ.
    pub fn delta(&self) -> WordsLayout {
        WordsLayout {
            count: self.lanes,
            bits: self.bits,
        }
    }

    pub fn moves(&self, servers: usize) -> Vec<Move> {
        let mut moves = self.conversion().moves(servers);
        moves.push(opening(servers, self.delta()));
        moves
    }

    /// lambda: this server's share of λ, [lanes].
    pub fn prepare(
        &self,
        by: u32,
        lambda: &[u64],
        ots: &mut Ots,
        prg: &mut Prg,
        mesh: &mut Mesh<'_>,
    ) -> Result<Mask, RunError> {
        let bits = prg.bits(self.bits as usize, self.lanes);
        let additive = self.conversion().convert(&bits, ots, mesh)?;
        let sum = |from: u32| {
            let mut sum = vec![0u64; self.lanes];
            for (i, column) in additive.iter().enumerate().skip(from as usize) {
                for (sum, bit) in sum.iter_mut().zip(column) {
                    *sum = sum.wrapping_add(bit << (i as u32 - from));
                }
            }
            mask_into(&mut sum, self.bits - from);
            sum
        };
        let pairs = lambda.iter().zip(sum(0));
        let less = pairs.map(|(lambda, mu)| lambda.wrapping_sub(mu));
        let delta = open(self.delta(), less.collect(), mesh)?;
        let planes = (self.bits - by) as usize;
        let words = &bits.words()[by as usize * bits.words_per_plane()..];
        Ok(Mask {
            delta,
            share: sum(by),
            bits: BitMatrix::from_words(planes, self.lanes, words.to_vec()),
        })
    }
}

/// All servers tell all others their shares of something.
pub fn opening(servers: usize, layout: WordsLayout) -> Move {
    tells(servers, Words::size(&layout))
}

/// Opens the sum of all servers' shares.
pub fn open(
    layout: WordsLayout,
    mut values: Vec<u64>,
    mesh: &mut Mesh<'_>,
) -> Result<Words, RunError> {
    let bits = layout.bits;
    mask_into(&mut values, bits);
    let mine = Arc::new(Words { bits, values });
    let theirs = mesh.tell_all(&mine, &layout)?;
    let mut sum = mine.values.to_vec();
    for share in &theirs {
        add_into(&mut sum, &share.values);
    }
    mask_into(&mut sum, bits);
    Ok(Words { bits, values: sum })
}
