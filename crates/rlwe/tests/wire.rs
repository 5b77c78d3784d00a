//! Bytes: lengths by the layout, what is out of range refused, what is decoded encoded again to the same bytes.

use proptest::prelude::*;
use subrosa_core::{Malformed, Prg, Seed, Wire};
use subrosa_rlwe::{
    Ciphertext, Fresh, Hiding, Parameters, ParametersLiteral, PublicKey, SecretKey, Switched,
    SwitchedLayout, answer_bits,
};

const PLAIN_BITS: [u32; 4] = [24, 40, 47, 64];

fn parameters(degree: usize, prime_bits: &[u32]) -> Parameters {
    let prime_bits = prime_bits.to_vec();
    ParametersLiteral { degree, prime_bits }
        .insecure_check()
        .unwrap()
}

fn encoded<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

/// Answers with their layouts.
type Answers = Vec<(SwitchedLayout, Vec<u8>)>;

/// A query, a public key and an answer of each width.
fn samples(p: &Parameters) -> (Vec<u8>, Vec<u8>, Answers) {
    let mut rng = Prg::new(&Seed::insecure_seeded(5));
    let key = SecretKey::random(p, &mut rng);
    let public = key.public_key(p, &mut rng);
    let fresh = key.encrypt(p, p.scale(24, &[1, 2, 3]), &mut rng);
    let answers = PLAIN_BITS.map(|plain_bits| {
        let mut sum = Ciphertext::zero(p);
        sum.multiply_add(p, &fresh.expand(p), &p.lift(&[1, -1]).into_eval(p));
        let positions = [0, 3, 5];
        let (answer, _) = sum.answer(p, &public, plain_bits, &positions, Hiding::full(), &mut rng);
        let layout = SwitchedLayout {
            degree: p.degree(),
            positions: 3,
            bits: answer_bits(plain_bits),
        };
        (layout, encoded(&answer))
    });
    (encoded(&fresh), encoded(&public), answers.to_vec())
}

/// Whatever the bytes: refused, or the only encoding of what they decode to.
fn check<T: Wire>(layout: &T::Layout, bytes: &[u8]) -> Result<(), Malformed> {
    let value = T::decode(layout, bytes)?;
    assert_eq!(bytes.len() as u64, T::size(layout).0);
    assert_eq!(encoded(&value), bytes);
    Ok(())
}

#[test]
fn every_encoding_is_as_long_as_its_layout_says_and_decodes() {
    for p in [
        parameters(8, &[20]),
        parameters(64, &[50, 37, 21]),
        parameters(4096, &[40, 40]),
    ] {
        let (fresh, public, answers) = samples(&p);
        check::<Fresh>(&p, &fresh).unwrap();
        check::<PublicKey>(&p, &public).unwrap();
        for (layout, bytes) in answers {
            check::<Switched>(&layout, &bytes).unwrap();
            for cut in [0, 1, bytes.len() - 1] {
                let length = check::<Switched>(&layout, &bytes[..cut]);
                assert!(matches!(length, Err(Malformed::Length { .. })));
            }
        }
        for cut in [0, 1, 31, 32, 33, fresh.len() - 1] {
            let length = check::<Fresh>(&p, &fresh[..cut]);
            assert!(matches!(length, Err(Malformed::Length { .. })));
        }
        let longer = [&fresh[..], &[0]].concat();
        assert!(matches!(
            check::<Fresh>(&p, &longer),
            Err(Malformed::Length { .. })
        ));
        let longer = [&public[..], &[0]].concat();
        assert!(matches!(
            check::<PublicKey>(&p, &longer),
            Err(Malformed::Length { .. })
        ));
    }
}

#[test]
fn residues_from_the_prime_on_are_refused() {
    let p = parameters(64, &[40, 24]);
    let (fresh, _, _) = samples(&p);
    for (limb, start, width) in [(0, 0, 5), (1, 64 * 5, 3)] {
        for place in [0, 31, 63] {
            let at = start + place * width;
            let with = |value: u64| {
                let mut bytes = fresh.clone();
                bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
                (check::<Fresh>(&p, &bytes), check::<PublicKey>(&p, &bytes))
            };
            let prime = p.primes()[limb];
            assert_eq!(with(prime - 1), (Ok(()), Ok(())));
            for value in [prime, prime + 1, (1 << (8 * width)) - 1] {
                assert_eq!(with(value), (Err(Malformed::Range), Err(Malformed::Range)));
            }
        }
    }
}

