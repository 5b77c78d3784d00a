//! Arithmetic of Z/2^k, 1 <= k <= 64, on plain slices of `u64`.
//!
//! A ring element is a `u64` of which the low `bits` bits count. Sums and
//! products wrap modulo 2^64, so a narrower ring needs a [`mask`] only where
//! an element leaves the machine or is compared.
//!
//! | module | content |
//! |---|---|
//! | [`matmul`] | products of row-major matrices |
//! | [`conv`] | convolutions over `[batch, channels, height, width]` |
//! | [`packed`] | operands packed once for repeated products |
//! | [`packing`] | elements at `bits` bits each, as they travel |
//! | [`bits`] | bit planes, and the transposition between elements and planes |
//! | [`ntt`] | transforms modulo primes below 2^50, for products of polynomials |
//! | [`look_up`] | multiplexers on public bits, 64 lanes in a word |
//! | [`elementwise`] | sums, shifts, masks, sign extension |
//!
//! Kernels are chosen at run time by [`Simd::best`]; every SIMD kernel has a
//! portable twin that gives the same bits.

pub mod bits;
pub mod conv;
mod direct;
pub mod elementwise;
mod gemm;
mod im2col;
mod kernel;
mod lookup;
pub mod matmul;
pub mod ntt;
pub mod packed;
pub mod packing;
mod simd;
mod transpose;
mod transpose128;

pub use bits::{
    BitMatrix, and_into, and_xor_into, expand_bits, from_planes, not_into, to_planes, xor_into,
};
pub use conv::{ConvShape, conv_acc, conv_acc_packed, conv_acc_threads, conv_acc_with};
pub use elementwise::{
    add_into, mask, mask_into, neg_into, shl_into, shr_arithmetic_into, shr_logical_into,
    sign_extend, sub_into,
};
pub use lookup::{look_up, look_up_with};
pub use matmul::{
    matmul_acc, matmul_acc_bits, matmul_acc_bits_with, matmul_acc_threads, matmul_acc_with,
};
pub use packed::{Packed, matmul_acc_packed};
pub use packing::{pack_into, packed_len, unpack};
pub use simd::Simd;
pub use transpose128::{transpose_128, transpose_128_with};
