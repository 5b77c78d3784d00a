//! Oblivious transfers between every two servers.

use crate::servers::{Place, Servers};
use std::collections::BTreeMap;
use subrosa_core::{
    Bytes, Malformed, ReceiverCots, ReceiverOts, Secret, SenderCots, SenderOts, Wire,
};
use subrosa_net::{Cost, LocalFault, RunError, Session, Turns};
use subrosa_ot::{Extension, Receiver, ReceiverKeys, Sender, SenderKeys, random_offset};

/// What a server keeps: one offset of its own towards all others, and base OTs both ways with each but the gateway, which
/// receives only.
pub struct OtKeys {
    offset: Secret<u128>,
    sends: BTreeMap<Place, SenderKeys>,
    receives: BTreeMap<Place, ReceiverKeys>,
}

/// Random and correlated OTs together that one server sends to each other one, in one offline phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtPlan(pub BTreeMap<(Place, Place), u64>);

/// The stocks of one session. Draws of a direction are in one order at both ends.
pub struct Ots {
    offset: Secret<u128>,
    sends: BTreeMap<Place, (Sender, Turns)>,
    receives: BTreeMap<Place, (Receiver, Turns)>,
}

/// The directions between `me` and the others in the order in which base OTs and stocks run: by the lower place, then the higher one,
/// then from the lower to the higher first. The gateway never sends. Draws are in this order, too: then no two servers wait for each
/// other.
pub fn directions(servers: &Servers) -> impl Iterator<Item = (Place, Place)> + use<> {
    let (me, count, gateway) = (servers.me, servers.count(), servers.gateway());
    let pairs =
        (0..count).flat_map(move |low| (low + 1..count).map(move |high| (Place(low), Place(high))));
    pairs
        .filter(move |(low, high)| *low == me || *high == me)
        .flat_map(|(low, high)| [(low, high), (high, low)])
        .filter(move |(from, _)| *from != gateway)
}

impl OtKeys {
    pub fn setup(servers: &Servers, s: &mut Session) -> Result<Self, RunError> {
        let mut keys = Self {
            offset: random_offset(s),
            sends: BTreeMap::new(),
            receives: BTreeMap::new(),
        };
        let mut turns: BTreeMap<Place, Turns> = BTreeMap::new();
        for (from, to) in directions(servers) {
            let other = if from == servers.me { to } else { from };
            let peer = servers.party(other).ok_or(LocalFault::Invariant)?;
            let turns = turns.entry(other).or_insert_with(|| Turns::aside(0));
            if from == servers.me {
                let made = SenderKeys::setup_with(&keys.offset, peer, turns, s)?;
                keys.sends.insert(other, made);
            } else {
                keys.receives
                    .insert(other, ReceiverKeys::setup(peer, turns, s)?);
            }
        }
        Ok(keys)
    }

    pub fn setup_cost(servers: &Servers) -> Cost {
        let cost = |(from, _)| match from == servers.me {
            true => SenderKeys::setup_cost(),
            false => ReceiverKeys::setup_cost(),
        };
        directions(servers)
            .map(cost)
            .fold(Cost::default(), |all, cost| all + cost)
    }
}

/// Bytes of an offset.
const OFFSET: usize = 16;

/// To whom the server `servers.me` sends, and from whom it receives, by place.
fn partners(servers: &Servers) -> [Vec<Place>; 2] {
    let gateway = servers.gateway();
    let to = servers.others().filter(|_| !servers.is_gateway());
    let from = servers.others().filter(|other| *other != gateway);
    [to.collect(), from.collect()]
}

