//! Keys of several servers: what they open, what all but one of them see, what noise tells.

mod schoolbook;

use schoolbook::{distance, masked, negacyclic, small_weights, words};
use subrosa_core::{Malformed, Prg, Seed, Wire};
use subrosa_rlwe::noise::{self, Noise};
use subrosa_rlwe::{
    Ciphertext, CollectiveKey, Contribution, DecryptionShare, KeyShare, Parameters,
    ParametersLiteral, PositionsLayout, Request, SecretKey, ServersFault, Smudging, SwitchShare,
};

fn parameters(degree: usize, prime_bits: &[u32]) -> Parameters {
    let prime_bits = prime_bits.to_vec();
    ParametersLiteral { degree, prime_bits }
        .insecure_check()
        .unwrap()
}

struct Servers {
    p: Parameters,
    secrets: Vec<SecretKey>,
    key: CollectiveKey,
    rng: Prg,
}

impl Servers {
    fn new(p: &Parameters, count: usize, seed: u64) -> Servers {
        let mut rng = Prg::new(&Seed::insecure_seeded(seed));
        let common = *rng.seed().reveal();
        let secrets: Vec<_> = (0..count).map(|_| SecretKey::random(p, &mut rng)).collect();
        let share = |secret: &SecretKey| through(p, &secret.key_share(p, &common, &mut rng));
        let shares: Vec<KeyShare> = secrets.iter().map(share).collect();
        let key = through(p, &CollectiveKey::new(p, common, &shares).unwrap());
        let p = p.clone();
        Servers {
            p,
            secrets,
            key,
            rng,
        }
    }

    /// Every server encrypts, weighs the sum of all by w_j and contributes: messages and sum.
    fn contribute(
        &mut self,
        plain_bits: u32,
        weights: &[Vec<i64>],
        positions: &[usize],
    ) -> (Vec<u64>, Contribution) {
        let Servers { p, key, rng, .. } = self;
        let n = p.degree();
        let mut input = vec![0u64; n];
        let mut query = Ciphertext::zero(p);
        for _ in weights {
            let m = rng.words(plain_bits, n);
            query.add(p, &key.encrypt(p, p.scale(plain_bits, &m), rng));
            let terms = input.iter_mut().zip(&m);
            terms.for_each(|(input, m)| *input = input.wrapping_add(*m));
        }
        let mut message = vec![0u64; n];
        let mut sum: Option<Contribution> = None;
        for w in weights {
            let mut product = Ciphertext::zero(p);
            product.multiply_add(p, &query, &p.lift(w).into_eval(p));
            for (message, term) in message.iter_mut().zip(negacyclic(&input, w)) {
                *message = message.wrapping_add(term);
            }
            let layout = layout(p, positions.len());
            let part = through(&layout, &product.contribute(p, key, positions, rng));
            match &mut sum {
                Some(sum) => sum.add(p, &part),
                None => sum = Some(part),
            }
        }
        let opened = positions
            .iter()
            .map(|at| message[*at] & ((1 << plain_bits) - 1));
        (opened.collect(), sum.unwrap())
    }

    /// What the first server reads with bare shares of the others, in Z/2^bits.
    fn read(&self, bits: u32, sum: &Contribution, positions: &[usize]) -> Vec<u128> {
        let request = sum.request();
        let others = self.secrets[1..].iter();
        let shares: Vec<_> = others
            .map(|secret| secret.insecure_share(&self.p, &request, positions))
            .collect();
        self.secrets[0].combine_unrounded(&self.p, bits, sum, positions, &shares)
    }
}

fn layout(p: &Parameters, positions: usize) -> PositionsLayout {
    let parameters = p.clone();
    PositionsLayout {
        parameters,
        positions,
    }
}

fn encoded<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

fn through<T: Wire>(layout: &T::Layout, value: &T) -> T {
    let bytes = encoded(value);
    assert_eq!(bytes.len() as u64, T::size(layout).0);
    T::decode(layout, &bytes).unwrap()
}

