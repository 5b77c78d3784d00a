//! The walk on plain values, all masks zero, with more lanes than a group of chunks has.

use super::{GROUP, Known, Reading, Walk, values};
use crate::activation::Shape;
use crate::refresh::Refresh;
use std::convert::Infallible;
use subrosa_core::{Prg, Seed, Words, WordsLayout};
use subrosa_ir::*;
use subrosa_ring::{from_planes, mask, sign_extend, to_planes};
use subrosa_share::flow::Flow;
use subrosa_share::step::Kind;

#[derive(Default)]
struct Plain {
    /// Chunks of each call.
    groups: Vec<usize>,
    refreshed: usize,
}

impl Reading for Plain {
    type Error = Infallible;
    const LIVE: bool = true;
    const PUBLIC: bool = true;

    fn linear(&mut self, _: &Linear, _: u32, x: &[u64]) -> Result<Vec<u64>, Infallible> {
        Ok(x.to_vec())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn refresh(&mut self, refresh: Refresh, by: u32, x: &[u64]) -> Result<Known, Infallible> {
        assert_eq!(x.len(), refresh.lanes);
        assert!(x.iter().all(|x| x & mask(refresh.bits) == *x));
        self.refreshed += 1;
        let x: Vec<u64> = x.iter().map(|x| x >> by).collect();
        let bits = to_planes(&x, 0, refresh.bits - by);
        Ok((x, bits))
    }

    fn activate(
        &mut self,
        shapes: &[Shape],
        of: &[Vec<Known>],
        added: &[u64],
    ) -> Result<Vec<u64>, Infallible> {
        self.groups.push(shapes.len());
        let mut out = Vec::new();
        for (shape, of) in shapes.iter().zip(of) {
            let lift = shape.kind.lift();
            for (x, bits) in of {
                assert_eq!((x.len(), &from_planes(bits)), (shape.lanes, x));
                assert_eq!(bits.planes(), lift.narrow as usize);
            }
            let signed = |at: usize, lane: usize| sign_extend(of[at].0[lane], lift.narrow);
            out.extend((0..shape.lanes).map(|lane| {
                let x = signed(0, lane);
                let v = match shape.kind {
                    Kind::Positive(_) | Kind::Maximum { .. } => x.max(0),
                    Kind::Lift(_) => x,
                    Kind::Choice { .. } if x >= 0 => signed(1, lane),
                    Kind::Choice { .. } => 0,
                };
                v as u64 & mask(lift.wide)
            }));
        }
        if added.len() == out.len() {
            subrosa_ring::add_into(&mut out, added);
        }
        Ok(out)
    }
}

const SIDE: usize = 200;

/// Truncated, compared under what is kept of it, pooled; and of its rows the two largest.
fn graph() -> FixedGraph {
    let window = Window {
        planes: 1,
        in_size: [SIDE; 2],
        out_size: [SIDE / 2; 2],
        kernel: [2; 2],
        stride: [2; 2],
        dilation: [1; 2],
        pad_begin: [0; 2],
    };
    let pooled = vec![1, 1, SIDE / 2, SIDE / 2];
    let whole = vec![1, 1, SIDE, SIDE];
    let rows = vec![SIDE * SIDE / 8, 8];
    let wires = [
        (whole.clone(), 4, 1 << 12),
        (whole.clone(), 0, (1 << 8) + 1),
        (whole, 0, (1 << 8) + 1),
        (pooled, 0, (1 << 8) + 1),
        (rows, 0, (1 << 8) + 1),
        (vec![SIDE * SIDE / 8, 2], 0, 7),
    ];
    let wires = wires.into_iter().enumerate();
    let wires = wires.map(|(at, (shape, frac, bound))| FixedWire {
        name: format!("w{at}"),
        shape,
        frac,
        bound,
        proven: true,
    });
    let ops = [
        (FixedOp::Truncate { by: 4 }, 0),
        (FixedOp::Relu, 1),
        (FixedOp::MaxPool(window), 1),
        (FixedOp::View(View::Reshape), 1),
        (FixedOp::TopK { count: 2 }, 4),
    ];
    let nodes = ops.into_iter().zip(1..).map(|((op, from), to)| FixedNode {
        name: format!("n{to}"),
        op,
        inputs: vec![WireId(from)],
        output: WireId(to),
    });
    let output = |at: usize| OutputPort {
        name: format!("y{at}"),
        value: TailValue::Opened(at),
        element: Element::Float,
    };
    FixedGraph {
        ring: 40,
        wires: wires.collect(),
        inputs: vec![InputPort {
            name: "x".into(),
            wire: WireId(0),
        }],
        declared: vec![[-(1 << 12), 1 << 12]],
        nodes: nodes.collect(),
        outputs: [2, 3, 5].map(WireId).to_vec(),
        tail: Tail {
            nodes: Vec::new(),
            outputs: (0..3).map(output).collect(),
        },
    }
}

#[test]
fn chunks_and_groups_are_the_whole() {
    let graph = graph();
    graph.check().unwrap();
    let bits = subrosa_share::widths(&graph, 0)[0];
    let drawn = Prg::new(&Seed::insecure_seeded(1)).words(13, SIDE * SIDE);
    let x: Vec<u64> = drawn.iter().map(|x| sign_extend(*x, 13) as u64).collect();
    let layout = WordsLayout {
        count: x.len(),
        bits,
    };
    let input = Words {
        bits,
        values: x.iter().map(|x| x & mask(bits)).collect(),
    };
    let mut flow = Flow::new(&graph, 0, Walk::new(Plain::default()));
    let Ok(outputs) = flow.run(values(&[layout], vec![input]));
    let want = clear(&graph, &[], vec![x]).unwrap();
    for (found, want) in outputs.iter().zip(&want) {
        let signed = |x: &u64| sign_extend(*x, found.bits) as u64;
        assert!(found.data.iter().map(signed).eq(want.iter().copied()));
    }
    let plain = flow.backend.reading;
    assert_eq!(plain.groups.iter().max(), Some(&GROUP));
    // Ten chunks: the truncation, no refresh for the ReLU.
    assert_eq!(plain.groups[..3], [4, 4, 2]);
    assert!(plain.refreshed > 10);
}
