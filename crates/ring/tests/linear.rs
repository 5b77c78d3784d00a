//! Matrix products and convolutions against the schoolbook, for every kernel
//! family of this CPU.

use proptest::prelude::*;
use subrosa_ring::{
    ConvShape, Packed, Simd, conv_acc_packed, conv_acc_threads, conv_acc_with, mask,
    matmul_acc_bits_with, matmul_acc_packed, matmul_acc_threads,
};

/// Elements of a fixed generator [SplitMix64], of full width.
fn elements(seed: u64, count: usize) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    (0..count).map(|_| next()).collect()
}

fn assert_low_bits(bits: u32, found: &[u64], expected: &[u64], what: impl std::fmt::Debug) {
    let low = |x: &[u64]| x.iter().map(|v| v & mask(bits)).collect::<Vec<_>>();
    assert_eq!(low(found), low(expected), "{what:?}");
}

fn check_matmul(widths: &[u32], m: usize, k: usize, n: usize, seed: u64) {
    let (a, b) = (elements(seed, m * k), elements(seed ^ 1, k * n));
    let start = elements(seed ^ 2, m * n);
    let mut expected = start.clone();
    for (i, out) in expected.iter_mut().enumerate() {
        for p in 0..k {
            *out = out.wrapping_add(a[i / n * k + p].wrapping_mul(b[p * n + i % n]));
        }
    }
    for &bits in widths {
        for simd in Simd::available() {
            let mut out = start.clone();
            matmul_acc_bits_with(simd, bits, &a, &b, &mut out, m, k, n);
            assert_low_bits(bits, &out, &expected, (simd, bits, m, k, n));
            let mut out = start.clone();
            matmul_acc_packed(&a, &Packed::right_with(simd, bits, &b, k, n), &mut out, m);
            assert_low_bits(bits, &out, &expected, ("packed", simd, bits, m, k, n));
        }
        for threads in [1, 2, 5] {
            let mut out = start.clone();
            matmul_acc_threads(threads, bits, &a, &b, &mut out, m, k, n);
            assert_low_bits(bits, &out, &expected, ("threads", threads, bits, m, k, n));
        }
    }
}

fn schoolbook(s: &ConvShape, x: &[u64], w: &[u64], out: &mut [u64]) {
    let (oh, ow) = (s.out_height(), s.out_width());
    let (ic, oc) = (s.in_channels / s.groups, s.out_channels / s.groups);
    for image in 0..s.batch {
        for o in 0..s.out_channels {
            for (oy, ox) in (0..oh).flat_map(|oy| (0..ow).map(move |ox| (oy, ox))) {
                let at = ((image * s.out_channels + o) * oh + oy) * ow + ox;
                for c in 0..ic {
                    for (ky, kx) in
                        (0..s.kernel_height).flat_map(|y| (0..s.kernel_width).map(move |x| (y, x)))
                    {
                        let iy = (oy * s.stride[0] + ky * s.dilation[0]) as isize
                            - s.pad_begin[0] as isize;
                        let ix = (ox * s.stride[1] + kx * s.dilation[1]) as isize
                            - s.pad_begin[1] as isize;
                        if iy < 0
                            || ix < 0
                            || iy >= s.in_height as isize
                            || ix >= s.in_width as isize
                        {
                            continue;
                        }
                        let channel = image * s.in_channels + o / oc * ic + c;
                        let v = x[(channel * s.in_height + iy as usize) * s.in_width + ix as usize];
                        let w = w[((o * ic + c) * s.kernel_height + ky) * s.kernel_width + kx];
                        out[at] = out[at].wrapping_add(v.wrapping_mul(w));
                    }
                }
            }
        }
    }
}

