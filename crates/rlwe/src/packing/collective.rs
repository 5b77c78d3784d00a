//! A product of an input with weights, both shared among servers, under their collective key.

use super::Layer;
use super::layer::{scatter, seeds};
use super::parallel::in_parallel;
use crate::wire::{decode_residues, encode_residues, residues_size};
use crate::{
    Ciphertext, CollectiveKey, Contribution, DecryptionShare, Parameters, Poly, PositionsLayout,
    Request, SecretKey, Smudging,
};
use subrosa_core::{Bytes, Malformed, Prg, Wire};
use subrosa_ring::mask;

/// The input of a [`Layer`] under a collective key.
#[derive(Clone)]
pub struct CollectiveQuery {
    parameters: Parameters,
    ciphertexts: Vec<Ciphertext>,
}

/// Shape of a [`CollectiveQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectiveQueryLayout {
    pub parameters: Parameters,
    pub ciphertexts: usize,
}

impl CollectiveQuery {
    /// Adds what another server encrypted: the input is the sum.
    ///
    /// # Panics
    /// Where the other one is of another layer.
    pub fn add(&mut self, other: &CollectiveQuery) {
        assert_eq!(self.ciphertexts.len(), other.ciphertexts.len());
        for (sum, term) in self.ciphertexts.iter_mut().zip(&other.ciphertexts) {
            sum.add(&self.parameters, term);
        }
    }
}

/// c0 and c1 of one ciphertext after the other.
impl Wire for CollectiveQuery {
    type Layout = CollectiveQueryLayout;
    fn size(layout: &CollectiveQueryLayout) -> Bytes {
        let p = &layout.parameters;
        Bytes(2 * layout.ciphertexts as u64 * residues_size(p, p.degree()).0)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        for ciphertext in &self.ciphertexts {
            for part in [&ciphertext.c0, &ciphertext.c1] {
                encode_residues(&self.parameters, part.limbs(), out);
            }
        }
    }
    fn decode(layout: &CollectiveQueryLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let (p, expected) = (&layout.parameters, Self::size(layout).0);
        if bytes.len() as u64 != expected {
            return Err(Malformed::Length {
                expected,
                found: bytes.len() as u64,
            });
        }
        let half = residues_size(p, p.degree()).0 as usize;
        let part = |bytes: &[u8]| decode_residues(p, p.degree(), bytes).map(Poly::from_limbs);
        let ciphertext = |bytes: &[u8]| {
            let (c0, c1) = bytes.split_at(half);
            Ok(Ciphertext {
                c0: part(c0)?,
                c1: part(c1)?,
            })
        };
        let ciphertexts: Result<_, _> = bytes.chunks_exact(2 * half).map(ciphertext).collect();
        Ok(CollectiveQuery {
            parameters: p.clone(),
            ciphertexts: ciphertexts?,
        })
    }
}

/// [`Layer::encrypt_collective`] and [`Layer::contribute`] at every server, the sums of both, then [`Layer::mask`] or
/// [`Layer::smudge`] at all servers but one and [`Layer::combine`] there. Of a [`dropping`](Layer::dropping) layer what
/// is opened is divided and in Z/2^(plain_bits - dropped). No result depends on `threads`.
impl Layer {
    pub fn collective_query_layout(&self) -> CollectiveQueryLayout {
        CollectiveQueryLayout {
            parameters: self.parameters.clone(),
            ciphertexts: self.packing.queries(),
        }
    }

    /// Of contributions, and of decryption shares.
    pub fn contribution_layout(&self) -> Vec<PositionsLayout> {
        let layout = |answer| PositionsLayout {
            parameters: self.parameters.clone(),
            positions: self.packing.positions(answer).len(),
        };
        (0..self.packing.answers()).map(layout).collect()
    }

    pub fn request_layout(&self) -> Vec<Parameters> {
        vec![self.parameters.clone(); self.packing.answers()]
    }

    /// Encrypts a share of x.
    ///
    /// # Panics
    /// Where x does not fit the product.
    pub fn encrypt_collective(
        &self,
        key: &CollectiveKey,
        x: &[u64],
        threads: usize,
        rng: &mut Prg,
    ) -> CollectiveQuery {
        let (p, seeds) = (&self.parameters, seeds(rng, self.packing.queries()));
        let ciphertexts = in_parallel(threads, seeds.len(), |query| {
            let scaled = p.scale(self.plain_bits, &self.packing.encode_input(query, x));
            key.encrypt(p, scaled, &mut Prg::new(&seeds[query]))
        });
        CollectiveQuery {
            parameters: p.clone(),
            ciphertexts,
        }
    }

