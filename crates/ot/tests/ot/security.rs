//! The estimates of what attacks on silent lots cost, recomputed. See `subrosa_ot::lpn` for what they are.

use subrosa_ot::SilentSize;

struct Instance {
    outputs: f64,
    dimension: f64,
    blocks: f64,
    length: f64,
}

fn instance(size: SilentSize) -> Instance {
    let parameters = size.parameters();
    Instance {
        outputs: size.outputs() as f64,
        dimension: f64::from(parameters.dimension),
        blocks: f64::from(parameters.blocks),
        length: f64::from(1u32 << parameters.depth),
    }
}

fn elimination(unknowns: f64) -> f64 {
    2.8 * unknowns.log2()
}

/// log2 of a sum, given the logarithms.
fn sum(terms: &[f64]) -> f64 {
    terms.iter().map(|term| term.exp2()).sum::<f64>().log2()
}

fn binomial(n: f64, k: u32) -> f64 {
    (0..k)
        .map(|i| ((n - f64::from(i)) / f64::from(i + 1)).log2())
        .sum()
}

/// `k^2.8 (1 - t / n)^-k`.
fn pooled_gauss(of: &Instance) -> f64 {
    elimination(of.dimension) - of.dimension * (1.0 - of.blocks / of.outputs).log2()
}

fn regular_gauss(of: &Instance) -> f64 {
    let unknowns = of.dimension - of.blocks;
    elimination(unknowns) - of.blocks * (1.0 - unknowns / of.outputs).log2()
}

fn regular_isd(of: &Instance) -> f64 {
    let unknowns = of.dimension - of.blocks;
    let mut best = f64::INFINITY;
    for half in 0..12 {
        for overlap in 0..100 {
            let guessed = (unknowns + f64::from(overlap)) / of.blocks;
            let (share, errors) = (guessed / of.length, f64::from(2 * half));
            let ways = binomial(of.blocks / 2.0, half);
            let chance =
                2.0 * ways + errors * share.log2() + (of.blocks - errors) * (1.0 - share).log2();
            let list = ways + f64::from(half) * guessed.log2();
            let pairs = (2.0 * list - f64::from(overlap)).max(0.0);
            let step = sum(&[elimination(unknowns), 6.0 + list, 6.0 + pairs]);
            best = best.min(step - chance);
        }
    }
    best
}

/// `guessed` outputs of each block are taken for free of errors, one more in a part of them; the errors of `tried` blocks are enumerated.
fn algebraic(of: &Instance) -> f64 {
    let mut best = f64::INFINITY;
    for tried in 0..8 {
        let tried = f64::from(tried);
        for part in 0..4 {
            let more = (f64::from(part) * of.blocks / 4.0).floor();
            for guessed in 0..of.length as u32 - 2 {
                let guessed = f64::from(guessed);
                let rest = of.blocks - more - tried;
                let chance = more * (1.0 - (guessed + 1.0) / of.length).log2()
                    + (of.blocks - tried - more) * (1.0 - guessed / of.length).log2();
                let left = of.dimension - of.blocks - (guessed + 1.0) * more - rest * guessed;
                let free = left - tried * (of.length - 1.0);
                let pairs = |length: f64| length * (length - 1.0) / 2.0;
                let equations = rest * pairs(of.length - guessed - 1.0)
                    + more * pairs(of.length - guessed - 2.0);
                if free <= 2.0 || free > (2.0 * equations).sqrt() - 2.0 {
                    continue;
                }
                let (held, monomials) = (tried * (of.length - 1.0), free * free / 2.0);
                let linear = elimination(monomials)
                    .min((free.powi(4) * left * left / 8.0 / monomials.log2()).log2());
                let again = 1.25 * (2.0 * free * free * held + free * held * held)
                    + (2.5 * free).powi(3) / (2.5 * free).log2();
                let step = sum(&[linear, again.log2() + tried * of.length.log2()]);
                best = best.min(step - chance);
            }
        }
    }
    best
}

#[test]
fn every_attack_on_silent_lots_costs_what_is_documented() {
    let documented = [
        (SilentSize::Small, [158, 164, 140, 151]),
        (SilentSize::Medium, [155, 157, 134, 142]),
        (SilentSize::Large, [150, 153, 131, 141]),
    ];
    for (size, documented) in documented {
        let of = instance(size);
        let found = [
            pooled_gauss(&of),
            regular_gauss(&of),
            regular_isd(&of),
            algebraic(&of),
        ];
        assert_eq!(
            found.map(|bits| bits.floor() as u32),
            documented,
            "{size:?} {found:?}"
        );
        assert!(
            found.iter().all(|bits| *bits >= 128.0),
            "{size:?} {found:?}"
        );
    }
}

#[test]
fn weaker_parameters_are_told_apart() {
    let of = Instance {
        outputs: (1u32 << 20) as f64,
        dimension: 65_536.0,
        blocks: 1024.0,
        length: 1024.0,
    };
    assert!(pooled_gauss(&of) > 128.0);
    assert!(regular_isd(&of) < 120.0 && algebraic(&of) < 128.0);
}
