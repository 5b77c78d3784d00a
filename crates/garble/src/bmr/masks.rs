//! One garbler's bits of the masks of all wires, 64 lanes in a word.

use crate::circuit::{Bit, Circuit, Gate, Owner};
use subrosa_ring::{BitMatrix, and_into, xor_into};

/// One garbler's shares of masks of wires that are needed apart.
pub(crate) struct Masks {
    /// `l_a`, `l_b` of each AND gate with the negations of its inputs: [ands, lanes].
    pub(crate) a: BitMatrix,
    pub(crate) b: BitMatrix,
    /// [outputs, lanes].
    pub(crate) outputs: BitMatrix,
}

impl Masks {
    /// wanted: [shared inputs + ands, lanes], the shares of the masks of shared inputs and of outputs of AND gates.
    pub(crate) fn new(circuit: &Circuit, place: usize, wanted: &BitMatrix) -> Self {
        let (ands, lanes) = (circuit.ands(), wanted.lanes());
        let shared = wanted.planes() - ands;
        let mut masks = Self {
            a: BitMatrix::new(ands, lanes),
            b: BitMatrix::new(ands, lanes),
            outputs: BitMatrix::new(circuit.output_bits(), lanes),
        };
        let ones = if place == 0 { u64::MAX } else { 0 };
        let of = |wires: &[u64], bit: Bit| {
            wires[bit.wire() as usize] ^ if bit.is_negated() { ones } else { 0 }
        };
        let mut wires = Vec::with_capacity(1 + circuit.input_bits() + circuit.gates().len());
        for word in 0..wanted.words_per_plane() {
            wires.clear();
            wires.push(0);
            wires.extend(circuit.owners().map(|(owner, rank)| match owner {
                Owner::Garbler => 0,
                Owner::Evaluator => wanted.row(rank)[word],
            }));
            let mut index = 0;
            for gate in circuit.gates() {
                let mask = match *gate {
                    Gate::Xor(a, b) => wires[a as usize] ^ wires[b as usize],
                    Gate::And(a, b) => {
                        masks.a.row_mut(index)[word] = of(&wires, a);
                        masks.b.row_mut(index)[word] = of(&wires, b);
                        index += 1;
                        wanted.row(shared + index - 1)[word]
                    }
                };
                wires.push(mask);
            }
            for (plane, bit) in circuit.output_bits.iter().enumerate() {
                masks.outputs.row_mut(plane)[word] = of(&wires, *bit);
            }
        }
        masks.a.mask_padding();
        masks.b.mask_padding();
        masks.outputs.mask_padding();
        masks
    }
}

/// `a + b` of matrices of one shape.
pub(crate) fn sum(a: &BitMatrix, b: &BitMatrix) -> BitMatrix {
    let mut out = a.clone();
    add(&mut out, b);
    out
}

/// `a b`, bit by bit, of matrices of one shape.
pub(crate) fn product(a: &BitMatrix, b: &BitMatrix) -> BitMatrix {
    let mut out = a.clone();
    and_into(out.words_mut(), b.words());
    out
}

/// `to += from` of matrices of one shape.
pub(crate) fn add(to: &mut BitMatrix, from: &BitMatrix) {
    xor_into(to.words_mut(), from.words());
}

/// The planes of `top`, then those of `bottom`.
pub(crate) fn stacked(top: &BitMatrix, bottom: &BitMatrix) -> BitMatrix {
    let words = [top.words(), bottom.words()].concat();
    BitMatrix::from_words(top.planes() + bottom.planes(), top.lanes(), words)
}

/// The first `planes` planes, and the others.
pub(crate) fn parted(bits: &BitMatrix, planes: usize) -> (BitMatrix, BitMatrix) {
    let (top, bottom) = bits.words().split_at(planes * bits.words_per_plane());
    let lanes = bits.lanes();
    (
        BitMatrix::from_words(planes, lanes, top.to_vec()),
        BitMatrix::from_words(bits.planes() - planes, lanes, bottom.to_vec()),
    )
}

/// Each bit as a mask, plane by plane.
pub(crate) fn all(bits: &BitMatrix) -> impl Iterator<Item = u128> + '_ {
    (0..bits.planes()).flat_map(|plane| {
        let row = bits.row(plane);
        (0..bits.lanes())
            .map(move |lane| u128::from(row[lane / 64] >> (lane % 64) & 1).wrapping_neg())
    })
}
