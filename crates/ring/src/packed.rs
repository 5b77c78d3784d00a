//! Operands packed once for repeated products.

use crate::Simd;
use crate::conv::ConvShape;
use crate::gemm::{Columns, Panels};
use crate::kernel::{Kernel, Lane, with_kernel};
use crate::matmul::blocked;

#[derive(Clone, Debug)]
pub(crate) enum LanePanels {
    Narrow(Vec<Panels<u32>>),
    Wide(Vec<Panels<u64>>),
    /// Weights as they came, for [`crate::direct`].
    Plain(Vec<u64>),
}

/// A lane type as a case of [`LanePanels`].
pub(crate) trait PackedLane: Lane {
    fn wrap(panels: Vec<Panels<Self>>) -> LanePanels;
    fn get(panels: &LanePanels) -> Option<&[Panels<Self>]>;
}

impl PackedLane for u32 {
    fn wrap(panels: Vec<Panels<u32>>) -> LanePanels {
        LanePanels::Narrow(panels)
    }
    fn get(panels: &LanePanels) -> Option<&[Panels<u32>]> {
        match panels {
            LanePanels::Narrow(panels) => Some(panels),
            LanePanels::Wide(_) | LanePanels::Plain(_) => None,
        }
    }
}

impl PackedLane for u64 {
    fn wrap(panels: Vec<Panels<u64>>) -> LanePanels {
        LanePanels::Wide(panels)
    }
    fn get(panels: &LanePanels) -> Option<&[Panels<u64>]> {
        match panels {
            LanePanels::Wide(panels) => Some(panels),
            LanePanels::Narrow(_) | LanePanels::Plain(_) => None,
        }
    }
}

/// An operand packed once for repeated products: the right operand of a
/// matrix product ([`Packed::right`]), or the weights of a convolution
/// ([`Packed::conv_weights`]).
///
/// It holds secrets where the operand does, and is not wiped on drop.
#[derive(Clone, Debug)]
pub struct Packed {
    pub(crate) simd: Simd,
    pub(crate) bits: u32,
    pub(crate) side: Side,
    pub(crate) panels: LanePanels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Right {
        k: usize,
        n: usize,
    },
    /// The shape without batch, image size and padding.
    ConvWeights(ConvShape),
}

impl Packed {
    /// Packs `b`, row-major `[k, n]`, for products of which the low `bits`
    /// bits count.
    pub fn right(bits: u32, b: &[u64], k: usize, n: usize) -> Packed {
        Packed::right_with(Simd::best(), bits, b, k, n)
    }

    /// [`Packed::right`] for the kernels of `simd`.
    pub fn right_with(simd: Simd, bits: u32, b: &[u64], k: usize, n: usize) -> Packed {
        assert_eq!(b.len(), k * n, "the right operand is [k, n]");
        fn pack<K: Kernel<Lane: PackedLane>>(_: K, b: &[u64], k: usize, n: usize) -> LanePanels {
            let b = Columns {
                values: b,
                stride: n,
            };
            PackedLane::wrap(vec![Panels::<K::Lane>::new(&b, k, n, K::COLUMNS)])
        }
        let panels = with_kernel!(simd, bits, kernel => pack(kernel, b, k, n));
        Packed {
            simd,
            bits,
            side: Side::Right { k, n },
            panels,
        }
    }

    /// The width of the ring it was packed for.
    pub fn bits(&self) -> u32 {
        self.bits
    }
}

/// `out[m, n] += a[m, k] * b[k, n]` with a packed `b`; the low bits for which
/// it was packed count.
///
/// # Panics
/// Where `b` is not a right operand, or a length does not fit.
pub fn matmul_acc_packed(a: &[u64], b: &Packed, out: &mut [u64], m: usize) {
    let Side::Right { k, n } = b.side else {
        panic!("a right operand is packed by Packed::right");
    };
    assert_eq!(a.len(), m * k, "the left operand is [m, k]");
    assert_eq!(out.len(), m * n, "the result is [m, n]");
    fn product<K: Kernel<Lane: PackedLane>>(
        kernel: K,
        a: &[u64],
        b: &LanePanels,
        out: &mut [u64],
        shape: (usize, usize, usize),
    ) {
        if let Some([b]) = K::Lane::get(b) {
            blocked(kernel, a, b, out, shape);
        }
    }
    with_kernel!(b.simd, b.bits, kernel => product(kernel, a, &b.panels, out, (m, k, n)));
}
