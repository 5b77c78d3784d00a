//! Measured noise against the derived bounds: never above, and not far below.

use subrosa_core::{Prg, Seed};
use subrosa_rlwe::noise::Noise;
use subrosa_rlwe::{
    Ciphertext, GUARD_BITS, Hiding, Parameters, ParametersLiteral, PublicKey, SecretKey,
};

const CIPHERTEXTS: usize = 10_000;
const PLAIN_BITS: u32 = 8;

/// Ciphertexts are spread over this many keys.
const KEYS: usize = 10;

#[derive(Default)]
struct Measured {
    count: f64,
    squares: f64,
    largest: f64,
}

impl Measured {
    fn add(&mut self, noise: impl IntoIterator<Item = i64>) {
        for x in noise {
            let x = x as f64;
            self.count += 1.0;
            self.squares += x * x;
            self.largest = self.largest.max(x.abs());
        }
    }

    /// The bound for one chance in 2^40 over all that was measured holds; the deviation is at most the derived one, and
    /// at least a part of it, so that the bound says something.
    fn check(&self, name: &str, derived: Noise, slack: f64) {
        let bound = derived.bound(40.0 + self.count.log2());
        let deviation = (self.squares / self.count).sqrt();
        println!(
            "{name}: deviation {deviation:.2} of {:.2}, largest {:.1} of {bound:.1}",
            derived.deviation(),
            self.largest
        );
        assert!(
            self.count >= CIPHERTEXTS as f64 && self.largest <= bound,
            "{name}"
        );
        assert!(self.largest > bound / 4.0, "{name}");
        assert!(deviation <= derived.deviation() + 0.5, "{name}");
        assert!(deviation >= slack * derived.deviation(), "{name}");
    }
}

struct Parties {
    p: Parameters,
    key: SecretKey,
    public: PublicKey,
    rng: Prg,
}

impl Parties {
    fn new(seed: u64) -> Parties {
        let literal = ParametersLiteral {
            degree: 1024,
            prime_bits: vec![27],
        };
        let p = literal.check().unwrap();
        let mut rng = Prg::new(&Seed::insecure_seeded(seed));
        let key = SecretKey::random(&p, &mut rng);
        let public = key.public_key(&p, &mut rng);
        Parties {
            p,
            key,
            public,
            rng,
        }
    }

    fn encrypt(&mut self) -> (Vec<u64>, Ciphertext) {
        let m = self.rng.words(PLAIN_BITS, self.p.degree());
        let fresh = self
            .key
            .encrypt(&self.p, self.p.scale(PLAIN_BITS, &m), &mut self.rng);
        (m, fresh.expand(&self.p))
    }

    /// Phase less the scaled message.
    fn noise(&self, m: &[u64], ciphertext: &Ciphertext) -> Vec<i64> {
        let mut phase = self.key.phase(&self.p, ciphertext);
        phase.sub(&self.p, &self.p.scale(PLAIN_BITS, m));
        phase.small(&self.p).unwrap()
    }
}

#[test]
fn noise_is_within_the_derived_bounds() {
    let weights = [(0, 3), (7, -2), (1000, 5), (1023, -4)];
    let (l1, l2) = (14.0, 54f64.sqrt());
    let [mut fresh, mut product, mut randomised, mut switched] =
        [(); 4].map(|()| Measured::default());
    let mut parties = Parties::new(0);
    let n = parties.p.degree();
    let mut w = vec![0; n];
    weights.into_iter().for_each(|(at, weight)| w[at] = weight);
    let lifted = parties.p.lift(&w).into_eval(&parties.p);
    let positions: Vec<usize> = (0..n).collect();
    for i in 0..CIPHERTEXTS {
        if i % (CIPHERTEXTS / KEYS) == 0 {
            parties = Parties::new(1 + i as u64);
        }
        let (m, x) = parties.encrypt();
        fresh.add(parties.noise(&m, &x));
        let p = parties.p.clone();
        let mut sum = Ciphertext::zero(&p);
        sum.multiply_add(&p, &x, &lifted);
        let message: Vec<u64> = (0..n)
            .map(|at| {
                weights.iter().fold(0u64, |sum, &(shift, weight)| {
                    let term = m[(at + n - shift) % n].wrapping_mul(weight as u64);
                    if at < shift {
                        sum.wrapping_sub(term)
                    } else {
                        sum.wrapping_add(term)
                    }
                })
            })
            .map(|x| x & 0xff)
            .collect();
        product.add(parties.noise(&message, &sum));
        sum.add(&p, &parties.public.encrypt_zero(&p, &mut parties.rng));
        randomised.add(parties.noise(&message, &sum));
        let (answer, _) = sum.answer(
            &p,
            &parties.public,
            PLAIN_BITS,
            &positions,
            Hiding::insecure_without_mask(),
            &mut parties.rng,
        );
        let opened = parties.key.open_unrounded(&p, &answer, &positions);
        switched.add(opened.iter().zip(&message).map(|(opened, message)| {
            let difference = (*opened as u64).wrapping_sub(message << GUARD_BITS);
            i64::from(difference as i16)
        }));
    }
    let p = &parties.p;
    let of_product = Noise::of_products(l1, l2);
    fresh.check("fresh", Noise::fresh(), 0.9);
    product.check("product", of_product, 0.9);
    randomised.check("re-randomised", of_product.rerandomised(p), 0.7);
    // Re-randomised twice, once by the test and once by the answer.
    let twice = of_product.rerandomised(p).rerandomised(p);
    switched.check("switched", twice.switched(p, PLAIN_BITS + GUARD_BITS), 0.7);
}

#[test]
fn bounds_grow_with_what_they_bound() {
    let p = Parties::new(0).p;
    let small = Noise::of_products(10.0, 5.0);
    for larger in [
        Noise::of_products(11.0, 5.0),
        Noise::of_products(10.0, 6.0),
        small.rerandomised(&p),
    ] {
        assert!(small.bound(20.0) < larger.bound(20.0));
    }
    assert!(small.bound(20.0) < small.bound(30.0));
    // Coins bound what Chernoff leaves open.
    assert_eq!(Noise::fresh().bound(1e9), 21.5);
}
