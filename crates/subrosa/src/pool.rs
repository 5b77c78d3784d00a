//! Material made ahead: one party's part of it in its vault, and what parties tell each other about it.
//!
//! Parties whose role has pieces are keepers; all of them are linked to each other. The first keeper leads: it says
//! how many items are leased, to all others, also to those that keep nothing but take part in offline phases.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use subrosa_core::{Bytes, Encoded, PartyId, Seed, Stock, Wire, Words, WordsLayout};
use subrosa_net::{
    Fingerprint as Certificate, LocalFault, Misdeed, RunError, Session, Step, StoreFault,
};
use subrosa_protocol::Fingerprint;
use subrosa_vault::{
    Claim, Item, Lease, Made, Number, Pool, Series, SeriesName, Slot, Standing, Vault, VaultFault,
};

/// Items that leave the ledger with one durable write. A crash burns what is left of them.
const BLOCK: u64 = 32;

const NUMBER: WordsLayout = WordsLayout { count: 1, bits: 64 };

/// Who keeps material, and where this party does.
pub struct PoolTerms {
    /// Every party of the plan that has pieces, with the fingerprint of its certificate.
    pub keepers: Vec<(PartyId, Certificate)>,
    /// This party's, if it is a keeper. One vault may serve any number of participants.
    pub vault: Option<Arc<Vault>>,
}

impl PoolTerms {
    /// For parties that end with their material: this one's vault, if it is a keeper, is made in `folder` under a
    /// fresh key that is nowhere else.
    pub fn passing(
        me: PartyId,
        keepers: Vec<(PartyId, Certificate)>,
        folder: &Path,
    ) -> Result<Self, RunError> {
        let keeps = keepers.iter().any(|(keeper, _)| *keeper == me);
        let open = || {
            let key = Seed::random().map_err(|_| LocalFault::Randomness)?;
            let vault = Vault::open(folder, &key);
            vault.map(Arc::new).map_err(|fault| local(&fault))
        };
        let vault = keeps.then(open).transpose()?;
        Ok(Self { keepers, vault })
    }
}

/// One party's pool for one deployment.
pub(crate) struct Keeping {
    me: PartyId,
    keepers: BTreeMap<PartyId, Certificate>,
    vault: Option<Arc<Vault>>,
    /// What the keepers share of the plan.
    plan: Fingerprint,
    settled: Option<(Series, Pool)>,
    lease: Option<Lease>,
    /// Items leased and not yet taken, at a party that keeps nothing.
    followed: u64,
}

/// What an inference takes from a pool.
pub(crate) enum Taken {
    Item(Item),
    /// An item of all keepers; this party is none.
    Nothing,
}

impl Keeping {
    /// `peers`: this party's neighbours, and what it shares of the plan with each. `has_pieces`: whether it must be
    /// a keeper.
    pub fn new(
        me: PartyId,
        has_pieces: bool,
        peers: &[(PartyId, Fingerprint)],
        terms: PoolTerms,
    ) -> Result<Self, RunError> {
        let count = terms.keepers.len();
        let keepers: BTreeMap<PartyId, Certificate> = terms.keepers.into_iter().collect();
        let keeps = keepers.contains_key(&me);
        if keepers.len() != count || keeps != has_pieces || keeps != terms.vault.is_some() {
            return Err(StoreFault::Keepers.into());
        }
        let shared = |party: &PartyId| peers.iter().find(|(peer, _)| peer == party);
        let mut plan = None;
        for keeper in keepers.keys().filter(|keeper| **keeper != me) {
            let Some((_, print)) = shared(keeper) else {
                match keeps || Some(keeper) == keepers.keys().next() {
                    true => return Err(StoreFault::Unlinked(*keeper).into()),
                    false => continue,
                }
            };
            if *plan.get_or_insert(*print) != *print && keeps {
                return Err(StoreFault::Keepers.into());
            }
        }
        Ok(Self {
            me,
            keepers,
            vault: terms.vault,
            plan: plan.unwrap_or_default(),
            settled: None,
            lease: None,
            followed: 0,
        })
    }

