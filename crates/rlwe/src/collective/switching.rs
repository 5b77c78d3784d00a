use subrosa_core::{Bytes, Malformed, Prg, Wire};
use zeroize::Zeroizing;

use super::decryption::draw_mask;
use super::{Contribution, PositionsLayout, Request, Smudging};
use crate::answer::{add_residues, at_positions};
use crate::sampling::wide_residues;
use crate::{Parameters, PublicKey, SecretKey};

/// (u p0 + e0 + c1 s_i, u p1 + e1) for the public key (p0, p1) of a user, the first at the opened positions only and
/// masked ([`SecretKey::mask_for`]) or smudged ([`SecretKey::smudge_for`]). [MTBH20] PubColKeySwitch.
#[derive(Clone)]
pub struct SwitchShare(Contribution);

impl SecretKey {
    /// A share with rho uniform in Z_q added at each position, and this server's share of the message as in
    /// [`SecretKey::mask`].
    ///
    /// # Panics
    /// As [`SecretKey::mask`].
    pub fn mask_for(
        &self,
        p: &Parameters,
        user: &PublicKey,
        plain_bits: u32,
        request: &Request,
        positions: &[usize],
        rng: &mut Prg,
    ) -> (SwitchShare, Vec<u64>) {
        let (rho, share) = draw_mask(p, plain_bits, positions.len(), rng);
        (self.switched(p, user, request, positions, &rho, rng), share)
    }

    /// A share of a message that the user may read, its e0 in the range of `smudging`.
    ///
    /// # Panics
    /// Where a position is beyond the degree.
    pub fn smudge_for(
        &self,
        p: &Parameters,
        user: &PublicKey,
        request: &Request,
        positions: &[usize],
        smudging: Smudging,
        rng: &mut Prg,
    ) -> SwitchShare {
        let e = wide_residues(p, rng, smudging.bits(), positions.len());
        self.switched(p, user, request, positions, &e, rng)
    }

    fn switched(
        &self,
        p: &Parameters,
        user: &PublicKey,
        request: &Request,
        positions: &[usize],
        by: &[u64],
        rng: &mut Prg,
    ) -> SwitchShare {
        let zero = user.encrypt_zero(p, rng);
        let mut share = zero.insecure_contribute(p, positions);
        let own = Zeroizing::new(at_positions(p, &self.times(p, &request.c1), positions));
        add_residues(p, &mut share.c0, &own);
        add_residues(p, &mut share.c0, by);
        SwitchShare(share)
    }
}

impl Contribution {
    /// This sum under the user's key, from the shares of all servers. The user opens it with [`SecretKey::combine`], of
    /// no further shares: to the message, or where the shares are masked to the user's share of it.
    ///
    /// # Panics
    /// Where a share has another number of positions.
    pub fn switch(&self, p: &Parameters, shares: &[SwitchShare]) -> Contribution {
        let mut switched = self.clone();
        switched.c1 = p.zero_eval();
        for share in shares {
            switched.add(p, &share.0);
        }
        switched
    }
}

impl Wire for SwitchShare {
    type Layout = PositionsLayout;
    fn size(layout: &PositionsLayout) -> Bytes {
        Contribution::size(layout)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(layout: &PositionsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        Contribution::decode(layout, bytes).map(SwitchShare)
    }
}
