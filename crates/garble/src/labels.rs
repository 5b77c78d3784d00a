//! Labels of inputs and colours of outputs, each given out once.

use std::ops::Range;
use subrosa_core::{BitsLayout, Bytes, Malformed, Secret, Wire};
use subrosa_ring::{BitMatrix, xor_into};
use thiserror::Error;

/// Labels, tables or colours that do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LabelFault {
    #[error("the labels of input {wire} have been given out already")]
    Taken { wire: usize },
    #[error("expected inputs below {expected}, found {found}")]
    NoSuchInput { expected: usize, found: usize },
    #[error("expected {expected} wires, found {found}")]
    Wires { expected: usize, found: usize },
    #[error("expected {expected} lanes, found {found}")]
    Lanes { expected: usize, found: usize },
    #[error("expected tables of {expected} AND gates, found {found}")]
    Ands { expected: usize, found: usize },
}

/// Zero labels of all inputs of one garbling. They leave group by group, each once. Not `Clone`.
///
/// ```compile_fail,E0599
/// fn twice(labels: subrosa_garble::InputLabels) { drop(labels.clone()); }
/// ```
pub struct InputLabels {
    delta: Secret<u128>,
    lanes: usize,
    /// [inputs, lanes].
    zeros: Secret<Vec<u128>>,
    taken: Vec<bool>,
}

impl InputLabels {
    pub(crate) fn new(delta: u128, inputs: usize, lanes: usize, zeros: Vec<u128>) -> Self {
        Self {
            delta: Secret::new(delta),
            lanes,
            zeros: Secret::new(zeros),
            taken: vec![false; inputs],
        }
    }

    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Moves out the labels of the inputs at `wires`, as [`crate::Circuit::input`] names them.
    pub fn take(&mut self, wires: Range<usize>) -> Result<ZeroLabels, LabelFault> {
        let inputs = self.taken.len();
        let taken = self
            .taken
            .get_mut(wires.clone())
            .ok_or(LabelFault::NoSuchInput {
                expected: inputs,
                found: wires.end,
            })?;
        if let Some(at) = taken.iter().position(|taken| *taken) {
            return Err(LabelFault::Taken {
                wire: wires.start + at,
            });
        }
        taken.fill(true);
        let zeros = &self.zeros.reveal()[wires.start * self.lanes..wires.end * self.lanes];
        let layout = LabelsLayout {
            wires: wires.len(),
            lanes: self.lanes,
        };
        Ok(ZeroLabels::new(
            layout,
            *self.delta.reveal(),
            zeros.to_vec(),
        ))
    }
}

/// `wires * lanes` labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelsLayout {
    pub wires: usize,
    pub lanes: usize,
}

/// Zero labels of some inputs, with the offset: the garbler's alone, and what it keeps until an input is known. They leave
/// as pairs for oblivious transfer, or as the one label of a known bit, not as both. Not `Clone`.
///
/// ```compile_fail,E0382
/// fn both(zeros: subrosa_garble::ZeroLabels) { drop(zeros.pairs()); drop(zeros.pairs()); }
/// ```
/// ```compile_fail,E0599
/// fn twice(zeros: subrosa_garble::ZeroLabels) { drop(zeros.clone()); }
/// ```
pub struct ZeroLabels {
    layout: LabelsLayout,
    delta: Secret<u128>,
    zeros: Secret<Vec<u128>>,
}

impl ZeroLabels {
    /// zeros: [wires, lanes], of the shape of `layout`.
    pub(crate) fn new(layout: LabelsLayout, delta: u128, zeros: Vec<u128>) -> Self {
        Self {
            layout,
            delta: Secret::new(delta),
            zeros: Secret::new(zeros),
        }
    }

    pub(crate) fn zeros(&self) -> &[u128] {
        self.zeros.reveal()
    }

    pub fn layout(&self) -> LabelsLayout {
        self.layout
    }

    /// The labels of 0 and 1, [wires, lanes].
    pub fn pairs(self) -> Vec<[u128; 2]> {
        let delta = *self.delta.reveal();
        let zeros = self.zeros.reveal().iter();
        zeros.map(|zero| [*zero, zero ^ delta]).collect()
    }

    /// The labels of `bits`, [wires, lanes]. Time and memory access do not depend on the bits.
    pub fn choose(self, bits: &BitMatrix) -> Result<ActiveLabels, LabelFault> {
        self.layout.check(bits.planes(), bits.lanes())?;
        let delta = *self.delta.reveal();
        let LabelsLayout { wires, lanes } = self.layout;
        let mut values = self.zeros.reveal().clone();
        for plane in 0..wires {
            let row = bits.row(plane);
            let labels = &mut values[plane * lanes..(plane + 1) * lanes];
            for (lane, label) in labels.iter_mut().enumerate() {
                let bit = row[lane / 64] >> (lane % 64) & 1;
                *label ^= delta & u128::from(bit).wrapping_neg();
            }
        }
        Ok(ActiveLabels {
            layout: self.layout,
            values,
        })
    }
}

/// For storage at the garbler: the offset, then the labels.
impl Wire for ZeroLabels {
    type Layout = LabelsLayout;
    fn size(layout: &LabelsLayout) -> Bytes {
        Bytes(layout.bytes().0.saturating_add(16))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_labels([*self.delta.reveal()].into_iter(), out);
        put_labels(self.zeros.reveal().iter().copied(), out);
    }
    fn decode(layout: &LabelsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut labels = read_labels(Self::size(layout), bytes)?;
        let delta = labels.next().unwrap_or_default();
        if delta & 1 == 0 {
            return Err(Malformed::Encoding);
        }
        Ok(Self {
            layout: *layout,
            delta: Secret::new(delta),
            zeros: Secret::new(labels.collect()),
        })
    }
}

