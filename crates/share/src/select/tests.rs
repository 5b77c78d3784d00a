use super::*;
use crate::Evaluator::{First, Second};
use subrosa_core::{Prg, Seed};
use subrosa_ring::expand_bits;

struct Shared {
    zero: Vec<u64>,
    one: Vec<u64>,
}

fn split(values: &[u64], bits: u32, prg: &mut Prg) -> Shared {
    let zero = prg.words(bits.max(1), values.len());
    let one = values
        .iter()
        .zip(&zero)
        .map(|(v, z)| v.wrapping_sub(*z) & mask(bits))
        .collect();
    Shared { zero, one }
}

fn columns(n: usize, seed: u64) -> (Prg, Vec<u64>) {
    let mut prg = Prg::new(&Seed::insecure_seeded(seed));
    let bits = prg.words(1, n);
    (prg, bits)
}

fn sum(x: &[u64], y: &[u64], z: &[u64], bits: u32) -> Vec<u64> {
    (0..x.len())
        .map(|i| x[i].wrapping_add(y[i]).wrapping_add(z[i]) & mask(bits))
        .collect()
}

/// Boundary and random values of -2^(n-2) .. 2^(n-2).
fn values(narrow: u32, prg: &mut Prg) -> Vec<i64> {
    let quarter = 1i64 << (narrow - 2);
    let mut values = vec![-quarter, quarter - 1, 0, 1, -1];
    values.extend(
        prg.words(narrow - 1, 500)
            .iter()
            .map(|v| sign_extend(*v, narrow - 1)),
    );
    values
}

#[test]
fn products_and_lifts_are_exact_below_a_quarter_of_the_ring() {
    for (narrow, wide) in [
        (3, 3),
        (3, 64),
        (28, 48),
        (32, 48),
        (48, 48),
        (40, 64),
        (64, 64),
    ] {
        let (mut prg, _) = columns(0, u64::from(narrow * 100 + wide));
        let x = values(narrow, &mut prg);
        let n = x.len();
        let rho = prg.words(1, n);
        let packed = prg.bits(1, n);
        let e = expand_bits(packed.row(0), n);
        let lambda = prg.words(narrow, n);
        let c: Vec<u64> = (0..n)
            .map(|i| (x[i] as u64).wrapping_sub(lambda[i]) & mask(narrow))
            .collect();
        let by = Lift { narrow, wide };
        let (p0, p1) = (prg.words(wide, n), prg.words(wide, n));
        let pads: Vec<u64> = p0
            .iter()
            .zip(&p1)
            .map(|(a, b)| a.wrapping_add(*b))
            .collect();

        let deal = deal_product(by, &lambda, &rho, &pads);
        let shared_rho = split(&deal.rho, wide, &mut prg);
        let turned = split(&deal.turned, wide, &mut prg);
        let wraps = deal
            .wrap
            .each_ref()
            .map(|w| split(w, by.wrap_bits(), &mut prg));
        let share = |second: bool| {
            let pick = |s: &'_ Shared| {
                if second {
                    s.one.clone()
                } else {
                    s.zero.clone()
                }
            };
            let wrap = wraps.each_ref().map(pick);
            let (rho, turned) = (pick(&shared_rho), pick(&turned));
            let pad = if second { &p1 } else { &p0 };
            let who = if second { Second } else { First };
            let wrap = [&wrap[0][..], &wrap[1][..]];
            product(
                by,
                who,
                &c,
                packed.row(0),
                &ProductShare {
                    rho: &rho,
                    turned: &turned,
                    wrap,
                    pad,
                },
            )
        };
        let got = sum(&share(false), &share(true), &deal.mask, wide);
        for i in 0..n {
            let want = if e[i] ^ rho[i] == 1 {
                x[i] as u64 & mask(wide)
            } else {
                0
            };
            assert_eq!(got[i], want, "{narrow} -> {wide}: {}", x[i]);
        }

        let (b, new_mask) = deal_lift(by, &lambda, &pads);
        let b = split(&b, by.wrap_bits(), &mut prg);
        let got = sum(
            &lift(by, First, &c, &b.zero, &p0),
            &lift(by, Second, &c, &b.one, &p1),
            &new_mask,
            wide,
        );
        let want: Vec<u64> = x.iter().map(|v| *v as u64 & mask(wide)).collect();
        assert_eq!(got, want);
    }
}

#[test]
fn a_lift_fails_beyond_a_quarter_of_the_ring() {
    let by = Lift {
        narrow: 28,
        wide: 48,
    };
    let x = 1i64 << 26;
    let wrong = (0..64u64).filter(|i| {
        let lambda = [i.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask(28)];
        let c = [(x as u64).wrapping_sub(lambda[0]) & mask(28)];
        let (b, new_mask) = deal_lift(by, &lambda, &[0]);
        let got = sum(
            &lift(by, First, &c, &b, &[0]),
            &lift(by, Second, &c, &[0], &[0]),
            &new_mask,
            48,
        );
        got[0] != x as u64
    });
    assert!(wrong.count() > 0);
}

#[test]
fn choices_are_exact() {
    for bits in [3, 28, 64] {
        let (mut prg, rho) = columns(300, u64::from(bits));
        let n = rho.len();
        let mut words = || prg.words(bits, n);
        let (y1, y2, l1, l2, p0, p1, r0, t0) = (
            words(),
            words(),
            words(),
            words(),
            words(),
            words(),
            words(),
            words(),
        );
        let packed = prg.bits(1, n);
        let e = expand_bits(packed.row(0), n);
        let hide = |y: &[u64], l: &[u64]| -> Vec<u64> {
            y.iter()
                .zip(l)
                .map(|(y, l)| y.wrapping_sub(*l) & mask(bits))
                .collect()
        };
        let (c1, c2) = (hide(&y1, &l1), hide(&y2, &l2));
        let pads: Vec<u64> = p0
            .iter()
            .zip(&p1)
            .map(|(a, b)| a.wrapping_add(*b))
            .collect();
        let (turned, new_mask) = deal_choice(bits, &l1, &l2, &rho, &pads);
        let (r1, t1) = (hide(&rho, &r0), hide(&turned, &t0));
        let a = choice(
            bits,
            First,
            &c1,
            &c2,
            packed.row(0),
            &ChoiceShare {
                rho: &r0,
                turned: &t0,
                pad: &p0,
            },
        );
        let b = choice(
            bits,
            Second,
            &c1,
            &c2,
            packed.row(0),
            &ChoiceShare {
                rho: &r1,
                turned: &t1,
                pad: &p1,
            },
        );
        let got = sum(&a, &b, &new_mask, bits);
        for i in 0..n {
            assert_eq!(got[i], if e[i] ^ rho[i] == 1 { y1[i] } else { y2[i] });
        }
    }
}
