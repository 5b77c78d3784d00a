//! A product of an encrypted input with plain weights.

use super::encode::WeightTile;
use super::parallel::in_parallel;
use super::{Costs, Packing, Product};
use crate::{
    Ciphertext, Eval, Fresh, Hiding, Parameters, Poly, PublicKey, SecretKey, Switched,
    SwitchedLayout, answer_bits,
};
use subrosa_core::{Bytes, Malformed, Prg, Seed, Wire};
use subrosa_ring::mask;

/// Weight polynomials that are held at a time, by each thread.
const WEIGHTS_AT_ONCE: usize = 8;

/// Sums that are held at a time, by each thread.
const SUMS_AT_ONCE: usize = 32;

/// The encrypted input of a [`Layer`].
pub struct Query(Vec<Fresh>);

/// The masked output of a [`Layer`].
#[derive(Debug, PartialEq, Eq)]
pub struct Answer(Vec<Switched>);

impl Wire for Query {
    type Layout = Vec<Parameters>;
    fn size(layout: &Self::Layout) -> Bytes {
        Vec::<Fresh>::size(layout)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        Vec::decode(layout, bytes).map(Self)
    }
}

impl Wire for Answer {
    type Layout = Vec<SwitchedLayout>;
    fn size(layout: &Self::Layout) -> Bytes {
        Vec::<Switched>::size(layout)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        Vec::decode(layout, bytes).map(Self)
    }
}

/// A product as a protocol between the holder of a secret key, who has x, and the holder of w:
/// [`Layer::encrypt`], [`Layer::evaluate`], [`Layer::open`]. Public, equal at both ends.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(super) packing: Packing,
    pub(super) parameters: Parameters,
    pub(super) plain_bits: u32,
    pub(super) kept_bits: u32,
}

impl Layer {
    /// Over Z/2^plain_bits.
    ///
    /// # Panics
    /// Where `plain_bits` is not in 1..=64 or the product's shape is not sound.
    pub fn new(product: &Product, parameters: &Parameters, plain_bits: u32) -> Self {
        Self::dropping(product, parameters, plain_bits, 0)
    }

    /// Over Z/2^plain_bits, of whose results the lowest `dropped` bits are not needed: shares are of the result
    /// divided by 2^dropped, in Z/2^(plain_bits - dropped), off from the quotient by less than two units there. Noise and
    /// bytes of an answer are those of `plain_bits - dropped` bits. This is a truncation without a large-error
    /// event, because the ring narrows with it. Both shares shifted left by `dropped` are shares in
    /// Z/2^plain_bits again, with an error of that size.
    ///
    /// # Panics
    /// As [`Layer::new`], and where no bit is left.
    pub fn dropping(
        product: &Product,
        parameters: &Parameters,
        plain_bits: u32,
        dropped: u32,
    ) -> Self {
        assert!((1..=64).contains(&plain_bits), "elements fit a word");
        assert!(dropped < plain_bits, "a bit is left");
        let kept_bits = plain_bits - dropped;
        let costs = Costs {
            degree: parameters.degree(),
            query_bits: parameters.moduli().map(|modulus| modulus.bits()).sum(),
            answer_bits: answer_bits(kept_bits),
        };
        Self {
            packing: Packing::plan(product, &costs),
            parameters: parameters.clone(),
            plain_bits,
            kept_bits,
        }
    }

    pub fn packing(&self) -> &Packing {
        &self.packing
    }

    pub fn query_layout(&self) -> Vec<Parameters> {
        vec![self.parameters.clone(); self.packing.queries()]
    }

    pub fn answer_layout(&self) -> Vec<SwitchedLayout> {
        let layout = |answer| SwitchedLayout {
            degree: self.packing.degree(),
            positions: self.packing.positions(answer).len(),
            bits: answer_bits(self.kept_bits),
        };
        (0..self.packing.answers()).map(layout).collect()
    }

