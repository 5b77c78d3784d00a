//! What a client may ask with, and what it gets.

use crate::cloud::*;
use crate::support::*;
use png::{BitDepth, ColorType, Encoder};
use std::fs::File;
use std::path::Path;

/// The bundled digits, as bytes.
fn digits() -> Vec<u8> {
    let file = std::fs::read(model("demo-digits.npy")).unwrap();
    file[file.len() - 12 * 784..].to_vec()
}

fn write_png(path: &Path, pixels: &[u8]) {
    let mut encoder = Encoder::new(File::create(path).unwrap(), 28, 28);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
}

#[test]
fn pictures_and_batches_and_files() {
    let cloud = Cloud::deployed("inputs", "clear", &["--batch", "1,4"]);
    let at = cloud.path("client.toml");
    let ask = |input: &str, more: &[&str]| {
        let more = [&["--input", input, "--json"], more].concat();
        parsed(&succeed(&cloud.asks("predict", &at, &more)))
    };
    let all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 7];
    let npy_file = model("demo-digits.npy");
    let array = ask(&npy_file, &["--limit", "11"]);
    assert_eq!(classes(&array), all[..11]);
    assert_eq!(array["batches"], serde_json::json!({"4": 2, "1": 3}));
    assert_eq!(array["inferences"], 5);
    assert_eq!(array["setups"], 2);

    let picture = cloud.folder.join("three.png");
    write_png(&picture, &digits()[3 * 784..4 * 784]);
    assert_eq!(classes(&ask(picture.to_str().unwrap(), &[])), [3]);
    // Any number of files, of any kind, one behind the other.
    let more = ["--input", &npy_file, "--input", picture.to_str().unwrap()];
    let joined = classes(&ask(picture.to_str().unwrap(), &more));
    assert_eq!(joined, [&[3], &all[..], &[3]].concat());
    let missing = [&more[..], &["--input", "nowhere.png"]].concat();
    let line = fail(&cloud.asks("predict", &at, &missing), 2);
    assert!(line.contains("nowhere.png"), "{line}");

    let idx = cloud.folder.join("digits.idx");
    let head = [0u8, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 28, 0, 0, 0, 28];
    std::fs::write(&idx, [&head[..], &digits()].concat()).unwrap();
    let output = cloud.path("y.npy");
    let said = ask(idx.to_str().unwrap(), &["--output", &output]);
    assert_eq!(classes(&said), all);
    let written = std::fs::read(&output).unwrap();
    assert!(text(&written[..128]).contains("'shape': (12, 10,)"));
    let first = f32::from_le_bytes(written[128..132].try_into().unwrap());
    let (_, answers) = said["answers"].as_object().unwrap().iter().next().unwrap();
    assert!((f64::from(first) - answers[0].as_f64().unwrap()).abs() < 1e-4);

    let plain = succeed(&cloud.asks("predict", &at, &["--input", &npy_file]));
    assert!(
        plain.contains("the bill is the same to the byte"),
        "{plain}"
    );
    assert!(
        plain.contains("price  an inference of batch 4 sends "),
        "{plain}"
    );
    for (row, class) in all.iter().enumerate() {
        let shown = plain.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(&row.to_string()) && words.next() == Some(&class.to_string())
        });
        assert!(shown.is_some(), "{row}: {plain}");
    }
}

/// What the owner opens is all that a client gets.
#[test]
fn classes_alone() {
    let cloud = Cloud::deployed("argmax", "replicated3", &["--reveal", "argmax"]);
    let json = cloud.predict(3);
    assert_eq!(json["reveal"], "argmax");
    let answers = json["answers"].as_object().unwrap();
    let values: Vec<_> = answers.values().collect();
    assert_eq!(values, [&serde_json::json!([0, 1, 2])]);
}
