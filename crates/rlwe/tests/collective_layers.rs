//! Layers whose input and weights are shared among servers, against the plain product.

use subrosa_core::{Prg, Seed, Wire};
use subrosa_ring::{ConvShape, conv_acc, mask, matmul_acc};
use subrosa_rlwe::{
    CollectiveKey, CollectiveQuery, Contribution, DecryptionShare, Layer, Parameters,
    ParametersFault, ParametersLiteral, Product, Release, Request, SecretKey,
    collective_parameters_for,
};

fn through<T: Wire>(layout: &T::Layout, value: &T) -> T {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(bytes.len() as u64, T::size(layout).0);
    assert!(T::decode(layout, &[&bytes[..], &[0]].concat()).is_err());
    assert!(T::decode(layout, &bytes[..bytes.len() - 1]).is_err());
    T::decode(layout, &bytes).unwrap()
}

fn plain(product: &Product, bits: u32, x: &[u64], w: &[u64]) -> Vec<u64> {
    let mut out = vec![0; product.out_len()];
    match *product {
        Product::MatMul {
            rows,
            inner,
            columns,
        } => {
            matmul_acc(x, w, &mut out, rows, inner, columns);
        }
        Product::Conv(shape) => conv_acc(64, &shape, x, w, &mut out),
        Product::Diagonal { .. } => unreachable!(),
    }
    out.iter().map(|x| x & mask(bits)).collect()
}

fn accumulate(sum: &mut [u64], term: &[u64]) {
    for (sum, term) in sum.iter_mut().zip(term) {
        *sum = sum.wrapping_add(*term);
    }
}

fn check(
    p: &Parameters,
    product: &Product,
    bits: u32,
    dropped: u32,
    servers: usize,
    release: Release,
) {
    let mut rng = Prg::new(&Seed::insecure_seeded(u64::from(bits)));
    let rng = &mut rng;
    let layer = Layer::dropping(product, p, bits, dropped);
    let taps = layer.packing().l1_taps();
    let keys: Vec<_> = (0..servers).map(|_| SecretKey::random(p, rng)).collect();
    let shares: Vec<_> = keys
        .iter()
        .map(|key| key.key_share(p, &[3; 32], rng))
        .collect();
    let key = CollectiveKey::new(p, [3; 32], &shares).unwrap();

    let [mut x, mut w, mut masks] =
        [product.in_len(), product.weight_len(), product.out_len()].map(|len| vec![0; len]);
    let mut query: Option<CollectiveQuery> = None;
    for _ in 0..servers {
        let part = rng.words(bits, x.len());
        accumulate(&mut x, &part);
        let part = layer.encrypt_collective(&key, &part, 2, rng);
        let part = through(&layer.collective_query_layout(), &part);
        match &mut query {
            Some(query) => query.add(&part),
            None => query = Some(part),
        }
    }
    let query = query.unwrap();
    let mut sums: Vec<Contribution> = Vec::new();
    for _ in 0..servers {
        let part = rng.words(bits, w.len());
        let s = rng.words(bits, masks.len());
        accumulate(&mut w, &part);
        accumulate(&mut masks, &s);
        let part = layer.contribute(&key, &query, &part, &s, 2, rng);
        let part = through(&layer.contribution_layout(), &part);
        match sums.is_empty() {
            true => sums = part,
            false => layer.add_contributions(&mut sums, &part),
        }
    }
    let requests: Vec<_> = sums.iter().map(Contribution::request).collect();
    let requests: Vec<Request> = through(&layer.request_layout(), &requests);
    let mut total = vec![0; product.out_len()];
    let mut shares: Vec<Vec<DecryptionShare>> = Vec::new();
    let smudging = release.smudging(p, bits, taps);
    for key in &keys[1..] {
        let share = match smudging {
            Some(smudging) => layer.smudge(key, &requests, smudging, 2, rng),
            None => {
                let (share, own) = layer.mask(key, &requests, 2, rng);
                accumulate(&mut total, &own);
                share
            }
        };
        shares.push(through(&layer.contribution_layout(), &share));
    }
    accumulate(&mut total, &layer.combine(&keys[0], &sums, &shares, 2));
    let most = match release {
        Release::Masked => servers as u64 / 2,
        Release::Smudged { .. } => 0,
    } + u64::from(dropped > 0);
    let kept = mask(bits - dropped);
    for ((found, out), s) in total.iter().zip(plain(product, bits, &x, &w)).zip(&masks) {
        let exact = (out.wrapping_sub(*s) & mask(bits)) >> dropped;
        let error = found.wrapping_sub(exact).wrapping_add(most) & kept;
        assert!(
            error <= 2 * most,
            "{product:?} {bits} {dropped} {servers} {release:?}"
        );
    }
}

