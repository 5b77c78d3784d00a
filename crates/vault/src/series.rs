//! A series, its handshake, and the pool that the handshake gives.

use crate::fault::VaultFault;
use crate::lease::Claimed;
use crate::ledger::{Head, Row};
use crate::name::{Epoch, SeriesId, SeriesName, SeriesTag};
use crate::numbers::{Number, Numbers};
use crate::seal::sealed_length;
use crate::slot::Slot;
use crate::vault::Base;
use crate::word::{Claim, Kind, Made, Standing, Word};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subrosa_core::Seed;

/// How many numbers the ledger sets aside at once for items to come.
const SET_ASIDE: u64 = 64;

/// A series of items before its handshake.
pub struct Series(pub(crate) Arc<Shared>);

/// A series after its handshake: items are made into it and leased from it. Handles share one pool.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

/// What the handles of one series share.
pub(crate) struct Shared {
    pub base: Arc<Base>,
    pub id: SeriesId,
    tag: SeriesTag,
    peers: usize,
    lost: Vec<Number>,
    state: Mutex<State>,
}

/// The ledger's rows of the series, and what need not outlive the process.
pub(crate) struct State {
    pub epoch: Epoch,
    bound: Number,
    fresh: Number,
    /// Whether the names of all items' files are durable.
    named: bool,
    pub items: BTreeMap<Number, Held>,
}

pub(crate) struct Held {
    pub row: Row,
    /// Whether every party is known to have made it.
    pub usable: bool,
}

impl Series {
    pub fn id(&self) -> SeriesId {
        self.0.id
    }

    /// Items whose files were gone or cut when the series was loaded. They are no longer in the ledger.
    pub fn lost(&self) -> &[Number] {
        &self.0.lost
    }

    /// What all parties call the series.
    pub fn tag(&self) -> SeriesTag {
        self.0.tag
    }

    /// What this party has to say when a session begins.
    pub fn standing(&self) -> Result<Standing, VaultFault> {
        let nonce = Seed::random().map_err(|_| VaultFault::Randomness)?;
        let mut standing = Standing {
            tag: self.0.tag,
            epoch: Epoch::unsettled(0),
            nonce: nonce
                .reveal()
                .first_chunk()
                .map_or(0, |n| u128::from_le_bytes(*n)),
            fresh: 0,
            made: Numbers::default(),
        };
        let mut state = self.0.state();
        self.0.name(&mut state)?;
        standing.epoch = state.epoch;
        standing.fresh = state.fresh;
        standing.made = Numbers::first(state.items.keys().copied());
        Ok(standing)
    }

    /// At the hub: what to tell each of `peers`, in their order, in answer to what each of them has told.
    pub fn combined(
        &self,
        own: &Standing,
        peers: &[Standing],
    ) -> Result<Vec<Standing>, VaultFault> {
        self.check(peers)?;
        let all: Vec<&Standing> = peers.iter().chain([own]).collect();
        let told = |to| Standing::combined(&all, to);
        Ok((0..peers.len()).filter_map(told).collect())
    }

    /// Ends the handshake. `own` is what this party has told, `peers` what each other party has told it: all others,
    /// or the hub, which has [combined](Series::combined) what all say.
    ///
    /// Where all stand in one epoch, items that not all of them have made are burned, the others are usable.
    /// Otherwise a vault was lost or [renewed](Series::renew), everything is burned and the next epoch begins.
    pub fn settle(&self, own: &Standing, peers: &[Standing]) -> Result<Pool, VaultFault> {
        let shared = &self.0;
        self.check(peers)?;
        let mut state = shared.state();
        if own.tag != shared.tag || own.epoch != state.epoch {
            return Err(VaultFault::Stale);
        }
        let all: Vec<&Standing> = peers.iter().chain([own]).collect();
        let word = Standing::combined(&all, peers.len()).ok_or(VaultFault::Stale)?;
        let fresh = word.fresh.max(state.fresh);
        if word.epoch.is_settled() {
            let stated = |n: &&Number| own.made.contains(**n) && word.made.decides(**n);
            let stated = state.items.keys().filter(stated);
            let (usable, burned): (Vec<_>, Vec<_>) = stated.partition(|n| word.made.contains(**n));
            shared.write(&mut state, own.epoch, fresh, &burned)?;
            for number in usable {
                state
                    .items
                    .entry(number)
                    .and_modify(|held| held.usable = true);
            }
        } else {
            let count = word.epoch.count + 1;
            if count >= Numbers::LIMIT {
                return Err(VaultFault::Exhausted);
            }
            let nonces = word.nonce.wrapping_add(own.nonce);
            let epoch = Epoch::agree(count, &shared.tag, nonces);
            let burned: Vec<Number> = state.items.keys().copied().collect();
            shared.write(&mut state, epoch, fresh, &burned)?;
        }
        Ok(Pool(shared.clone()))
    }