    /// x w - s for this server's share w of the weights and its mask s, [out_len], both in Z/2^plain_bits. For each answer
    /// re-randomised at the full modulus, and without the coefficients that are not outputs: they hold partial sums.
    ///
    /// # Panics
    /// Where the query is of another layer or w or s do not fit the product.
    pub fn contribute(
        &self,
        key: &CollectiveKey,
        query: &CollectiveQuery,
        w: &[u64],
        s: &[u64],
        threads: usize,
        rng: &mut Prg,
    ) -> Vec<Contribution> {
        let (p, packing) = (&self.parameters, &self.packing);
        assert_eq!(query.ciphertexts.len(), packing.queries());
        assert_eq!(s.len(), packing.out_len(), "the mask fits the product");
        let unused = 64 - self.plain_bits;
        let centred = |w: &u64| (w << unused) as i64 >> unused;
        let w: Vec<i64> = w.iter().map(centred).collect();
        let seeds = seeds(rng, packing.answers());
        self.each_answer(&query.ciphertexts, &w, threads, |answer, mut sum| {
            let positions = packing.positions(answer);
            let mut negated = vec![0; p.degree()];
            for (at, output) in positions.iter().zip(packing.outputs(answer)) {
                negated[*at] = s[output].wrapping_neg() & mask(self.plain_bits);
            }
            sum.add_plain(p, &p.scale(self.plain_bits, &negated).into_eval(p));
            sum.contribute(p, key, &positions, &mut Prg::new(&seeds[answer]))
        })
    }

    /// The sum of all contributions: of (x_1 + .. + x_n) (w_1 + .. + w_n) less all masks.
    ///
    /// # Panics
    /// Where one is of another layer.
    pub fn add_contributions(&self, to: &mut [Contribution], other: &[Contribution]) {
        assert_eq!(to.len(), other.len(), "both are of one layer");
        for (to, other) in to.iter_mut().zip(other) {
            to.add(&self.parameters, other);
        }
    }

    /// A masked share of each answer for the receiver, and this server's share of each output.
    ///
    /// # Panics
    /// Where the requests are of another layer.
    pub fn mask(
        &self,
        key: &SecretKey,
        requests: &[Request],
        threads: usize,
        rng: &mut Prg,
    ) -> (Vec<DecryptionShare>, Vec<u64>) {
        let done = self.each_request(requests, threads, rng, |request, positions, rng| {
            key.mask(&self.parameters, self.kept_bits, request, positions, rng)
        });
        let mut own = vec![0; self.packing.out_len()];
        let shares = done
            .into_iter()
            .enumerate()
            .map(|(answer, (share, values))| {
                scatter(&self.packing.outputs(answer), &values, &mut own);
                share
            });
        (shares.collect(), own)
    }

    /// A smudged share of each answer for the receiver. It hides noise only: of a [`dropping`](Layer::dropping) layer the
    /// receiver reads the bits that are dropped too, so the masks of [`Layer::contribute`] are to cover all bits.
    ///
    /// # Panics
    /// Where the requests are of another layer.
    pub fn smudge(
        &self,
        key: &SecretKey,
        requests: &[Request],
        smudging: Smudging,
        threads: usize,
        rng: &mut Prg,
    ) -> Vec<DecryptionShare> {
        self.each_request(requests, threads, rng, |request, positions, rng| {
            key.smudge(&self.parameters, request, positions, smudging, rng)
        })
    }

    fn each_request<T: Send>(
        &self,
        requests: &[Request],
        threads: usize,
        rng: &mut Prg,
        share: impl Fn(&Request, &[usize], &mut Prg) -> T + Sync,
    ) -> Vec<T> {
        let answers = self.packing.answers();
        assert_eq!(requests.len(), answers, "the requests fit the layer");
        let seeds = seeds(rng, answers);
        in_parallel(threads, answers, |answer| {
            let positions = self.packing.positions(answer);
            share(&requests[answer], &positions, &mut Prg::new(&seeds[answer]))
        })
    }

    /// The receiver's share of each output, or the output itself, as [`SecretKey::combine`]; `shares` by server.
    ///
    /// # Panics
    /// Where the sums or shares are of another layer.
    pub fn combine(
        &self,
        key: &SecretKey,
        sums: &[Contribution],
        shares: &[Vec<DecryptionShare>],
        threads: usize,
    ) -> Vec<u64> {
        let packing = &self.packing;
        assert_eq!(sums.len(), packing.answers(), "the sums fit the layer");
        let opened = in_parallel(threads, sums.len(), |answer| {
            let of_server = |shares: &Vec<DecryptionShare>| shares[answer].clone();
            let shares: Vec<_> = shares.iter().map(of_server).collect();
            let (p, positions) = (&self.parameters, packing.positions(answer));
            key.combine(p, self.kept_bits, &sums[answer], &positions, &shares)
        });
        let mut out = vec![0; packing.out_len()];
        for (answer, opened) in opened.iter().enumerate() {
            scatter(&packing.outputs(answer), opened, &mut out);
        }
        out
    }
}