fn check(p: &Parameters, servers: usize, plain_bits: u32, largest: i64) {
    let mut all = Servers::new(p, servers, servers as u64);
    let weights: Vec<_> = (0..servers as u64)
        .map(|i| {
            let mut w = vec![0; p.degree()];
            w[..9].copy_from_slice(&small_weights(i, 9, largest));
            w
        })
        .collect();
    let positions: Vec<usize> = (0..p.degree()).step_by(3).rev().collect();
    let count = positions.len() as f64;
    let noise = Noise::of_contributions(p, servers, 9.0 * largest as f64);
    assert!(noise::decrypts(p, plain_bits, noise, count));
    let (message, sum) = all.contribute(plain_bits, &weights, &positions);
    let request: Request = through(p, &sum.request());
    let shape = layout(p, positions.len());
    let Servers { secrets, rng, .. } = &mut all;

    let mut total = vec![0u64; positions.len()];
    let mut shares: Vec<DecryptionShare> = Vec::new();
    for secret in &secrets[1..] {
        let (share, own) = secret.mask(p, plain_bits, &request, &positions, rng);
        shares.push(through(&shape, &share));
        total
            .iter_mut()
            .zip(own)
            .for_each(|(t, x)| *t = t.wrapping_add(x));
    }
    let own = secrets[0].combine(p, plain_bits, &sum, &positions, &shares);
    for ((total, own), message) in total.iter().zip(own).zip(&message) {
        let most = servers as u64 / 2;
        let error = total
            .wrapping_add(own)
            .wrapping_sub(*message)
            .wrapping_add(most);
        assert!(masked(error.into(), plain_bits) <= 2 * most, "{servers}");
    }

    let smudging = Smudging::of(noise, count);
    assert!(smudging.decrypts(p, plain_bits, servers, noise, count));
    let smudge = |secret: &SecretKey| secret.smudge(p, &request, &positions, smudging, rng);
    let shares: Vec<_> = secrets[1..].iter().map(smudge).collect();
    assert_eq!(
        secrets[0].combine(p, plain_bits, &sum, &positions, &shares),
        message
    );
}

#[test]
fn sums_open_under_the_key_of_a_user() {
    let (p, plain_bits) = (parameters(1024, &[50, 50, 50, 50]), 40);
    for servers in [2, 3, 8] {
        let mut all = Servers::new(&p, servers, 20 + servers as u64);
        let user = SecretKey::random(&p, &mut all.rng);
        let public = user.public_key(&p, &mut all.rng);
        let mut w = vec![0; p.degree()];
        w[..9].copy_from_slice(&small_weights(1, 9, 1 << 39));
        let positions: Vec<usize> = (1..p.degree()).step_by(5).collect();
        let count = positions.len() as f64;
        let (message, sum) = all.contribute(plain_bits, &vec![w; servers], &positions);
        let noise = Noise::of_contributions(&p, servers, 9.0 * f64::from(39).exp2());
        let noise = noise.switched_to_user(&p, servers);
        let smudging = Smudging::of(noise, count);
        assert!(smudging.decrypts(&p, plain_bits, servers, noise, count));
        let (request, shape) = (sum.request(), layout(&p, positions.len()));
        let Servers { secrets, rng, .. } = &mut all;
        let smudge = |secret: &SecretKey| {
            let share = secret.smudge_for(&p, &public, &request, &positions, smudging, rng);
            through::<SwitchShare>(&shape, &share)
        };
        let shares: Vec<_> = secrets.iter().map(smudge).collect();
        let open = |shares: &[SwitchShare]| {
            let switched = through(&shape, &sum.switch(&p, shares));
            user.combine(&p, plain_bits, &switched, &positions, &[])
        };
        assert_eq!(open(&shares), message);
        assert!(open(&shares[1..]).iter().zip(&message).all(|(x, m)| x != m));

        let mut total = vec![0u64; positions.len()];
        let mut shares = Vec::new();
        for secret in secrets.iter() {
            let (share, own) = secret.mask_for(&p, &public, plain_bits, &request, &positions, rng);
            shares.push(share);
            let sums = total.iter_mut().zip(own);
            sums.for_each(|(sum, x)| *sum = sum.wrapping_add(x));
        }
        let most = servers as u64 / 2 + 1;
        for ((total, own), message) in total.iter().zip(open(&shares)).zip(&message) {
            let error = total
                .wrapping_add(own)
                .wrapping_sub(*message)
                .wrapping_add(most);
            assert!(masked(error.into(), plain_bits) <= 2 * most, "{servers}");
        }
    }
}

