//! Products with a private matrix.

use crate::constant::{Constant, Data};
use crate::error::{Fault, Op, Refusal, Trouble};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::arithmetic::{add_private, binary};
use crate::ops::fold::Binary;
use crate::value::{Args, Value, broadcast, count};
use subrosa_ir::{FloatOp, LinearKind, Shape, View, WireId};

/// A constant matrix, row by row.
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    fn transposed(self) -> Self {
        let values = View::Transpose(vec![1, 0]).apply(
            &[(&[self.rows, self.columns], &self.values)],
            &[self.columns, self.rows],
        );
        Self {
            rows: self.columns,
            columns: self.rows,
            values,
        }
    }

    fn scaled(mut self, by: f32) -> Self {
        for value in &mut self.values {
            *value *= by;
        }
        self
    }
}

/// alpha A' B' + beta C, one of A and B a constant.
pub(crate) fn gemm(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let (alpha, beta) = (node.float_or("alpha", 1.0)?, node.float_or("beta", 1.0)?);
    let turned = [node.flag("transA", false)?, node.flag("transB", false)?];
    let sides = [args.get(0)?, args.get(1)?];
    for (input, side) in sides.iter().enumerate() {
        let found = l.shape(side).len();
        if found != 2 {
            return Err(Fault::Rank {
                input,
                expected: 2,
                found,
            }
            .into());
        }
    }
    let constant_left = matches!(sides[0], Value::Constant(_));
    let (private, constant) = if constant_left { (1, 0) } else { (0, 1) };
    let matrix = matrix(l, sides, constant)?.scaled(alpha);
    // A constant on the left is read as the transpose of (B'ᵀ A'ᵀ).
    let matrix = if turned[constant] != constant_left {
        matrix.transposed()
    } else {
        matrix
    };
    let x = turn(l, sides[private], turned[private] != constant_left)?;
    let rows = l.shape(&x).first().copied().unwrap_or(1);
    let x = l.private(&x)?;
    let shape = if constant_left {
        [matrix.columns, rows]
    } else {
        [rows, matrix.columns]
    };
    let c = args.optional(2).filter(|_| beta != 0.0);
    let bias = match c {
        Some(Value::Constant(named)) if !constant_left => {
            column_bias(&named.constant, beta, shape)?
        }
        _ => None,
    };
    let added = bias.is_some();
    let y = multiply(l, x, matrix, bias)?;
    let y = turn(l, &Value::Wire(y), constant_left)?;
    let y = match c {
        Some(c) if !added => add_term(l, y, c, beta, &shape)?,
        _ => y,
    };
    Ok(vec![y])
}

/// beta C, if it is one value for each column.
fn column_bias(c: &Constant, beta: f32, shape: [usize; 2]) -> Op<Option<Vec<f32>>> {
    let Data::Float(values) = &c.data else {
        return Err(Fault::Type {
            input: 2,
            expected: "floating point",
        }
        .into());
    };
    let [_, columns] = shape;
    let scaled: Vec<f32> = values.iter().map(|v| v * beta).collect();
    Ok(match c.shape.as_slice() {
        [] | [1] | [1, 1] => Some(scaled.repeat(columns)),
        [n] | [1, n] if *n == columns => Some(scaled),
        _ => None,
    })
}

fn add_term(l: &mut Lowering, y: Value, c: &Value, beta: f32, shape: &[usize]) -> Op<Value> {
    let joined = broadcast(l.shape(c), shape)?;
    if joined != shape {
        return Err(Fault::Shape {
            input: 2,
            expected: shape.to_vec(),
            found: l.shape(c).to_vec(),
        }
        .into());
    }
    match c {
        Value::Constant(named) => {
            let Data::Float(values) = &named.constant.data else {
                return Err(Fault::Type {
                    input: 2,
                    expected: "floating point",
                }
                .into());
            };
            let scaled: Vec<f32> = values.iter().map(|v| v * beta).collect();
            let y = l.private(&y)?;
            Ok(Value::Wire(add_private(
                l,
                y,
                &scaled,
                &named.constant.shape,
            )?))
        }
        Value::Wire(wire) if beta != 1.0 => {
            let from = l.shape(c).to_vec();
            l.publish(
                "beta",
                subrosa_ir::Tensor {
                    shape: Shape::new(),
                    values: vec![beta],
                },
            );
            let c = Value::Wire(l.emit(FloatOp::Scale(beta), vec![*wire], &from)?);
            binary(l, Binary::Add, &y, &c)
        }
        Value::Clear(clear) if beta != 1.0 => Err(Trouble::AfterTail(clear.cause)),
        _ => binary(l, Binary::Add, &y, c),
    }
}

