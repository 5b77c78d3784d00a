//! How words about material travel: every keeper tells the hub, and the hub tells each what all say.

use subrosa_core::{PartyId, Wire, Words, WordsLayout};
use subrosa_net::{RunError, Session, Step};

/// One party's place among the keepers.
#[derive(Debug)]
pub(crate) enum Place {
    /// Linked to all parties of the plan. With the other keepers.
    Hub(Vec<PartyId>),
    /// A keeper, or a party that keeps nothing, which knows this hub.
    Behind(PartyId),
}

impl Place {
    /// Whose words this party hears.
    pub fn heard(&self) -> &[PartyId] {
        match self {
            Self::Hub(members) => members,
            Self::Behind(hub) => std::slice::from_ref(hub),
        }
    }

    /// In two steps from `first` on. `combine`: what the hub tells each other keeper once it has heard all of them, in
    /// their order. Gives what this party hears.
    pub fn talk<T: Wire<Layout = ()>>(
        &self,
        s: &mut Session,
        first: Step,
        own: impl FnOnce() -> T,
        combine: impl FnOnce(&[T]) -> Result<Vec<T>, RunError>,
    ) -> Result<Vec<T>, RunError> {
        let then = Step(first.0 + 1);
        match self {
            Self::Hub(members) => {
                let heard = hear(s, first, members)?;
                let told = members.iter().copied().zip(combine(&heard)?).collect();
                s.exchange::<T, ()>(then, told, &[])?;
                Ok(heard)
            }
            Self::Behind(hub) => {
                s.send(first, *hub, own())?;
                Ok(vec![s.receive(then, *hub, ())?])
            }
        }
    }
}

/// One word from each of `peers`.
pub(crate) fn hear<T: Wire<Layout = ()>>(
    s: &mut Session,
    step: Step,
    peers: &[PartyId],
) -> Result<Vec<T>, RunError> {
    let from: Vec<(PartyId, ())> = peers.iter().map(|peer| (*peer, ())).collect();
    s.exchange::<(), T>(step, Vec::new(), &from)
}

/// The same word to each of `peers`.
pub(crate) fn tell<T: Wire>(
    s: &mut Session,
    step: Step,
    peers: &[PartyId],
    word: impl Fn() -> T,
) -> Result<(), RunError> {
    let out = peers.iter().map(|peer| (*peer, word()));
    s.exchange::<T, ()>(step, out.collect(), &[]).map(|_| ())
}

const NUMBER: WordsLayout = WordsLayout { count: 1, bits: 64 };

/// One number to each of `peers`.
pub(crate) fn tell_number(
    s: &mut Session,
    step: Step,
    peers: &[PartyId],
    number: u64,
) -> Result<(), RunError> {
    tell(s, step, peers, || Words {
        bits: NUMBER.bits,
        values: vec![number],
    })
}

pub(crate) fn hear_number(s: &mut Session, step: Step, from: PartyId) -> Result<u64, RunError> {
    let words: Words = s.receive(step, from, NUMBER)?;
    Ok(words.values.first().copied().unwrap_or(0))
}
