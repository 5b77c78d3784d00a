//! Truncations that are off by one unit stay within the tolerance.

mod nets;

use nets::random;
use proptest::prelude::*;
use subrosa_core::{Prg, Seed};
use subrosa_ir::{
    At, Clear, ClearError, Kernels, Linear, LowerOptions, Rescale, Spread, View, WeightId, Window,
    clear, encode_input, encode_weights, lower, ranges, tolerance, walk,
};

/// The clear reading with truncations that are one unit up or down, or right.
struct Off<'a> {
    clear: Clear<'a>,
    prg: Prg,
}

type Out = Result<Vec<u64>, ClearError>;

impl Kernels for Off<'_> {
    type Value = Vec<u64>;
    type Error = ClearError;

    fn truncate(&mut self, at: At<'_>, by: u32, x: &Vec<u64>) -> Out {
        let mut out = self.clear.truncate(at, by, x)?;
        for (value, draw) in out.iter_mut().zip(self.prg.words(32, x.len())) {
            *value = value.wrapping_add(draw % 3).wrapping_sub(1);
        }
        Ok(out)
    }
    fn linear(&mut self, at: At<'_>, linear: &Linear, x: &Vec<u64>) -> Out {
        self.clear.linear(at, linear, x)
    }
    fn bias(&mut self, at: At<'_>, weight: WeightId, spread: &Spread, x: &Vec<u64>) -> Out {
        self.clear.bias(at, weight, spread, x)
    }
    fn scale(&mut self, at: At<'_>, by: &Rescale, x: &Vec<u64>) -> Out {
        self.clear.scale(at, by, x)
    }
    fn offset(&mut self, at: At<'_>, by: i64, x: &Vec<u64>) -> Out {
        self.clear.offset(at, by, x)
    }
    fn add(&mut self, at: At<'_>, x: &Vec<u64>, y: &Vec<u64>) -> Out {
        self.clear.add(at, x, y)
    }
    fn sub(&mut self, at: At<'_>, x: &Vec<u64>, y: &Vec<u64>) -> Out {
        self.clear.sub(at, x, y)
    }
    fn sum_pool(&mut self, at: At<'_>, window: &Window, x: &Vec<u64>) -> Out {
        self.clear.sum_pool(at, window, x)
    }
    fn relu(&mut self, at: At<'_>, x: &Vec<u64>) -> Out {
        self.clear.relu(at, x)
    }
    fn max_pool(&mut self, at: At<'_>, window: &Window, x: &Vec<u64>) -> Out {
        self.clear.max_pool(at, window, x)
    }
    fn top_k(&mut self, at: At<'_>, count: usize, x: &Vec<u64>) -> Out {
        self.clear.top_k(at, count, x)
    }
    fn view(&mut self, at: At<'_>, view: &View, x: &[&Vec<u64>]) -> Out {
        self.clear.view(at, view, x)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn one_unit_off_stays_within(seed in any::<u64>(), codes in prop::collection::vec(any::<u8>(), 1..12)) {
        let mut net = random(seed, &codes);
        let ranged = ranges(net.graph.clone(), &net.weights, &[[-4.0, 4.0]], None).unwrap();
        let graph = lower(&ranged, &LowerOptions::default()).unwrap();
        let weights = encode_weights(&graph, &net.weights).unwrap();
        let input = net.sample(4.0);
        let inputs = vec![encode_input(&graph, 0, &input).unwrap()];
        let exact = clear(&graph, &weights, inputs.clone()).unwrap();
        let prg = Prg::new(&Seed::insecure_seeded(seed));
        let mut kernels = Off { clear: Clear::new(&graph, &weights, 1).unwrap(), prg };
        let off = walk(&graph, &mut kernels, inputs).unwrap();
        let most = tolerance(&graph, &weights, 0).unwrap();
        for ((exact, off), most) in exact.iter().zip(&off).zip(&most) {
            for (e, o) in exact.iter().zip(off) {
                prop_assert!((*e as i64).abs_diff(*o as i64) <= *most);
            }
        }
    }
}
