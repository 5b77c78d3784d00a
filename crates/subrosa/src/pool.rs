//! Material made ahead: one party's part of it in its vault, and what parties tell each other about it.
//!
//! Parties whose role has pieces are keepers. One of them, the hub, is linked to every party of the plan; every word
//! goes to it, and each keeper is told by it what all say, so a keeper that knows the hub alone learns nothing of the
//! others. The hub also says how many items are leased, also to those that keep nothing but take part in offline
//! phases.

use crate::hub::{Place, hear, hear_number, tell, tell_number};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use subrosa_core::{Bytes, Encoded, PartyId, Seed, Stock};
use subrosa_net::{
    Fingerprint as Certificate, LocalFault, Misdeed, RunError, Session, Step, StoreFault,
};
use subrosa_protocol::Fingerprint;
use subrosa_vault::{
    Claimed, Item, Lease, Number, Pool, Series, SeriesName, SeriesTag, Slot, Vault, VaultFault,
};

/// Items that leave the ledger with one durable write, where nothing else is said. A crash burns what is left of them.
const BLOCK: u64 = 32;

/// Who keeps material, and where this party does.
pub struct PoolTerms {
    /// The hub first, each with the fingerprint of its certificate. The hub knows every party of the plan that has
    /// pieces. Another of these need not know more than the hub and itself, and a party without pieces the hub.
    pub keepers: Vec<(PartyId, Certificate)>,
    /// This party's, if it is a keeper. One vault may serve any number of participants.
    pub vault: Option<Arc<Vault>>,
    /// What an earlier participant of the same parties and keys, restored since, called its pool
    /// ([`Participant::pool_name`](crate::Participant::pool_name)); all keepers say so or none. `None` makes a new one.
    pub name: Option<SeriesName>,
    /// Items leased at a time, by the hub's word. What is left of a lease when a participant ends is burned.
    pub lease: u64,
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
            vault.map(Arc::new).map_err(|fault| store_fault(&fault))
        };
        let vault = keeps.then(open).transpose()?;
        Ok(Self {
            keepers,
            vault,
            name: None,
            lease: BLOCK,
        })
    }
}