    fn check(&self, peers: &[Standing]) -> Result<(), VaultFault> {
        self.0.check_count(peers.len())?;
        match peers.iter().position(|p| p.tag != self.0.tag) {
            Some(peer) => Err(VaultFault::OtherSeries { peer }),
            None => Ok(()),
        }
    }

    /// Burns every item. Nothing is made or leased until the next handshake, which begins a new epoch.
    pub fn renew(&self) -> Result<(), VaultFault> {
        let mut state = self.0.state();
        let (epoch, fresh) = (Epoch::unsettled(state.epoch.count), state.fresh);
        let burned: Vec<Number> = state.items.keys().copied().collect();
        self.0.write(&mut state, epoch, fresh, &burned)
    }
}

impl Pool {
    /// The number of the next item to be made.
    pub fn fresh(&self) -> Number {
        self.0.state().fresh
    }

    /// How many items can be leased.
    pub fn usable(&self) -> u64 {
        let state = self.0.state();
        state.items.values().filter(|held| held.usable).count() as u64
    }

    /// Begins an item. All parties give it the same number, none below [`Pool::fresh`].
    pub fn begin(&self, number: Number) -> Result<Slot, VaultFault> {
        let epoch = self.0.begin(number)?;
        Slot::new(self.0.clone(), epoch, number)
    }

    /// Which of the numbers in `lot` this party has made; for [`Pool::committed`] at all others.
    pub fn made(&self, lot: Range<Number>) -> Result<Made, VaultFault> {
        let mut state = self.0.state();
        state.check_settled()?;
        self.0.name(&mut state)?;
        let made = state.items.keys().copied();
        let numbers = Numbers::first(made.filter(|number| lot.contains(number)));
        Ok(Word::new(&self.0.tag, &state.epoch, numbers))
    }

    /// At the hub: what all have made, to be told to each of `peers`.
    pub fn combined(&self, own: &Made, peers: &[Made]) -> Result<Made, VaultFault> {
        let epoch = self.0.state().epoch;
        self.0.combined(&epoch, own, peers)
    }

    /// Items that this party and all others have made are usable from here on; says how many became so.
    ///
    /// Nothing is written: after a crash the next handshake finds the same.
    pub fn committed(&self, peers: &[Made]) -> Result<u64, VaultFault> {
        self.0.check_count(peers.len())?;
        let mut state = self.0.state();
        state.check_settled()?;
        self.0.check_words(&state.epoch, peers)?;
        let mut more = 0;
        for (number, held) in &mut state.items {
            if !held.usable && peers.iter().all(|p| p.numbers().contains(*number)) {
                held.usable = true;
                more += 1;
            }
        }
        Ok(more)
    }

    /// Takes the first usable items, at most `count`, out of the ledger. One durable write for all.
    ///
    /// Fewer come where fewer are left, or where their numbers lie in more ranges than [`Numbers`] holds.
    pub fn lease(&self, count: usize) -> Result<Claimed, VaultFault> {
        self.take(|state| {
            let usable = state.items.iter().filter(|(_, held)| held.usable);
            Ok(Numbers::first(usable.map(|(n, _)| *n).take(count)))
        })
    }

    /// [`Pool::lease`] of what another party has claimed. Of several leases at once each is one party's to begin.
    pub fn follow(&self, claim: &Claim) -> Result<Claimed, VaultFault> {
        self.take(|state| {
            self.0
                .check_words(&state.epoch, std::slice::from_ref(claim))?;
            let claimed = |n: &Number| claim.numbers().contains(*n);
            Ok(Numbers::first(state.items.keys().copied().filter(claimed)))
        })
    }

    fn take(
        &self,
        choose: impl FnOnce(&State) -> Result<Numbers, VaultFault>,
    ) -> Result<Claimed, VaultFault> {
        let shared = &self.0;
        let mut state = shared.state();
        state.check_settled()?;
        let numbers = choose(&state)?;
        if numbers.is_empty() {
            return Err(VaultFault::Exhausted);
        }
        let chosen: Vec<Number> = numbers.ranges().iter().cloned().flatten().collect();
        shared.remove(&chosen)?;
        let taken = chosen
            .iter()
            .filter_map(|n| state.items.remove(n).map(|held| (*n, held.row)))
            .collect();
        let claim = Word::new(&shared.tag, &state.epoch, numbers);
        Ok(Claimed::new(shared.clone(), state.epoch, taken, claim))
    }
}

