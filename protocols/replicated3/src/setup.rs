//! Setup: pairwise keys between dealer and evaluators.

use subrosa_core::{PartyId, Prg, Seed};
use subrosa_net::{LocalFault, RunError, Session, Turns};

/// A key that this party shares with a neighbour, made from both sides' randomness.
pub fn agree(peer: PartyId, s: &mut Session) -> Result<Seed, RunError> {
    let mine = s.seed();
    let theirs: Vec<Seed> = s.exchange(Turns::FIRST, vec![(peer, mine.share())], &[(peer, ())])?;
    let theirs = theirs.into_iter().next().ok_or(LocalFault::Invariant)?;
    let (low, high) = if s.me() < peer {
        (&mine, &theirs)
    } else {
        (&theirs, &mine)
    };
    Ok(low.derive("replicated3 pair key", high.reveal()))
}

/// The stream of one offline phase: fresh by the nonces of both holders.
pub fn stream(key: &Seed, peer: PartyId, s: &mut Session) -> Result<Prg, RunError> {
    let nonce = s.fresh(peer)?;
    Ok(Prg::new(&key.derive("replicated3 offline", &nonce)))
}
