//! Bit planes: rows of bits, one lane each, in words of 64.

use crate::simd::compiled_for_each;
use crate::transpose;

/// `planes` rows of `lanes` bits. Lane `l` of a row is bit `l % 64` of its
/// word `l / 64`; each row is padded to whole words.
///
/// Two matrices are equal when their words are, padding included: kernels
/// that write whole words call [`BitMatrix::mask_padding`] afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BitMatrix {
    planes: usize,
    lanes: usize,
    words: Vec<u64>,
}

impl BitMatrix {
    /// All bits zero.
    pub fn new(planes: usize, lanes: usize) -> BitMatrix {
        BitMatrix {
            planes,
            lanes,
            words: vec![0; planes * lanes.div_ceil(64)],
        }
    }

    /// Takes the words row by row; padding bits are cleared.
    ///
    /// # Panics
    /// Where `words` does not hold `planes * ceil(lanes / 64)` words.
    pub fn from_words(planes: usize, lanes: usize, words: Vec<u64>) -> BitMatrix {
        assert_eq!(words.len(), planes * lanes.div_ceil(64));
        let mut matrix = BitMatrix {
            planes,
            lanes,
            words,
        };
        matrix.mask_padding();
        matrix
    }

    pub fn planes(&self) -> usize {
        self.planes
    }

    pub fn lanes(&self) -> usize {
        self.lanes
    }

    pub fn words_per_plane(&self) -> usize {
        self.lanes.div_ceil(64)
    }

    pub fn row(&self, plane: usize) -> &[u64] {
        let width = self.words_per_plane();
        &self.words[plane * width..][..width]
    }

    pub fn row_mut(&mut self, plane: usize) -> &mut [u64] {
        let width = self.words_per_plane();
        &mut self.words[plane * width..][..width]
    }

    /// All rows, one after another.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// All rows, one after another. Padding bits written here stay until
    /// [`BitMatrix::mask_padding`].
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Clears the padding bits of each row.
    pub fn mask_padding(&mut self) {
        let used = self.lanes % 64;
        let width = self.words_per_plane();
        if used != 0 {
            for last in self.words.iter_mut().skip(width - 1).step_by(width) {
                *last &= (1 << used) - 1;
            }
        }
    }

