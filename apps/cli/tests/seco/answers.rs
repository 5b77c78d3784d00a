//! Answers and costs, wherever a net is cut and whoever garbles and holds weights.

use super::*;

/// Numbers of remotes, who garbles, who holds weights.
type Servers = (&'static str, &'static str, &'static str);

const SERVERS: [Servers; 4] = [
    ("2", "bmr", "all-servers"),
    ("3", "bmr", "remotes"),
    ("2", "single", "remotes"),
    ("3", "single", "all-servers"),
];

/// Runs the net cut at `at` in each of these ways; what the user sends is always the same.
fn every_way(net: &str, at: &str, servers: &[Servers]) {
    let files = folder(&format!("seco-{net}-{}", at.replace('/', "")));
    let (input, model) = (input(&files, &IMAGE), model(net));
    let mut users = Vec::new();
    for (remotes, garbling, weights) in servers {
        let more = [
            "--at",
            at,
            "--remotes",
            remotes,
            "--garbling",
            garbling,
            "--weights",
            weights,
            "--nonlinear",
            "gc",
            "--json",
        ];
        let json = parsed(&succeed(&asks(&model, &input, &more)));
        let said = format!("{net} {more:?}: {json}");
        check(&json, &said);
        assert_eq!(json["split"], at, "{said}");
        let remotes: usize = remotes.parse().unwrap();
        assert_eq!(
            json["parties"].as_object().unwrap().len(),
            remotes + 2,
            "{said}"
        );
        users.push(json["parties"]["user"]["bill"].clone());
    }
    assert!(users.iter().all(|user| *user == users[0]), "{users:?}");
}

#[test]
fn mlp_behind_nothing() {
    every_way("mnist-mlp.onnx", "input", &SERVERS);
}

#[test]
fn mlp_behind_an_activation() {
    every_way("mnist-mlp.onnx", "/2/Relu", &SERVERS);
}

#[test]
fn mlp_behind_its_last_activation() {
    every_way("mnist-mlp.onnx", "/4/Relu", &SERVERS[1..3]);
}

#[test]
fn cnn_behind_an_activation_and_behind_nothing() {
    every_way("mnist-cnn.onnx", "/1/Relu", &SERVERS[1..3]);
    every_way("mnist-cnn.onnx", "input", &SERVERS[2..]);
}

#[test]
fn last_product_is_the_gateways() {
    for net in ["mnist-mlp.onnx", "mnist-cnn.onnx"] {
        every_way(net, "/5/Gemm (product)", &SERVERS[..2]);
    }
}

#[test]
fn material_made_ahead_costs_the_same() {
    let files = folder("seco-pool");
    let (input, model) = (input(&files, &IMAGE), model("mnist-mlp.onnx"));
    for at in ["input", "/4/Relu"] {
        let bill = |pool: &[&str]| {
            let temporary = folder("seco-pool-temporary");
            let more = [&["--at", at, "--repeat", "3", "--json"], pool].concat();
            let mut command = command(&asks(&model, &input, &more));
            let child = command.env("TMPDIR", &temporary).spawn();
            let output = finish(child.unwrap());
            assert!(output.status.success(), "{}", text(&output.stderr));
            assert_eq!(entries(&temporary), Vec::<String>::new());
            let json = parsed(&text(&output.stdout));
            check(&json, &json.to_string());
            json["bill"].clone()
        };
        assert_eq!(bill(&["--pool", "2"]), bill(&[]), "{at}");
    }
}