    pub fn query_bytes(&self) -> Bytes {
        Query::size(&self.query_layout())
    }

    pub fn answer_bytes(&self) -> Bytes {
        Answer::size(&self.answer_layout())
    }

    /// Encrypts x, of which the low `plain_bits` bits count. The result depends on `rng` alone, not on `threads`.
    ///
    /// # Panics
    /// Where x does not fit the product.
    pub fn encrypt(&self, key: &SecretKey, x: &[u64], threads: usize, rng: &mut Prg) -> Query {
        let seeds = seeds(rng, self.packing.queries());
        Query(in_parallel(threads, seeds.len(), |query| {
            let plain = self.packing.encode_input(query, x);
            let scaled = self.parameters.scale(self.plain_bits, &plain);
            key.encrypt(&self.parameters, scaled, &mut Prg::new(&seeds[query]))
        }))
    }

    /// The answer, and this side's share of each output: what is opened plus the share is x w, off by at most one
    /// (see [`Layer::dropping`] for less than all bits). The result depends on `rng` alone, not on `threads`.
    ///
    /// Each thread holds at most 8 weight polynomials and 32 sums; all queries are held.
    ///
    /// # Panics
    /// Where the query is of another layer or w does not fit the product.
    pub fn evaluate(
        &self,
        pk: &PublicKey,
        query: &Query,
        w: &[i64],
        hiding: Hiding,
        threads: usize,
        rng: &mut Prg,
    ) -> (Answer, Vec<u64>) {
        let packing = &self.packing;
        assert_eq!(query.0.len(), packing.queries(), "the query fits the layer");
        let queries = in_parallel(threads, query.0.len(), |i| {
            query.0[i].expand(&self.parameters)
        });
        let seeds = seeds(rng, packing.answers());
        let done = self.each_answer(&queries, w, threads, |answer, sum| {
            let positions = packing.positions(answer);
            let mut rng = Prg::new(&seeds[answer]);
            let (p, bits) = (&self.parameters, self.kept_bits);
            sum.answer(p, pk, bits, &positions, hiding, &mut rng)
        });
        let mut shares = vec![0; packing.out_len()];
        let answers = done
            .into_iter()
            .enumerate()
            .map(|(answer, (switched, share))| {
                scatter(&packing.outputs(answer), &share, &mut shares);
                switched
            });
        (Answer(answers.collect()), shares)
    }

    /// What the answer holds of each output. With the other side's share this is the output.
    ///
    /// # Panics
    /// Where the answer is of another layer.
    pub fn open(&self, key: &SecretKey, answer: &Answer, threads: usize) -> Vec<u64> {
        let packing = &self.packing;
        assert_eq!(
            answer.0.len(),
            packing.answers(),
            "the answer fits the layer"
        );
        let opened = in_parallel(threads, answer.0.len(), |i| {
            let positions = packing.positions(i);
            key.open(&self.parameters, self.kept_bits, &answer.0[i], &positions)
        });
        let mut out = vec![0; packing.out_len()];
        for (i, opened) in opened.iter().enumerate() {
            scatter(&packing.outputs(i), opened, &mut out);
        }
        out
    }

    /// Opened and share together, in Z/2^(plain_bits - dropped).
    pub fn join(&self, opened: &[u64], share: &[u64]) -> Vec<u64> {
        assert_eq!(opened.len(), share.len(), "both are of one layer");
        let sum = |(a, b): (&u64, &u64)| a.wrapping_add(*b) & mask(self.kept_bits);
        opened.iter().zip(share).map(sum).collect()
    }

