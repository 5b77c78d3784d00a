//! One garbler's share of all rows, block of lanes by block of lanes.

use super::and::{Offset, Operand, garble_and};
use super::{RowShares, RowsLayout};
use crate::circuit::{Circuit, Owner};
use crate::garbler::{uniform, uniform_labels};
use crate::half_gates::sums;
use crate::hash::{LANES_PER_KEY, Row, ZERO};
use crate::tables::row;
use subrosa_core::{Prg, Secret};
use subrosa_ring::BitMatrix;

/// One garbler's shares of the products of masks and offsets: `l_w R^j` of the shared inputs and of the outputs of AND gates, then
/// `(l_a l_b) R^j`.
pub(crate) struct Shares<'a> {
    pub(crate) place: usize,
    pub(crate) offset: &'a Secret<u128>,
    /// [cots, lanes]: its own target's, less `coefficients` times the offset.
    pub(crate) own: &'a [u128],
    /// [cots, lanes] of each other target.
    pub(crate) got: &'a [Secret<Vec<u128>>],
    pub(crate) coefficients: &'a BitMatrix,
}

impl Shares<'_> {
    /// Adds the shares of all targets at `plane` in the `width` lanes from `first`.
    #[inline(always)]
    fn add(&self, offset: &Offset, plane: usize, first: usize, width: usize, to: &mut [Row]) {
        let at = plane * self.coefficients.lanes() + first;
        let others = self.got.iter().map(|values| &values.reveal()[..]);
        let (before, after) = to.split_at_mut(self.place);
        let [own, after @ ..] = after else { return };
        for (to, values) in before.iter_mut().chain(after).zip(others) {
            *to = sums(to, &row(&values[at..at + width]));
        }
        let coefficients = self.coefficients.row(plane)[first / 64] >> (first % 64);
        *own = sums(own, &row(&self.own[at..at + width]));
        *own = sums(own, &offset.where_set(coefficients));
    }
}

/// zeros: the zero labels of the shared inputs and of the public ones, [wires, lanes] each; bit 0 of the latter is not read. `prg` gives the first key of the hash and the zero
/// labels of the AND gates.
pub(crate) fn write(
    circuit: &Circuit,
    zeros: [&[u128]; 2],
    shares: &Shares,
    prg: &mut Prg,
) -> RowShares {
    let (targets, lanes) = (shares.got.len() + 1, shares.coefficients.lanes());
    let (ands, shared) = (circuit.ands(), circuit.bits_of(Owner::Evaluator));
    let offset = Offset::new(shares.place, *shares.offset.reveal());
    let layout = RowsLayout::of(circuit, targets, lanes);
    let mut key = uniform(prg);
    let mut rows = RowShares::new(layout, key);
    // Of each wire its zero label, then the shares of `l R^j`.
    let size = 1 + targets;
    let mut places = vec![ZERO; circuit.schedule.places * size];
    let mut hashed = vec![ZERO; 4 * targets];
    let mut out = vec![ZERO; 4 * targets];
    let mut made = vec![ZERO; size];
    let mut base = vec![ZERO; targets];
    for first in (0..lanes).step_by(LANES_PER_KEY) {
        let width = LANES_PER_KEY.min(lanes - first);
        for (place, (owner, rank)) in places[size..].chunks_exact_mut(size).zip(circuit.owners()) {
            place.fill(ZERO);
            let zeros = zeros[usize::from(owner == Owner::Garbler)];
            place[0] = row(&zeros[rank * lanes + first..][..width]);
            match owner {
                Owner::Garbler => place[0].iter_mut().step_by(2).for_each(|low| *low &= !1),
                Owner::Evaluator => shares.add(&offset, rank, first, width, &mut place[1..]),
            }
        }
        let fresh = even(prg, ands * LANES_PER_KEY);
        let mut fresh = fresh.chunks_exact(LANES_PER_KEY);
        let mut index = 0;
        for step in &circuit.schedule.steps {
            let (at, bt) = (step.a.wire() as usize * size, step.b.wire() as usize * size);
            let to = step.out as usize * size;
            if !step.is_and {
                for i in 0..size {
                    places[to + i] = sums(&places[at + i], &places[bt + i]);
                }
                continue;
            }
            made.fill(ZERO);
            made[0] = row(fresh.next().unwrap_or_default());
            shares.add(&offset, shared + index, first, width, &mut made[1..]);
            base.copy_from_slice(&made[1..]);
            shares.add(&offset, shared + ands + index, first, width, &mut base);
            base[shares.place] = sums(&base[shares.place], &made[0]);
            let operand = |at: usize, is_negated: bool| Operand {
                zero: &places[at],
                shares: &places[at + 1..at + size],
                is_negated,
            };
            let (a, b) = (
                operand(at, step.a.is_negated()),
                operand(bt, step.b.is_negated()),
            );
            garble_and(key, &offset, a, b, &base, &mut hashed, &mut out);
            rows.push(&out, width);
            places[to..to + size].copy_from_slice(&made);
            key = key.wrapping_add(1);
            index += 1;
        }
    }
    rows
}

/// Uniform but for bit 0, which is not set.
fn even(prg: &mut Prg, count: usize) -> Vec<u128> {
    let mut blocks = uniform_labels(prg, count);
    blocks.iter_mut().for_each(|block| *block &= !1);
    blocks
}
