//! Products of shared values with shared weights.
//!
//! Offline all servers encrypt their shares of λ under the collective key; every holder multiplies the sum by its share of the weights;
//! the sum of that is opened as shares of W λ ([`subrosa_rlwe::collective`]). Online each server adds its W^j c, less a fresh
//! mask, and all open y - λ_y.

use crate::activation::{Message, Move};
use crate::keys::Keys;
use crate::mesh::Mesh;
use crate::refresh::opening;
use crate::servers::Place;
use std::sync::Arc;
use subrosa_core::{Bytes, Prg, Wire, WordsLayout};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{add_into, mask_into};
use subrosa_rlwe::{CollectiveQuery, Contribution, DecryptionShare, Layer, Request};

/// A product, and the layout of each share of its result.
pub struct Product {
    pub layer: Layer,
    pub out: WordsLayout,
}

impl Product {
    /// The remotes' shares of λ, their sum; contributions, what is asked for, and shares of the decryption.
    pub fn offline(&self, remotes: usize, holders: usize) -> Vec<Move> {
        let layer = &self.layer;
        let gateway = Place(remotes);
        let remotes = || (0..gateway.0).map(Place);
        let inwards = |from: usize, bytes| {
            let from = remotes().take(from);
            Move(
                from.map(|from| Message {
                    from,
                    to: gateway,
                    bytes,
                })
                .collect(),
            )
        };
        let outwards = |bytes| {
            let message = |to| Message {
                from: gateway,
                to,
                bytes,
            };
            Move(remotes().map(message).collect())
        };
        let query = CollectiveQuery::size(&layer.collective_query_layout());
        let request: Bytes = Vec::<Request>::size(&layer.request_layout());
        let shares = Vec::<DecryptionShare>::size(&layer.contribution_layout());
        let contributed = Vec::<Contribution>::size(&layer.contribution_layout());
        vec![
            inwards(gateway.0, query),
            outwards(query),
            inwards(holders.min(gateway.0), contributed),
            outwards(request),
            inwards(gateway.0, shares),
        ]
    }

    /// The opening of y - λ_y.
    pub fn online(&self, servers: usize) -> Move {
        opening(servers, self.out)
    }

    /// This server's share of W λ, [out_len], off by at most (servers / 2) units all together. x: its share of λ; weight: its
    /// share of W, if it holds one.
    pub fn prepare(
        &self,
        keys: &Keys,
        weight: Option<&[u64]>,
        x: &[u64],
        threads: usize,
        prg: &mut Prg,
        mesh: &mut Mesh<'_>,
    ) -> Result<Vec<u64>, RunError> {
        let query = self.layer.encrypt_collective(&keys.public, x, threads, prg);
        let mine = |sum: &CollectiveQuery, prg: &mut Prg| {
            let Some(weight) = weight else {
                return (Vec::new(), vec![0; self.out.count]);
            };
            // Without answers nothing is opened that would cancel a mask.
            let count = self.layer.packing().answers().min(1) * self.out.count;
            let mut s = prg.words(self.out.bits, count);
            s.resize(self.out.count, 0);
            let made = self
                .layer
                .contribute(&keys.public, sum, weight, &s, threads, prg);
            (made, s)
        };
        let (own, mut share) = if mesh.servers.is_gateway() {
            let sum = Arc::new(self.gather(query, mesh)?);
            send_all(&sum, mesh)?;
            let (made, s) = mine(&sum, prg);
            (self.collect(keys, made, threads, mesh)?, s)
        } else {
            let gateway = mesh.servers.gateway();
            send(gateway, query, mesh)?;
            let sum = receive(gateway, self.layer.collective_query_layout(), mesh)?;
            let (made, s) = mine(&sum, prg);
            send(gateway, made, mesh)?;
            let requests: Vec<Request> = receive(gateway, self.layer.request_layout(), mesh)?;
            let (shares, own) = self.layer.mask(&keys.secret, &requests, threads, prg);
            send(gateway, shares, mesh)?;
            (own, s)
        };
        add_into(&mut share, &own);
        mask_into(&mut share, self.out.bits);
        Ok(share)
    }

    fn gather(
        &self,
        mut sum: CollectiveQuery,
        mesh: &mut Mesh<'_>,
    ) -> Result<CollectiveQuery, RunError> {
        let others = from_all(&self.layer.collective_query_layout(), mesh)?;
        others.iter().for_each(|query| sum.add(query));
        Ok(sum)
    }

    /// At the gateway: its share of what was contributed.
    fn collect(
        &self,
        keys: &Keys,
        own: Vec<Contribution>,
        threads: usize,
        mesh: &mut Mesh<'_>,
    ) -> Result<Vec<u64>, RunError> {
        let layout = self.layer.contribution_layout();
        let mut made: Vec<Vec<Contribution>> = from_all(&layout, mesh)?;
        if own.len() == layout.len() {
            made.push(own);
        }
        let mut made = made.into_iter();
        let mut sums = made.next().ok_or(LocalFault::Invariant)?;
        made.for_each(|one| self.layer.add_contributions(&mut sums, &one));
        let requests: Vec<Request> = sums.iter().map(Contribution::request).collect();
        send_all(&Arc::new(requests), mesh)?;
        let shares: Vec<Vec<DecryptionShare>> = from_all(&layout, mesh)?;
        Ok(self.layer.combine(&keys.secret, &sums, &shares, threads))
    }
}

fn send<T: Wire>(to: Place, message: T, mesh: &mut Mesh<'_>) -> Result<(), RunError> {
    mesh.exchange::<T, ()>(vec![(to, message)], &[])?;
    Ok(())
}

/// From the gateway to all remotes.
fn send_all<T: Wire + Sync>(message: &Arc<T>, mesh: &mut Mesh<'_>) -> Result<(), RunError> {
    let out = mesh.servers.others().map(|to| (to, message.clone()));
    mesh.exchange::<Arc<T>, ()>(out.collect(), &[])?;
    Ok(())
}

fn receive<T: Wire>(from: Place, layout: T::Layout, mesh: &mut Mesh<'_>) -> Result<T, RunError> {
    let mut all = mesh.exchange::<(), T>(Vec::new(), &[(from, layout)])?;
    Ok(all.pop().ok_or(LocalFault::Invariant)?)
}

/// From all remotes to the gateway, in order.
fn from_all<T: Wire>(layout: &T::Layout, mesh: &mut Mesh<'_>) -> Result<Vec<T>, RunError> {
    let from: Vec<_> = mesh
        .servers
        .others()
        .map(|at| (at, layout.clone()))
        .collect();
    mesh.exchange::<(), T>(Vec::new(), &from)
}