    /// `finish` of every answer with its sum of products.
    pub(super) fn each_answer<T: Send>(
        &self,
        queries: &[Ciphertext],
        w: &[i64],
        threads: usize,
        finish: impl Fn(usize, Ciphertext) -> T + Sync,
    ) -> Vec<T> {
        let packing = &self.packing;
        let jobs = packing.jobs(threads);
        let done = in_parallel(threads, jobs.len(), |job| {
            let sums = self.sums(queries, w, &jobs[job]);
            let answers = packing.answers_of(&jobs[job]);
            let finish = |(answer, sum)| (answer, finish(answer, sum));
            answers.zip(sums).map(finish).collect::<Vec<_>>()
        });
        let mut done: Vec<_> = done.into_iter().flatten().collect();
        done.sort_unstable_by_key(|(answer, _)| *answer);
        done.into_iter().map(|(_, value)| value).collect()
    }

    fn sums(&self, queries: &[Ciphertext], w: &[i64], job: &Job) -> Vec<Ciphertext> {
        let p = &self.parameters;
        let tiles = self.packing.tiles();
        let mut sums = vec![Ciphertext::zero(p); job.sites.len()];
        let mut weights = vec![p.zero_eval(); tiles.inputs.min(WEIGHTS_AT_ONCE)];
        for first in (0..tiles.inputs).step_by(WEIGHTS_AT_ONCE) {
            let inputs = first..tiles.inputs.min(first + WEIGHTS_AT_ONCE);
            let weights = &mut weights[..inputs.len()];
            for (input, weights) in inputs.zip(weights.iter_mut()) {
                let (group, output) = (job.group, job.output);
                let tile = WeightTile {
                    group,
                    input,
                    output,
                };
                self.set_weights(tile, w, weights);
            }
            for (site, sum) in job.sites.clone().zip(&mut sums) {
                let from = (site * tiles.groups + job.group) * tiles.inputs + first;
                let products: Vec<_> = queries[from..].iter().zip(&*weights).collect();
                sum.multiply_add_all(p, &products);
            }
        }
        sums
    }

    /// The values of a weight polynomial, into memory that is there already.
    fn set_weights(&self, tile: WeightTile, w: &[i64], to: &mut Poly<Eval>) {
        let p = &self.parameters;
        let limbs = to.limbs_mut();
        limbs.fill(0);
        self.packing.place_weights(tile, w, |at, weight| {
            for (limb, modulus) in limbs.chunks_exact_mut(p.degree()).zip(p.moduli()) {
                limb[at] = modulus.residue(weight);
            }
        });
        for (limb, ntt) in limbs.chunks_exact_mut(p.degree()).zip(p.transforms()) {
            ntt.forward(limb);
        }
    }
}

/// Answers that use the same weights.
struct Job {
    group: usize,
    output: usize,
    sites: std::ops::Range<usize>,
}

impl Packing {
    /// All answers, in parts of at most [`SUMS_AT_ONCE`] that use the same weights, and enough parts for all threads.
    fn jobs(&self, threads: usize) -> Vec<Job> {
        let tiles = self.tiles();
        let kinds = tiles.groups * tiles.outputs;
        let parts = threads.max(1).div_ceil(kinds.max(1));
        let size = tiles.sites.div_ceil(parts).clamp(1, SUMS_AT_ONCE);
        let starts = || (0..tiles.sites).step_by(size);
        (0..kinds)
            .flat_map(|kind| {
                starts().map(move |start| Job {
                    group: kind / tiles.outputs,
                    output: kind % tiles.outputs,
                    sites: start..tiles.sites.min(start + size),
                })
            })
            .collect()
    }

    fn answers_of(&self, job: &Job) -> impl Iterator<Item = usize> {
        let tiles = self.tiles();
        let (group, output) = (job.group, job.output);
        let sites = job.sites.clone();
        sites.map(move |site| (site * tiles.groups + group) * tiles.outputs + output)
    }
}

pub(super) fn seeds(rng: &mut Prg, count: usize) -> Vec<Seed> {
    (0..count).map(|_| rng.seed()).collect()
}

pub(super) fn scatter(outputs: &[usize], values: &[u64], to: &mut [u64]) {
    for (output, value) in outputs.iter().zip(values) {
        to[*output] = *value;
    }
}
