//! Models of the project's own under every protocol, all parties in this process.

use std::path::Path;
use std::time::Duration;
use subrosa::{
    Blame, Error, InMemory, LinkFault, Model, Network, Oracle, Prepared, Reference, RunError,
    Tensor, Terms, find, protocols, run_in_memory,
};

const TIMEOUT: Duration = Duration::from_secs(60);

fn model(name: &str) -> Model {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    Model::read(&models.join(name)).unwrap()
}

fn input(batch: usize) -> Tensor {
    let values =
        (0..batch * 784).map(|i| (i as u32).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32);
    Tensor {
        shape: vec![batch, 1, 28, 28],
        values: values.collect(),
    }
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape, b.shape);
    a.values
        .iter()
        .zip(&b.values)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn every_protocol_answers_like_the_oracle_for_its_price() {
    for name in ["mnist-mlp.onnx", "mnist-cnn.onnx"] {
        let model = model(name);
        let prepared = Prepared::new(&model, 2, &[[0.0, 1.0]], None).unwrap();
        let input = [input(2)];
        let float = Reference::new(&model, 2).unwrap().run(&input).unwrap();
        for protocol in protocols() {
            let planned = prepared.plan(protocol, &Terms::default()).unwrap();
            let run = run_in_memory(&planned, &prepared.weights, &input, TIMEOUT).unwrap();
            let oracle = Oracle::new(planned.graph(), &prepared.weights, 1).unwrap();
            let clear = oracle.infer(&input).unwrap();
            assert!(clear.exceeded.is_empty());
            assert!(
                largest_difference(&run.outputs[0], &clear.outputs[0]) < 2e-3,
                "{name}"
            );
            assert!(
                largest_difference(&run.outputs[0], &float[0]) < 4e-3,
                "{name}"
            );
            for (party, bill) in planned.parties().iter().zip(&run.bills) {
                assert_eq!(party.price, *bill, "{name} {}", party.seat.name);
            }
        }
    }
}

#[test]
fn parties_go_on_for_many_inferences_and_setups() {
    let prepared = Prepared::new(&model("mnist-mlp.onnx"), 1, &[[0.0, 1.0]], None).unwrap();
    let planned = prepared
        .plan(find("replicated3").unwrap(), &Terms::default())
        .unwrap();
    let mut run = InMemory::new(&planned, Network::LOOPBACK, 1, TIMEOUT, None).unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        run.setup(&planned, &prepared.weights).unwrap();
        for _ in 0..2 {
            run.offline().unwrap();
            answers.push(run.infer(&[input(1)]).unwrap());
        }
    }
    for answer in &answers[1..] {
        assert!(largest_difference(&answers[0][0], &answer[0]) < 2e-3);
    }
}

#[test]
fn a_refused_input_is_the_clients_fault_and_ends_the_run() {
    let prepared = Prepared::new(&model("mnist-mlp.onnx"), 1, &[[0.0, 0.5]], None).unwrap();
    let planned = prepared
        .plan(find("replicated3").unwrap(), &Terms::default())
        .unwrap();
    let error = run_in_memory(&planned, &prepared.weights, &[input(1)], TIMEOUT)
        .err()
        .unwrap();
    let Error::Run(blame) = error else {
        panic!("{error}")
    };
    assert_eq!(blame.culprit, "client");
    assert!(matches!(blame.error, RunError::Local(_)), "{blame}");
    let lost = Blame {
        culprit: "server-1",
        reporter: "client",
        error: RunError::Link {
            peer: subrosa::PartyId(1),
            fault: LinkFault::Closed,
        },
    };
    assert!(
        lost.to_string()
            .starts_with("server-1 cannot be reached by client")
    );
}