#[test]
fn a_secret_key_comes_back_from_its_bytes() {
    for p in [parameters(8, &[20]), parameters(64, &[50, 37, 21])] {
        let mut rng = Prg::new(&Seed::insecure_seeded(6));
        let key = SecretKey::random(&p, &mut rng);
        let bytes = encoded(&key);
        check::<SecretKey>(&p, &bytes).unwrap();
        let again = SecretKey::decode(&p, &bytes).unwrap();
        let message = [1, 5, 7, 0, 2, 3, 6, 4];
        let public = again.public_key(&p, &mut rng);
        for ciphertext in [
            key.encrypt(&p, p.scale(3, &message), &mut rng).expand(&p),
            public.encrypt(&p, p.scale(3, &message), &mut rng),
        ] {
            for key in [&key, &again] {
                assert_eq!(key.decrypt(&p, 3, &ciphertext)[..8], message);
            }
            let sum = |key: &SecretKey| key.phase(&p, &ciphertext);
            assert_eq!(sum(&key), sum(&again));
        }
        let mut sum = Ciphertext::zero(&p);
        let fresh = key.encrypt(&p, p.scale(8, &message), &mut rng).expand(&p);
        sum.multiply_add(&p, &fresh, &p.lift(&[1]).into_eval(&p));
        let (answer, _) = sum.answer(&p, &public, 8, &[0, 3], Hiding::full(), &mut rng);
        let opened = |key: &SecretKey| key.open_unrounded(&p, &answer, &[0, 3]);
        assert_eq!(opened(&key), opened(&again));
    }
}

#[test]
fn what_is_no_ternary_secret_is_refused() {
    let p = parameters(16, &[20]);
    let key = encoded(&SecretKey::random(
        &p,
        &mut Prg::new(&Seed::insecure_seeded(6)),
    ));
    assert_eq!(key.len(), 4);
    for at in 0..16 {
        let mut wrong = key.clone();
        wrong[at / 4] |= 3 << (2 * (at % 4));
        assert_eq!(check::<SecretKey>(&p, &wrong), Err(Malformed::Range));
    }
    for wrong in [&key[1..], &[&key[..], &[0]].concat()] {
        let found = check::<SecretKey>(&p, wrong);
        assert!(matches!(found, Err(Malformed::Length { expected: 4, .. })));
    }
}

#[test]
fn layouts_that_no_answer_has_are_refused() {
    for bits in [0, 8, 73, 128, u32::MAX] {
        let layout = SwitchedLayout {
            degree: 8,
            positions: 1,
            bits,
        };
        assert_eq!(
            check::<Switched>(&layout, &[0; 100]),
            Err(Malformed::Range),
            "{bits}"
        );
    }
}

/// The bytes of a seeded exchange, so that a change of format or stream is seen, on every kernel.
#[test]
fn the_bytes_are_the_known_ones() {
    let digest = |bytes: &[u8]| {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
    };
    let (fresh, public, answers) = samples(&parameters(4096, &[40, 40]));
    let digests = [
        digest(&fresh),
        digest(&public),
        digest(&answers[1].1),
        digest(&answers[3].1),
    ];
    assert_eq!(
        digests,
        [
            0x76f7_b11e_2ee3_5120,
            0x1346_91f3_c93b_6a36,
            0x036b_ed2d_cd76_c2ea,
            0x8972_1656_c35c_c5db
        ],
        "{digests:#x?}"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_answered(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        fit in any::<bool>(),
        positions in 0usize..9,
        bits in 0u32..80,
    ) {
        let p = parameters(8, &[20, 30]);
        let mut bytes = bytes;
        if fit {
            bytes.resize(Fresh::size(&p).0 as usize, 0);
        }
        let _ = check::<Fresh>(&p, &bytes);
        let _ = check::<PublicKey>(&p, &bytes);
        let layout = SwitchedLayout { degree: 8, positions, bits };
        if fit {
            bytes.resize(Switched::size(&layout).0.min(1 << 12) as usize, 0);
        }
        let _ = check::<Switched>(&layout, &bytes);
    }

    #[test]
    fn mutations_are_refused_or_valid(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let p = parameters(16, &[21, 37]);
        let (fresh, public, answers) = samples(&p);
        let mutated = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (at, xor) in &changes {
                let at = at.index(bytes.len());
                bytes[at] ^= xor;
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes
        };
        let _ = check::<Fresh>(&p, &mutated(&fresh));
        let _ = check::<PublicKey>(&p, &mutated(&public));
        for (layout, bytes) in answers {
            let bytes = mutated(&bytes);
            if check::<Switched>(&layout, &bytes).is_ok() {
                // Whatever came, opening it is an answer.
                let answer = Switched::decode(&layout, &bytes).unwrap();
                let key = SecretKey::random(&p, &mut Prg::new(&Seed::insecure_seeded(1)));
                let opened = key.open(&p, layout.bits - 8, &answer, &[0, 3, 5]);
                prop_assert_eq!(opened.len(), 3);
            }
        }
    }
}
