//! Bits, shared by XOR and additively.

use crate::harness::{among, assert_uniform};
use subrosa_collective::dabits::Conversion;
use subrosa_collective::refresh::Refresh;
use subrosa_collective::{Mesh, OtKeys, OtPlan, Ots, Servers};
use subrosa_core::{Prg, Seed};
use subrosa_net::{Cost, Phase, Session};
use subrosa_ring::{BitMatrix, expand_bits, mask, xor_into};

/// XOR shares of `bits` at every place.
fn split(bits: &BitMatrix, servers: usize, seed: u64) -> Vec<BitMatrix> {
    let mut prg = Prg::new(&Seed::insecure_seeded(seed));
    let mut last = bits.clone();
    let draw = |_| {
        let share = prg.bits(bits.planes(), bits.lanes());
        xor_into(last.words_mut(), share.words());
        share
    };
    let mut shares: Vec<BitMatrix> = (1..servers).map(draw).collect();
    shares.push(last);
    shares
}

/// Every server's additive shares; bill against price.
fn convert(conversion: &Conversion, bits: &BitMatrix, remotes: usize) -> Vec<Vec<Vec<u64>>> {
    let shares = split(bits, remotes + 1, 9);
    let mut plan = OtPlan::default();
    conversion.add_to(remotes + 1, &mut plan);
    among(remotes, |servers: &Servers, s: &mut Session| {
        let keys = OtKeys::setup(servers, s).unwrap();
        s.enter(Phase::Offline);
        let mut ots = Ots::new(&keys, &plan, servers, s).unwrap();
        let mut mesh = Mesh::new(servers, s);
        let own = &shares[servers.me.0];
        let made = conversion.convert(own, &mut ots, &mut mesh).unwrap();
        let moves = conversion.moves(remotes + 1);
        let cost: Cost = moves.iter().map(|m| m.cost(servers.me)).sum();
        assert_eq!(s.bill().offline, cost + plan.cost(servers));
        made
    })
}

#[test]
fn sums_are_the_bits() {
    for (remotes, lanes) in [(2, 70), (3, 1), (5, 130)] {
        let widths = vec![1, 64, 2, 17, 40, 1];
        let conversion = Conversion { lanes, widths };
        let bits = Prg::new(&Seed::insecure_seeded(4)).bits(6, lanes);
        let shares = convert(&conversion, &bits, remotes);
        for (plane, width) in conversion.widths.iter().enumerate() {
            for (lane, bit) in expand_bits(bits.row(plane), lanes).iter().enumerate() {
                let all = shares.iter().map(|one| one[plane][lane]);
                let sum = all.fold(0, u64::wrapping_add) & mask(*width);
                assert_eq!(sum, *bit, "{remotes} {width}");
            }
        }
    }
    // Nothing to transfer at all.
    let conversion = Conversion {
        lanes: 3,
        widths: vec![1],
    };
    convert(&conversion, &BitMatrix::new(1, 3), 2);
}

/// All but one of the servers hold uniform shares together, whatever the bit is.
#[test]
fn all_but_one_share_nothing() {
    let lanes = 1 << 14;
    for bit in [0, u64::MAX] {
        let bits = BitMatrix::from_words(1, lanes, vec![bit; lanes / 64]);
        let conversion = Conversion {
            lanes,
            widths: vec![3],
        };
        let shares = convert(&conversion, &bits, 2);
        for absent in 0..3 {
            let seen: Vec<&Vec<u64>> = (0..3)
                .filter(|at| *at != absent)
                .map(|at| &shares[at][0])
                .collect();
            let pairs = seen[0].iter().zip(seen[1]);
            assert_uniform(64, pairs.map(|(a, b)| (a * 8 + b) as usize));
        }
    }
}

/// A new mask is λ - δ, its bits are those that are shared, and δ with all but one's shares is uniform.
#[test]
fn refreshed_masks_are_new_and_their_bits_known() {
    let (remotes, lanes, bits, by) = (2, 1 << 14, 3, 1);
    let refresh = Refresh { lanes, bits };
    let mut plan = OtPlan::default();
    refresh.conversion().add_to(remotes + 1, &mut plan);
    let run = |servers: &Servers, s: &mut Session| {
        let keys = OtKeys::setup(servers, s).unwrap();
        let mut ots = Ots::new(&keys, &plan, servers, s).unwrap();
        let mut prg = Prg::new(&s.seed());
        let mut mesh = Mesh::new(servers, s);
        // The same mask at every lane: 5 at place 0.
        let lambda = vec![5 * u64::from(servers.me.0 == 0); lanes];
        let made = refresh.prepare(by, &lambda, &mut ots, &mut prg, &mut mesh);
        made.unwrap()
    };
    let masks = among(remotes, run);
    assert!(masks.iter().all(|one| one.delta == masks[0].delta));
    let mut shared = masks[0].bits.clone();
    for one in &masks[1..] {
        xor_into(shared.words_mut(), one.bits.words());
    }
    let upper = subrosa_ring::from_planes(&shared);
    for (lane, upper) in upper.into_iter().enumerate() {
        let mu = 5u64.wrapping_sub(masks[0].delta.values[lane]) & mask(bits);
        assert_eq!(upper, mu >> by);
        let shares = masks.iter().map(|one| one.share[lane]);
        let sum = shares.fold(0, u64::wrapping_add) & mask(bits - by);
        assert_eq!(sum, mu >> by);
    }
    for absent in 0..3 {
        let seen: Vec<_> = (0..3).filter(|at| *at != absent).collect();
        let cell = |lane: usize| {
            let shares = seen.iter().map(|at| masks[*at].share[lane]);
            shares.fold(masks[0].delta.values[lane], |cell, share| cell * 4 + share) as usize
        };
        assert_uniform(128, (0..lanes).map(cell));
    }
}
