//! Who hears whom.

use crate::parties::*;
use subrosa_core::Wire;
use subrosa_vault::{Claim, Claimed, Lease, Made, Pool, Series, SeriesName, Standing, VaultFault};

/// Whom the parties hear: each other, or all of them one, which tells each what all say.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub parties: u8,
    pub hub: Option<u8>,
}

impl Table {
    pub fn name(self, party: u8) -> SeriesName {
        let whole = name(party, self.parties);
        match self.hub {
            Some(hub) if hub != party => SeriesName {
                own: whole.own,
                peers: vec![[hub; 32]],
                // What is of this party and the hub alone.
                model: [party; 32],
                plan: [100 + party; 32],
                told: Some(name(hub, self.parties).tag()),
            },
            _ => whole,
        }
    }

    pub fn series(self, scratch: &Scratch, party: u8) -> Series {
        let vault = open(&scratch.of(party), party).unwrap();
        vault.series(&self.name(party)).unwrap()
    }

    pub fn all_series(self, scratch: &Scratch) -> Vec<Series> {
        (0..self.parties).map(|p| self.series(scratch, p)).collect()
    }

    /// What each party hears of `all`, by way of `combine` at the hub.
    fn heard<T: Wire<Layout = ()> + Clone>(
        self,
        all: &[T],
        combine: impl FnOnce(usize, &[T]) -> Vec<T>,
    ) -> Vec<Vec<T>> {
        let all: Vec<T> = all.iter().map(sent).collect();
        let Some(hub) = self.hub.map(usize::from) else {
            return (0..all.len()).map(|me| others(&all, me)).collect();
        };
        let at_hub = others(&all, hub);
        let words = combine(hub, &at_hub);
        assert_eq!(words.len(), at_hub.len());
        let mut heard: Vec<Vec<T>> = words.iter().map(|word| vec![sent(word)]).collect();
        heard.insert(hub, at_hub);
        heard
    }

    pub fn standings(self, series: &[Series], told: &[Standing]) -> Vec<Vec<Standing>> {
        self.heard(told, |hub, peers| {
            series[hub].combined(&told[hub], peers).unwrap()
        })
    }

    pub fn made(self, pools: &[Pool], told: &[Made]) -> Vec<Vec<Made>> {
        self.heard(told, |hub, peers| {
            vec![pools[hub].combined(&told[hub], peers).unwrap(); peers.len()]
        })
    }

    pub fn claims(self, claimed: &[Claimed]) -> Vec<Vec<Claim>> {
        let told: Vec<Claim> = claimed.iter().map(|c| c.claim().clone()).collect();
        self.heard(&told, |hub, peers| {
            vec![claimed[hub].combined(peers).unwrap(); peers.len()]
        })
    }

    pub fn settle(self, series: &[Series]) -> Vec<Pool> {
        let told: Vec<Standing> = series.iter().map(|s| s.standing().unwrap()).collect();
        let heard = self.standings(series, &told);
        let all = series.iter().zip(&told).zip(&heard);
        all.map(|((series, own), heard)| series.settle(own, heard).unwrap())
            .collect()
    }

    pub fn make(self, pools: &[Pool], count: u64, length: usize) {
        let lot = pools[0].fresh()..pools[0].fresh() + count;
        for number in lot.clone() {
            for (party, pool) in pools.iter().enumerate() {
                put(pool, number, &[content(number, party as u8, length)]);
            }
        }
        let made: Vec<Made> = pools.iter().map(|p| p.made(lot.clone()).unwrap()).collect();
        for (pool, heard) in pools.iter().zip(self.made(pools, &made)) {
            assert_eq!(pool.committed(&heard), Ok(count));
        }
    }

    pub fn agree(self, claimed: Vec<Claimed>) -> Vec<Result<Lease, VaultFault>> {
        let heard = self.claims(&claimed);
        let all = claimed.into_iter().zip(heard);
        all.map(|(claimed, heard)| claimed.agreed(&heard)).collect()
    }

    /// The hub, or else the first party, leases, and the others follow.
    pub fn lease(self, pools: &[Pool], count: usize) -> Vec<Lease> {
        let leader = usize::from(self.hub.unwrap_or(0));
        let first = pools[leader].lease(count).unwrap();
        let claim = sent(first.claim());
        let follow = |pool: &Pool| pool.follow(&claim).unwrap();
        let mut claimed: Vec<Claimed> = pools[..leader].iter().map(follow).collect();
        claimed.push(first);
        claimed.extend(pools[leader + 1..].iter().map(follow));
        self.agree(claimed)
            .into_iter()
            .map(Result::unwrap)
            .collect()
    }
}

/// `parties` of which all hear all.
pub fn linked(parties: usize) -> Table {
    Table {
        parties: parties as u8,
        hub: None,
    }
}