    pub fn keeps(&self) -> bool {
        self.vault.is_some()
    }

    /// The other keepers.
    pub fn peers(&self) -> Vec<PartyId> {
        let keepers = self.keepers.keys().copied();
        keepers.filter(|keeper| *keeper != self.me).collect()
    }

    /// Whom this party talks to about leases.
    pub fn audience(&self, neighbours: &[PartyId]) -> Vec<PartyId> {
        match (self.leads(), self.keeps()) {
            (true, _) => neighbours.to_vec(),
            (false, true) => self.peers(),
            (false, false) => self.leader().into_iter().collect(),
        }
    }

    fn leader(&self) -> Option<PartyId> {
        self.keepers.keys().next().copied()
    }

    fn leads(&self) -> bool {
        self.leader() == Some(self.me)
    }

    /// Burns everything: what was made under other keys or weights fits no more.
    pub fn renew(&mut self) -> Result<(), RunError> {
        (self.lease, self.followed) = (None, 0);
        if let Some((series, _)) = self.settled.take() {
            series.renew().map_err(|fault| self.blame(fault))?;
        }
        Ok(())
    }

    /// Names this deployment with randomness of every keeper, then settles its series.
    pub fn handshake(&mut self, s: &mut Session) -> Result<(), RunError> {
        let own = s.seed();
        let theirs = tell::<Seed>(s, Step(0), &self.peers(), || own.share())?;
        let mut words: BTreeMap<PartyId, Seed> = self.peers().into_iter().zip(theirs).collect();
        words.insert(self.me, own);
        let deployment = words.values().fold(Seed::from_bytes([0; 32]), |all, word| {
            all.derive("deployment of a vault's series", word.reveal())
        });
        let peers = self.keepers.iter().filter(|(party, _)| **party != self.me);
        let name = SeriesName {
            own: self.keepers.get(&self.me).ok_or(StoreFault::Keepers)?.0,
            peers: peers.map(|(_, certificate)| certificate.0).collect(),
            model: *deployment.reveal(),
            plan: self.plan,
            told: None,
        };
        let vault = self.vault.as_ref().ok_or(StoreFault::Closed)?;
        let series = vault.series(&name).map_err(|fault| self.blame(fault))?;
        let own = series.standing().map_err(|fault| self.blame(fault))?;
        let theirs = tell::<Standing>(s, Step(1), &self.peers(), || own.clone())?;
        let pool = series.settle(&own, &theirs);
        let pool = pool.map_err(|fault| self.blame(fault))?;
        self.settled = Some((series, pool));
        Ok(())
    }

    /// The number of the next item; 0 at a party that keeps nothing.
    pub fn fresh(&self) -> Result<Number, RunError> {
        match self.keeps() {
            true => Ok(self.pool()?.fresh()),
            false => Ok(0),
        }
    }

    pub fn begin(&self, number: Number) -> Result<Slot, RunError> {
        let slot = self.pool()?.begin(number);
        slot.map_err(|fault| self.blame(fault))
    }

    /// What a slot says of its own fault, or else what the offline phase says.
    pub fn made(&self, slot: Slot, offline: Result<(), RunError>) -> Result<(), RunError> {
        match (offline, slot.fault()) {
            (Err(_), Some(fault)) => Err(self.blame(fault.clone())),
            (Err(error), None) => Err(error),
            (Ok(()), _) => slot.made().map_err(|fault| self.blame(fault)),
        }
    }

    /// All keepers tell what they have made of the items from `first` on.
    pub fn commit(&mut self, first: Number, s: &mut Session) -> Result<u64, RunError> {
        let pool = self.pool()?;
        let own = pool.made(first..pool.fresh());
        let own = own.map_err(|fault| self.blame(fault))?;
        let theirs = tell::<Made>(s, Step(0), &self.peers(), || own.clone())?;
        pool.committed(&theirs).map_err(|fault| self.blame(fault))
    }

