//! Seeds that the user shares with every server, and the masks that they give for one inference.
//!
//! There are always as many slots as there can be servers; those of servers that are not there are the gateway's. So the user
//! learns nothing of their number.

use crate::parties::SLOTS;
use std::ops::Range;
use subrosa_collective::Servers;
use subrosa_core::{Prg, Seed, Words, WordsLayout};
use subrosa_ring::{add_into, mask_into};

/// What a mask is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// r: of the values that the front half hands on.
    Transition,
    /// ρ: of the answers.
    Answer,
}

/// One inference's streams: of all slots at the user, of its own at a server.
pub struct Streams(Vec<Seed>);

impl Streams {
    /// From each slot's kept seed, the user's nonce and the slot's.
    pub fn new<'a>(slots: impl IntoIterator<Item = (&'a Seed, &'a Seed)>, user: &Seed) -> Self {
        let stream = |(kept, nonce): (&Seed, &Seed)| {
            let both = [*user.reveal(), *nonce.reveal()].concat();
            kept.derive("seco inference", &both)
        };
        Self(slots.into_iter().map(stream).collect())
    }

    /// The sum of the slots' masks, uniform to whoever lacks one of them.
    pub fn masks(&self, purpose: Purpose, layouts: &[WordsLayout]) -> Vec<Words> {
        let zero = |layout: &WordsLayout| Words {
            bits: layout.bits,
            values: vec![0; layout.count],
        };
        let mut sums: Vec<Words> = layouts.iter().map(zero).collect();
        for seed in &self.0 {
            let mut prg = Prg::new(&seed.derive("mask", &[purpose as u8]));
            for (sum, layout) in sums.iter_mut().zip(layouts) {
                add_into(&mut sum.values, &prg.words(layout.bits, layout.count));
                mask_into(&mut sum.values, layout.bits);
            }
        }
        sums
    }
}

/// The slots that a server plays.
pub fn played(servers: &Servers) -> Range<usize> {
    let at = servers.me.0;
    match servers.is_gateway() {
        true => at..SLOTS,
        false => at..at + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parties::{GATEWAY, remotes, servers};
    use subrosa_core::PartyId;

    const LAYOUTS: [WordsLayout; 2] = [
        WordsLayout { count: 5, bits: 40 },
        WordsLayout { count: 3, bits: 13 },
    ];

    fn seeds(from: u64, count: usize) -> Vec<Seed> {
        let numbers = (from..).take(count);
        numbers.map(Seed::insecure_seeded).collect()
    }

    fn streams(range: Range<usize>, nonces: u64, user: u64) -> Streams {
        let (kept, nonces) = (seeds(0, SLOTS), seeds(nonces, SLOTS));
        let slots = kept.iter().zip(&nonces).skip(range.start).take(range.len());
        Streams::new(slots, &Seed::insecure_seeded(user))
    }

    #[test]
    fn the_servers_masks_sum_to_the_users() {
        for count in [2, 3, 8] {
            for purpose in [Purpose::Transition, Purpose::Answer] {
                let parties: Vec<PartyId> = remotes(count).chain([GATEWAY]).collect();
                let mut sums = vec![vec![0u64; 5], vec![0; 3]];
                let mut slots = 0;
                for me in parties {
                    let own = played(&servers(count, me).unwrap());
                    slots += own.len();
                    let masks = streams(own, 50, 99).masks(purpose, &LAYOUTS);
                    for (sum, mask) in sums.iter_mut().zip(&masks) {
                        add_into(sum, &mask.values);
                        mask_into(sum, mask.bits);
                    }
                }
                let user = streams(0..SLOTS, 50, 99).masks(purpose, &LAYOUTS);
                let user: Vec<_> = user.into_iter().map(|words| words.values).collect();
                assert_eq!((slots, sums), (SLOTS, user));
            }
        }
    }

    #[test]
    fn either_nonce_makes_all_masks_new() {
        let mut all = Vec::new();
        for (nonces, user) in [(50, 99), (60, 99), (50, 98)] {
            for purpose in [Purpose::Transition, Purpose::Answer] {
                let masks = streams(3..4, nonces, user).masks(purpose, &LAYOUTS[..1]);
                all.extend(masks.into_iter().flat_map(|words| words.values));
            }
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