fn products() -> [Product; 2] {
    let shape = ConvShape {
        batch: 1,
        in_channels: 3,
        in_height: 12,
        in_width: 11,
        out_channels: 5,
        kernel_height: 3,
        kernel_width: 3,
        stride: [1; 2],
        dilation: [1; 2],
        pad_begin: [1; 2],
        pad_end: [1; 2],
        groups: 1,
    };
    let dense = Product::MatMul {
        rows: 1,
        inner: 300,
        columns: 40,
    };
    [Product::Conv(shape), dense]
}

const SMUDGED: Release = Release::Smudged {
    coefficients: 1 << 20,
};

#[test]
fn layers_of_shared_weights_are_the_product() {
    for product in &products() {
        for (bits, dropped, servers) in [(40, 0, 2), (40, 12, 3), (64, 0, 8)] {
            let literal = collective_parameters_for(bits, 8192, Release::Masked).unwrap();
            let p = literal.check().unwrap();
            check(&p, product, bits, dropped, servers, Release::Masked);
        }
        let p = collective_parameters_for(40, 8192, SMUDGED)
            .unwrap()
            .check()
            .unwrap();
        for servers in [2, 8] {
            check(&p, product, 40, 0, servers, SMUDGED);
        }
    }
}

/// More queries and answers than one, at a small degree.
#[test]
fn layers_of_many_polynomials() {
    let prime_bits = vec![50; 4];
    let literal = ParametersLiteral {
        degree: 64,
        prime_bits,
    };
    let p = literal.insecure_check().unwrap();
    for product in &products() {
        let packing = Layer::new(product, &p, 40);
        let packing = packing.packing();
        assert!(packing.queries() > 4 && packing.answers() > 4);
        check(&p, product, 40, 0, 3, Release::Masked);
        check(&p, product, 40, 0, 3, SMUDGED);
    }
}

#[test]
fn what_comes_out_does_not_depend_on_threads() {
    let prime_bits = vec![50; 4];
    let literal = ParametersLiteral {
        degree: 64,
        prime_bits,
    };
    let p = literal.insecure_check().unwrap();
    for product in &products() {
        let layer = Layer::new(product, &p, 40);
        let run = |threads: usize| {
            let mut rng = Prg::new(&Seed::insecure_seeded(9));
            let rng = &mut rng;
            let keys = [(); 2].map(|()| SecretKey::random(&p, rng));
            let shares = keys.each_ref().map(|key| key.key_share(&p, &[3; 32], rng));
            let key = CollectiveKey::new(&p, [3; 32], &shares).unwrap();
            let [x, w, s] = [product.in_len(), product.weight_len(), product.out_len()]
                .map(|len| rng.words(40, len));
            let query = layer.encrypt_collective(&key, &x, threads, rng);
            let sums = layer.contribute(&key, &query, &w, &s, threads, rng);
            let requests: Vec<_> = sums.iter().map(Contribution::request).collect();
            let (share, own) = layer.mask(&keys[1], &requests, threads, rng);
            let mut bytes = Vec::new();
            query.encode(&mut bytes);
            sums.encode(&mut bytes);
            share.encode(&mut bytes);
            (
                bytes,
                own,
                layer.combine(&keys[0], &sums, &[share], threads),
            )
        };
        let one = run(1);
        assert!(run(0) == one && run(3) == one);
    }
}

#[test]
fn parameters_are_the_smallest_that_hold() {
    let widths = |bits, release| {
        let literal: ParametersLiteral = collective_parameters_for(bits, 8192, release)?;
        assert_eq!(literal.degree, 8192);
        Ok::<u32, ParametersFault>(literal.prime_bits.iter().sum())
    };
    assert_eq!(widths(40, Release::Masked), Ok(112));
    assert_eq!(widths(64, Release::Masked), Ok(160));
    assert_eq!(widths(40, SMUDGED), Ok(175));
    let few = Release::Smudged {
        coefficients: 1 << 10,
    };
    assert_eq!(widths(64, few), Ok(212));
    let flat = Release::Smudged { coefficients: 1 };
    assert!(widths(40, flat).unwrap() < widths(40, SMUDGED).unwrap());
    assert!(matches!(
        widths(64, SMUDGED),
        Err(ParametersFault::Insecure {
            degree: 8192,
            most: 218,
            ..
        })
    ));
}
