//! Encryption, products, answers and openings against the schoolbook product over Z/2^t.

mod schoolbook;

use schoolbook::{masked, negacyclic, small_weights, words};
use subrosa_core::{Prg, Seed};
use subrosa_rlwe::noise::Noise;
use subrosa_rlwe::{
    Ciphertext, Hiding, Parameters, ParametersLiteral, SecretKey, answer_bits, noise,
};

fn parameters(degree: usize, prime_bits: &[u32]) -> Parameters {
    let prime_bits = prime_bits.to_vec();
    ParametersLiteral { degree, prime_bits }
        .insecure_check()
        .unwrap()
}

/// Products of `count` ciphertexts with weights up to `largest`, summed, answered at every third coefficient, opened.
fn check(p: &Parameters, plain_bits: u32, count: usize, largest: i64) {
    let n = p.degree();
    let mut rng = Prg::new(&Seed::insecure_seeded(u64::from(plain_bits)));
    let key = SecretKey::random(p, &mut rng);
    let public = key.public_key(p, &mut rng);
    let mut sum = Ciphertext::zero(p);
    // What is added in the clear is where the sums start.
    let mut expected = words(99, n, plain_bits);
    let start = p.scale(plain_bits, &expected).into_eval(p);
    sum.add_plain(p, &start);
    let mut factors = Vec::new();
    let mut l1 = 0.0;
    for i in 0..count {
        // In one product every message is half of the range, so that all wrap.
        let m = match i {
            0 => vec![1 << (plain_bits - 1); n],
            _ => words(i as u64, n, plain_bits),
        };
        let w = small_weights(100 + i as u64, n, largest);
        l1 += w.iter().map(|w| w.unsigned_abs() as f64).sum::<f64>();
        let fresh = key.encrypt(p, p.scale(plain_bits, &m), &mut rng);
        assert_eq!(key.decrypt(p, plain_bits, &fresh.expand(p)), m);
        factors.push((fresh.expand(p), p.lift(&w).into_eval(p)));
        sum.multiply_add(p, &factors[i].0, &factors[i].1);
        let product = negacyclic(&m, &w);
        for (expected, term) in expected.iter_mut().zip(product) {
            *expected = masked(u128::from(*expected) + u128::from(term), plain_bits);
        }
    }
    let mut at_once = Ciphertext::zero(p);
    at_once.add_plain(p, &start);
    let products: Vec<_> = factors.iter().map(|(x, w)| (x, w)).collect();
    at_once.multiply_add_all(p, &products);
    assert!(at_once.c0 == sum.c0 && at_once.c1 == sum.c1);

    let l2 = largest as f64 * ((count * n) as f64).sqrt();
    assert!(noise::opens(p, plain_bits, l1, l2, n as f64), "{l1}");
    if noise::decrypts(p, plain_bits, Noise::of_products(l1 + 1.0, l2), n as f64) {
        assert_eq!(key.decrypt(p, plain_bits, &sum), expected);
    }
    let positions: Vec<usize> = (0..n).step_by(3).rev().collect();
    let (answer, share) = sum.answer(p, &public, plain_bits, &positions, Hiding::full(), &mut rng);
    let opened = key.open(p, plain_bits, &answer, &positions);
    let mut off = [0; 3];
    for ((opened, share), at) in opened.iter().zip(&share).zip(&positions) {
        let error = opened
            .wrapping_add(*share)
            .wrapping_sub(expected[*at])
            .wrapping_add(1);
        off[masked(error.into(), plain_bits) as usize] += 1;
    }
    assert!(off[1] > 0, "{off:?}");
    let limit = 1u128 << answer_bits(plain_bits);
    assert!(answer.c0().iter().chain(answer.c1()).all(|x| *x < limit));
}

#[test]
fn answers_open_to_the_product() {
    check(&parameters(4096, &[40, 40]), 24, 3, 1 << 20);
    check(&parameters(4096, &[40, 40]), 40, 3, 1 << 11);
    check(&parameters(4096, &[50, 50]), 64, 3, 1 << 5);
    check(&parameters(1024, &[27]), 12, 1, 3);
    check(&parameters(16, &[50, 36, 44]), 64, 20, 1 << 40);
    check(&parameters(8192, &[50, 50, 50, 50]), 64, 1, 1 << 60);
}

#[test]
fn too_much_noise_is_foretold() {
    let p = parameters(4096, &[40, 40]);
    let n = 4096.0;
    // 80 bits less 64 of plaintext and one leave 2^15 for the noise.
    assert!(noise::decrypts(&p, 64, Noise::of_products(1.0, 1.0), n));
    assert!(noise::decrypts(
        &p,
        64,
        Noise::of_products(1400.0, 1400.0),
        n
    ));
    assert!(!noise::decrypts(
        &p,
        64,
        Noise::of_products(2000.0, 2000.0),
        n
    ));
    assert!(noise::opens(&p, 64, 100.0, 100.0, n));
    assert!(!noise::opens(&p, 64, 4000.0, 4000.0, n));
    assert!(noise::opens(&p, 40, 1e9, 1e9, n));
    assert!(!noise::opens(&p, 40, 1e11, 1e11, n));
}