/// Products of an array of matrices with one constant matrix.
pub(crate) fn mat_mul(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let sides = [args.get(0)?, args.get(1)?];
    let constant_left = matches!(sides[0], Value::Constant(_));
    let (private, constant) = if constant_left { (1, 0) } else { (0, 1) };
    let matrix = matrix(l, sides, constant)?;
    let constant_shape = l.shape(sides[constant]).to_vec();
    let x_shape = l.shape(sides[private]).to_vec();
    if x_shape.is_empty() {
        return Err(Fault::Rank {
            input: private,
            expected: 1,
            found: 0,
        }
        .into());
    }
    let vector = x_shape.len() == 1;
    // As a matrix with the inner extent last.
    let turned = constant_left && !vector;
    let matrix = if constant_left {
        matrix.transposed()
    } else {
        matrix
    };
    let x = turn(l, sides[private], turned)?;
    let x = l.private(&x)?;
    let y = multiply(l, x, matrix, None)?;
    let y = turn(l, &Value::Wire(y), turned)?;
    let mut shape = l.shape(&y).to_vec();
    if constant_shape.len() == 1 {
        // The constant's missing axis: its only row on the left, its only column on the right.
        let gone = if turned {
            shape.len() - 2
        } else {
            shape.len() - 1
        };
        shape.remove(gone);
    }
    let ranks = constant_shape
        .len()
        .max(if vector { 2 } else { x_shape.len() });
    let least = ranks - usize::from(vector) - usize::from(constant_shape.len() == 1);
    while shape.len() < least {
        shape.insert(0, 1);
    }
    Ok(vec![l.view(&y, View::Reshape, &shape)?])
}

/// The constant side as a matrix: a vector is a row on the left and a column on the right.
fn matrix(l: &Lowering, sides: [&Value; 2], input: usize) -> Op<Matrix> {
    let [left, right] = sides;
    let constant = match if input == 0 { left } else { right } {
        Value::Constant(named) => &named.constant,
        Value::Clear(clear) => return Err(Trouble::AfterTail(clear.cause)),
        Value::Wire(_) => {
            // The other side is no constant, either.
            l.private(left)?;
            return Err(Refusal::ProductOfWires.into());
        }
    };
    let Data::Float(values) = &constant.data else {
        return Err(Fault::Type {
            input,
            expected: "floating point",
        }
        .into());
    };
    let (rows, columns) = match constant.shape.as_slice() {
        [] => {
            return Err(Fault::Rank {
                input,
                expected: 1,
                found: 0,
            }
            .into());
        }
        [n] if input == 0 => (1, *n),
        [n] => (*n, 1),
        [leading @ .., rows, columns] => match count(leading) {
            Some(1) => (*rows, *columns),
            found => {
                return Err(Refusal::BatchedConstant {
                    found: found.unwrap_or(usize::MAX),
                }
                .into());
            }
        },
    };
    Ok(Matrix {
        rows,
        columns,
        values: values.clone(),
    })
}

/// Swaps the last two axes.
fn turn(l: &mut Lowering, x: &Value, really: bool) -> Op<Value> {
    let mut shape = l.shape(x).to_vec();
    let rank = shape.len();
    if !really || rank < 2 {
        return Ok(x.clone());
    }
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(rank - 2, rank - 1);
    shape.swap(rank - 2, rank - 1);
    l.view(x, View::Transpose(perm), &shape)
}

/// x: [.., inner], w: [inner, columns] -> [.., columns]
fn multiply(l: &mut Lowering, x: WireId, w: Matrix, bias: Option<Vec<f32>>) -> Op<WireId> {
    let mut shape = l.graph.wire(x).shape.clone();
    let inner = shape.pop().unwrap_or(1);
    if inner != w.rows {
        let found = l.graph.wire(x).shape.clone();
        shape.push(w.rows);
        return Err(Fault::Shape {
            input: 0,
            expected: shape,
            found,
        }
        .into());
    }
    let rows = shape.iter().product();
    shape.push(w.columns);
    let kind = LinearKind::MatMul {
        rows,
        inner,
        columns: w.columns,
    };
    l.linear(kind, x, w.values, bias, &shape)
}
