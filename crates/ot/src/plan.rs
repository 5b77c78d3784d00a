//! The choice of lots.

use crate::extension::{Extension, Lot, Method};
use crate::lpn::SilentSize;

use crate::tree::{WIDEST, groups};

/// A lot of SoftSpoken holds no more than this, which bounds memory.
const LOT: u64 = 1 << 18;
/// What feeds the first silent lot.
const FEED_K: u32 = 10;
/// Groups that plans weigh: wider ones save hardly a byte.
const PLANNED: std::ops::RangeInclusive<u32> = 1..=FEED_K;
/// Nanoseconds of work that weigh as much as a byte: as on a link of 10 Mbit/s, since bytes come first.
const BYTE: f64 = 800.0;

/// Lots of SoftSpoken for `total`, equal to within a block.
fn softspoken(total: u64, k: u32) -> impl Iterator<Item = Lot> {
    let k = k.clamp(1, WIDEST);
    let blocks = total.div_ceil(128);
    let lots = total.div_ceil(LOT);
    (0..lots).map(move |at| {
        let count = 128 * (blocks * (at + 1) / lots - blocks * at / lots);
        Lot::SoftSpoken { count, k }
    })
}

/// What feeds a first silent lot of `size`: several lots would each leave their outputs to draws, so it is one.
fn feed(size: SilentSize) -> Lot {
    let count = size.inputs().next_multiple_of(128);
    Lot::SoftSpoken { count, k: FEED_K }
}

pub(crate) fn insist(total: u64, method: Method) -> Extension {
    if total == 0 {
        return Extension::default();
    }
    match method {
        Method::SoftSpoken { k } => Extension::new(softspoken(total, k).collect()),
        Method::Silent(size) => {
            let mut lots = vec![feed(size), Lot::Silent(size)];
            while Extension::new(lots.clone()).total() < total {
                lots.push(Lot::Silent(size));
            }
            Extension::new(lots)
        }
    }
}

pub(crate) fn cheapest(total: u64) -> Extension {
    let alone = PLANNED.map(|k| insist(total, Method::SoftSpoken { k }));
    let silent = SilentSize::ALL
        .into_iter()
        .flat_map(|first| chains(first, total));
    let cheapest = alone
        .chain(silent)
        .map(|extension| (weight(&extension), extension))
        .min_by(|(a, _), (b, _)| a.total_cmp(b));
    cheapest.map(|(_, extension)| extension).unwrap_or_default()
}

/// Lists that begin with a silent lot of size `first`: then large ones, each list one longer than the last, then
/// smaller ones or SoftSpoken for the rest.
fn chains(first: SilentSize, total: u64) -> Vec<Extension> {
    let mut lots = vec![feed(first), Lot::Silent(first)];
    let mut chains = Vec::new();
    loop {
        let have = Extension::new(lots.clone()).total();
        let before = Extension::new(lots[..lots.len() - 1].to_vec()).total();
        if have >= total {
            // Without its last silent lot the list must fall short, or that lot is not needed.
            if total > 0 && (before < total || lots.len() == 2) {
                chains.push(Extension::new(lots));
            }
            return chains;
        }
        let rest = total - have;
        for k in PLANNED.filter(|_| rest <= SilentSize::Large.outputs()) {
            chains.push(Extension::new(
                lots.iter().copied().chain(softspoken(rest, k)).collect(),
            ));
        }
        for size in [SilentSize::Small, SilentSize::Medium] {
            if lots
                .last()
                .is_some_and(|last| last.outputs() >= size.inputs())
            {
                let mut longer = lots.clone();
                longer.push(Lot::Silent(size));
                let longer = Extension::new(longer);
                if longer.total() >= total {
                    chains.push(longer);
                }
            }
        }
        if lots
            .last()
            .is_none_or(|last| last.outputs() < SilentSize::Large.inputs())
        {
            return chains;
        }
        lots.push(Lot::Silent(SilentSize::Large));
    }
}

/// Bytes, and work at [`BYTE`].
fn weight(extension: &Extension) -> f64 {
    let bytes = extension.sender_cost().bytes.0 + extension.receiver_cost().bytes.0;
    let work: f64 = extension.lots().iter().map(|lot| nanoseconds(*lot)).sum();
    bytes as f64 + work / BYTE
}

/// About what a lot takes at one end of two cores with AES instructions.
fn nanoseconds(lot: Lot) -> f64 {
    match lot {
        Lot::SoftSpoken { count, k } => {
            let leaves = f64::from(groups(k)) * f64::from(1u32 << k);
            let grown = 60.0 * leaves;
            grown + count as f64 * (15.0 + 2.0 * leaves / 128.0)
        }
        Lot::Silent(size) => 60.0 * size.outputs() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every lot is fed, the total is covered, and the lots before the last that yields do not cover it.
    fn check(extension: &Extension, total: u64) {
        let lots = extension.lots();
        assert!(extension.total() >= total, "{total}: {lots:?}");
        for (at, lot) in lots.iter().enumerate() {
            let fed = at.checked_sub(1).map_or(0, |before| lots[before].outputs());
            assert!(fed >= lot.inputs(), "{total}: {lots:?}");
            if let Lot::SoftSpoken { count, .. } = lot {
                assert!(
                    *count > 0 && count % 128 == 0 && *count <= 2 * LOT,
                    "{total}: {lots:?}"
                );
            }
        }
        let all_but_last: u64 = (0..lots.len().saturating_sub(1))
            .map(|at| extension.yielded(at))
            .sum();
        assert!(lots.is_empty() || all_but_last < total, "{total}: {lots:?}");
    }

    #[test]
    fn lots_cover_the_total_and_none_is_left_over() {
        let mut totals: Vec<u64> = vec![0, 1, 2, 127, 128, 129, 5_000_000, 10_000_000, 77_777_777];
        totals.extend((1..60).map(|i| i * 50_021));
        for total in totals {
            check(&Extension::plan(total), total);
            for k in [1, 2, 8, 12] {
                check(&Extension::insist(total, Method::SoftSpoken { k }), total);
            }
            for size in SilentSize::ALL {
                check(&Extension::insist(total, Method::Silent(size)), total);
            }
        }
        assert_eq!(Extension::plan(0).lots(), []);
    }

    #[test]
    fn plans_save_bytes() {
        let bytes = |e: &Extension| e.sender_cost().bytes.0 + e.receiver_cost().bytes.0;
        for (total, most) in [
            (1_000, 7_000),
            (50_000, 90_000),
            (200_000, 170_000),
            (1_000_000, 310_000),
            (4_000_000, 400_000),
            (40_000_000, 2_100_000),
        ] {
            let plan = Extension::plan(total);
            assert!(
                bytes(&plan) <= most,
                "{total}: {} {:?}",
                bytes(&plan),
                plan.lots()
            );
            let alone = Extension::insist(total, Method::SoftSpoken { k: 8 });
            assert!(bytes(&plan) <= bytes(&alone) + 100);
        }
    }
}