/// One party's pool for one deployment.
pub(crate) struct Keeping {
    /// None where nobody keeps anything.
    place: Option<Place>,
    /// This party's certificate, if it keeps anything.
    own: Option<Certificate>,
    /// Those of the parties that it hears, in their order.
    heard: Vec<Certificate>,
    vault: Option<Arc<Vault>>,
    /// What this party shares of the plan with those that it hears.
    plan: Fingerprint,
    name: Option<SeriesName>,
    /// Items leased at a time.
    block: u64,
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
        let hub = terms.keepers.first().map(|(hub, _)| *hub);
        let count = terms.keepers.len();
        let keepers: BTreeMap<PartyId, Certificate> = terms.keepers.into_iter().collect();
        let own = keepers.get(&me).copied();
        let keeps = own.is_some();
        if keepers.len() != count || keeps != has_pieces || keeps != terms.vault.is_some() {
            return Err(StoreFault::Keepers.into());
        }
        let place = hub.map(|hub| match hub == me {
            true => Place::Hub(keepers.keys().copied().filter(|k| *k != me).collect()),
            false => Place::Behind(hub),
        });
        let mut plan = Seed::from_bytes([0; 32]);
        let mut heard = Vec::new();
        for keeper in place.as_ref().map_or(&[][..], Place::heard) {
            let print = peers.iter().find(|(peer, _)| peer == keeper);
            let (_, print) = print.ok_or(StoreFault::Unlinked(*keeper))?;
            plan = plan.derive("plan of a vault's series", print);
            heard.extend(keepers.get(keeper).copied());
        }
        Ok(Self {
            place,
            own,
            heard,
            vault: terms.vault,
            plan: *plan.reveal(),
            name: terms.name,
            block: terms.lease,
            settled: None,
            lease: None,
            followed: 0,
        })
    }

    pub fn keeps(&self) -> bool {
        self.vault.is_some()
    }

    /// The keepers whose words this party hears: the hub, or at the hub all others.
    pub fn peers(&self) -> &[PartyId] {
        self.place.as_ref().map_or(&[], Place::heard)
    }

    /// Whom this party talks to about leases.
    pub fn audience(&self, neighbours: &[PartyId]) -> Vec<PartyId> {
        match self.place {
            Some(Place::Hub(_)) => neighbours.to_vec(),
            _ => self.peers().to_vec(),
        }
    }

    fn place(&self) -> Result<&Place, RunError> {
        Ok(self.place.as_ref().ok_or(StoreFault::Keepers)?)
    }

    /// Burns everything: what was made under other keys or weights fits no more.
    pub fn renew(&mut self) -> Result<(), RunError> {
        (self.lease, self.followed) = (None, 0);
        self.name = None;
        if let Some((series, _)) = self.settled.take() {
            series.renew().map_err(|fault| self.blame(fault))?;
        }
        Ok(())
    }

    /// Settles the series that goes on, or one that is named with randomness of every keeper.
    pub fn handshake(&mut self, s: &mut Session) -> Result<(), RunError> {
        let vault = self.vault.clone().ok_or(StoreFault::Closed)?;
        let name = match self.name.take() {
            Some(name) => self.known(name)?,
            None => self.call(s)?,
        };
        let series = vault.series(&name).map_err(|fault| self.blame(fault))?;
        let own = series.standing().map_err(|fault| self.blame(fault))?;
        let all = |heard: &[_]| {
            let told = series.combined(&own, heard);
            told.map_err(|fault| self.blame(fault))
        };
        let heard = self.place()?.talk(s, Step(2), || own.clone(), all)?;
        let pool = series.settle(&own, &heard);
        let pool = pool.map_err(|fault| self.blame(fault))?;
        self.settled = Some((series, pool));
        self.name = Some(name);
        Ok(())
    }

    /// What the series is called, once it is settled.
    pub fn name(&self) -> Option<&SeriesName> {
        self.settled.as_ref().and(self.name.as_ref())
    }

    /// A kept name, if it is of these keepers and this plan.
    fn known(&self, name: SeriesName) -> Result<SeriesName, RunError> {
        let ours = Some(name.own) == self.own.map(|certificate| certificate.0)
            && name.peers == self.certificates()
            && name.plan == self.plan;
        if !ours {
            return Err(StoreFault::Keepers.into());
        }
        Ok(name)
    }

    /// Of those that this party hears.
    fn certificates(&self) -> Vec<[u8; 32]> {
        self.heard.iter().map(|certificate| certificate.0).collect()
    }

    /// A new name: the hub makes it of the words of all keepers; others of their own word and of what the hub calls
    /// the series.
    fn call(&self, s: &mut Session) -> Result<SeriesName, RunError> {
        let own = s.seed();
        let named = |model: &Seed, told| {
            Ok(SeriesName {
                own: self.own.ok_or(StoreFault::Keepers)?.0,
                peers: self.certificates(),
                model: *model.reveal(),
                plan: self.plan,
                told,
            })
        };
        match self.place()? {
            Place::Hub(members) => {
                let words: Vec<Seed> = hear(s, Step(0), members)?;
                let all = words.iter().fold(own, |all, word| {
                    all.derive("deployment of a vault's series", word.reveal())
                });
                let name = named(&all, None)?;
                tell(s, Step(1), members, || name.tag())?;
                Ok(name)
            }
            Place::Behind(hub) => {
                s.send(Step(0), *hub, own.share())?;
                let tag: SeriesTag = s.receive(Step(1), *hub, ())?;
                named(&own, Some(tag))
            }
        }
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
        let all = |heard: &[_]| {
            let word = pool.combined(&own, heard);
            word.map(|word| vec![word; heard.len()])
                .map_err(|fault| self.blame(fault))
        };
        let heard = self.place()?.talk(s, Step(0), || own.clone(), all)?;
        pool.committed(&heard).map_err(|fault| self.blame(fault))
    }

    /// The next item of the lease.
    pub fn take(&mut self) -> Option<Taken> {
        if self.keeps() {
            return self.lease.as_mut()?.next().map(Taken::Item);
        }
        self.followed = self.followed.checked_sub(1)?;
        Some(Taken::Nothing)
    }

    /// Items that the next inferences can take without making any. 0 at a party that keeps nothing.
    pub fn level(&self) -> u64 {
        let leased = self.lease.as_ref().map_or(0, ExactSizeIterator::len) as u64;
        let usable = self.settled.as_ref().map_or(0, |(_, pool)| pool.usable());
        leased + usable
    }

    /// Leases the next items: every keeper marks them as taken before any uses one. None if there are none.
    pub fn lease(&mut self, s: &mut Session) -> Result<(), RunError> {
        match self.place()? {
            Place::Hub(members) => {
                let peers = s.peers().into_iter();
                let followers: Vec<PartyId> = peers.filter(|p| !members.contains(p)).collect();
                let agreed = self.lead(members, s)?;
                let count = agreed.as_ref().map_or(0, ExactSizeIterator::len) as u64;
                self.lease = agreed;
                tell_number(s, Step(0), &followers, count)?;
            }
            Place::Behind(hub) if self.keeps() => self.lease = self.follow(*hub, s)?,
            Place::Behind(hub) => self.followed = hear_number(s, Step(0), *hub)?,
        }
        Ok(())
    }

    fn lead(&self, members: &[PartyId], s: &mut Session) -> Result<Option<Lease>, RunError> {
        let pool = self.pool()?;
        let count = pool.usable().min(self.block);
        tell_number(s, Step(0), members, count)?;
        if count == 0 {
            return Ok(None);
        }
        let claimed = pool.lease(count as usize);
        let claimed = claimed.map_err(|fault| self.blame(fault))?;
        tell(s, Step(1), members, || claimed.claim().clone())?;
        self.agree(claimed, s)
    }

    fn follow(&self, hub: PartyId, s: &mut Session) -> Result<Option<Lease>, RunError> {
        if hear_number(s, Step(0), hub)? == 0 {
            return Ok(None);
        }
        // A keeper that has none of the items finds out here, and says so to the hub.
        let claimed = self.pool()?.follow(&s.receive(Step(1), hub, ())?);
        self.agree(claimed.map_err(|fault| self.blame(fault))?, s)
    }

    /// That the keepers have no item in common is known to all of them, and no fault.
    fn agree(&self, claimed: Claimed, s: &mut Session) -> Result<Option<Lease>, RunError> {
        let all = |heard: &[_]| {
            let word = claimed.combined(heard);
            word.map(|word| vec![word; heard.len()])
                .map_err(|fault| self.blame(fault))
        };
        let own = || claimed.claim().clone();
        let heard = self.place()?.talk(s, Step(2), own, all)?;
        match claimed.agreed(&heard) {
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
            own => store_fault(&own).into(),
        }
    }
}

impl Taken {
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Item(item) => Some(item.number()),
            Self::Nothing => None,
        }
    }

    /// The pieces, whose lengths these are. Who takes the last one has the file deleted.
    pub fn stock(self, pieces: Vec<Bytes>) -> Result<Stock<Encoded>, RunError> {
        match self {
            Self::Item(item) => item
                .stock(pieces)
                .map_err(|fault| store_fault(&fault).into()),
            Self::Nothing => Ok(Vec::new().into()),
        }
    }
}

fn other_material(peer: PartyId) -> RunError {
    let misdeed = Misdeed::OtherMaterial;
    RunError::Peer { peer, misdeed }
}

/// How a fault of a vault or a store ends a session.
pub fn store_fault(fault: &VaultFault) -> LocalFault {
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

#[cfg(test)]
mod tests;
