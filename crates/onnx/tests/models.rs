//! Whole models against what onnxruntime answered, recorded in `models/references`.

mod support;

use serde_json::Value;
use subrosa_ir::{Tensor, eval_float, simplify};
use subrosa_onnx::{Model, OnnxError, Reference, Refusal};
use support::{answers, assert_close, formula, models, shared, shared_path};

fn check(name: &str, model: &Model) {
    let text = std::fs::read_to_string(models().join(format!("references/{name}.json"))).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    let input = model.inputs().first().unwrap().clone();
    let given = formula(&input.shape(1));
    let shape: Vec<usize> = record["input_shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap() as usize)
        .collect();
    assert_eq!(given.shape, shape, "{name}");
    let found = answers(model, 1, std::slice::from_ref(&given));
    compare(name, &record, &found);
    let (graph, weights) = model.graph(1).unwrap();
    let (simple, weights) = simplify(graph, weights);
    let opened = eval_float(&simple, &weights, std::slice::from_ref(&given)).unwrap();
    let outputs = simple.tail.outputs.iter().map(|port| port.name.clone());
    let simplified: Vec<_> = outputs.zip(simple.tail.eval(&opened).unwrap()).collect();
    compare(&format!("simplified, {name}"), &record, &simplified);
    let reference = Reference::new(model, 1).unwrap();
    let by_tract = reference.run(&[given]).unwrap();
    let named = found.into_iter().map(|(output, _)| output).zip(by_tract);
    compare(
        &format!("tract, {name}"),
        &record,
        &named.collect::<Vec<_>>(),
    );
}

fn compare(what: &str, record: &Value, found: &[(String, Tensor)]) {
    assert_eq!(
        record["outputs"].as_object().unwrap().len(),
        found.len(),
        "{what}"
    );
    for (output, tensor) in found {
        let expected = &record["outputs"][output];
        let stride = expected["stride"].as_u64().unwrap() as usize;
        let values: Vec<f32> = expected["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap() as f32)
            .collect();
        let kept: Vec<f32> = tensor.values.iter().step_by(stride).copied().collect();
        assert_close(&format!("{what}, {output}"), &kept, &values, 2e-5);
    }
}

#[test]
fn own_models_answer_as_recorded() {
    for (name, parameters) in [("mnist-mlp", 118_282), ("mnist-cnn", 0), ("mnist-lenet", 0)] {
        let model = Model::read(&models().join(format!("{name}.onnx"))).unwrap();
        assert!(model.has_dynamic_batch(), "{name}");
        assert!(
            parameters == 0 || model.parameters() == parameters,
            "{name}: {}",
            model.parameters()
        );
        check(name, &model);
        let (graph, _) = model.graph(128).unwrap();
        assert_eq!(graph.wire(graph.outputs[0]).shape, [128, 10], "{name}");
    }
}

#[test]
fn shared_models_answer_as_recorded() {
    for (name, parameters) in [
        ("burn-mnist-cnn-bn", 376_938),
        ("marabou-mnist2x10", 8_070),
        ("marabou-traffic64", 5_238),
        ("mnist-8", 5_998),
        ("onnx2c-mnist-mlp-bn", 55_424),
        ("resnet20-cifar10", 0),
        ("resnet32-cifar10", 0),
        ("super-resolution-10", 59_657),
        ("ultraface-RFB-320", 0),
    ] {
        let Some(model) = shared(name) else { continue };
        check(name, &model);
        println!(
            "{name}: {} parameters, opset {}, {:?}",
            model.parameters(),
            model.opset(),
            model.operators()
        );
        println!(
            "{name}: {} public constants",
            model.public_constants(1).unwrap().len()
        );
        assert!(
            parameters == 0 || model.parameters().abs_diff(parameters) < 20,
            "{name}: {}",
            model.parameters()
        );
    }
}

#[test]
fn free_batches_repeat_the_single_answer() {
    for name in ["marabou-mnist2x10", "marabou-traffic64", "resnet20-cifar10"] {
        let Some(model) = shared(name) else { continue };
        let inputs = model.inputs();
        let one = formula(&inputs[0].shape(1));
        let three = Tensor {
            shape: inputs[0].shape(3),
            values: one.values.repeat(3),
        };
        let single = &answers(&model, 1, &[one])[0].1;
        let triple = &answers(&model, 3, &[three])[0].1;
        assert_close(name, &triple.values, &single.values.repeat(3), 1e-6);
    }
}

#[test]
fn a_fixed_batch_is_the_only_one() {
    let Some(model) = shared("mnist-8") else {
        return;
    };
    assert!(!model.has_dynamic_batch());
    assert_eq!(model.inputs().len(), 1, "weights listed as inputs are none");
    assert_eq!(
        model.graph(2).err(),
        Some(OnnxError::Batch {
            expected: 1,
            found: 2
        })
    );
}

#[test]
fn the_detector_decodes_its_boxes_in_the_clear() {
    let Some(model) = shared("ultraface-RFB-320") else {
        return;
    };
    let (graph, _) = model.graph(1).unwrap();
    let outputs: Vec<&str> = graph
        .tail
        .outputs
        .iter()
        .map(|port| port.name.as_str())
        .collect();
    assert_eq!(outputs, ["scores", "boxes"]);
    let opened: Vec<&[usize]> = graph
        .outputs
        .iter()
        .map(|wire| graph.wire(*wire).shape.as_slice())
        .collect();
    assert_eq!(opened, [&[1, 4420, 2][..]; 3]);
    let public = model.public_constants(1).unwrap();
    let scalars: Vec<f32> = public
        .iter()
        .filter(|c| c.tensor.values.len() == 1)
        .map(|c| c.tensor.values[0])
        .collect();
    assert_eq!(scalars, [0.1, 0.2, 2.0, 2.0]);
}

#[test]
fn models_beyond_reach_are_refused_by_name() {
    for (name, operator, node, opset) in [
        ("marabou-robust-mnist-sigmoid", "Sigmoid", "Sigmoid1", 11),
        ("marabou-tanh-policy", "Tanh", "model/model/fc_1/Tanh", 9),
        ("marabou-mnist-self-attention", "MatMul", "MatMul__102", 13),
    ] {
        let Some(model) = shared(name) else { continue };
        let error = model.graph(1).expect_err(name);
        let line = error.to_string();
        let OnnxError::UnsupportedOperator {
            operator: o,
            node: n,
            opset: v,
            ..
        } = error
        else {
            panic!("{name}: {line}");
        };
        assert_eq!(
            (o.as_str(), n.as_str(), v),
            (operator, node, opset),
            "{line}"
        );
    }
}

#[test]
fn unknown_operators_are_refused_on_reading() {
    for (name, operator, node, opset) in [
        ("dtln-1", "LSTM", "lstm_4", 11),
        (
            "wine-xgboost-classifier",
            "ai.onnx.ml:TreeEnsembleClassifier",
            "TreeEnsembleClassifier",
            1,
        ),
    ] {
        let Some(path) = shared_path(name) else {
            continue;
        };
        let error = Model::read(&path).err().unwrap();
        let expected = OnnxError::UnsupportedOperator {
            operator: operator.to_owned(),
            node: node.to_owned(),
            opset,
            reason: Refusal::Unknown,
        };
        assert_eq!(*error.fault(), expected);
    }
}
