//! Keepers at work: over links in memory, each with a vault on disk.

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use subrosa_core::{Shelf, Words};
use subrosa_net::{Links, Network, SessionTerms, Tap, memory_mesh_tapped};

fn join(me: u8, keepers: &[u8], neighbours: &[u8]) -> Result<(), RunError> {
    let print = |party: &u8| (PartyId(*party), [9; 32]);
    let keeper = |party: &u8| (PartyId(*party), Certificate([*party; 32]));
    let told: Vec<_> = keepers.iter().map(keeper).collect();
    let peers: Vec<_> = neighbours.iter().map(print).collect();
    let me = PartyId(me);
    let folder = format!("subrosa-keepers-{keepers:?}-{me}-{}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    let terms = PoolTerms::passing(me, told, &folder).unwrap();
    let joined = Keeping::new(me, me.0 < 3, &peers, terms).map(|_| ());
    let _ = std::fs::remove_dir_all(folder);
    joined
}

#[test]
fn keepers_without_a_link_to_the_hub_are_refused_by_name() {
    let unlinked = |party| Err(StoreFault::Unlinked(PartyId(party)).into());
    assert_eq!(join(1, &[1, 0, 2], &[0, 2, 5]), Ok(()));
    assert_eq!(join(1, &[1, 0, 2], &[0, 4]), unlinked(2));
    // Another keeper is linked to the hub, and need not know of others.
    for keepers in [&[1, 0, 2][..], &[1, 0]] {
        assert_eq!(join(0, keepers, &[1]), Ok(()));
        assert_eq!(join(0, keepers, &[2]), unlinked(1));
    }
    assert_eq!(join(3, &[1], &[1]), Ok(()));
    assert_eq!(join(3, &[1], &[0, 2]), unlinked(1));
}

#[test]
fn keepers_are_those_with_pieces_once_each() {
    let refused = Err(StoreFault::Keepers.into());
    assert_eq!(join(0, &[1], &[1]), refused);
    assert_eq!(join(3, &[1, 3], &[1]), refused);
    assert_eq!(join(0, &[1, 0, 1], &[1]), refused);
    assert_eq!(join(3, &[], &[1]), Ok(()));
}

/// Length of each frame between the parties 0 and 1, by direction.
#[derive(Default)]
struct Lengths(Mutex<BTreeMap<(PartyId, PartyId), Vec<usize>>>);

impl Tap for Lengths {
    fn frame(&self, from: PartyId, to: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if from.0 + to.0 == 1 {
            let mut all = self.0.lock().unwrap();
            all.entry((from, to)).or_default().push(bytes.len());
        }
        vec![bytes]
    }
}

/// Party 0 is linked to party 1 alone, all others are linked to each other, as a user of a gateway and servers are.
/// The last party keeps nothing.
struct Star {
    folder: PathBuf,
    parties: u8,
    lengths: Arc<Lengths>,
    timeout: Duration,
    /// What each party calls its series when it sits down.
    names: Vec<Option<SeriesName>>,
    block: u64,
    seats: Vec<(Option<Links>, Keeping)>,
}

const HUB: PartyId = PartyId(1);

impl Star {
    fn new(name: &str, parties: u8) -> Self {
        let folder = format!("subrosa-star-{name}-{parties}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = std::fs::remove_dir_all(&folder);
        let mut star = Self {
            folder,
            parties,
            lengths: Arc::default(),
            timeout: Duration::from_secs(20),
            names: vec![None; parties.into()],
            block: BLOCK,
            seats: Vec::new(),
        };
        star.sit();
        star
    }

    fn linked(&self, party: u8) -> Vec<PartyId> {
        match party {
            0 => vec![HUB],
            1 => (0..self.parties).filter(|p| *p != 1).map(PartyId).collect(),
            _ => (1..self.parties)
                .filter(|p| *p != party)
                .map(PartyId)
                .collect(),
        }
    }

    /// Each pair shares something of its own of the plan.
    fn prints(party: PartyId, peers: &[PartyId]) -> Vec<(PartyId, Fingerprint)> {
        let print = |peer: &PartyId| [10 * party.0.min(peer.0) + party.0.max(peer.0); 32];
        peers.iter().map(|peer| (*peer, print(peer))).collect()
    }

    /// New connections and new keepers, over the vaults that there are.
    fn sit(&mut self) {
        self.seats.clear();
        let all: Vec<PartyId> = (0..self.parties).map(PartyId).collect();
        let pairs = all.iter().flat_map(|a| {
            let peers = self.linked(a.0).into_iter().filter(move |b| a < b);
            peers.map(|b| (*a, b))
        });
        let pairs: Vec<_> = pairs.collect();
        let mut mesh = memory_mesh_tapped(&all, &pairs, Network::LOOPBACK, self.lengths.clone());
        let print = |party: PartyId| (party, Certificate([party.0; 32]));
        for me in all {
            let last = me.0 + 1 == self.parties;
            let told = match (me, last) {
                (HUB, _) => [1, 0]
                    .into_iter()
                    .chain(2..self.parties - 1)
                    .map(PartyId)
                    .collect(),
                (_, true) => vec![HUB],
                _ => vec![HUB, me],
            };
            let folder = self.folder.join(me.0.to_string());
            let key = Seed::insecure_seeded(me.0.into());
            let terms = PoolTerms {
                keepers: told.into_iter().map(print).collect(),
                vault: (!last).then(|| Arc::new(Vault::open(&folder, &key).unwrap())),
                name: self.names[usize::from(me.0)].clone(),
                lease: self.block,
            };
            let prints = Self::prints(me, &self.linked(me.0));
            let keeping = Keeping::new(me, !last, &prints, terms).unwrap();
            self.seats.push((mesh.remove(&me), keeping));
        }
    }

    /// Everybody leaves, and sits down again knowing what the series was called.
    fn return_with_names(&mut self) {
        let name = |(_, keeping): &(_, Keeping)| keeping.name().cloned();
        self.names = self.seats.iter().map(name).collect();
        self.sit();
    }

    /// All at once, each in a session with those that it talks to.
    fn all<T: Send>(
        &mut self,
        keepers_alone: bool,
        run: impl Fn(&mut Keeping, &mut Session) -> Result<T, RunError> + Sync,
    ) -> Vec<Result<T, RunError>> {
        let linked: Vec<_> = (0..self.parties).map(|p| self.linked(p)).collect();
        let (run, timeout) = (&run, self.timeout);
        std::thread::scope(|scope| {
            let mut running = Vec::new();
            for ((links, keeping), linked) in self.seats.iter_mut().zip(&linked) {
                if keepers_alone && !keeping.keeps() {
                    continue;
                }
                let with = match keepers_alone {
                    true => keeping.peers().to_vec(),
                    false => keeping.audience(linked),
                };
                running.push(scope.spawn(move || {
                    let taken = links.take().unwrap();
                    let me = taken.me();
                    let terms = SessionTerms {
                        fingerprints: Self::prints(me, &with),
                        untold: vec![PartyId(0); usize::from(me == HUB)],
                        timeout,
                        insecure_seed: None,
                    };
                    let mut session = Session::open(taken, terms)?;
                    match run(keeping, &mut session) {
                        Ok(value) => {
                            *links = Some(session.close());
                            Ok(value)
                        }
                        Err(error) => {
                            session.fail(&error);
                            Err(error)
                        }
                    }
                }));
            }
            running.into_iter().map(|r| r.join().unwrap()).collect()
        })
    }

    fn handshake(&mut self) {
        for settled in self.all(true, |keeping, s| keeping.handshake(s)) {
            settled.unwrap();
        }
    }

    /// Makes `count` items at each keeper but those that `lacks` names; says how many became usable at each.
    fn fill(&mut self, count: u64, lacks: impl Fn(PartyId, Number) -> bool + Sync) -> Vec<u64> {
        let committed = self.all(true, |keeping, s| {
            let first = keeping.fresh()?;
            for number in first..first + count {
                if lacks(s.me(), number) {
                    continue;
                }
                let mut slot = keeping.begin(number)?;
                let values = vec![number, s.me().0.into()];
                let put = slot.put(Words { bits: 64, values });
                keeping.made(slot, put.map_err(RunError::from))?;
            }
            keeping.commit(first, s)
        });
        committed.into_iter().map(Result::unwrap).collect()
    }

    /// What every party is leased, in the order in which it takes it; nothing of items at one that keeps nothing.
    fn leased(&mut self) -> Vec<Vec<Option<Number>>> {
        for leased in self.all(false, |keeping, s| keeping.lease(s)) {
            leased.unwrap();
        }
        let take = |(_, keeping): &mut (Option<Links>, Keeping)| {
            let items = std::iter::from_fn(|| keeping.take());
            items.map(|taken| taken.number()).collect()
        };
        self.seats.iter_mut().map(take).collect()
    }
}

impl Drop for Star {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn keepers_behind_a_hub_lease_the_same_items() {
    let mut star = Star::new("same", 5);
    star.handshake();
    assert_eq!(star.fill(3, |_, _| false), [3; 4]);
    let mut expected = vec![vec![Some(0), Some(1), Some(2)]; 4];
    expected.push(vec![None; 3]);
    assert_eq!(star.leased(), expected);
    assert_eq!(star.leased(), vec![vec![]; 5]);
    // What one of them lacks is nobody's, whoever that is.
    for lacking in 0..4 {
        let first = star.seats[1].1.fresh().unwrap();
        let lacks = |party, number| party == PartyId(lacking) && number == first + 1;
        assert_eq!(star.fill(3, lacks), [2; 4]);
        let mut expected = vec![vec![Some(first), Some(first + 2)]; 4];
        expected.push(vec![None; 2]);
        assert_eq!(star.leased(), expected);
    }
}

#[test]
fn a_keeper_behind_the_hub_is_told_nothing_of_how_many_there_are() {
    let told = |parties| {
        let mut star = Star::new("told", parties);
        star.handshake();
        star.fill(2, |_, _| false);
        star.leased();
        let lengths = std::mem::take(&mut *star.lengths.0.lock().unwrap());
        assert!(lengths.values().all(|frames| frames.len() > 4));
        lengths
    };
    let few = told(4);
    assert_eq!(few.len(), 2);
    assert_eq!(few, told(3));
    assert_eq!(few, told(8));
}

#[test]
fn a_keeper_without_the_items_ends_the_lease_at_all() {
    for lost in [0, 2] {
        let mut star = Star::new("lost", 4);
        star.handshake();
        star.fill(2, |_, _| false);
        let pool = star.seats[lost].1.pool().unwrap().clone();
        drop(pool.lease(2).unwrap());
        let ends = star.all(false, |keeping, s| keeping.lease(s));
        let own = RunError::Local(LocalFault::Invariant);
        assert_eq!(ends[lost], Err(own));
        for (at, end) in ends.iter().enumerate().filter(|(at, _)| *at != lost) {
            // Who knows the hub alone is told of no other.
            let named = if at == 0 { HUB } else { PartyId(lost as u8) };
            assert_eq!(end.as_ref().unwrap_err().culprit(), Some(named), "{at}");
        }
        // The hub has marked its items as taken, so nobody uses them any more.
        assert_eq!(star.seats[1].1.pool().unwrap().usable(), 0);
    }
}

#[test]
fn words_of_another_deployment_are_refused() {
    let mut star = Star::new("other", 4);
    star.handshake();
    star.fill(2, |_, _| false);
    // A keeper that has burned everything is in no epoch until all settle again.
    let (series, _) = star.seats[2].1.settled.as_ref().unwrap();
    series.renew().unwrap();
    let own = series.standing().unwrap();
    assert_eq!(own.made().count(), 0);
    let ends = star.all(false, |keeping, s| keeping.lease(s));
    assert!(ends[2].is_err() && ends[1].is_err());
    let mut star = Star::new("again", 4);
    star.handshake();
    star.fill(2, |_, _| false);
    star.sit();
    star.handshake();
    // Another name is of another deployment.
    assert_eq!(star.leased(), vec![vec![]; 4]);
}

#[test]
fn a_pool_goes_on_under_its_name_and_gives_nothing_twice() {
    let mut star = Star::new("on", 4);
    star.block = 2;
    star.handshake();
    assert_eq!(star.fill(5, |_, _| false), [5; 3]);
    let mut seen = Vec::new();
    for expected in [
        vec![Some(0), Some(1)],
        vec![Some(2), Some(3)],
        vec![Some(4)],
    ] {
        star.return_with_names();
        star.handshake();
        let leased = star.leased();
        assert_eq!(
            leased,
            [vec![expected.clone(); 3], vec![vec![None; expected.len()]]].concat()
        );
        seen.extend(expected);
    }
    star.return_with_names();
    star.handshake();
    assert_eq!(star.leased(), vec![vec![]; 4]);
    // One that has forgotten the name does not come in.
    star.return_with_names();
    star.names[2] = None;
    star.timeout = Duration::from_secs(2);
    star.sit();
    assert!(
        star.all(true, |keeping, s| keeping.handshake(s))
            .iter()
            .all(Result::is_err)
    );
    // Nor does one with another's.
    star.names[2] = star.names[0].clone();
    star.sit();
    let ends = star.all(true, |keeping, s| keeping.handshake(s));
    assert_eq!(ends[2], Err(StoreFault::Keepers.into()));
}

#[test]
fn a_keeper_that_is_silent_is_named_not_the_hub() {
    let mut star = Star::new("silent", 5);
    star.timeout = Duration::from_millis(300);
    let ends = star.all(true, |keeping, s| {
        if s.me() == PartyId(2) {
            std::thread::sleep(Duration::from_millis(900));
            return Err(LocalFault::Invariant.into());
        }
        keeping.handshake(s)
    });
    let culprits = ends.iter().map(|end| end.as_ref().unwrap_err().culprit());
    let culprits: Vec<_> = culprits.collect();
    let silent = Some(PartyId(2));
    assert_eq!(culprits, [Some(HUB), silent, None, silent]);
}