impl Shared {
    pub fn load(base: &Arc<Base>, name: &SeriesName) -> Result<Self, VaultFault> {
        let id = name.id();
        let head = base.ledger.head(&id)?;
        let head = head.unwrap_or(Head::new(Epoch::unsettled(0), 0));
        base.folder.make_series(&id)?;
        let mut items = BTreeMap::new();
        let mut lost = Vec::new();
        for (number, row) in base.ledger.items(&id)? {
            let found = base.folder.length(&id, number)?;
            if found.is_some() && found == sealed_length(row.length) {
                let usable = false;
                items.insert(number, Held { row, usable });
            } else {
                lost.push(number);
            }
        }
        let shared = Self {
            base: base.clone(),
            id,
            tag: name.tag(),
            peers: name.peers.len(),
            lost,
            state: Mutex::new(State {
                epoch: head.epoch(),
                bound: head.bound,
                fresh: head.bound,
                named: true,
                items,
            }),
        };
        if !shared.lost.is_empty() {
            shared.remove(&shared.lost)?;
            shared.delete(&shared.lost);
        }
        Ok(shared)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn check_count(&self, found: usize) -> Result<(), VaultFault> {
        let expected = self.peers;
        match found == expected {
            true => Ok(()),
            false => Err(VaultFault::Peers { expected, found }),
        }
    }

    pub fn check_words<K: Kind>(&self, epoch: &Epoch, words: &[Word<K>]) -> Result<(), VaultFault> {
        let other = words.iter().position(|w| !w.speaks_of(&self.tag, epoch));
        other.map_or(Ok(()), |peer| Err(VaultFault::OtherEpoch { peer }))
    }

    /// What this party and all peers say.
    pub fn combined<K: Kind>(
        &self,
        epoch: &Epoch,
        own: &Word<K>,
        peers: &[Word<K>],
    ) -> Result<Word<K>, VaultFault> {
        self.check_count(peers.len())?;
        self.check_words(epoch, peers)?;
        let sets = peers.iter().chain([own]).map(Word::numbers);
        Ok(Word::new(&self.tag, epoch, Numbers::common(sets)))
    }

    /// Spends `number`: no later call gives it, in this process or after it.
    fn begin(&self, number: Number) -> Result<Epoch, VaultFault> {
        let mut state = self.state();
        state.check_settled()?;
        if number < state.fresh {
            let (fresh, found) = (state.fresh, number);
            return Err(VaultFault::Spent { fresh, found });
        }
        if number >= Numbers::LIMIT - SET_ASIDE {
            return Err(VaultFault::Exhausted);
        }
        if number >= state.bound {
            let head = Head::new(state.epoch, number + SET_ASIDE);
            self.base.ledger.commit(&self.id, |page| page.head(&head))?;
            state.bound = head.bound;
        }
        state.fresh = number + 1;
        Ok(state.epoch)
    }

    /// Enters an item that is whole and durable but for its name, if the epoch in which it was begun still lasts.
    pub fn enter(&self, epoch: &Epoch, number: Number, row: Row) -> Result<(), VaultFault> {
        let mut state = self.state();
        if state.epoch != *epoch {
            return Err(VaultFault::Stale);
        }
        self.base
            .ledger
            .commit(&self.id, |page| page.insert(number, &row))?;
        let usable = false;
        state.items.insert(number, Held { row, usable });
        state.named = false;
        Ok(())
    }

    /// Makes the names of all items' files durable, before this party says that it has made them.
    fn name(&self, state: &mut State) -> Result<(), VaultFault> {
        if !state.named {
            self.base.folder.sync_series(&self.id)?;
            state.named = true;
        }
        Ok(())
    }

    /// Moves the series to `epoch` and `fresh` without the items in `burned`.
    fn write(
        &self,
        state: &mut State,
        epoch: Epoch,
        fresh: Number,
        burned: &[Number],
    ) -> Result<(), VaultFault> {
        let bound = state.bound.max(fresh);
        if epoch != state.epoch || bound != state.bound || !burned.is_empty() {
            self.base.ledger.commit(&self.id, |page| {
                page.head(&Head::new(epoch, bound))?;
                burned.iter().try_for_each(|number| page.remove(*number))
            })?;
        }
        (state.epoch, state.bound, state.fresh) = (epoch, bound, fresh);
        for number in burned {
            state.items.remove(number);
        }
        self.delete(burned);
        Ok(())
    }

    fn remove(&self, numbers: &[Number]) -> Result<(), VaultFault> {
        self.base.ledger.commit(&self.id, |page| {
            numbers.iter().try_for_each(|number| page.remove(*number))
        })
    }

    /// Deletes the files of items that the ledger no longer has.
    fn delete(&self, numbers: &[Number]) {
        for number in numbers {
            drop(self.base.folder.pieces(&self.id, *number));
        }
    }
}

impl State {
    fn check_settled(&self) -> Result<(), VaultFault> {
        match self.epoch.is_settled() {
            true => Ok(()),
            false => Err(VaultFault::Unsettled),
        }
    }
}
