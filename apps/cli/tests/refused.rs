//! Bad input and wrong usage: one line, status 2, no file.

mod support;

use std::path::Path;
use support::*;

fn run(model: &str, input: &str, more: &[&str]) -> String {
    let mut arguments = vec!["run", model, "--protocol", "replicated3", "--input", input];
    arguments.extend(more);
    fail(&arguments, 2)
}

fn says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "'{part}' is not in: {line}");
    }
}

#[test]
fn bad_arrays() {
    let folder = folder("refused-npy");
    let at = |name: &str| folder.join(name);
    let mlp = model("mnist-mlp.onnx");
    let shape = [1, 1, 28, 28];
    let good = floats(spread(784));
    let output = at("y.npy");
    let output = output.to_str().unwrap();
    let refuse = |input: &str, parts: &[&str]| {
        says(&run(&mlp, input, &["--output", output]), parts);
        assert!(!Path::new(output).exists());
    };
    refuse(
        at("none.npy").to_str().unwrap(),
        &["none.npy", "no such file"],
    );
    refuse(folder.to_str().unwrap(), &["directory"]);
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(at(name), bytes).unwrap();
        at(name).display().to_string()
    };
    refuse(&write("empty.npy", b""), &["empty.npy", "empty"]);
    refuse(&write("text.npy", b"hello"), &["not an NPY file"]);
    refuse(
        &npy(&at("short.npy"), "<f4", &shape, &good[..3000]),
        &["truncated", "3136", "3000"],
    );
    refuse(
        &npy(&at("int.npy"), "<i8", &shape, &good),
        &["<i8", "float32"],
    );
    refuse(
        &npy(&at("flat.npy"), "<f4", &[1, 784], &good),
        &["[batch, 1, 28, 28]", "[1, 784]", "image"],
    );
    let mut nan = spread(784);
    nan[29] = f32::NAN;
    refuse(
        &npy(&at("nan.npy"), "<f4", &shape, &floats(nan.clone())),
        &["[0, 0, 1, 1]", "NaN", "finite"],
    );
    nan[29] = f32::INFINITY;
    refuse(
        &npy(&at("inf.npy"), "<f4", &shape, &floats(nan)),
        &["inf", "finite"],
    );
    let big = std::fs::File::create(at("big.npy")).unwrap();
    big.set_len(2 << 30).unwrap();
    refuse(at("big.npy").to_str().unwrap(), &["too large"]);
    let input = npy(&at("good.npy"), "<f4", &shape, &good);
    says(
        &run(&mlp, &input, &["--input-range", "0:0.5"]),
        &["image", "0.5", "found"],
    );
    says(
        &run(&mlp, &format!("picture={input}"), &[]),
        &["picture", "image"],
    );
    says(
        &run(
            &mlp,
            &input,
            &["--calibrate", at("flat.npy").to_str().unwrap()],
        ),
        &["[samples, 1, 28, 28]"],
    );
    says(&run(&mlp, &input, &["--mean", "0.5"]), &["uint8"]);
    says(
        &run(&mlp, &input, &["--output", "y.txt"]),
        &["y.txt", ".npy"],
    );
    says(
        &run(&mlp, &input, &["--output", "/no/such/folder/y.npy"]),
        &["folder"],
    );
    says(
        &run(&mlp, &input, &["--input-range", "1:0"]),
        &["1:0", "LO:HI"],
    );
    says(&run(&mlp, &input, &["--reveal", "top:11"]), &["11", "10"]);
}

#[test]
fn bad_models() {
    let folder = folder("refused-onnx");
    let input = npy(
        &folder.join("x.npy"),
        "<f4",
        &[1, 1, 28, 28],
        &floats(spread(784)),
    );
    let whole = std::fs::read(model("mnist-mlp.onnx")).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).unwrap();
        folder.join(name).display().to_string()
    };
    says(
        &run("none.onnx", &input, &[]),
        &["none.onnx", "no such file"],
    );
    says(
        &run(&write("cut.onnx", &whole[..whole.len() / 2]), &input, &[]),
        &["cut.onnx", "truncated"],
    );
    says(
        &run(&write("text.onnx", b"hello, world"), &input, &[]),
        &["text.onnx", "not an ONNX file"],
    );
    says(&run(&write("empty.onnx", b""), &input, &[]), &["empty"]);
    let unsupported = model("operators/refused/clip_six.onnx");
    says(
        &fail(&["inspect", &unsupported], 2),
        &["Clip", "opset", "supported"],
    );
}

#[test]
fn wrong_usage() {
    let mlp = model("mnist-mlp.onnx");
    says(
        &fail(&["run", &mlp, "--input", "x.npy"], 2),
        &["--protocol"],
    );
    says(
        &fail(&["run", &mlp, "--protocol", "magic", "--input", "x"], 2),
        &["magic", "replicated3"],
    );
    says(&fail(&["explain", "magic"], 2), &["clear, replicated3"]);
    says(
        &fail(&["demo", "--network", "moon"], 2),
        &["moon", "loopback"],
    );
    says(&fail(&["demo", "--pool", "3"], 2), &["--pool"]);
    let with = |name: &str, value: &str| {
        let input = ["--protocol", "two-party", "--input", "x.npy"];
        let run = [&["run", &mlp][..], &input[..], &[name, value]].concat();
        let line = fail(&run, 2);
        let bench = fail(&["bench", name, value], 2);
        says(&line, &[name, value]);
        says(&bench, &[name, value]);
    };
    for wrong in ["0", "-1", "many", "1000001", "1.5"] {
        with("--pool", wrong);
    }
    for wrong in ["magic", "OT", "ot,gc"] {
        with("--nonlinear", wrong);
    }
    fail(&["nothing"], 2);
    fail(&[], 2);
    let nowhere = [
        "eval",
        &mlp,
        "--protocol",
        "clear",
        "--dataset",
        "mnist",
        "--data",
        "/nowhere",
    ];
    says(&fail(&nowhere, 2), &["/nowhere", "t10k-images-idx3-ubyte"]);
}