fn check_conv(shape: &ConvShape, seed: u64) {
    let (x, w) = (
        elements(seed, shape.in_len()),
        elements(seed ^ 1, shape.weight_len()),
    );
    let start = elements(seed ^ 2, shape.out_len());
    let mut expected = start.clone();
    schoolbook(shape, &x, &w, &mut expected);
    for bits in [64, 32] {
        for simd in Simd::available() {
            let mut out = start.clone();
            conv_acc_with(simd, bits, shape, &x, &w, &mut out);
            assert_low_bits(bits, &out, &expected, (simd, bits, shape));
            let packed = Packed::conv_weights_with(simd, bits, shape, &w);
            let mut out = start.clone();
            conv_acc_packed(shape, &x, &packed, &mut out);
            assert_low_bits(bits, &out, &expected, ("packed", simd, bits, shape));
        }
        for threads in [2, 3] {
            let mut out = start.clone();
            conv_acc_threads(threads, bits, shape, &x, &w, &mut out);
            assert_low_bits(bits, &out, &expected, ("threads", threads, bits, shape));
        }
    }
}

fn shapes() -> impl Strategy<Value = ConvShape> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    (
        (0usize..4, 1usize..4, 0usize..4, 0usize..8),
        (0usize..12, 0usize..14, 0usize..4, 0usize..4),
        (pair(1..4), pair(1..4), pair(0..4), pair(0..4)),
    )
        .prop_map(
            |((batch, groups, ic, oc), (h, w, kh, kw), (stride, dilation, begin, end))| ConvShape {
                batch,
                in_channels: ic * groups,
                in_height: h,
                in_width: w,
                out_channels: oc * groups,
                kernel_height: kh,
                kernel_width: kw,
                stride,
                dilation,
                pad_begin: begin,
                pad_end: end,
                groups,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn matmul_is_the_schoolbook(
        m in 0usize..20,
        k in 0usize..40,
        n in 0usize..80,
        seed in any::<u64>(),
    ) {
        check_matmul(&[64, 33, 32, 17], m, k, n, seed);
    }

    #[test]
    fn conv_is_the_schoolbook(shape in shapes(), seed in any::<u64>()) {
        check_conv(&shape, seed);
    }
}

/// Sizes on both sides of the cache blocks.
#[test]
fn matmul_over_block_edges() {
    for (m, k, n) in [
        (97, 257, 13),
        (13, 260, 515),
        (193, 3, 33),
        (1, 300, 600),
        (4, 9, 600),
    ] {
        check_matmul(&[64, 32], m, k, n, 3);
    }
}

/// More depth, channels and positions than one cache block holds.
#[test]
fn conv_over_block_edges() {
    let shape = ConvShape {
        batch: 3,
        in_channels: 31,
        in_height: 14,
        in_width: 13,
        out_channels: 101,
        kernel_height: 3,
        kernel_width: 3,
        stride: [1, 1],
        dilation: [1, 1],
        pad_begin: [1, 0],
        pad_end: [0, 1],
        groups: 1,
    };
    check_conv(&shape, 5);
    check_conv(
        &ConvShape {
            stride: [2, 2],
            ..shape
        },
        6,
    );
    let depthwise = ConvShape {
        in_channels: 33,
        out_channels: 33,
        groups: 33,
        ..shape
    };
    check_conv(&depthwise, 7);
    check_conv(
        &ConvShape {
            out_channels: 66,
            ..depthwise
        },
        8,
    );
}

#[test]
fn sizes_of_a_convolution() {
    let shape = ConvShape {
        batch: 2,
        in_channels: 1,
        in_height: 28,
        in_width: 27,
        out_channels: 20,
        kernel_height: 5,
        kernel_width: 5,
        stride: [1, 2],
        dilation: [1, 1],
        pad_begin: [0, 1],
        pad_end: [0, 0],
        groups: 1,
    };
    assert_eq!((shape.out_height(), shape.out_width()), (24, 12));
    assert_eq!((shape.in_len(), shape.weight_len()), (2 * 28 * 27, 500));
    assert_eq!(shape.out_len(), 2 * 20 * 24 * 12);
    assert_eq!(shape.macs(), 2 * 20 * 24 * 12 * 25);
}