    /// The next item of the lease.
    pub fn take(&mut self) -> Option<Taken> {
        if self.keeps() {
            return self.lease.as_mut()?.next().map(Taken::Item);
        }
        self.followed = self.followed.checked_sub(1)?;
        Some(Taken::Nothing)
    }

    /// Leases the next items: every keeper marks them as taken before any uses one. None if there are none.
    pub fn lease(&mut self, s: &mut Session) -> Result<(), RunError> {
        let others = s.peers();
        let (keepers, followers): (Vec<PartyId>, Vec<PartyId>) = others
            .into_iter()
            .partition(|peer| self.keepers.contains_key(peer));
        if !self.keeps() {
            let leader = self.leader().ok_or(StoreFault::Keepers)?;
            self.followed = number(s.receive(Step(0), leader, NUMBER)?);
            return Ok(());
        }
        let agreed = match self.leads() {
            true => self.lead(&keepers, s)?,
            false => self.follow(&keepers, s)?,
        };
        let count = agreed.as_ref().map_or(0, ExactSizeIterator::len) as u64;
        self.lease = agreed;
        match self.leads() {
            true => send(s, Step(0), &followers, || words(count)),
            false => Ok(()),
        }
    }

    fn lead(&self, keepers: &[PartyId], s: &mut Session) -> Result<Option<Lease>, RunError> {
        let pool = self.pool()?;
        let count = pool.usable().min(BLOCK);
        send(s, Step(0), keepers, || words(count))?;
        if count == 0 {
            return Ok(None);
        }
        let claimed = pool.lease(count as usize);
        let claimed = claimed.map_err(|fault| self.blame(fault))?;
        send(s, Step(1), keepers, || claimed.claim().clone())?;
        let from: Vec<(PartyId, ())> = keepers.iter().map(|peer| (*peer, ())).collect();
        let theirs = s.exchange::<(), Claim>(Step(2), Vec::new(), &from)?;
        self.agreed(claimed.agreed(&theirs))
    }

    fn follow(&self, keepers: &[PartyId], s: &mut Session) -> Result<Option<Lease>, RunError> {
        let leader = self.leader().ok_or(StoreFault::Keepers)?;
        if number(s.receive(Step(0), leader, NUMBER)?) == 0 {
            return Ok(None);
        }
        let first: Claim = s.receive(Step(1), leader, ())?;
        // A keeper that has none of the items finds out here, and says so to all.
        let claimed = self.pool()?.follow(&first);
        let claimed = claimed.map_err(|fault| self.blame_one(leader, fault))?;
        let to = keepers.iter().map(|peer| (*peer, claimed.claim().clone()));
        let from: Vec<(PartyId, ())> = keepers
            .iter()
            .filter(|peer| **peer != leader)
            .map(|peer| (*peer, ()))
            .collect();
        let mut theirs = s.exchange::<Claim, Claim>(Step(2), to.collect(), &from)?;
        // The leader is the first of the peers.
        theirs.insert(0, first);
        self.agreed(claimed.agreed(&theirs))
    }

    /// That the keepers have no item in common is known to all of them, and no fault.
    fn agreed(&self, lease: Result<Lease, VaultFault>) -> Result<Option<Lease>, RunError> {
        match lease {
            Ok(lease) => Ok(Some(lease)),
            Err(VaultFault::Exhausted) => Ok(None),
            Err(fault) => Err(self.blame(fault)),
        }
    }

    fn pool(&self) -> Result<&Pool, RunError> {
        let settled = self.settled.as_ref().ok_or(StoreFault::Closed)?;
        Ok(&settled.1)
    }

    /// A fault of this party's vault, or of the peer that it counts in the order of [`Keeping::peers`].
    pub fn blame(&self, fault: VaultFault) -> RunError {
        match fault {
            VaultFault::OtherSeries { peer } | VaultFault::OtherEpoch { peer } => {
                match self.peers().get(peer) {
                    Some(peer) => other_material(*peer),
                    None => LocalFault::Invariant.into(),
                }
            }
            own => local(&own).into(),
        }
    }