/// For the disk, not for the peer.
impl Wire for OtKeys {
    type Layout = Servers;
    fn size(servers: &Servers) -> Bytes {
        let [to, from] = partners(servers).map(|places| places.len() as u64);
        Bytes(OFFSET as u64) + SenderKeys::size(&()) * to + ReceiverKeys::size(&()) * from
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.reveal().to_le_bytes());
        self.sends.values().for_each(|keys| keys.encode(out));
        self.receives.values().for_each(|keys| keys.encode(out));
    }
    fn decode(servers: &Servers, bytes: &[u8]) -> Result<Self, Malformed> {
        let (expected, found) = (Self::size(servers).0, bytes.len() as u64);
        let (offset, rest) = bytes
            .split_first_chunk::<OFFSET>()
            .filter(|_| expected == found)
            .ok_or(Malformed::Length { expected, found })?;
        let offset = Secret::new(u128::from_le_bytes(*offset));
        let [to, from] = partners(servers);
        let layout = (vec![(); to.len()], vec![(); from.len()]);
        let (sends, receives) = <(Vec<SenderKeys>, Vec<ReceiverKeys>)>::decode(&layout, rest)?;
        let differences = sends.iter().map(|keys| keys.differs_from(&offset));
        let wrong = differences.fold((offset.reveal() & 1) ^ 1, |all, one| all | one.reveal());
        if wrong != 0 {
            return Err(Malformed::Range);
        }
        Ok(Self {
            offset,
            sends: to.into_iter().zip(sends).collect(),
            receives: from.into_iter().zip(receives).collect(),
        })
    }
}

impl OtPlan {
    fn extension(&self, from: Place, to: Place) -> Extension {
        Extension::plan(self.0.get(&(from, to)).copied().unwrap_or(0))
    }

    /// What the server `servers.me` sends and waits for if all are drawn.
    pub fn cost(&self, servers: &Servers) -> Cost {
        let cost = |(from, to)| {
            let extension = self.extension(from, to);
            match from == servers.me {
                true => extension.sender_cost(),
                false => extension.receiver_cost(),
            }
        };
        directions(servers)
            .map(cost)
            .fold(Cost::default(), |all, cost| all + cost)
    }
}

impl Ots {
    /// Sends nothing.
    pub fn new(
        keys: &OtKeys,
        plan: &OtPlan,
        servers: &Servers,
        s: &mut Session,
    ) -> Result<Self, RunError> {
        let mut stocks = Self {
            offset: Secret::new(*keys.offset.reveal()),
            sends: BTreeMap::new(),
            receives: BTreeMap::new(),
        };
        for (from, to) in directions(servers) {
            let other = if from == servers.me { to } else { from };
            let peer = servers.party(other).ok_or(LocalFault::Invariant)?;
            let extension = plan.extension(from, to);
            // Each direction counts its own messages.
            let turns = Turns::aside(u32::from(from > to));
            if from == servers.me {
                let keys = keys.sends.get(&other).ok_or(LocalFault::Invariant)?;
                let sender = Sender::new(keys, &extension, peer, s)?;
                stocks.sends.insert(other, (sender, turns));
            } else {
                let keys = keys.receives.get(&other).ok_or(LocalFault::Invariant)?;
                let receiver = Receiver::new(keys, &extension, peer, s)?;
                stocks.receives.insert(other, (receiver, turns));
            }
        }
        Ok(stocks)
    }

    /// This server's offset, of all directions in which it sends; bit 0 is set.
    pub fn offset(&self) -> Secret<u128> {
        Secret::new(*self.offset.reveal())
    }

    pub fn send(
        &mut self,
        to: Place,
        planes: usize,
        lanes: usize,
        s: &mut Session,
    ) -> Result<SenderOts, RunError> {
        let (sender, turns) = self.sends.get_mut(&to).ok_or(LocalFault::Invariant)?;
        sender.draw(planes, lanes, turns, s)
    }

    pub fn receive(
        &mut self,
        from: Place,
        planes: usize,
        lanes: usize,
        s: &mut Session,
    ) -> Result<ReceiverOts, RunError> {
        let (receiver, turns) = self.receives.get_mut(&from).ok_or(LocalFault::Invariant)?;
        receiver.draw(planes, lanes, turns, s)
    }

    pub fn send_correlated(
        &mut self,
        to: Place,
        planes: usize,
        lanes: usize,
        s: &mut Session,
    ) -> Result<SenderCots, RunError> {
        let (sender, turns) = self.sends.get_mut(&to).ok_or(LocalFault::Invariant)?;
        sender.draw_correlated(planes, lanes, turns, s)
    }

    pub fn receive_correlated(
        &mut self,
        from: Place,
        planes: usize,
        lanes: usize,
        s: &mut Session,
    ) -> Result<ReceiverCots, RunError> {
        let (receiver, turns) = self.receives.get_mut(&from).ok_or(LocalFault::Invariant)?;
        receiver.draw_correlated(planes, lanes, turns, s)
    }
}