/// One label for each wire and lane: what the evaluator holds. Not `Clone`.
///
/// ```compile_fail,E0599
/// fn twice(labels: subrosa_garble::ActiveLabels) { drop(labels.clone()); }
/// ```
pub struct ActiveLabels {
    layout: LabelsLayout,
    values: Vec<u128>,
}

impl ActiveLabels {
    /// values: [wires, lanes], as oblivious transfer gives them.
    pub fn from_values(layout: LabelsLayout, values: Vec<u128>) -> Result<Self, LabelFault> {
        layout.count(values.len())?;
        Ok(Self { layout, values })
    }

    /// Bit 0 of each label.
    pub(crate) fn colours(&self) -> BitMatrix {
        let LabelsLayout { wires, lanes } = self.layout;
        colours(wires, lanes, self.values.iter().copied())
    }

    pub fn layout(&self) -> LabelsLayout {
        self.layout
    }

    /// [wires, lanes].
    pub fn values(&self) -> &[u128] {
        &self.values
    }

    /// Puts the wires of `next` after those here.
    pub fn append(&mut self, next: ActiveLabels) -> Result<(), LabelFault> {
        if next.layout.lanes != self.layout.lanes {
            return Err(LabelFault::Lanes {
                expected: self.layout.lanes,
                found: next.layout.lanes,
            });
        }
        self.layout.wires += next.layout.wires;
        self.values.extend(next.values);
        Ok(())
    }
}

impl Wire for ActiveLabels {
    type Layout = LabelsLayout;
    fn size(layout: &LabelsLayout) -> Bytes {
        layout.bytes()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_labels(self.values.iter().copied(), out);
    }
    fn decode(layout: &LabelsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            layout: *layout,
            values: read_labels(layout.bytes(), bytes)?.collect(),
        })
    }
}

/// The colours of all outputs' zero labels: what turns colours into values. Not `Clone`.
///
/// ```compile_fail,E0382
/// fn twice(colours: subrosa_garble::OutputColours, found: &subrosa_ring::BitMatrix) {
///     let _ = colours.decode(found);
///     let _ = colours.decode(found);
/// }
/// ```
pub struct OutputColours(pub(crate) BitMatrix);

impl OutputColours {
    /// colours: [outputs, lanes], as the evaluator found them -> the outputs.
    pub fn decode(self, colours: &BitMatrix) -> Result<BitMatrix, LabelFault> {
        let mut values = self.0;
        let layout = LabelsLayout {
            wires: values.planes(),
            lanes: values.lanes(),
        };
        layout.check(colours.planes(), colours.lanes())?;
        xor_into(values.words_mut(), colours.words());
        values.mask_padding();
        Ok(values)
    }
}

impl Wire for OutputColours {
    type Layout = BitsLayout;
    fn size(layout: &BitsLayout) -> Bytes {
        BitMatrix::size(layout)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(layout: &BitsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        BitMatrix::decode(layout, bytes).map(Self)
    }
}

impl LabelsLayout {
    fn bytes(&self) -> Bytes {
        let labels = (self.wires as u64).saturating_mul(self.lanes as u64);
        Bytes(labels.saturating_mul(16))
    }

    /// Holds a number of labels to the layout.
    pub(crate) fn count(&self, labels: usize) -> Result<(), LabelFault> {
        if self.wires.checked_mul(self.lanes) == Some(labels) {
            return Ok(());
        }
        Err(LabelFault::Wires {
            expected: self.wires,
            found: labels / self.lanes.max(1),
        })
    }

    pub(crate) fn check(&self, wires: usize, lanes: usize) -> Result<(), LabelFault> {
        if self.wires != wires {
            return Err(LabelFault::Wires {
                expected: self.wires,
                found: wires,
            });
        }
        if self.lanes != lanes {
            return Err(LabelFault::Lanes {
                expected: self.lanes,
                found: lanes,
            });
        }
        Ok(())
    }
}

/// Bit 0 of each label, [wires, lanes].
pub(crate) fn colours(wires: usize, lanes: usize, labels: impl Iterator<Item = u128>) -> BitMatrix {
    let mut colours = BitMatrix::new(wires, lanes);
    for (i, label) in labels.take(wires * lanes).enumerate() {
        let (wire, lane) = (i / lanes, i % lanes);
        colours.row_mut(wire)[lane / 64] |= (label as u64 & 1) << (lane % 64);
    }
    colours
}

pub(crate) fn put_labels(labels: impl ExactSizeIterator<Item = u128>, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 16 * labels.len(), 0);
    for (to, label) in out[start..].as_chunks_mut().0.iter_mut().zip(labels) {
        *to = label.to_le_bytes();
    }
}

/// All labels in `bytes`, which must be `size` long.
pub(crate) fn read_labels(
    size: Bytes,
    bytes: &[u8],
) -> Result<impl Iterator<Item = u128>, Malformed> {
    if size.0 != bytes.len() as u64 {
        return Err(Malformed::Length {
            expected: size.0,
            found: bytes.len() as u64,
        });
    }
    Ok(bytes.as_chunks().0.iter().map(|b| u128::from_le_bytes(*b)))
}
