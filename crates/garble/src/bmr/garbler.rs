//! One garbler's way through the messages.

use super::masks::{Masks, add, parted, product, stacked, sum};
use super::write::{Shares, write};
use super::{Demand, Fault, First, RowShares, Second, Third};
use crate::circuit::{Circuit, Owner};
use crate::garbler::uniform_labels;
use crate::labels::{LabelFault, LabelsLayout, ZeroLabels, colours};
use subrosa_core::{Prg, ReceiverCots, ReceiverOts, Secret, SenderCots, SenderOts};
use subrosa_ring::BitMatrix;

/// One party that garbles together with others. Not `Clone`.
///
/// ```compile_fail,E0599
/// fn twice(garbler: subrosa_garble::bmr::Garbler) { drop(garbler.clone()); }
/// ```
pub struct Garbler {
    place: usize,
    garblers: usize,
    offset: Secret<u128>,
    prg: Prg,
}

/// OTs with one other garbler, of one circuit in all its lanes: [`Demand::cots`] and [`Demand::ots`] planes in each direction. Not `Clone`.
///
/// ```compile_fail,E0599
/// fn twice(pair: subrosa_garble::bmr::Pair) { drop(pair.clone()); }
/// ```
pub struct Pair {
    /// Under this garbler's offset.
    pub sent: SenderCots,
    pub got: ReceiverCots,
    pub sent_bits: SenderOts,
    pub got_bits: ReceiverOts,
}

/// What is left of a [`Pair`] beside labels: bits, [ands, lanes] each.
struct Bits {
    /// Both messages of each random OT sent, and the chosen one of each got.
    sent: [BitMatrix; 2],
    got: BitMatrix,
    /// The random choices of the correlated OTs for `(l_a l_b) R`.
    choices: BitMatrix,
}

/// What one garbler has made.
pub struct Garbled {
    /// For the evaluator.
    pub rows: RowShares,
    /// Labels of the public inputs, in the order of the circuit: those of the bits go to the evaluator when they are known. In place
    /// of bit 0 each has a coin that serves nothing else, so that what travels tells less than the label: not even the bit.
    pub publics: ZeroLabels,
    /// This garbler's shares of the masks of the outputs, [outputs, lanes].
    pub outputs: BitMatrix,
}

impl Garbler {
    /// `offset` is that of every direction in which this garbler sends correlated OTs. `prg` is drawn from for masks,
    /// labels and keys of the hash.
    ///
    /// # Panics
    /// Where there are fewer than two garblers, `place` is none of theirs, or bit 0 of `offset` is not set.
    pub fn new(place: usize, garblers: usize, offset: Secret<u128>, prg: Prg) -> Self {
        assert!(garblers >= 2 && place < garblers && offset.reveal() & 1 == 1);
        Self {
            place,
            garblers,
            offset,
            prg,
        }
    }

