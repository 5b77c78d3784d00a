//! Models and digits that are part of the program.

use crate::fault::{Fault, of_model};
use crate::input::{NpyFault, read_npy_bytes};
use std::path::Path;
use subrosa::{Model, Tensor};

const FILES: [(&str, &[u8]); 3] = [
    (
        "mnist-mlp",
        include_bytes!("../../../../models/mnist-mlp.onnx"),
    ),
    (
        "mnist-cnn",
        include_bytes!("../../../../models/mnist-cnn.onnx"),
    ),
    (
        "mnist-lenet",
        include_bytes!("../../../../models/mnist-lenet.onnx"),
    ),
];
const DIGITS: &[u8] = include_bytes!("../../../../models/demo-digits.npy");
const LABELS: &[u8] = include_bytes!("../../../../models/demo-labels.npy");

/// Nets A, B and C by name.
pub fn nets() -> Result<Vec<(String, Model)>, Fault> {
    let nets = FILES
        .iter()
        .map(|(name, bytes)| Ok(((*name).to_owned(), parse(name, bytes)?)));
    nets.collect()
}

/// Net A.
pub fn mlp() -> Result<(&'static str, Model), Fault> {
    net(0)
}

/// Net C.
pub fn lenet() -> Result<(&'static str, Model), Fault> {
    net(2)
}

fn net(at: usize) -> Result<(&'static str, Model), Fault> {
    let (name, bytes) = FILES[at];
    Ok((name, parse(name, bytes)?))
}

fn parse(name: &str, bytes: &[u8]) -> Result<Model, Fault> {
    Model::parse(bytes).map_err(|error| of_model(Path::new(name))(error.into()))
}

/// Digits as bytes, [12, 28, 28], and what they are.
pub fn digits() -> Result<(Tensor, Vec<usize>), Fault> {
    let read = |name: &str, bytes| {
        read_npy_bytes(bytes)
            .map_err(|fault: NpyFault| Fault::Npy {
                path: name.into(),
                fault,
            })
            .map(|array| array.tensor)
    };
    let labels = read("demo-labels.npy", LABELS)?.values;
    let labels = labels.into_iter().map(|label| label as usize).collect();
    Ok((read("demo-digits.npy", DIGITS)?, labels))
}
