//! The compression function of FIPS 180-4, section 6.2.2.

use crate::{bits, check, hex};
use subrosa_garble::{Bit, Builder, Circuit, Owner};

type Word = Vec<Bit>;

fn xor(b: &mut Builder, x: &[Bit], y: &[Bit]) -> Word {
    x.iter().zip(y).map(|(x, y)| b.xor(*x, *y)).collect()
}

fn rotated(x: &[Bit], by: usize) -> Word {
    [&x[by..], &x[..by]].concat()
}

fn shifted(x: &[Bit], by: usize) -> Word {
    let mut out = x[by..].to_vec();
    out.resize(32, Bit::FALSE);
    out
}

fn sigma(b: &mut Builder, x: &[Bit], first: [usize; 2], third: Word) -> Word {
    let sum = xor(b, &rotated(x, first[0]), &rotated(x, first[1]));
    xor(b, &sum, &third)
}

/// Ch(x, y, z): 32 ANDs.
fn choice(b: &mut Builder, x: &[Bit], y: &[Bit], z: &[Bit]) -> Word {
    (0..32).map(|i| b.choose(x[i], y[i], z[i])).collect()
}

/// Maj(x, y, z) = (x + y)(x + z) + x: 32 ANDs.
fn majority(b: &mut Builder, x: &[Bit], y: &[Bit], z: &[Bit]) -> Word {
    (0..32)
        .map(|i| {
            let (p, q) = (b.xor(x[i], y[i]), b.xor(x[i], z[i]));
            let both = b.and(p, q);
            b.xor(both, x[i])
        })
        .collect()
}

/// The first 32 bits of the fractional part of the root of the first primes.
fn constants(count: usize, root: impl Fn(f64) -> f64) -> Vec<i64> {
    let is_prime = |n: &u32| (2..*n).all(|d| !n.is_multiple_of(d));
    let primes = (2u32..).filter(is_prime).take(count);
    primes
        .map(|p| (root(f64::from(p)).fract() * 4_294_967_296.0) as i64)
        .collect()
}

/// Inputs: state of 8 words, block of 16; each word least bit first.
fn compression() -> Circuit {
    let mut b = Builder::new();
    let words = |word: Vec<Bit>| -> Vec<Word> { word.chunks(32).map(<[Bit]>::to_vec).collect() };
    let state = words(b.input("state", Owner::Garbler, 256));
    let mut w = words(b.input("block", Owner::Evaluator, 512));
    for t in 16..64 {
        let s0 = sigma(&mut b, &w[t - 15], [7, 18], shifted(&w[t - 15], 3));
        let s1 = sigma(&mut b, &w[t - 2], [17, 19], shifted(&w[t - 2], 10));
        let sum = b.add(&s1, &w[t - 7]);
        let sum = b.add(&sum, &s0);
        let sum = b.add(&sum, &w[t - 16]);
        w.push(sum);
    }
    let mut v = state.clone();
    for (t, k) in constants(64, f64::cbrt).into_iter().enumerate() {
        let s1 = sigma(&mut b, &v[4], [6, 11], rotated(&v[4], 25));
        let chosen = choice(&mut b, &v[4], &v[5], &v[6]);
        let k = b.constant(k, 32);
        let mut t1 = b.add(&w[t], &k);
        for term in [&v[7], &s1, &chosen] {
            t1 = b.add(&t1, term);
        }
        let s0 = sigma(&mut b, &v[0], [2, 13], rotated(&v[0], 22));
        let most = majority(&mut b, &v[0], &v[1], &v[2]);
        let t2 = b.add(&s0, &most);
        v.pop();
        v[3] = b.add(&v[3], &t1);
        let first = b.add(&t1, &t2);
        v.insert(0, first);
    }
    let out: Vec<Word> = state.iter().zip(&v).map(|(s, v)| b.add(s, v)).collect();
    b.output("out", &out.concat());
    b.finish()
}

fn word_bits(words: impl IntoIterator<Item = u32>) -> Vec<bool> {
    words
        .into_iter()
        .flat_map(|word| bits(&word.to_le_bytes()))
        .collect()
}

/// A message of less than 56 bytes as its one padded block.
fn padded(message: &[u8]) -> Vec<bool> {
    let mut block = message.to_vec();
    block.push(0x80);
    block.resize(56, 0);
    block.extend((message.len() as u64 * 8).to_be_bytes());
    big_endian(&block)
}

fn big_endian(bytes: &[u8]) -> Vec<bool> {
    word_bits(
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|word| u32::from_be_bytes(*word)),
    )
}

#[test]
fn sha_256() {
    let circuit = compression();
    // 48 sums of 3 in the schedule, of 64 rounds 7 sums (that of the constant a little cheaper) and two selections, 8 last sums.
    assert!(circuit.ands() <= 31 * (48 * 3 + 64 * 7 + 8) + 64 * 64);
    let initial = constants(8, f64::sqrt).into_iter().map(|word| word as u32);
    let initial = word_bits(initial);
    let examples: [(&[u8], &str); 2] = [
        (
            b"abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            b"",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ];
    let inputs = examples.map(|(message, _)| [initial.clone(), padded(message)].concat());
    let expected = examples.map(|(_, digest)| big_endian(&hex(digest)));
    check(&circuit, &inputs, &expected);
}
