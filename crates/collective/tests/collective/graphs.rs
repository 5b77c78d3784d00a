//! Networks written down by hand.

use subrosa_core::{Prg, Seed};
use subrosa_ir::*;
use subrosa_ring::sign_extend;

pub struct Network {
    pub graph: FixedGraph,
    pub weights: Vec<Vec<u64>>,
    pub x: Vec<Vec<u64>>,
}

struct Builder {
    wires: Vec<FixedWire>,
    nodes: Vec<FixedNode>,
}

impl Builder {
    fn new(shape: &[usize]) -> Self {
        let mut builder = Self {
            wires: Vec::new(),
            nodes: Vec::new(),
        };
        builder.wire(shape, 12, 1 << 12);
        builder
    }

    fn wire(&mut self, shape: &[usize], frac: u32, bound: u64) -> u32 {
        let at = self.wires.len() as u32;
        self.wires.push(FixedWire {
            name: format!("w{at}"),
            shape: shape.to_vec(),
            frac,
            bound,
            proven: true,
        });
        at
    }

    fn push(&mut self, op: FixedOp, from: &[u32], shape: &[usize], frac: u32, bound: u64) -> u32 {
        let output = WireId(self.wire(shape, frac, bound));
        self.nodes.push(FixedNode {
            name: format!("n{}", output.0),
            op,
            inputs: from.iter().map(|wire| WireId(*wire)).collect(),
            output,
        });
        output.0
    }

    /// Weights and inputs are random, of absolute value at most 1.
    fn finish(self, outputs: &[u32]) -> Network {
        let port = |at: usize| OutputPort {
            name: format!("y{at}"),
            value: TailValue::Opened(at),
            element: Element::Float,
        };
        let graph = FixedGraph {
            ring: 48,
            wires: self.wires,
            inputs: vec![InputPort {
                name: "x".into(),
                wire: WireId(0),
            }],
            declared: vec![[-(1 << 12), 1 << 12]],
            nodes: self.nodes,
            outputs: outputs.iter().map(|wire| WireId(*wire)).collect(),
            tail: Tail {
                nodes: Vec::new(),
                outputs: (0..outputs.len()).map(port).collect(),
            },
        };
        graph.check().unwrap();
        let mut prg = Prg::new(&Seed::insecure_seeded(1));
        let mut draw = |frac: u32, count: usize| -> Vec<u64> {
            let words = prg.words(frac + 1, count);
            let signed = words.iter().map(|w| sign_extend(*w, frac + 1) as u64);
            signed.collect()
        };
        let layouts = graph.weight_layouts();
        let weights = layouts
            .iter()
            .map(|l| draw(l.frac, volume(&l.shape)))
            .collect();
        let x = vec![draw(12, volume(&graph.wires[0].shape))];
        Network { graph, weights, x }
    }
}

fn linear(kind: LinearKind, weight: u32, bias: Option<u32>) -> FixedOp {
    FixedOp::Linear {
        linear: Linear {
            kind,
            weight: WeightId(weight),
            bias: bias.map(WeightId),
        },
        weight_frac: 12,
    }
}

fn conv() -> LinearKind {
    LinearKind::Conv(Conv {
        batch: 2,
        in_channels: 1,
        in_size: [6, 6],
        out_channels: 3,
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        pad_begin: [1, 1],
        pad_end: [1, 1],
        groups: 1,
    })
}

fn matmul(inner: usize, columns: usize) -> LinearKind {
    LinearKind::MatMul {
        rows: 2,
        inner,
        columns,
    }
}

fn window() -> Window {
    Window {
        planes: 6,
        in_size: [6, 6],
        out_size: [3, 3],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        pad_begin: [0, 0],
    }
}

