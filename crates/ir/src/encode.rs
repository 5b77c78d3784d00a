//! Between floats and the integers that stand for them, and between graphs and bytes.

use crate::{FixedGraph, GraphFault, Shape, Tensor, Weights, volume};
use subrosa_ring::sign_extend;
use thiserror::Error;

/// Why weights do not fit a graph.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WeightFault {
    #[error("expected {expected} weights, found {found}")]
    Count { expected: usize, found: usize },
    #[error("weight {weight}: expected shape {expected:?}, found {found:?}")]
    Shape {
        weight: usize,
        expected: Shape,
        found: Shape,
    },
    #[error("weight {weight}, element {element}: {found} is not a finite number of moderate size")]
    Value {
        weight: usize,
        element: usize,
        found: f32,
    },
}

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum InputFault {
    #[error("the graph has {inputs} inputs, none with number {port}")]
    Port { port: usize, inputs: usize },
    #[error("input {input}: expected shape {expected:?}, found {found:?}")]
    Shape {
        input: String,
        expected: Shape,
        found: Shape,
    },
    #[error("input {input}: expected {expected} values, found {found}")]
    Length {
        input: String,
        expected: usize,
        found: usize,
    },
    #[error(
        "input {input}, element {element}: expected a number in [{low}, {high}], found {found}"
    )]
    Value {
        input: String,
        element: usize,
        low: f64,
        high: f64,
        found: f32,
    },
}

/// Why integers are not the values of an output.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OutputFault {
    #[error("the graph has {outputs} outputs, none with number {output}")]
    Number { output: usize, outputs: usize },
    #[error("output {output}: expected {expected} values, found {found}")]
    Length {
        output: usize,
        expected: usize,
        found: usize,
    },
}

impl FixedGraph {
    pub fn encode(&self) -> Vec<u8> {
        // Writing to a vector cannot fail, and every type in the graph has an encoding.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// A graph that has passed [`FixedGraph::check`].
    pub fn parse(bytes: &[u8]) -> Result<Self, GraphFault> {
        match postcard::take_from_bytes::<Self>(bytes) {
            Ok((graph, [])) => graph.check().map(|()| graph),
            _ => Err(GraphFault::Encoding),
        }
    }
}

/// Each weight rounded to the nearest integer at its fraction bits, in two's complement modulo 2^64, by `WeightId`.
pub fn encode_weights(graph: &FixedGraph, weights: &Weights) -> Result<Vec<Vec<u64>>, WeightFault> {
    let layouts = graph.weight_layouts();
    if layouts.len() != weights.tensors.len() {
        let (expected, found) = (layouts.len(), weights.tensors.len());
        return Err(WeightFault::Count { expected, found });
    }
    let mut encoded = Vec::with_capacity(layouts.len());
    for (weight, (layout, tensor)) in layouts.iter().zip(&weights.tensors).enumerate() {
        if tensor.shape != layout.shape || tensor.values.len() != volume(&layout.shape) {
            let (expected, found) = (layout.shape.clone(), tensor.shape.clone());
            return Err(WeightFault::Shape {
                weight,
                expected,
                found,
            });
        }
        let fault = |(element, found)| WeightFault::Value {
            weight,
            element,
            found,
        };
        encoded.push(round_all(&tensor.values, layout.frac).map_err(fault)?);
    }
    Ok(encoded)
}

/// `tensor` as the integers of an input wire, in two's complement modulo 2^64.
pub fn encode_input(
    graph: &FixedGraph,
    port: usize,
    tensor: &Tensor,
) -> Result<Vec<u64>, InputFault> {
    let (Some(input), Some([low, high])) = (graph.inputs.get(port), graph.declared.get(port))
    else {
        return Err(InputFault::Port {
            port,
            inputs: graph.inputs.len(),
        });
    };
    let wire = graph.wire(input.wire);
    let name = || input.name.clone();
    if tensor.shape != wire.shape {
        let (expected, found) = (wire.shape.clone(), tensor.shape.clone());
        return Err(InputFault::Shape {
            input: name(),
            expected,
            found,
        });
    }
    let expected = volume(&wire.shape);
    if tensor.values.len() != expected {
        return Err(InputFault::Length {
            input: name(),
            expected,
            found: tensor.values.len(),
        });
    }
    let unit = unit(wire.frac);
    let mut encoded = Vec::with_capacity(expected);
    for (element, found) in tensor.values.iter().enumerate() {
        let value = (f64::from(*found) * unit).round();
        if !(*low as f64..=*high as f64).contains(&value) {
            return Err(InputFault::Value {
                input: name(),
                element,
                low: *low as f64 / unit,
                high: *high as f64 / unit,
                found: *found,
            });
        }
        encoded.push(value as i64 as u64);
    }
    Ok(encoded)
}

/// The floats that opened integers stand for; their low `bits` bits count.
pub fn decode_output(
    graph: &FixedGraph,
    output: usize,
    bits: u32,
    values: &[u64],
) -> Result<Tensor, OutputFault> {
    let Some(wire) = graph.outputs.get(output) else {
        return Err(OutputFault::Number {
            output,
            outputs: graph.outputs.len(),
        });
    };
    let wire = graph.wire(*wire);
    let (expected, found) = (volume(&wire.shape), values.len());
    if expected != found {
        return Err(OutputFault::Length {
            output,
            expected,
            found,
        });
    }
    let unit = unit(wire.frac);
    let values = values
        .iter()
        .map(|v| (sign_extend(*v, bits) as f64 / unit) as f32)
        .collect();
    Ok(Tensor {
        shape: wire.shape.clone(),
        values,
    })
}

/// 2^frac.
pub(crate) fn unit(frac: u32) -> f64 {
    f64::from(frac).exp2()
}

/// Rounded values; the position and value of the first one that has no integer.
fn round_all(values: &[f32], frac: u32) -> Result<Vec<u64>, (usize, f32)> {
    let unit = unit(frac);
    let limit = 62f64.exp2();
    values
        .iter()
        .enumerate()
        .map(|(element, value)| {
            let rounded = (f64::from(*value) * unit).round();
            if rounded.abs() < limit {
                Ok(rounded as i64 as u64)
            } else {
                Err((element, *value))
            }
        })
        .collect()
}
