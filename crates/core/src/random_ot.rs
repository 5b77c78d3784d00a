//! Random and correlated oblivious transfers, as extensions make them and protocols use them up.

use subrosa_ring::BitMatrix;

/// The sender's side of `planes * lanes` random OTs of 128-bit keys. Not `Clone`: a pair of keys masks once.
///
/// ```compile_fail
/// let ots = subrosa_core::SenderOts { planes: 1, lanes: 1, keys: vec![[1, 2]] };
/// let twice = ots.clone();
/// ```
pub struct SenderOts {
    pub planes: usize,
    pub lanes: usize,
    /// Both keys of OT `plane * lanes + lane`.
    pub keys: Vec<[u128; 2]>,
}

/// The receiver's side: uniform choice bits, and of each pair the chosen key. Not `Clone`.
///
/// ```compile_fail
/// fn twice(ots: subrosa_core::ReceiverOts) { drop(ots.clone()); }
/// ```
pub struct ReceiverOts {
    /// [planes, lanes].
    pub choices: BitMatrix,
    /// `keys[plane * lanes + lane]` is the sender's pair at that place, taken at the choice bit.
    pub keys: Vec<u128>,
}

impl SenderOts {
    /// Both keys of each OT of one plane.
    pub fn plane(&self, plane: usize) -> &[[u128; 2]] {
        &self.keys[plane * self.lanes..(plane + 1) * self.lanes]
    }
}

impl ReceiverOts {
    /// The chosen key of each OT of one plane.
    pub fn plane(&self, plane: usize) -> &[u128] {
        let lanes = self.choices.lanes();
        &self.keys[plane * lanes..(plane + 1) * lanes]
    }
}

/// The sender's side of `planes * lanes` correlated OTs under one offset R of the sender, of which bit 0 is set. Not `Clone`.
pub struct SenderCots {
    pub planes: usize,
    pub lanes: usize,
    /// q of OT `plane * lanes + lane`: uniform but for bit 0, which is not set.
    pub zeros: Vec<u128>,
}

/// The receiver's side: uniform choice bits c and t = q ^ c R, so that bit 0 of t is c. Not `Clone`.
pub struct ReceiverCots {
    /// [planes, lanes].
    pub choices: BitMatrix,
    pub values: Vec<u128>,
}

impl SenderCots {
    /// q of each OT of one plane.
    pub fn plane(&self, plane: usize) -> &[u128] {
        &self.zeros[plane * self.lanes..(plane + 1) * self.lanes]
    }
}

impl ReceiverCots {
    /// t of each OT of one plane.
    pub fn plane(&self, plane: usize) -> &[u128] {
        let lanes = self.choices.lanes();
        &self.values[plane * lanes..(plane + 1) * lanes]
    }
}
