//! Files that are wrong, and files that are not supported: one line each, and no panic on any bytes.

mod support;

use prost::Message;
use subrosa_onnx::{Model, OnnxError};
use support::{
    file, floats, indices, int, ints, models, node, parse, refusal, shared_path, text, value,
};
use tract_onnx::pb::{ModelProto, StringStringEntryProto, TensorProto};

/// A small net with a bit of everything.
fn small() -> ModelProto {
    let weights = vec![
        floats("w", &[2, 1, 3, 3], &[0.5; 18]),
        floats("b", &[2], &[0.25, -0.5]),
        floats("fc", &[8, 3], &[0.125; 24]),
        indices("flat", &[0, -1]),
        indices("pads", &[0, 0, 0, 0, 0, 0, 1, 1]),
    ];
    let nodes = vec![
        node("Pad", &["x", "pads"], &["padded"], vec![]),
        node(
            "Conv",
            &["padded", "w", "b"],
            &["c"],
            vec![ints("pads", &[1, 1, 1, 1]), ints("strides", &[1, 1])],
        ),
        node("Relu", &["c"], &["r"], vec![]),
        node(
            "MaxPool",
            &["r"],
            &["p"],
            vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        ),
        node("Reshape", &["p", "flat"], &["f"], vec![]),
        node("MatMul", &["f", "fc"], &["m"], vec![]),
        node("Softmax", &["m"], &["y"], vec![]),
    ];
    file(13, vec![value("x", &[0, 1, 4, 4])], weights, nodes)
}

/// Whatever comes of it, it comes without a panic.
fn try_all(bytes: &[u8]) {
    if let Ok(model) = Model::parse(bytes) {
        let batch = model.fixed_batch().unwrap_or(2);
        if batch < 1 << 20
            && let Ok((graph, _)) = model.graph(batch)
        {
            graph.check().unwrap();
        }
    }
}

#[test]
fn the_small_net_is_read() {
    let (graph, weights) = parse(&small()).unwrap().graph(2).unwrap();
    assert_eq!(graph.nodes.len(), 6);
    assert_eq!(weights.tensors.len(), 3);
    assert_eq!(graph.wire(graph.outputs[0]).shape, [2, 3]);
}

