//! One spatial axis of a convolution, cut into phases and pieces.

use std::ops::Range;

/// Geometry along one axis. A vector has size, kernel and stride 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct AxisShape {
    pub size: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub pad: usize,
    pub out: usize,
}

impl AxisShape {
    /// Where tap `k` of output 0 reads, in input coordinates.
    fn offset(&self, k: usize) -> i64 {
        (k * self.dilation) as i64 - self.pad as i64
    }

    /// Taps that read something other than padding for some output.
    fn useful(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.kernel).filter(|&k| {
            let (offset, stride) = (self.offset(k), self.stride as i64);
            let first = (-offset).max(0).div_ceil_by(stride);
            first < self.out as i64 && first * stride + offset < self.size as i64
        })
    }
}

/// How the axis becomes convolutions of step 1, or of its own step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// One channel for each residue modulo the stride that some tap reads (polyphase decomposition).
    Residues,
    /// The axis as it is; outputs lie a stride apart.
    Whole,
    /// One channel for each tap, shifted, so that no margin is needed (im2col).
    Taps,
}

impl Cut {
    pub const ALL: [Cut; 3] = [Cut::Residues, Cut::Whole, Cut::Taps];
}

/// What of the axis one channel holds: element `v` is input `start + spacing * v`.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    pub start: i64,
    /// (index in the kernel, element that it reads for output 0).
    pub taps: Vec<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Axis {
    shape: AxisShape,
    pub spacing: i64,
    /// Elements from one output to the next.
    step: i64,
    pub phases: Vec<Phase>,
    low: i64,
    pub high: i64,
}

impl Axis {
    /// `None` where this cut is the same as an earlier one of [`Cut::ALL`].
    pub fn new(shape: AxisShape, cut: Cut) -> Option<Self> {
        let stride = shape.stride as i64;
        let useful = shape.useful().count();
        let (spacing, step) = match cut {
            Cut::Whole if stride == 1 || useful == 0 => return None,
            Cut::Taps if useful <= 1 => return None,
            Cut::Whole => (1, stride),
            Cut::Residues | Cut::Taps => (stride, 1),
        };
        let mut phases: Vec<Phase> = Vec::new();
        for k in shape.useful() {
            let offset = shape.offset(k);
            let (start, at) = match cut {
                Cut::Taps => (offset, 0),
                Cut::Whole => (0, offset),
                Cut::Residues => (offset.rem_euclid(stride), offset.div_euclid(stride)),
            };
            match phases.iter_mut().find(|phase| phase.start == start) {
                Some(phase) => phase.taps.push((k, at)),
                None => phases.push(Phase {
                    start,
                    taps: vec![(k, at)],
                }),
            }
        }
        let taps = || phases.iter().flat_map(|phase| &phase.taps);
        let low = taps().map(|&(_, at)| at).min().unwrap_or(0);
        let high = taps().map(|&(_, at)| at).max().unwrap_or(0);
        Some(Self {
            shape,
            spacing,
            step,
            phases,
            low,
            high,
        })
    }

    /// Taps that are read at all.
    pub fn taps(&self) -> usize {
        self.phases.iter().map(|phase| phase.taps.len()).sum()
    }

    /// The axis in pieces of `size` outputs.
    pub fn pieces(&self, size: usize) -> Vec<Piece> {
        (0..self.shape.out)
            .step_by(size)
            .map(|at| self.piece(at..(at + size).min(self.shape.out)))
            .collect()
    }

    fn piece(&self, outputs: Range<usize>) -> Piece {
        let (from, to) = (outputs.start as i64, outputs.end as i64 - 1);
        let contents: Vec<Range<i64>> = self
            .phases
            .iter()
            .map(|phase| {
                let reads = || phase.taps.iter().map(|&(_, at)| at);
                let first = from * self.step + reads().min().unwrap_or(0);
                let last = to * self.step + reads().max().unwrap_or(0);
                let begin = (-phase.start).div_ceil_by(self.spacing);
                let end = (self.shape.size as i64 - phase.start).div_ceil_by(self.spacing);
                first.max(begin)..(last + 1).min(end)
            })
            .collect();
        let filled = || contents.iter().filter(|content| !content.is_empty());
        let read = from * self.step + self.high;
        let origin = filled().map(|c| c.start).fold(read, i64::min);
        Piece {
            last: filled().map(|c| c.end - 1 - origin).max().unwrap_or(0),
            first: read - origin,
            step: self.step,
            origin,
            contents,
            outputs,
        }
    }
}

/// A stretch of outputs along one axis, with the elements that it reads. Positions are relative
/// to `origin`.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub outputs: Range<usize>,
    pub origin: i64,
    /// Elements `v` of each phase that are read and are not padding.
    pub contents: Vec<Range<i64>>,
    first: i64,
    last: i64,
    step: i64,
}

impl Piece {
    /// Position of an output of this piece.
    pub fn position(&self, output: usize) -> usize {
        (self.first + (output - self.outputs.start) as i64 * self.step) as usize
    }
}

/// Room that the pieces of an axis need, so that what lies beside an output does not reach it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Largest distance from the first output to the end of a product.
    pub overhang: i64,
    /// Largest position of an output.
    pub reach: i64,
}

impl Room {
    pub fn of(axis: &Axis, pieces: &[Piece]) -> Self {
        let span = axis.high - axis.low;
        let overhangs = pieces.iter().map(|p| p.last + span - p.first);
        let reaches = pieces
            .iter()
            .map(|p| p.first + (p.outputs.len() as i64 - 1) * p.step);
        Self {
            overhang: overhangs.max().unwrap_or(0),
            reach: reaches.max().unwrap_or(0),
        }
    }
}

/// Division that rounds up, for a positive divisor.
trait CeilingDivision {
    fn div_ceil_by(self, divisor: Self) -> Self;
}

impl CeilingDivision for i64 {
    fn div_ceil_by(self, divisor: i64) -> i64 {
        -(-self).div_euclid(divisor)
    }
}
