//! What the tests share: where the models lie, recorded answers, and graphs made by hand.
#![allow(dead_code)]

use prost::Message;
use std::path::{Path, PathBuf};
use subrosa_ir::{Tensor, eval_float};
use subrosa_onnx::Model;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
};

/// The project's own models.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

/// A file of the shared collection, or a printed reason why the test is skipped.
pub fn shared_path(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SUBROSA_MODELS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/models"),
        PathBuf::from,
    );
    let path = folder.join(name).join("model.onnx");
    if !path.exists() {
        println!(
            "skipped: {} is not there (SUBROSA_MODELS names the folder)",
            path.display()
        );
        return None;
    }
    Some(path)
}

pub fn shared(name: &str) -> Option<Model> {
    shared_path(name).map(|path| Model::read(&path).unwrap())
}

/// x[i] = ((i * 2654435761) mod 2^32) / 2^32, as the recorded references take it.
pub fn formula(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let value = |i: usize| f64::from((i as u64 * 2_654_435_761) as u32) / 4_294_967_296.0;
    Tensor {
        shape: shape.to_vec(),
        values: (0..count).map(|i| value(i) as f32).collect(),
    }
}

/// The answers of the float graph, under the file's names.
pub fn answers(model: &Model, batch: usize, inputs: &[Tensor]) -> Vec<(String, Tensor)> {
    let (graph, weights) = model.graph(batch).unwrap();
    graph.check().unwrap();
    let opened = eval_float(&graph, &weights, inputs).unwrap();
    let outputs = graph.tail.eval(&opened).unwrap();
    graph
        .tail
        .outputs
        .iter()
        .map(|port| port.name.clone())
        .zip(outputs)
        .collect()
}

pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let scale = expected.iter().fold(1.0f32, |scale, v| scale.max(v.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(
            error <= tolerance * scale,
            "{what}: value {index} is {found}, expected {expected}"
        );
    }
}

/// A node named after its first output.
pub fn node(
    operator: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: Vec<AttributeProto>,
) -> NodeProto {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    NodeProto {
        op_type: operator.to_owned(),
        name: format!("{}_node", outputs[0]),
        input: names(inputs),
        output: names(outputs),
        attribute: attributes,
        ..Default::default()
    }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i,
        ..Default::default()
    }
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    let kind = AttributeType::Ints as i32;
    AttributeProto {
        name: name.to_owned(),
        r#type: kind,
        ints: values.to_vec(),
        ..Default::default()
    }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    let kind = AttributeType::String as i32;
    AttributeProto {
        name: name.to_owned(),
        r#type: kind,
        s: value.as_bytes().to_vec(),
        ..Default::default()
    }
}

pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: values.to_vec(),
        ..Default::default()
    }
}

pub fn indices(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..Default::default()
    }
}

/// An input or output; an extent of 0 is the free batch, -1 another free extent.
pub fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|dim| Dimension {
        value: Some(match dim {
            0 => dimension::Value::DimParam("N".to_owned()),
            -1 => dimension::Value::DimParam("width".to_owned()),
            extent => dimension::Value::DimValue(*extent),
        }),
        ..Default::default()
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape,
    };
    let kind = TypeProto {
        value: Some(type_proto::Value::TensorType(tensor)),
        ..Default::default()
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(kind),
        ..Default::default()
    }
}

/// A file of the given opset with the output `y`.
pub fn file(
    opset: i64,
    inputs: Vec<ValueInfoProto>,
    initializer: Vec<TensorProto>,
    node: Vec<NodeProto>,
) -> ModelProto {
    let output = vec![value("y", &[])];
    let graph = GraphProto {
        name: "test".to_owned(),
        input: inputs,
        output,
        initializer,
        node,
        ..Default::default()
    };
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: opset,
        }],
        graph: Some(graph),
        ..Default::default()
    }
}

pub fn parse(file: &ModelProto) -> Result<Model, subrosa_onnx::OnnxError> {
    Model::parse(&file.encode_to_vec())
}

/// Outputs of a file with one free batch of 2 and inputs by the formula.
pub fn run(file: &ModelProto) -> Vec<(String, Tensor)> {
    let model = parse(file).unwrap();
    let batch = model.fixed_batch().unwrap_or(2);
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .map(|input| formula(&input.shape(batch)))
        .collect();
    answers(&model, batch, &inputs)
}

/// The one line with which a file is refused, for a batch of 2 where it is free.
pub fn refusal(file: &ModelProto) -> String {
    let refused = parse(file).and_then(|model| {
        let batch = model.fixed_batch().unwrap_or(2);
        model.graph(batch).map(|_| ())
    });
    let line = refused.expect_err("refused").to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}