#[test]
fn truncated_files_are_refused_everywhere() {
    let bytes = small().encode_to_vec();
    for end in 0..bytes.len() {
        assert!(Model::parse(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn no_flipped_bit_makes_a_panic() {
    let bytes = small().encode_to_vec();
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff, 0x7f] {
            let mut flipped = bytes.clone();
            flipped[at] ^= change;
            try_all(&flipped);
        }
    }
}

#[test]
fn no_flipped_byte_of_a_real_file_makes_a_panic() {
    let mut names: Vec<_> = std::fs::read_dir(models().join("operators"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    names.sort();
    for path in names {
        let bytes = std::fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(3) {
            let mut flipped = bytes.clone();
            flipped[at] = flipped[at].wrapping_add(at as u8 | 1);
            try_all(&flipped);
        }
        for end in (0..bytes.len()).step_by(7) {
            try_all(&bytes[..end]);
        }
    }
}

#[test]
fn shared_files_survive_flips_in_their_graphs() {
    for name in ["marabou-traffic64", "mnist-8"] {
        let Some(path) = shared_path(name) else {
            continue;
        };
        let bytes = std::fs::read(path).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len() / 400) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x55;
            try_all(&flipped);
        }
    }
}

/// The small net with one thing changed.
fn changed(change: impl FnOnce(&mut ModelProto)) -> String {
    let mut net = small();
    change(&mut net);
    refusal(&net)
}

fn graph(net: &mut ModelProto) -> &mut tract_onnx::pb::GraphProto {
    net.graph.as_mut().unwrap()
}

#[test]
fn broken_graphs_are_named() {
    let line = changed(|net| graph(net).node[2].input[0] = "nowhere".to_owned());
    assert_eq!(
        line,
        "Relu (node 'r_node') reads 'nowhere', which nothing defines"
    );
    let line = changed(|net| graph(net).node[1].input[0] = "r".to_owned());
    assert!(
        line.starts_with("the graph has a cycle through Conv"),
        "{line}"
    );
    let line = changed(|net| graph(net).node[2].output[0] = "c".to_owned());
    assert_eq!(line, "value 'c' is defined twice");
    let line = changed(|net| graph(net).output[0].name = "z".to_owned());
    assert_eq!(line, "output 'z' is computed by no node");
    let line = changed(|net| graph(net).output.clear());
    assert_eq!(line, "the graph has no outputs");
    let line = changed(|net| net.opset_import[0].version = 4);
    assert_eq!(line, "opset 4, expected 7 to 26");
    let line = changed(|net| net.graph = None);
    assert_eq!(line, "truncated or not an ONNX file: no graph in it");
    let line = changed(|net| graph(net).node[1].input.truncate(1));
    assert_eq!(line, "Conv (node 'c_node', opset 13): input 1 is missing");
}

#[test]
fn broken_inputs_are_named() {
    let with = |dims: &[i64]| {
        let input = value("x", dims);
        changed(|net| graph(net).input[0] = input)
    };
    assert_eq!(
        with(&[0, 1, -1, 4]),
        "input 'x': axis 2 has the free extent 'width', only the batch may be free"
    );
    assert!(
        with(&[0, 1, 1 << 40, 4])
            .starts_with("input 'x': shape [2, 1, 1099511627776, 4] has too many")
    );
    assert!(with(&[0, 1, i64::MAX, i64::MAX]).contains("too many elements"));
    assert!(
        with(&[0, 4, 4])
            .contains("Pad (node 'padded_node', opset 13): pads: 8 entries, expected 6")
    );
    assert!(with(&[0, 3, 4, 4]).contains("Conv (node 'c_node', opset 13): input 1 has shape"));
    let line = changed(|net| graph(net).input[0].r#type = None);
    assert_eq!(line, "input 'x': no shape, expected one");
}

#[test]
fn broken_attributes_are_named() {
    let conv = |attribute| changed(|net| graph(net).node[1].attribute = vec![attribute]);
    assert!(conv(ints("strides", &[0, 1])).contains("stride or dilation: 0"));
    assert!(conv(ints("strides", &[-1, 1])).contains("stride or dilation: -1"));
    assert!(conv(ints("dilations", &[1])).contains("dilations: 1 entries, expected 2"));
    assert!(conv(ints("dilations", &[9, 9])).contains("the kernel of extent 19 does not fit"));
    assert!(conv(int("group", 0)).contains("1 channels in 0 groups"));
    assert!(conv(ints("pads", &[-1, 0, 0, 0])).contains("negative padding"));
    assert!(conv(ints("pads", &[0, 0, 0, i64::MAX])).contains("above 16777216"));
    assert!(conv(ints("group", &[1])).contains("attribute group has another type than an integer"));
    assert!(conv(text("auto_pad", "BOTH")).contains("attribute auto_pad is BOTH"));
    let pool = |attributes| changed(|net| graph(net).node[3].attribute = attributes);
    assert!(pool(vec![]).contains("attribute kernel_shape is missing"));
    let alone = vec![ints("kernel_shape", &[1, 1]), ints("pads", &[3, 3, 0, 0])];
    assert!(pool(alone).contains("nothing but padding"));
    let huge = vec![
        ints("kernel_shape", &[1 << 24, 1 << 24]),
        ints("pads", &[1 << 23; 4]),
    ];
    assert!(pool(huge).contains("MaxPool (node 'p_node', opset 13)"));
}

#[test]
fn broken_weights_are_named() {
    let weight =
        |change: fn(&mut TensorProto)| changed(|net| change(&mut graph(net).initializer[0]));
    assert_eq!(
        weight(|w| w.float_data[3] = f32::NAN),
        "tensor 'w': element 3 is NaN, expected a finite number"
    );
    assert_eq!(
        weight(|w| w.float_data[0] = f32::INFINITY),
        "tensor 'w': element 0 is infinite, expected a finite number"
    );
    assert_eq!(
        weight(|w| w.raw_data = vec![0; 70]),
        "tensor 'w': 70 bytes of data, expected 72 for shape [2, 1, 3, 3]"
    );
    assert!(weight(|w| w.dims = vec![1 << 62, 1 << 62]).contains("too many elements"));
    assert!(weight(|w| w.data_type = 8).contains("elements of type STRING"));
    assert!(weight(|w| w.data_type = 99).contains("elements of type 99"));
    let elsewhere = weight(|w| {
        w.data_location = Some(1);
        w.external_data = vec![StringStringEntryProto {
            key: "location".to_owned(),
            value: "/etc/passwd".to_owned(),
        }];
    });
    assert!(elsewhere.contains("another file"), "{elsewhere}");
}

#[test]
fn computed_constants_are_bounded() {
    let huge = indices("shape", &[1 << 40, 1 << 40]);
    let nodes = vec![
        node("ConstantOfShape", &["shape"], &["c"], vec![]),
        node("Add", &["x", "c"], &["y"], vec![]),
    ];
    let line = refusal(&file(13, vec![value("x", &[0, 3])], vec![huge], nodes));
    assert!(
        line.starts_with("ConstantOfShape (node 'c_node', opset 13): the tensors have too many"),
        "{line}"
    );
    let wide = indices("shape", &[1 << 20, 1 << 20, 3]);
    let nodes = vec![node("Expand", &["x", "shape"], &["y"], vec![])];
    let line = refusal(&file(13, vec![value("x", &[1, 3])], vec![wide], nodes));
    assert!(
        line.starts_with("Expand (node 'y_node', opset 13): the tensors have too many"),
        "{line}"
    );
    let nodes = vec![node("Identity", &["c"], &["y"], vec![])];
    let line = refusal(&file(
        13,
        vec![value("x", &[0, 3])],
        vec![floats("c", &[1], &[1.0])],
        nodes,
    ));
    assert_eq!(line, "no output depends on an input");
}

#[test]
fn deep_graphs_are_read_without_a_deep_stack() {
    let names: Vec<String> = (0..100_000).map(|i| format!("v{i}")).collect();
    let mut nodes = vec![node("Neg", &["x"], &["v0"], vec![])];
    nodes.extend(
        names
            .windows(2)
            .map(|pair| node("Sigmoid", &[&pair[0]], &[&pair[1]], vec![])),
    );
    nodes.push(node("Identity", &["v99999"], &["y"], vec![]));
    nodes.reverse();
    let model = parse(&file(13, vec![value("x", &[0, 3])], vec![], nodes)).unwrap();
    assert_eq!(model.graph(1).unwrap().0.tail.nodes.len(), 99_999);
}

#[test]
fn errors_of_files_name_the_file() {
    let path = std::env::temp_dir().join(format!("subrosa-onnx-{}.onnx", std::process::id()));
    let bytes = small().encode_to_vec();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Model::read(&path).err().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(
        matches!(error.fault(), OnnxError::Truncated { .. }),
        "{error}"
    );
    assert!(error.to_string().starts_with(&path.display().to_string()));
}
