//! What the walk asks of a backend: widths, and what is kept of truncated values.

use std::convert::Infallible;
use subrosa_ir::{
    FixedGraph, FixedNode, FixedOp, FixedWire, InputPort, Linear, Spread, Tail, View, WeightId,
    WireId,
};
use subrosa_share::flow::{Backend, Flow, Value};
use subrosa_share::step::{Kind, Operands};
use subrosa_share::widths;

/// Plain values, c = x. Results of truncations are numbered.
#[derive(Default)]
struct Plain {
    steps: Vec<(Kind, Option<u32>)>,
    truncations: Vec<(usize, u32, u32)>,
}

impl Backend for Plain {
    type Error = Infallible;
    const LIVE: bool = true;
    const PUBLIC: bool = true;

    fn linear(&mut self, _: &Linear, _: u32, x: &[u64], _: &[u64]) -> Result<Vec<u64>, Infallible> {
        Ok(x.to_vec())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, Infallible> {
        Ok(Vec::new())
    }

    fn step(&mut self, _: usize, kind: Kind, of: Operands<'_>) -> Result<Vec<u64>, Infallible> {
        self.steps.push((kind, of.kept));
        Ok(of.compared.to_vec())
    }

    fn truncate(
        &mut self,
        lanes: usize,
        bits: u32,
        by: u32,
        x: &[u64],
    ) -> Result<(Vec<u64>, Option<u32>), Infallible> {
        self.truncations.push((lanes, bits, by));
        let number = self.truncations.len() as u32;
        Ok((x.iter().map(|x| x >> by).collect(), Some(number)))
    }
}

/// `ops` in a row, each of a value of three elements with its own bound.
fn row(ops: Vec<(FixedOp, u64)>) -> FixedGraph {
    let wire = |bound: u64| FixedWire {
        name: "w".into(),
        shape: vec![3],
        frac: 0,
        bound,
        proven: true,
    };
    let mut wires = vec![wire(1 << 30)];
    wires.extend(ops.iter().map(|(_, bound)| wire(*bound)));
    let node = |(at, (op, _)): (usize, (FixedOp, u64))| FixedNode {
        name: format!("n{at}"),
        op,
        inputs: vec![WireId(at as u32)],
        output: WireId(at as u32 + 1),
    };
    let outputs = vec![WireId(ops.len() as u32)];
    FixedGraph {
        ring: 48,
        wires,
        inputs: vec![InputPort {
            name: "x".into(),
            wire: WireId(0),
        }],
        declared: vec![[-(1 << 30), 1 << 30]],
        nodes: ops.into_iter().enumerate().map(node).collect(),
        outputs,
        tail: Tail {
            nodes: Vec::new(),
            outputs: Vec::new(),
        },
    }
}

fn run(graph: &FixedGraph, ending: u32) -> (Plain, Vec<Value>) {
    let bits = widths(graph, ending)[0];
    let input = Value::new(bits, 3, vec![0, 1 << 20, (1 << 30) - 1]);
    let mut flow = Flow::new(graph, ending, Plain::default());
    let Ok(outputs) = flow.run(vec![input]);
    (flow.backend, outputs)
}

#[test]
fn outputs_end_in_the_width_that_is_asked_for() {
    let graph = row(vec![
        (FixedOp::Truncate { by: 12 }, 1 << 18),
        (FixedOp::Relu, 1 << 18),
    ]);
    for (ending, bits) in [(0, 21), (15, 21), (36, 36), (48, 48)] {
        let (_, outputs) = run(&graph, ending);
        assert_eq!(outputs[0].bits, bits);
        assert_eq!(*outputs[0].data, [0, 1 << 8, (1 << 18) - 1]);
    }
    // A truncation narrows, so its result is lifted where the ring is not wide enough before it.
    let graph = row(vec![(FixedOp::Truncate { by: 12 }, 1 << 18)]);
    for (ending, bits, lifts) in [(0, 21, 0), (34, 34, 0), (36, 36, 0), (40, 40, 1)] {
        let (plain, outputs) = run(&graph, ending);
        assert_eq!((outputs[0].bits, plain.steps.len()), (bits, lifts));
    }
    // An output that is an input.
    let (_, outputs) = run(&row(Vec::new()), 44);
    assert_eq!(outputs[0].bits, 44);
}

#[test]
fn what_is_kept_of_a_truncated_value_comes_with_its_comparison() {
    let reshaped = FixedOp::View(View::Reshape);
    let graph = row(vec![
        (FixedOp::Truncate { by: 2 }, 1 << 28),
        (reshaped, 1 << 28),
        (FixedOp::Relu, 1 << 28),
        (FixedOp::Relu, 1 << 28),
        (FixedOp::Truncate { by: 4 }, 1 << 24),
        (FixedOp::Offset(1), 1 << 24),
        (FixedOp::Relu, 1 << 24),
        (FixedOp::Truncate { by: 4 }, 1 << 20),
        (FixedOp::Offset(1), 1 << 44),
    ]);
    let (plain, _) = run(&graph, 0);
    let kept: Vec<_> = plain.steps.iter().map(|(_, kept)| *kept).collect();
    assert_eq!(kept, [Some(1), None, None, Some(3)]);
    assert!(matches!(plain.steps[3].0, Kind::Lift(_)));
    assert!(plain.truncations.iter().all(|(lanes, ..)| *lanes == 3));
}