    /// shares: [shared inputs, lanes], this garbler's bits; zeros: [shared inputs, lanes], its zero labels for them, as
    /// [`sender_zeros`](super::sender_zeros) gives them; pairs: with each other garbler, in order of place. The messages go to the others in
    /// the same order.
    ///
    /// # Errors
    /// [`Fault`] where shapes are not those of the circuit, or a zero label is odd.
    pub fn begin<'c>(
        &mut self,
        circuit: &'c Circuit,
        lanes: usize,
        shares: &BitMatrix,
        zeros: Vec<u128>,
        pairs: Vec<Pair>,
    ) -> Result<(ExpectFirst<'c>, Vec<First>), Fault> {
        let shared = circuit.bits_of(Owner::Evaluator);
        let zeros = Secret::new(zeros);
        Fault::shape(shared, lanes, shares)?;
        let layout = LabelsLayout {
            wires: shared,
            lanes,
        };
        layout.count(zeros.reveal().len())?;
        let odd = zeros.reveal().iter().position(|zero| zero & 1 == 1);
        if let Some(at) = odd {
            return Err(Fault::OddZero { wire: at / lanes });
        }
        Fault::count(self.garblers, pairs.len() + 1)?;

        let demand = Demand::of(circuit);
        for (pair, other) in pairs.iter().zip(others(self.place)) {
            pair.check(&demand, lanes).map_err(Fault::of(other))?;
        }

        let fresh = self.prg.bits(circuit.ands(), lanes);
        let wanted = stacked(shares, &fresh);
        let Masks { a, b, outputs } = Masks::new(circuit, self.place, &wanted);
        let mut own = vec![0; demand.cots * lanes];
        let (mut got, mut bits, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pairs {
            let zeros = Secret::new(pair.sent.zeros);
            for (sum, zero) in own.iter_mut().zip(zeros.reveal()) {
                *sum ^= zero;
            }
            got.push(Secret::new(pair.got.values));
            let (wires, choices) = parted(&pair.got.choices, wanted.planes());
            let products = sum(&pair.got_bits.choices, &a);
            messages.push(First(stacked(&sum(&wires, &wanted), &products)));
            let sent = &pair.sent_bits.keys;
            let message =
                |which: usize| colours(demand.ots, lanes, sent.iter().map(|pair| pair[which]));
            bits.push(Bits {
                sent: [message(0), message(1)],
                got: colours(demand.ots, lanes, pair.got_bits.keys.iter().copied()),
                choices,
            });
        }
        let made = Made {
            circuit,
            place: self.place,
            offset: Secret::new(*self.offset.reveal()),
            prg: Prg::new(&self.prg.seed()),
            zeros,
            own: Secret::new(own),
            got,
            coefficients: wanted,
            outputs,
        };
        Ok((ExpectFirst { made, a, b, bits }, messages))
    }
}

impl Pair {
    fn check(&self, demand: &Demand, lanes: usize) -> Result<(), LabelFault> {
        let cots = LabelsLayout {
            wires: demand.cots,
            lanes,
        };
        let ots = LabelsLayout {
            wires: demand.ots,
            lanes,
        };
        cots.check(self.sent.planes, self.sent.lanes)?;
        cots.count(self.sent.zeros.len())?;
        cots.check(self.got.choices.planes(), self.got.choices.lanes())?;
        cots.count(self.got.values.len())?;
        ots.check(self.sent_bits.planes, self.sent_bits.lanes)?;
        ots.count(self.sent_bits.keys.len())?;
        ots.check(
            self.got_bits.choices.planes(),
            self.got_bits.choices.lanes(),
        )?;
        ots.count(self.got_bits.keys.len())
    }
}

/// What stays the same from message to message.
struct Made<'c> {
    circuit: &'c Circuit,
    place: usize,
    offset: Secret<u128>,
    prg: Prg,
    zeros: Secret<Vec<u128>>,
    /// This garbler's share of each `l_w R` and `(l_a l_b) R` under its own offset R, less `coefficients` times R: [cots, lanes].
    own: Secret<Vec<u128>>,
    /// Its shares under the offsets of the others, in order of place.
    got: Vec<Secret<Vec<u128>>>,
    coefficients: BitMatrix,
    outputs: BitMatrix,
}

impl Made<'_> {
    /// Holds the messages of all others to `planes` planes.
    fn check<'m>(
        &self,
        planes: usize,
        messages: impl ExactSizeIterator<Item = &'m BitMatrix>,
    ) -> Result<(), Fault> {
        Fault::count(self.got.len() + 1, messages.len() + 1)?;
        for (message, other) in messages.zip(others(self.place)) {
            let shape = Fault::shape(planes, self.outputs.lanes(), message);
            shape.map_err(Fault::of(other))?;
        }
        Ok(())
    }
}

/// Waits for a [`First`] of each other garbler.
pub struct ExpectFirst<'c> {
    made: Made<'c>,
    /// Shares of `l_a` and `l_b` of each AND gate, [ands, lanes].
    a: BitMatrix,
    b: BitMatrix,
    bits: Vec<Bits>,
}