#[test]
fn sums_open_to_the_message_or_to_shares_of_it() {
    let p = parameters(1024, &[50, 50, 50, 50]);
    for servers in [2, 3, 8] {
        check(&p, servers, 40, 1 << 39);
    }
    check(&parameters(64, &[50, 36, 44, 50]), 3, 60, 1 << 50);
}

/// 2 sum of squares of deviations in units of the expected count, less its mean, in deviations.
fn chi_square(values: &[u64], bits: u32) -> f64 {
    let cells = 1usize << 6;
    let mut counts = vec![0f64; cells];
    values
        .iter()
        .for_each(|x| counts[(x >> (bits - 6)) as usize] += 1.0);
    let expected = values.len() as f64 / cells as f64;
    let sum: f64 = counts
        .iter()
        .map(|c| (c - expected) * (c - expected) / expected)
        .sum();
    let freedom = cells as f64 - 1.0;
    (sum - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn all_but_one_read_nothing() {
    let (p, plain_bits) = (parameters(8192, &[50, 50, 50]), 20);
    let positions: Vec<usize> = (0..p.degree()).collect();
    let mut all = Servers::new(&p, 3, 7);
    let zero = p.scale(plain_bits, &[]);
    let sum =
        all.key
            .encrypt(&p, zero, &mut all.rng)
            .contribute(&p, &all.key, &positions, &mut all.rng);
    let request = sum.request();
    let Servers { secrets, rng, .. } = &mut all;
    let bare = |i: usize| secrets[i].insecure_share(&p, &request, &positions);
    let read =
        |shares: &[DecryptionShare]| secrets[0].combine(&p, plain_bits, &sum, &positions, shares);
    let whole = read(&[bare(1), bare(2)]);
    assert!(whole.iter().all(|x| *x == 0) && chi_square(&whole, plain_bits) > 1e3);
    // Without one server, whichever, and with a masked share of it.
    for others in [vec![bare(1)], vec![bare(2)], vec![]] {
        assert!(chi_square(&read(&others), plain_bits).abs() < 6.0);
    }
    let (hidden, _) = secrets[2].mask(&p, plain_bits, &request, &positions, rng);
    assert!(chi_square(&read(&[bare(1), hidden]), plain_bits).abs() < 6.0);
}

#[test]
fn noise_tells_the_size_of_weights_unless_it_is_smudged() {
    // q is so near to 2^72 that the phase is read to the last place.
    let p = parameters(256, &[36, 36]);
    let positions: Vec<usize> = (0..p.degree()).collect();
    let noise = Noise::of_contributions(&p, 2, 127.0 * 9.0);
    let smudging = Smudging::of(noise, 1.0);
    let mut seed = 0;
    let mut of = |weight: i64, smudged: bool| -> Vec<u128> {
        seed += 1;
        let mut all = Servers::new(&p, 2, seed);
        let mut w = vec![0; p.degree()];
        w[..9].fill(weight);
        let product = p.lift(&w).into_eval(&p);
        let mut seen = Vec::new();
        for _ in 0..16 {
            let Servers {
                key, rng, secrets, ..
            } = &mut all;
            let mut sum = Ciphertext::zero(&p);
            let query = key.encrypt(&p, p.scale(2, &[]), rng);
            sum.multiply_add(&p, &query, &product);
            let sum = sum.contribute(&p, key, &positions, rng);
            let request = sum.request();
            let share = match smudged {
                true => secrets[1].smudge(&p, &request, &positions, smudging, rng),
                false => secrets[1].insecure_share(&p, &request, &positions),
            };
            let read = secrets[0].combine_unrounded(&p, 72, &sum, &positions, &[share]);
            // Half of the range is added, so that noise of both signs is near its middle.
            seen.extend(read.iter().map(|x| (x + (1 << 71)) % (1 << 72)));
        }
        seen
    };
    assert!(distance(of(0, false), of(127, false)) > 4.0);
    assert!(distance(of(0, true), of(127, true)) < 2.0);
    // The test itself: two samples of the same kind are not told apart.
    assert!(distance(of(127, false), of(127, false)) < 2.0);
}

#[test]
fn noise_is_within_the_derived_bounds() {
    let p = parameters(1024, &[45]);
    let positions: Vec<usize> = (0..p.degree()).collect();
    let unit = (p.log_q() - 72.0).exp2();
    for servers in [2, 8] {
        let weight = 1000;
        let mut w = vec![0; p.degree()];
        w[5] = weight;
        let derived = [
            Noise::collective(&p, servers).rerandomised_by(&p, servers),
            Noise::of_contributions(&p, servers, weight as f64),
        ];
        let (mut largest, mut squares, mut count) = ([0f64; 2], [0f64; 2], 0.0);
        for seed in 0..5 {
            let mut all = Servers::new(&p, servers, seed);
            for _ in 0..1200 / servers {
                let Servers { key, rng, .. } = &mut all;
                let fresh = key.encrypt(&p, p.scale(4, &[]), rng);
                let fresh = fresh.contribute(&p, key, &positions, rng);
                let (message, sum) = all.contribute(4, &vec![w.clone(); servers], &positions);
                let noises = [(vec![0; p.degree()], fresh), (message, sum)];
                for (i, (message, sum)) in noises.iter().enumerate() {
                    for (x, m) in all.read(72, sum, &positions).iter().zip(message) {
                        let error = x.wrapping_sub(u128::from(*m) << 68) << 56;
                        let error = ((error as i128 >> 56) as f64 * unit).abs();
                        largest[i] = largest[i].max(error);
                        squares[i] += error * error;
                    }
                }
                count += p.degree() as f64;
            }
        }
        for i in 0..2 {
            let bound = derived[i].bound(40.0 + count.log2());
            let deviation = (squares[i] / count).sqrt();
            println!(
                "{servers} {i}: {deviation:.0} of {:.0}, {:.0} of {bound:.0}",
                derived[i].deviation(),
                largest[i]
            );
            assert!(
                largest[i] <= bound && largest[i] > bound / 8.0,
                "{servers} {i}"
            );
            assert!(deviation <= derived[i].deviation(), "{servers} {i}");
            assert!(deviation > derived[i].deviation() * 0.7, "{servers} {i}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let p = parameters(64, &[40, 24]);
    let mut all = Servers::new(&p, 2, 1);
    let share = all.secrets[0].key_share(&p, &[0; 32], &mut all.rng);
    for found in [0, 1, 10] {
        let fault = CollectiveKey::new(&p, [0; 32], &vec![share.clone(); found]).err();
        assert_eq!(fault, Some(ServersFault { found }));
    }
    let positions = [3, 1, 60];
    let shape = layout(&p, positions.len());
    let (_, sum) = all.contribute(
        4,
        &vec![words(1, 64, 3).iter().map(|x| *x as i64).collect(); 2],
        &positions,
    );
    let share = all.secrets[0].insecure_share(&p, &sum.request(), &positions);
    refuses::<KeyShare>(
        &p,
        &encoded(&all.secrets[0].key_share(&p, &[0; 32], &mut all.rng)),
    );
    refuses::<CollectiveKey>(&p, &encoded(&all.key));
    refuses::<Request>(&p, &encoded(&sum.request()));
    refuses::<Contribution>(&shape, &encoded(&sum));
    refuses::<DecryptionShare>(&shape, &encoded(&share));
    let user = all.secrets[1].public_key(&p, &mut all.rng);
    let request = sum.request();
    let (share, _) = all.secrets[0].mask_for(&p, &user, 4, &request, &positions, &mut all.rng);
    refuses::<SwitchShare>(&shape, &encoded(&share));
}

/// Every other length, and a first residue from its prime on; the first limb has 40 bits.
fn refuses<T: Wire>(layout: &T::Layout, bytes: &[u8]) {
    assert!(T::decode(layout, bytes).is_ok());
    for cut in 0..bytes.len() {
        let length = T::decode(layout, &bytes[..cut]).err();
        assert!(matches!(length, Some(Malformed::Length { .. })));
    }
    let longer = T::decode(layout, &[bytes, &[0]].concat()).err();
    assert!(matches!(longer, Some(Malformed::Length { .. })));
    let mut beyond = bytes.to_vec();
    beyond[..5].fill(0xff);
    assert_eq!(T::decode(layout, &beyond).err(), Some(Malformed::Range));
}
