//! The offline phase of a server: its shares of the mask of every value.

use crate::activation::{self, Shape};
use crate::keys::Keys;
use crate::mesh::Mesh;
use crate::ots::Ots;
use crate::piece::{Activation, Piece};
use crate::price::{hidden, result};
use crate::refresh::Refresh;
use crate::scheme::{Scheme, Step};
use crate::servers::Servers;
use crate::shares::Shares;
use crate::walk::{Known, Reading, Walk, values, words};
use std::slice::Iter;
use subrosa_core::{Prg, Shelf, Words, WordsLayout};
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_net::{LocalFault, RunError, Session};
use subrosa_ring::{BitMatrix, add_into, mask, mask_into};
use subrosa_share::flow::Flow;

/// The whole offline phase. masks: this server's share λ^j of the mask of each input, as [`Scheme::inputs`] has it, uniform ->
/// its share of the mask of each output, as [`Scheme::outputs`] has it.
///
/// # Errors
/// [`LocalFault::Invariant`] where `servers` or `masks` are not the scheme's.
#[allow(clippy::too_many_arguments)]
pub fn prepare_all(
    scheme: &Scheme,
    keys: &Keys,
    part: &Shares,
    servers: &Servers,
    masks: Vec<Words>,
    shelf: &mut dyn Shelf<Piece>,
    threads: usize,
    s: &mut Session,
) -> Result<Vec<Words>, RunError> {
    scheme.check(servers, &masks)?;
    let preparing = Preparing {
        scheme,
        keys,
        part,
        steps: scheme.steps.iter(),
        prg: Prg::new(&s.seed()),
        ots: Ots::new(&keys.ots, &scheme.ots(), servers, s)?,
        shelf,
        threads,
        mesh: Mesh::new(servers, s),
    };
    let mut flow = Flow::new(&scheme.graph, 0, Walk::new(preparing));
    let outputs = flow.run(values(&scheme.inputs, masks))?;
    Ok(words(&outputs))
}

struct Preparing<'a> {
    scheme: &'a Scheme,
    keys: &'a Keys,
    part: &'a Shares,
    steps: Iter<'a, Step>,
    prg: Prg,
    ots: Ots,
    shelf: &'a mut dyn Shelf<Piece>,
    threads: usize,
    mesh: Mesh<'a>,
}

impl Reading for Preparing<'_> {
    type Error = RunError;
    const LIVE: bool = true;
    const PUBLIC: bool = false;

    fn linear(&mut self, linear: &Linear, _: u32, x: &[u64]) -> Result<Vec<u64>, RunError> {
        let Some(Step::Linear(product)) = self.steps.next() else {
            return Err(LocalFault::Invariant.into());
        };
        let weight = self.part.get(linear.weight);
        let (prg, mesh) = (&mut self.prg, &mut self.mesh);
        let mut values = product.prepare(self.keys, weight, x, self.threads, prg, mesh)?;
        if let Some(bias) = linear.bias {
            self.part
                .add_bias(bias, &linear.kind.bias_spread(), &mut values);
        }
        let bits = product.out.bits;
        let fresh = self.prg.words(bits, product.out.count);
        subrosa_ring::sub_into(&mut values, &fresh);
        mask_into(&mut values, bits);
        self.shelf.put(Piece::Words(Words { bits, values }))?;
        Ok(fresh)
    }

    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]) {
        self.part.add_bias(weight, spread, x);
    }

    fn refresh(&mut self, refresh: Refresh, by: u32, x: &[u64]) -> Result<Known, RunError> {
        self.steps.next();
        let mask = refresh.prepare(by, x, &mut self.ots, &mut self.prg, &mut self.mesh)?;
        self.shelf.put(Piece::Words(mask.delta))?;
        Ok((mask.share, mask.bits))
    }

    fn activate(
        &mut self,
        shapes: &[Shape],
        of: &[Vec<Known>],
        added: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        self.steps.next();
        let layout = result(shapes);
        let mut fresh = Vec::with_capacity(layout.count);
        for (shape, of) in shapes.iter().zip(of) {
            let bits = stack(shape.lanes, of.iter().map(|(_, bits)| bits));
            fresh.extend(self.one(shape, &bits)?);
        }
        add_some(&mut fresh, added, layout.bits);
        Ok(fresh)
    }
}

impl Preparing<'_> {
    /// The results' bits are v = e + l mod 2; l is made additive, and the result gets a fresh mask. bits: this server's shares of
    /// the operands' masks.
    fn one(&mut self, shape: &Shape, bits: &BitMatrix) -> Result<Vec<u64>, RunError> {
        let (ots, prg, mesh) = (&mut self.ots, &mut self.prg, &mut self.mesh);
        let garbling = self.scheme.garbling;
        let (circuit, l) = activation::prepare(shape, garbling, bits, ots, prg, mesh)?;
        let conversion = hidden(shape);
        let columns = conversion.convert(&l, ots, mesh)?;
        let pairs = conversion.widths.iter().zip(columns);
        let bits = pairs.map(|(bits, values)| Words {
            bits: *bits,
            values,
        });
        let WordsLayout { count, bits: wide } = result(&[*shape]);
        let values = self.prg.words(wide, count);
        let piece = Activation {
            circuit,
            bits: bits.collect(),
            mask: Words {
                bits: wide,
                values: values.clone(),
            },
        };
        self.shelf.put(Piece::Activation(Box::new(piece)))?;
        Ok(values)
    }
}

/// Planes of one value after those of the other.
pub(crate) fn stack<'a>(lanes: usize, of: impl Iterator<Item = &'a BitMatrix>) -> BitMatrix {
    let (mut planes, mut words) = (0, Vec::new());
    for bits in of {
        planes += bits.planes();
        words.extend_from_slice(bits.words());
    }
    BitMatrix::from_words(planes, lanes, words)
}

/// Adds what there is to add.
pub(crate) fn add_some(to: &mut [u64], added: &[u64], bits: u32) {
    if added.len() == to.len() {
        add_into(to, added);
        to.iter_mut().for_each(|x| *x &= mask(bits));
    }
}
