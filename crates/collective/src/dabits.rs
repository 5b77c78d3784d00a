//! Bits shared by XOR over all servers, made additive.
//!
//! b = b^0 ^ b^1 ^ .. ^ b^n with b^t at place t: s_1 = b^0, s_(t+1) = s_t + b^t - 2 s_t b^t, and b = s_(n+1). Of s_t every place i < t
//! has an additive share; the product of each share with b^t is a correlated OT from i to t with choice b^t ([ALSZ13],
//! section 5.1). The product counts twice, so one bit less of it is wanted, and of a bit in Z/2 nothing: there XOR is the sum.
//!
//! Every message is uniform: choices less those of random OTs, and corrections masked by the key that their reader has not.
//!
//! [ALSZ13]: Asharov, Lindell, Schneider, Zohner, CCS 2013.

use crate::activation::{Message, Move};
use crate::mesh::Mesh;
use crate::ots::{OtPlan, Ots, directions};
use crate::servers::Place;
use subrosa_core::{BitsLayout, ReceiverOts, SenderOts, Wire, Words, WordsLayout};
use subrosa_net::{LocalFault, RunError};
use subrosa_ot::local::{flips, receive_correlated, send_correlated};
use subrosa_ring::{BitMatrix, expand_bits, mask};

/// Bits of `lanes` values, of plane i wanted in Z/2^widths[i].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    pub lanes: usize,
    /// 1 to 64 each.
    pub widths: Vec<u32>,
}

/// OTs to higher places, and from lower ones.
type Drawn = (Vec<(Place, SenderOts)>, Vec<(Place, ReceiverOts)>);

impl Conversion {
    /// Of bits that weigh 1, 2, 4 and so on in Z/2^wide.
    pub fn weighted(lanes: usize, planes: usize, wide: u32) -> Self {
        let width = |i| wide.saturating_sub(i as u32).max(1);
        Self {
            lanes,
            widths: (0..planes).map(width).collect(),
        }
    }

    /// What each server keeps if it keeps all.
    pub fn shares(&self) -> Vec<WordsLayout> {
        self.layouts(&self.widths)
    }

    /// Planes whose products are transferred, and the width of these.
    fn transferred(&self) -> impl Iterator<Item = (usize, u32)> {
        let planes = self.widths.iter().enumerate();
        planes
            .filter(|(_, width)| **width > 1)
            .map(|(plane, width)| (plane, width - 1))
    }

    fn flips(&self) -> BitsLayout {
        BitsLayout {
            planes: self.transferred().count(),
            lanes: self.lanes,
        }
    }

    fn corrections(&self) -> Vec<WordsLayout> {
        let widths: Vec<u32> = self.transferred().map(|(_, width)| width).collect();
        self.layouts(&widths)
    }

    fn layouts(&self, widths: &[u32]) -> Vec<WordsLayout> {
        let count = self.lanes;
        let layout = |bits: &u32| WordsLayout { count, bits: *bits };
        widths.iter().map(layout).collect()
    }

    /// Adds the random OTs among `servers` servers.
    pub fn add_to(&self, servers: usize, plan: &mut OtPlan) {
        let layout = self.flips();
        for (from, to) in pairs(servers) {
            *plan.0.entry((from, to)).or_default() += (layout.planes * layout.lanes) as u64;
        }
    }

    /// Flips to all lower places, then corrections to place 1, to place 2 and so on.
    pub fn moves(&self, servers: usize) -> Vec<Move> {
        let message = |from, to, bytes| Message { from, to, bytes };
        let asked = BitMatrix::size(&self.flips());
        let corrected = Vec::<Words>::size(&self.corrections());
        let flips = pairs(servers).map(|(low, high)| message(high, low, asked));
        let mut moves = vec![Move(flips.collect())];
        for to in (1..servers).map(Place) {
            let from = (0..to.0).map(Place);
            moves.push(Move(
                from.map(|from| message(from, to, corrected)).collect(),
            ));
        }
        moves
    }