impl<'c> ExpectFirst<'c> {
    /// messages: of the others, in order of place.
    ///
    /// # Errors
    /// [`Fault`] where a message is missing or of another shape.
    pub fn second(self, messages: Vec<First>) -> Result<(ExpectSecond<'c>, Vec<Second>), Fault> {
        let Self {
            mut made,
            a,
            b,
            bits,
        } = self;
        let ands = a.planes();
        made.check(
            made.coefficients.planes() + ands,
            messages.iter().map(|m| &m.0),
        )?;
        let mut products = product(&a, &b);
        let mut answers = Vec::with_capacity(messages.len());
        for (First(flips), bits) in messages.iter().zip(&bits) {
            let (wires, chosen) = parted(flips, flips.planes() - ands);
            add(&mut made.coefficients, &wires);
            // The receiver holds message `l_a` of the pair in the order that the flip gives it: message 0 is this garbler's share.
            let differences = sum(&bits.sent[0], &bits.sent[1]);
            add(
                &mut products,
                &sum(&bits.sent[0], &product(&chosen, &differences)),
            );
            answers.push(Second(sum(&differences, &b)));
        }
        Ok((
            ExpectSecond {
                made,
                a,
                bits,
                products,
            },
            answers,
        ))
    }
}

/// Waits for a [`Second`] of each other garbler.
pub struct ExpectSecond<'c> {
    made: Made<'c>,
    a: BitMatrix,
    bits: Vec<Bits>,
    /// Shares of `l_a l_b` so far, [ands, lanes].
    products: BitMatrix,
}

impl<'c> ExpectSecond<'c> {
    /// messages: of the others, in order of place.
    ///
    /// # Errors
    /// [`Fault`] where a message is missing or of another shape.
    pub fn third(self, messages: Vec<Second>) -> Result<(ExpectThird<'c>, Vec<Third>), Fault> {
        let Self {
            made,
            a,
            bits,
            mut products,
        } = self;
        made.check(a.planes(), messages.iter().map(|m| &m.0))?;
        for (Second(masked), bits) in messages.iter().zip(&bits) {
            add(&mut products, &sum(&bits.got, &product(&a, masked)));
        }
        let answers = bits.iter().map(|bits| Third(sum(&bits.choices, &products)));
        let answers = answers.collect();
        Ok((ExpectThird { made, products }, answers))
    }
}

/// Waits for a [`Third`] of each other garbler.
///
/// ```compile_fail,E0382
/// use subrosa_garble::bmr::{ExpectThird, Third};
/// fn twice(stage: ExpectThird, a: Vec<Third>, b: Vec<Third>) {
///     let _ = stage.finish(a);
///     let _ = stage.finish(b);
/// }
/// ```
pub struct ExpectThird<'c> {
    made: Made<'c>,
    /// Shares of `l_a l_b`, [ands, lanes].
    products: BitMatrix,
}

impl ExpectThird<'_> {
    /// messages: of the others, in order of place.
    ///
    /// # Errors
    /// [`Fault`] where a message is missing or of another shape.
    pub fn finish(self, messages: Vec<Third>) -> Result<Garbled, Fault> {
        let Self {
            mut made,
            mut products,
        } = self;
        made.check(products.planes(), messages.iter().map(|m| &m.0))?;
        for Third(flips) in &messages {
            add(&mut products, flips);
        }
        let (circuit, lanes) = (made.circuit, products.lanes());
        let layout = LabelsLayout {
            wires: circuit.bits_of(Owner::Garbler),
            lanes,
        };
        let publics = uniform_labels(&mut made.prg, layout.wires * lanes);
        let publics = ZeroLabels::new(layout, *made.offset.reveal(), publics);
        let rows = write(
            circuit,
            [made.zeros.reveal(), publics.zeros()],
            &Shares {
                place: made.place,
                offset: &made.offset,
                own: made.own.reveal(),
                got: &made.got,
                coefficients: &stacked(&made.coefficients, &products),
            },
            &mut made.prg,
        );
        Ok(Garbled {
            rows,
            publics,
            outputs: made.outputs,
        })
    }
}

/// The places of the others.
fn others(place: usize) -> impl Iterator<Item = usize> {
    (0..).filter(move |other| *other != place)
}
