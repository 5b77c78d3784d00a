use super::*;
use crate::Evaluator::{First, Second};
use subrosa_core::{Prg, Seed};
use subrosa_ring::{BitMatrix, expand_bits, mask, sign_extend};

/// Runs both evaluators on shares of one correlation and gives the sign bits back.
pub fn signs(values: &[i64], bits: u32, seed: u64) -> Vec<u64> {
    let shape = Comparison::new(values.len(), bits);
    let seed = Seed::insecure_seeded(seed);
    let mut first = Prg::new(&seed.derive("first", b""));
    let mut second = Prg::new(&seed.derive("second", b""));
    let mut own = Prg::new(&seed.derive("own", b""));
    let lambda = own.words(bits, values.len());
    let c: Vec<u64> = values
        .iter()
        .zip(&lambda)
        .map(|(v, l)| (*v as u64).wrapping_sub(*l) & mask(bits))
        .collect();
    let free = shape.free_rows();
    let dealt = shape.dealt_rows();
    let (f0, d0) = (
        first.bits(free.planes, free.lanes),
        first.bits(dealt.planes, dealt.lanes),
    );
    let f1 = second.bits(free.planes, free.lanes);
    let masks = xor(&f0, &f1);
    let d1 = xor(&deal(&shape, &lambda, &masks), &d0);
    let (rows0, rows1) = (stack(&f0, &d0), stack(&f1, &d1));
    let mut a = Evaluation::new(&shape, First, &c, &rows0);
    let mut b = Evaluation::new(&shape, Second, &c, &rows1);
    for level in 0..shape.levels() {
        let opened = xor(&a.open(level), &b.open(level));
        a.merge(level, &opened);
        b.merge(level, &opened);
    }
    let masked = xor(&a.masked_sign(), &b.masked_sign());
    let sign: Vec<u64> = masked
        .row(0)
        .iter()
        .zip(shape.rho(&masks))
        .map(|(m, r)| m ^ r)
        .collect();
    expand_bits(&sign, values.len())
}

fn xor(x: &BitMatrix, y: &BitMatrix) -> BitMatrix {
    let words = x
        .words()
        .iter()
        .zip(y.words())
        .map(|(x, y)| x ^ y)
        .collect();
    BitMatrix::from_words(x.planes(), x.lanes(), words)
}

fn stack(x: &BitMatrix, y: &BitMatrix) -> BitMatrix {
    let words = x.words().iter().chain(y.words()).copied().collect();
    BitMatrix::from_words(x.planes() + y.planes(), x.lanes(), words)
}

#[test]
fn signs_of_boundary_and_random_values_at_every_width() {
    let mut random = Prg::new(&Seed::insecure_seeded(3));
    for bits in 2..=64 {
        let top = 1u64 << (bits - 1);
        let mut values: Vec<u64> = vec![0, 1, mask(bits), top - 1, top, top + 1, top >> 1, 2];
        values.extend(random.words(bits, 300));
        let values: Vec<i64> = values
            .iter()
            .map(|v| sign_extend(v & mask(bits), bits))
            .collect();
        let want: Vec<u64> = values.iter().map(|v| u64::from(*v >= 0)).collect();
        assert_eq!(signs(&values, bits, u64::from(bits)), want, "{bits} bits");
    }
}

#[test]
fn every_value_of_a_small_ring_under_every_mask() {
    let values: Vec<i64> = (-64..64).cycle().take(128 * 40).collect();
    for seed in 0..20 {
        let want: Vec<u64> = values.iter().map(|v| u64::from(*v >= 0)).collect();
        assert_eq!(signs(&values, 7, seed), want);
    }
}

#[test]
fn two_levels_up_to_sixty_low_bits() {
    assert_eq!(Comparison::new(1, 5).levels(), 0);
    assert_eq!(Comparison::new(1, 17).levels(), 1);
    assert_eq!(Comparison::new(1, 18).levels(), 2);
    assert_eq!(Comparison::new(1, 64).levels(), 2);
}