    /// bits: this server's XOR shares, [planes, lanes] -> its additive shares of plane i, [lanes] in Z/2^widths[i].
    ///
    /// # Errors
    /// [`LocalFault::Invariant`] where `bits` has another shape.
    pub fn convert(
        &self,
        bits: &BitMatrix,
        ots: &mut Ots,
        mesh: &mut Mesh<'_>,
    ) -> Result<Vec<Vec<u64>>, RunError> {
        if (bits.planes(), bits.lanes()) != (self.widths.len(), self.lanes) {
            return Err(LocalFault::Invariant.into());
        }
        let me = mesh.servers.me;
        let wanted = self.select(bits);
        let (sends, receives) = self.draw(ots, mesh)?;
        let asked = receives
            .iter()
            .map(|(from, ots)| (*from, flips(ots, &wanted)));
        let from: Vec<_> = sends.iter().map(|(to, _)| (*to, self.flips())).collect();
        let asked: Vec<BitMatrix> = mesh.exchange(asked.collect(), &from)?;
        let mut sends = sends.into_iter().zip(asked);
        let mut receives = receives;
        let planes = (0..bits.planes()).map(|plane| expand_bits(bits.row(plane), self.lanes));
        let mut shares: Vec<Vec<u64>> = planes.collect();
        for at in (1..mesh.servers.count()).map(Place) {
            if at == me {
                self.multiply(&mut shares, &wanted, std::mem::take(&mut receives), mesh)?;
            } else if me < at {
                let ((to, ots), flips) = sends.next().ok_or(LocalFault::Invariant)?;
                let message = self.correct(&mut shares, ots, &flips);
                mesh.exchange::<Vec<Words>, ()>(vec![(to, message)], &[])?;
            } else {
                mesh.exchange::<(), ()>(Vec::new(), &[])?;
            }
        }
        for (shares, width) in shares.iter_mut().zip(&self.widths) {
            subrosa_ring::mask_into(shares, *width);
        }
        Ok(shares)
    }

    /// The planes whose products are transferred.
    fn select(&self, bits: &BitMatrix) -> BitMatrix {
        let rows = self.transferred().flat_map(|(plane, _)| bits.row(plane));
        let layout = self.flips();
        BitMatrix::from_words(layout.planes, layout.lanes, rows.copied().collect())
    }

    /// OTs to all higher places and from all lower ones.
    fn draw(&self, ots: &mut Ots, mesh: &mut Mesh<'_>) -> Result<Drawn, RunError> {
        let BitsLayout { planes, lanes } = self.flips();
        let (mut sends, mut receives) = (Vec::new(), Vec::new());
        for (from, to) in directions(mesh.servers).filter(|(from, to)| from < to) {
            if from == mesh.servers.me {
                sends.push((to, ots.send(to, planes, lanes, mesh.s)?));
            } else {
                receives.push((from, ots.receive(from, planes, lanes, mesh.s)?));
            }
        }
        Ok((sends, receives))
    }

    /// At i < t: x random, s_t^i b^t - x goes to place t, and s_(t+1)^i = s_t^i + 2 x.
    fn correct(&self, shares: &mut [Vec<u64>], ots: SenderOts, flips: &BitMatrix) -> Vec<Words> {
        let mut message = Vec::new();
        for (row, (plane, bits)) in self.transferred().enumerate() {
            let flips = expand_bits(flips.row(row), self.lanes);
            let pairs = ots.plane(row).iter().zip(flips);
            let keys = pairs.map(|([zero, one], flip)| {
                let crossed = (zero ^ one) & u128::from(flip).wrapping_neg();
                [zero ^ crossed, one ^ crossed]
            });
            let ots = SenderOts {
                planes: 1,
                lanes: self.lanes,
                keys: keys.collect(),
            };
            let (x, values) = send_correlated(ots, bits, &shares[plane]);
            for (share, x) in shares[plane].iter_mut().zip(x) {
                *share = share.wrapping_add(x << 1) & mask(bits + 1);
            }
            message.push(Words { bits, values });
        }
        message
    }

    /// At t: s_(t+1)^t = b^t - 2 sum of (x + s_t^i b^t).
    fn multiply(
        &self,
        shares: &mut [Vec<u64>],
        wanted: &BitMatrix,
        receives: Vec<(Place, ReceiverOts)>,
        mesh: &mut Mesh<'_>,
    ) -> Result<(), RunError> {
        let from: Vec<_> = receives
            .iter()
            .map(|(from, _)| (*from, self.corrections()))
            .collect();
        let messages: Vec<Vec<Words>> = mesh.exchange(Vec::<(Place, ())>::new(), &from)?;
        for ((_, ots), message) in receives.into_iter().zip(messages) {
            // The pairs of the sender are turned so that the choices are the wanted bits.
            for ((row, (plane, bits)), corrections) in self.transferred().enumerate().zip(message) {
                let choices = BitMatrix::from_words(1, self.lanes, wanted.row(row).to_vec());
                let keys = ots.plane(row).to_vec();
                let ots = ReceiverOts { choices, keys };
                let y = receive_correlated(&ots, bits, &corrections.values);
                for (share, y) in shares[plane].iter_mut().zip(y) {
                    *share = share.wrapping_sub(y << 1) & mask(bits + 1);
                }
            }
        }
        Ok(())
    }
}

/// Every two places, the lower first.
fn pairs(servers: usize) -> impl Iterator<Item = (Place, Place)> {
    (0..servers).flat_map(move |low| (low + 1..servers).map(move |high| (Place(low), Place(high))))
}