/// Every kernel that needs no activation.
pub fn smooth() -> Network {
    let truncate = || FixedOp::Truncate { by: 12 };
    let mut b = Builder::new(&[2, 1, 6, 6]);
    let y = b.push(
        linear(conv(), 0, Some(1)),
        &[0],
        &[2, 3, 6, 6],
        24,
        10 << 24,
    );
    let product = y;
    let spread = Spread {
        outer: 2,
        channels: 3,
        inner: 36,
    };
    let weight = WeightId(2);
    let y = b.push(
        FixedOp::Bias { weight, spread },
        &[y],
        &[2, 3, 6, 6],
        24,
        11 << 24,
    );
    let y = b.push(
        FixedOp::SumPool(window()),
        &[y],
        &[2, 3, 3, 3],
        24,
        44 << 24,
    );
    let y = b.push(truncate(), &[y], &[2, 3, 3, 3], 12, (44 << 12) + 1);
    let pooled = y;
    let y = b.push(
        FixedOp::View(View::Reshape),
        &[y],
        &[2, 27],
        12,
        (44 << 12) + 1,
    );
    let factors = Rescale {
        by: vec![3, -2],
        frac: 0,
    };
    let y = b.push(FixedOp::Scale(factors), &[y], &[2, 27], 12, 133 << 12);
    let y = b.push(FixedOp::Offset(-77), &[y], &[2, 27], 12, 134 << 12);
    let y = b.push(
        linear(matmul(27, 8), 3, None),
        &[y],
        &[2, 8],
        24,
        3700 << 24,
    );
    let first = b.push(truncate(), &[y], &[2, 8], 12, (3700 << 12) + 1);
    let spread = Spread {
        outer: 2,
        channels: 8,
        inner: 1,
    };
    let kind = LinearKind::Diagonal(spread);
    let y = b.push(linear(kind, 4, Some(5)), &[first], &[2, 8], 24, 3702 << 24);
    let second = b.push(truncate(), &[y], &[2, 8], 12, (3702 << 12) + 1);
    let sum = b.push(FixedOp::Add, &[first, second], &[2, 8], 12, 7404 << 12);
    let twice = b.push(truncate(), &[sum], &[2, 8], 0, 7406);
    let difference = b.push(FixedOp::Sub, &[sum, first], &[2, 8], 12, 11106 << 12);
    let turned = FixedOp::View(View::Transpose(vec![1, 0]));
    let turned = b.push(turned, &[difference], &[8, 2], 12, 11106 << 12);
    b.finish(&[turned, twice, pooled, product, 0])
}

/// Products with activations between them: of a truncated value, of a product, of an activation's result.
pub fn active(largest: Option<usize>) -> Network {
    let truncate = || FixedOp::Truncate { by: 12 };
    let bound = (10 << 12) + 1;
    let mut b = Builder::new(&[2, 1, 6, 6]);
    let y = b.push(
        linear(conv(), 0, Some(1)),
        &[0],
        &[2, 3, 6, 6],
        24,
        10 << 24,
    );
    let y = b.push(truncate(), &[y], &[2, 3, 6, 6], 12, bound);
    let y = b.push(FixedOp::MaxPool(window()), &[y], &[2, 3, 3, 3], 12, bound);
    let y = b.push(FixedOp::Relu, &[y], &[2, 3, 3, 3], 12, bound);
    let y = b.push(FixedOp::View(View::Reshape), &[y], &[2, 27], 12, bound);
    let y = b.push(
        linear(matmul(27, 8), 2, Some(3)),
        &[y],
        &[2, 8],
        24,
        280 << 24,
    );
    let y = b.push(truncate(), &[y], &[2, 8], 12, (280 << 12) + 1);
    let y = b.push(
        FixedOp::View(View::Reshape),
        &[y],
        &[2, 8],
        12,
        (280 << 12) + 1,
    );
    let y = b.push(FixedOp::Relu, &[y], &[2, 8], 12, (280 << 12) + 1);
    let y = b.push(
        linear(matmul(8, 5), 4, Some(5)),
        &[y],
        &[2, 5],
        24,
        2300 << 24,
    );
    let y = match largest {
        Some(count) => {
            let y = b.push(truncate(), &[y], &[2, 5], 12, (2300 << 12) + 1);
            b.push(FixedOp::TopK { count }, &[y], &[2, count], 0, 4)
        }
        None => b.push(FixedOp::Relu, &[y], &[2, 5], 24, 2300 << 24),
    };
    b.finish(&[y])
}

/// No product; more lanes than a chunk has.
pub fn wide() -> Network {
    let mut b = Builder::new(&[2, 2500]);
    let factors = Rescale {
        by: vec![3, 5, -7, 9],
        frac: 0,
    };
    let y = b.push(FixedOp::Scale(factors), &[0], &[2, 2500], 12, 9 << 12);
    let y = b.push(
        FixedOp::Truncate { by: 3 },
        &[y],
        &[2, 2500],
        9,
        (9 << 9) + 1,
    );
    let y = b.push(FixedOp::Relu, &[y], &[2, 2500], 9, (9 << 9) + 1);
    b.finish(&[y])
}

/// One product, truncated, and an activation.
pub fn small() -> Network {
    let bound = (5 << 12) + 1;
    let mut b = Builder::new(&[2, 4]);
    let y = b.push(linear(matmul(4, 3), 0, Some(1)), &[0], &[2, 3], 24, 5 << 24);
    let y = b.push(FixedOp::Truncate { by: 12 }, &[y], &[2, 3], 12, bound);
    let y = b.push(FixedOp::Relu, &[y], &[2, 3], 12, bound);
    b.finish(&[y])
}