    fn blame_one(&self, peer: PartyId, fault: VaultFault) -> RunError {
        match fault {
            VaultFault::OtherSeries { .. } | VaultFault::OtherEpoch { .. } => other_material(peer),
            own => self.blame(own),
        }
    }
}

impl Taken {
    /// The pieces, whose lengths these are. Who takes the last one has the file deleted.
    pub fn stock(self, pieces: Vec<Bytes>) -> Result<Stock<Encoded>, RunError> {
        match self {
            Self::Item(item) => item.stock(pieces).map_err(|fault| local(&fault).into()),
            Self::Nothing => Ok(Vec::new().into()),
        }
    }
}

fn other_material(peer: PartyId) -> RunError {
    let misdeed = Misdeed::OtherMaterial;
    RunError::Peer { peer, misdeed }
}

fn local(fault: &VaultFault) -> LocalFault {
    let store = match fault {
        VaultFault::InUse => StoreFault::InUse,
        VaultFault::Schema { .. } | VaultFault::WrongKey => StoreFault::Foreign,
        VaultFault::DiskFull => StoreFault::DiskFull,
        VaultFault::ReadOnly => StoreFault::ReadOnly,
        VaultFault::Denied => StoreFault::Denied,
        VaultFault::Corrupted(_) | VaultFault::Malformed(_) => StoreFault::Corrupted,
        VaultFault::Missing(_) => StoreFault::Missing,
        VaultFault::Io(_) | VaultFault::Reopen => StoreFault::Io,
        VaultFault::Length { .. } => StoreFault::Length,
        VaultFault::Unsettled => StoreFault::Closed,
        VaultFault::Randomness => return LocalFault::Randomness,
        VaultFault::Peers { .. }
        | VaultFault::OtherSeries { .. }
        | VaultFault::OtherEpoch { .. }
        | VaultFault::Stale
        | VaultFault::Spent { .. }
        | VaultFault::Exhausted => return LocalFault::Invariant,
    };
    LocalFault::Store(store)
}

/// The same word to every peer, and one from each of them.
fn tell<T: Wire<Layout = ()>>(
    s: &mut Session,
    step: Step,
    peers: &[PartyId],
    word: impl Fn() -> T,
) -> Result<Vec<T>, RunError> {
    let out = peers.iter().map(|peer| (*peer, word()));
    let from: Vec<(PartyId, ())> = peers.iter().map(|peer| (*peer, ())).collect();
    s.exchange(step, out.collect(), &from)
}

fn send<T: Wire>(
    s: &mut Session,
    step: Step,
    peers: &[PartyId],
    word: impl Fn() -> T,
) -> Result<(), RunError> {
    let out = peers.iter().map(|peer| (*peer, word()));
    s.exchange::<T, ()>(step, out.collect(), &[]).map(|_| ())
}

fn words(number: u64) -> Words {
    Words {
        bits: NUMBER.bits,
        values: vec![number],
    }
}

fn number(words: Words) -> u64 {
    words.values.first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keepers_without_a_link_are_refused_by_name() {
        let print = |party| (PartyId(party), [9; 32]);
        let keeper = |party| (PartyId(party), Certificate([party; 32]));
        let keepers = vec![keeper(0), keeper(1), keeper(2)];
        let join = |me, neighbours: &[u8], name: &str| {
            let me = PartyId(me);
            let peers: Vec<_> = neighbours.iter().map(|party| print(*party)).collect();
            let folder = format!("subrosa-keepers-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            let terms = PoolTerms::passing(me, keepers.clone(), &folder).unwrap();
            let joined = Keeping::new(me, me.0 < 3, &peers, terms).map(|_| ());
            let _ = std::fs::remove_dir_all(folder);
            joined
        };
        assert_eq!(join(1, &[0, 2], "all"), Ok(()));
        let unlinked = |party| Err(StoreFault::Unlinked(PartyId(party)).into());
        assert_eq!(join(1, &[0, 4], "one"), unlinked(2));
        // Who keeps nothing needs a link to the leader alone.
        assert_eq!(join(3, &[0], "leader"), Ok(()));
        assert_eq!(join(3, &[1, 2], "others"), unlinked(0));
    }
}
