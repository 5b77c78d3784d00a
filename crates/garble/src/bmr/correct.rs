//! Labels of shared inputs from correlated OTs, in which the garbler is sender and the evaluator receiver.

use super::Fault;
use super::masks::{all, sum};
use crate::labels::{ActiveLabels, LabelFault, LabelsLayout};
use subrosa_core::{ReceiverCots, Secret, SenderCots};
use subrosa_ring::BitMatrix;

/// The evaluator's labels of its own `bits`, [wires, lanes], and what it tells the garbler: where its random choices differ
/// from the bits. Uniform.
///
/// # Errors
/// [`LabelFault`] where the shapes differ.
pub fn receiver_labels(
    cots: ReceiverCots,
    bits: &BitMatrix,
) -> Result<(BitMatrix, ActiveLabels), LabelFault> {
    let (wires, lanes) = (bits.planes(), bits.lanes());
    Fault::shape(wires, lanes, &cots.choices)?;
    let flips = sum(&cots.choices, bits);
    let mut values = cots.values;
    for (label, flip) in values.iter_mut().zip(all(&flips)) {
        *label ^= flip & 1;
    }
    let layout = LabelsLayout { wires, lanes };
    Ok((flips, ActiveLabels::from_values(layout, values)?))
}

/// The garbler's zero labels, [wires, lanes], from what the evaluator told: `q + d R + d`, so that bit 0 stays unset.
///
/// # Errors
/// [`LabelFault`] where the shapes differ.
pub fn sender_zeros(
    cots: SenderCots,
    flips: &BitMatrix,
    offset: &Secret<u128>,
) -> Result<Vec<u128>, LabelFault> {
    Fault::shape(cots.planes, cots.lanes, flips)?;
    let layout = LabelsLayout {
        wires: cots.planes,
        lanes: cots.lanes,
    };
    layout.count(cots.zeros.len())?;
    let mut zeros = cots.zeros;
    // Bit 0 of the offset is set, so that d R + d is even.
    let even = *offset.reveal() ^ 1;
    for (zero, flip) in zeros.iter_mut().zip(all(flips)) {
        *zero ^= flip & even;
    }
    Ok(zeros)
}
