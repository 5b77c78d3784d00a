//! The online phase of a server: every value less its mask.

use crate::activation::{self, Shape};
use crate::mesh::Mesh;
use crate::piece::Piece;
use crate::prepare::{add_some, stack};
use crate::price::result;
use crate::refresh::{Refresh, open};
use crate::scheme::Scheme;
use crate::servers::{Place, Servers};
use crate::shares::Shares;
use crate::walk::{Known, Reading, Walk, values, words};
use subrosa_core::{Stock, Words, WordsLayout};
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_net::{RunError, Session};
use subrosa_ring::{BitMatrix, add_into, expand_bits, mask_into, sub_into, to_planes};
use subrosa_share::flow::Flow;
use subrosa_share::step::Kind;

/// From masked inputs c, which all servers know, to masked outputs: as [`Scheme::inputs`] and [`Scheme::outputs`] have them.
///
/// # Errors
/// [`LocalFault::Invariant`](subrosa_net::LocalFault::Invariant) where `servers` or `inputs` are not the scheme's.
pub fn evaluate_all(
    scheme: &Scheme,
    part: &Shares,
    servers: &Servers,
    stock: Stock<Piece>,
    inputs: Vec<Words>,
    threads: usize,
    s: &mut Session,
) -> Result<Vec<Words>, RunError> {
    scheme.check(servers, &inputs)?;
    let evaluating = Evaluating {
        scheme,
        part,
        stock,
        threads,
        mesh: Mesh::new(servers, s),
    };
    let mut flow = Flow::new(&scheme.graph, 0, Walk::new(evaluating));
    let outputs = flow.run(values(&scheme.inputs, inputs))?;
    Ok(words(&outputs))
}

struct Evaluating<'a> {
    scheme: &'a Scheme,
    part: &'a Shares,
    stock: Stock<Piece>,
    threads: usize,
    mesh: Mesh<'a>,
}

impl Reading for Evaluating<'_> {
    type Error = RunError;
    const LIVE: bool = true;
    const PUBLIC: bool = true;

    /// y - λ_y is the sum over all servers of W^j c + (W λ)^j + b^j - λ_y^j.
    fn linear(&mut self, linear: &Linear, bits: u32, x: &[u64]) -> Result<Vec<u64>, RunError> {
        let mut share = self.stock.take()?.words()?.values;
        if let Some(weight) = self.part.get(linear.weight) {
            let kind = &linear.kind;
            kind.accumulate(self.threads, bits, x, weight, &mut share);
        }
        let layout = WordsLayout {
            count: share.len(),
            bits,
        };
        Ok(open(layout, share, &mut self.mesh)?.values)
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn refresh(&mut self, refresh: Refresh, by: u32, x: &[u64]) -> Result<Known, RunError> {
        let mut c = self.stock.take()?.words()?.values;
        add_into(&mut c, x);
        mask_into(&mut c, refresh.bits);
        c.iter_mut().for_each(|c| *c >>= by);
        Ok((c, BitMatrix::default()))
    }

    fn activate(
        &mut self,
        shapes: &[Shape],
        of: &[Vec<Known>],
        added: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        let (mut circuits, mut hidden) = (Vec::new(), Vec::new());
        for _ in shapes {
            let piece = self.stock.take()?.activation()?;
            circuits.push(piece.circuit);
            hidden.push((piece.bits, piece.mask));
        }
        let public = |(shape, of): (&Shape, &Vec<Known>)| {
            let narrow = shape.kind.lift().narrow;
            let planes: Vec<BitMatrix> = of.iter().map(|(c, _)| to_planes(c, 0, narrow)).collect();
            stack(shape.lanes, planes.iter())
        };
        let c: Vec<BitMatrix> = shapes.iter().zip(of).map(public).collect();
        let (garbling, mesh) = (self.scheme.garbling, &mut self.mesh);
        let e = activation::evaluate_all(shapes, garbling, circuits, &c, mesh)?;
        let first = mesh.servers.me == Place(0);
        let layout = result(shapes);
        let mut shares = Vec::with_capacity(layout.count);
        for ((shape, e), (bits, mask)) in shapes.iter().zip(&e).zip(&hidden) {
            let mut share = unmask(shape.kind, e, bits, first);
            sub_into(&mut share, &mask.values);
            shares.extend(share);
        }
        let mut c = open(layout, shares, &mut self.mesh)?.values;
        add_some(&mut c, added, layout.bits);
        Ok(c)
    }
}

/// This server's share of v = sum of ±2^i (e_i + (1 - 2 e_i) l_i), of which the terms without l are the first server's. l: its
/// shares of each l_i.
fn unmask(kind: Kind, e: &BitMatrix, l: &[Words], first: bool) -> Vec<u64> {
    let mut share = vec![0u64; e.lanes()];
    for (i, l) in (0..e.planes()).zip(l) {
        let negative = is_signed(kind) && i + 1 == e.planes();
        let turn = u64::from(negative).wrapping_neg();
        let bits = expand_bits(e.row(i), e.lanes());
        for ((share, l), e) in share.iter_mut().zip(&l.values).zip(bits) {
            // l or, where e is set, -l and the first server's 1.
            let term = (l ^ e.wrapping_neg()).wrapping_add(e + (e & u64::from(first))) << i;
            *share = share.wrapping_add((term ^ turn).wrapping_sub(turn));
        }
    }
    share
}

/// Whether the last bit of the results is a sign.
fn is_signed(kind: Kind) -> bool {
    match kind {
        Kind::Lift(_) | Kind::Choice { .. } => true,
        Kind::Positive(_) | Kind::Maximum { .. } => false,
    }
}
