//! What answers would tell without re-randomisation or mask, and do not tell with them.

mod schoolbook;

use schoolbook::{distance, small_weights};
use subrosa_core::{Prg, Seed, Wire};
use subrosa_ring::ntt::{Modulus, Ntt};
use subrosa_ring::unpack;
use subrosa_rlwe::{
    Ciphertext, CollectiveKey, Contribution, Hiding, Parameters, ParametersLiteral, SecretKey,
    answer_bits,
};

const DEGREE: usize = 1024;

fn parameters() -> Parameters {
    let literal = ParametersLiteral {
        degree: DEGREE,
        prime_bits: vec![27],
    };
    literal.check().unwrap()
}

/// The client's best guess at w: the answer's c1 divided by the c1 of its own query.
fn divide(p: &Parameters, answer: &[u128], bits: u32, query: &Ciphertext) -> Vec<i64> {
    let prime = p.primes()[0];
    let ntt = Ntt::new(DEGREE, prime).unwrap();
    let modulus = Modulus::new(prime).unwrap();
    // 2^bits > q, so the switch lost nothing.
    let mut c1: Vec<u64> = answer
        .iter()
        .map(|x| ((x * u128::from(prime) + (1 << (bits - 1))) >> bits) as u64 % prime)
        .collect();
    ntt.forward(&mut c1);
    for (c1, a) in c1.iter_mut().zip(query.c1.limbs()) {
        *c1 = modulus.mul(*c1, modulus.inverse(*a));
    }
    ntt.inverse(&mut c1);
    c1.into_iter().map(|x| modulus.centred(x)).collect()
}

#[test]
fn weights_are_the_quotient_of_c1_unless_it_is_rerandomised() {
    let p = parameters();
    let plain_bits = 20;
    let mut rng = Prg::new(&Seed::insecure_seeded(3));
    let key = SecretKey::random(&p, &mut rng);
    let public = key.public_key(&p, &mut rng);
    let w = small_weights(1, DEGREE, 127);
    let mut guess = |hiding| {
        let query = key
            .encrypt(&p, p.scale(plain_bits, &[1, 2, 3]), &mut rng)
            .expand(&p);
        let mut sum = Ciphertext::zero(&p);
        sum.multiply_add(&p, &query, &p.lift(&w).into_eval(&p));
        let (answer, _) = sum.answer(&p, &public, plain_bits, &[5], hiding, &mut rng);
        divide(&p, answer.c1(), answer_bits(plain_bits), &query)
    };
    assert_eq!(guess(Hiding::insecure_without_rerandomising()), w);
    for hiding in [Hiding::full(), Hiding::insecure_without_mask()] {
        let guessed = guess(hiding);
        let near = |(guess, w): (&i64, &i64)| (guess - w).abs() <= 127;
        let hits = guessed.iter().zip(&w).filter(|pair| near(*pair)).count();
        // By chance 255 in 2^27 of the coefficients are so near.
        assert!(hits <= 1, "{hits}");
    }
}

/// c1 of a contribution, which its receiver passes on to the other servers.
fn c1_of(p: &Parameters, contribution: &Contribution) -> Vec<u64> {
    let mut bytes = Vec::new();
    contribution.request().encode(&mut bytes);
    let modulus = Modulus::new(p.primes()[0]).unwrap();
    unpack(&bytes, modulus.bits(), DEGREE).unwrap()
}

#[test]
fn shares_of_weights_are_the_quotient_of_c1_unless_it_is_rerandomised() {
    let p = parameters();
    let mut rng = Prg::new(&Seed::insecure_seeded(4));
    let secrets = [(); 2].map(|()| SecretKey::random(&p, &mut rng));
    let shares = secrets.map(|secret| secret.key_share(&p, &[1; 32], &mut rng));
    let key = CollectiveKey::new(&p, [1; 32], &shares).unwrap();
    let w = small_weights(1, DEGREE, 127);
    let query = key.encrypt(&p, p.scale(4, &[1, 2, 3]), &mut rng);
    let mut product = Ciphertext::zero(&p);
    product.multiply_add(&p, &query, &p.lift(&w).into_eval(&p));
    let quotient = |contribution: &Contribution| {
        let ntt = Ntt::new(DEGREE, p.primes()[0]).unwrap();
        let modulus = *ntt.modulus();
        let mut c1 = c1_of(&p, contribution);
        for (c1, a) in c1.iter_mut().zip(query.c1.limbs()) {
            *c1 = modulus.mul(*c1, modulus.inverse(*a));
        }
        ntt.inverse(&mut c1);
        let w: Vec<i64> = c1.into_iter().map(|x| modulus.centred(x)).collect();
        w
    };
    assert_eq!(quotient(&product.clone().insecure_contribute(&p, &[5])), w);
    let guessed = quotient(&product.contribute(&p, &key, &[5], &mut rng));
    let near = |(guess, w): (&i64, &i64)| (guess - w).abs() <= 127;
    assert!(guessed.iter().zip(&w).filter(|pair| near(*pair)).count() <= 1);
}

/// What the key holder sees in answers to encryptions of zero, so that only noise could differ.
fn seen(hiding: Hiding, weight: i64, seed: u64) -> Vec<u64> {
    let p = parameters();
    let plain_bits = 16;
    let mut rng = Prg::new(&Seed::insecure_seeded(seed));
    let key = SecretKey::random(&p, &mut rng);
    let public = key.public_key(&p, &mut rng);
    let positions: Vec<usize> = (0..DEGREE).collect();
    let w = p.lift(&[weight; DEGREE]).into_eval(&p);
    let mut seen = Vec::new();
    for _ in 0..8 {
        let query = key
            .encrypt(&p, p.scale(plain_bits, &[]), &mut rng)
            .expand(&p);
        let mut sum = Ciphertext::zero(&p);
        sum.multiply_add(&p, &query, &w);
        let (answer, _) = sum.answer(&p, &public, plain_bits, &positions, hiding, &mut rng);
        seen.extend(
            key.open_unrounded(&p, &answer, &positions)
                .iter()
                .map(|x| *x as u64),
        );
    }
    seen
}

#[test]
fn noise_tells_the_size_of_weights_unless_it_is_masked() {
    // Around zero: half of the range is added, so that noise of both signs is near its middle.
    let whole = |seen: Vec<u64>| -> Vec<u64> {
        seen.into_iter()
            .map(|x| (x + (1 << 23)) % (1 << 24))
            .collect()
    };
    let rest = |seen: Vec<u64>| -> Vec<u64> { seen.into_iter().map(|x| x % 256).collect() };
    let mut seed = 0;
    let mut of = |hiding, weight| {
        seed += 1;
        seen(hiding, weight, seed)
    };
    let bare = Hiding::insecure_without_mask();
    assert!(distance(whole(of(bare, 0)), whole(of(bare, 127))) > 4.0);
    assert!(distance(rest(of(bare, 0)), rest(of(bare, 127))) > 4.0);
    let full = Hiding::full();
    assert!(distance(whole(of(full, 0)), whole(of(full, 127))) < 2.0);
    assert!(distance(rest(of(full, 0)), rest(of(full, 127))) < 2.0);
    // The test itself: two samples of the same kind are not told apart.
    assert!(distance(whole(of(bare, 0)), whole(of(bare, 0))) < 2.0);
}