    /// Bytes of the packed form, `ceil(planes * lanes / 8)`.
    pub fn packed_len(planes: usize, lanes: usize) -> usize {
        let bits = planes as u128 * lanes as u128;
        usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Appends the rows one after another, each row's lanes without its word
    /// padding, rounded up to whole bytes with zero bits at the end.
    pub fn pack_into(&self, out: &mut Vec<u8>) {
        let mut rest = BitMatrix::packed_len(self.planes, self.lanes);
        out.reserve(rest);
        let mut push = |word: u64| {
            let bytes = word.to_le_bytes();
            let taken = rest.min(8);
            out.extend_from_slice(&bytes[..taken]);
            rest -= taken;
        };
        let mut pending = 0u64;
        let mut filled = 0usize;
        for plane in 0..self.planes {
            for (i, &word) in self.row(plane).iter().enumerate() {
                let width = (self.lanes - i * 64).min(64);
                let word = if width < 64 {
                    word & ((1 << width) - 1)
                } else {
                    word
                };
                pending |= word << filled;
                filled += width;
                if filled >= 64 {
                    push(pending);
                    filled -= 64;
                    pending = if filled == 0 {
                        0
                    } else {
                        word >> (width - filled)
                    };
                }
            }
        }
        if filled > 0 {
            push(pending);
        }
    }

    /// The inverse of [`BitMatrix::pack_into`]; `None` where `bytes` is not
    /// `packed_len(planes, lanes)` long or its padding bits are not zero.
    pub fn unpack(bytes: &[u8], planes: usize, lanes: usize) -> Option<BitMatrix> {
        if bytes.len() != BitMatrix::packed_len(planes, lanes) {
            return None;
        }
        if lanes == 0 {
            return Some(BitMatrix::new(planes, 0));
        }
        let (chunks, rest) = bytes.as_chunks::<8>();
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        let mut stream = chunks.iter().chain([&last]).map(|w| u64::from_le_bytes(*w));
        let mut matrix = BitMatrix::new(planes, lanes);
        let width = matrix.words_per_plane();
        let mut pending = 0u64;
        let mut available = 0usize;
        for (i, word) in matrix.words.iter_mut().enumerate() {
            let wanted = (lanes - i % width * 64).min(64);
            let mut bits = pending;
            if available >= wanted {
                pending = if wanted == 64 { 0 } else { pending >> wanted };
                available -= wanted;
            } else {
                let next = stream.next()?;
                bits |= next << available;
                let taken = wanted - available;
                pending = if taken == 64 { 0 } else { next >> taken };
                available = 64 - taken;
            }
            *word = if wanted < 64 {
                bits & ((1 << wanted) - 1)
            } else {
                bits
            };
        }
        (pending == 0 && stream.all(|word| word == 0)).then_some(matrix)
    }
}

/// Values to planes: plane `j` holds bit `from + j` of every value.
///
/// # Panics
/// Where `from + planes > 64`.
pub fn to_planes(values: &[u64], from: u32, planes: u32) -> BitMatrix {
    to_planes_with(crate::Simd::best(), values, from, planes)
}

/// [`to_planes`] by the kernels of `simd`.
pub fn to_planes_with(simd: crate::Simd, values: &[u64], from: u32, planes: u32) -> BitMatrix {
    assert!(from + planes <= 64);
    let mut matrix = BitMatrix::new(planes as usize, values.len());
    transpose::to_planes(simd, values, from, planes as usize, &mut matrix.words);
    matrix
}

/// Planes to values: the inverse of [`to_planes`] with `from = 0`.
///
/// # Panics
/// Where `m` has more than 64 planes.
pub fn from_planes(m: &BitMatrix) -> Vec<u64> {
    from_planes_with(crate::Simd::best(), m)
}

/// [`from_planes`] by the kernels of `simd`.
pub fn from_planes_with(simd: crate::Simd, m: &BitMatrix) -> Vec<u64> {
    assert!(m.planes <= 64);
    let mut values = vec![0; m.lanes];
    transpose::from_planes(simd, &m.words, m.planes, &mut values);
    values
}

/// One plane as 0 or 1 per lane.
///
/// # Panics
/// Where `row` is not `ceil(lanes / 64)` words long.
pub fn expand_bits(row: &[u64], lanes: usize) -> Vec<u64> {
    assert_eq!(row.len(), lanes.div_ceil(64));
    let mut out = vec![0; lanes];
    transpose::expand(crate::Simd::best(), row, &mut out);
    out
}

/// `acc ^= x`, word by word.
pub fn xor_into(acc: &mut [u64], x: &[u64]) {
    assert_eq!(acc.len(), x.len());
    for (a, &x) in acc.iter_mut().zip(x) {
        *a ^= x;
    }
}

/// `acc &= x`, word by word.
pub fn and_into(acc: &mut [u64], x: &[u64]) {
    assert_eq!(acc.len(), x.len());
    for (a, &x) in acc.iter_mut().zip(x) {
        *a &= x;
    }
}

/// `acc ^= a & b`, word by word.
pub fn and_xor_into(acc: &mut [u64], a: &[u64], b: &[u64]) {
    and_xor_into_with(crate::Simd::best(), acc, a, b);
}

/// [`and_xor_into`] by the kernels of `simd`.
pub fn and_xor_into_with(simd: crate::Simd, acc: &mut [u64], a: &[u64], b: &[u64]) {
    assert!(acc.len() == a.len() && acc.len() == b.len());
    and_xor(simd, acc, a, b);
}

compiled_for_each!(and_xor, and_xor_words, (acc: &mut [u64], a: &[u64], b: &[u64]));

#[inline(always)]
fn and_xor_words(acc: &mut [u64], a: &[u64], b: &[u64]) {
    for ((acc, &a), &b) in acc.iter_mut().zip(a).zip(b) {
        *acc ^= a & b;
    }
}

/// `x = !x`, padding bits included.
pub fn not_into(x: &mut [u64]) {
    for x in x {
        *x = !*x;
    }
}
