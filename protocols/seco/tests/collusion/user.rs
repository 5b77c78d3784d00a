//! The user alone.

use crate::nets::{Model, drawn, model};
use crate::record::{Job, Messages, Stage, record};
use subrosa_core::Words;
use subrosa_hybrid::Piece;
use subrosa_ir::{Tensor, WeightId};
use subrosa_protocol::{Division, Garbling, Holders};
use subrosa_seco::{GATEWAY, INPUT, USER};

const INFERENCES: usize = 2;
const ROWS: usize = 4;
/// The front half is the first layer and its ReLU.
const WIDTHS: [usize; 4] = [3, 4, 5, 2];

/// Messages to and from the user without sealed seeds, whose randomness is the operating system's; masked answers; masks of
/// answers; answers.
struct View {
    messages: Messages,
    masked: Vec<Vec<u8>>,
    masks: Vec<Vec<Words>>,
    answers: Vec<Vec<Tensor>>,
}

fn view(model: &Model, seed: u64) -> View {
    let job = Job {
        model,
        inputs: (0..INFERENCES).map(|q| drawn(model, q as u64)).collect(),
        insecure_seed: Some(seed),
    };
    let record = record(&job);
    let mut messages = record.messages;
    messages.retain(|(_, from, to), _| [*from, *to].contains(&USER));
    let mut take = |stage, from, to| messages.get_mut(&(stage, from, to)).unwrap().pop().unwrap();
    assert_eq!(take(Stage::Setup, USER, GATEWAY).len(), 1184);
    assert_eq!(take(Stage::Setup, GATEWAY, USER).len(), 9 * (1088 + 32));
    let masked = (0..INFERENCES)
        .map(|at| take(Stage::Online(at), GATEWAY, USER))
        .collect();
    let masks = record
        .user
        .pieces
        .into_iter()
        .map(|mut pieces| match pieces.pop() {
            Some(Piece::Columns(masks)) => masks,
            _ => panic!("the user keeps masks of answers"),
        });
    View {
        masked,
        masks: masks.collect(),
        answers: record.user.answers.into_iter().flatten().collect(),
        messages,
    }
}

/// The middle one of three layers with its columns in reverse order, the last one with its rows in reverse order and negated: no bound
/// changes, and every answer does.
fn other(weights: &mut [Tensor], middle: usize) {
    let columns = weights[middle].shape[1];
    weights[middle]
        .values
        .chunks_mut(columns)
        .for_each(<[f32]>::reverse);
    let last = &mut weights[middle + 1];
    let columns = last.shape[1];
    let rows: Vec<f32> = last
        .values
        .chunks(columns)
        .rev()
        .flatten()
        .map(|w| -w)
        .collect();
    last.values = rows;
}

fn planned(at: &str, front: usize, garbling: Garbling, holders: Holders) -> Model {
    let division = Division {
        at: Some(at.to_owned()),
        hide: None,
        remotes: 2,
        garbling,
        holders,
    };
    model(ROWS, &WIDTHS[1 - front..], front, division)
}

/// Under the same randomness of all parties the user's view is the same to the bit, whatever the hidden weights are, but for masked
/// answers under one mask: so for each answer it has one distribution.
#[test]
fn the_users_view_is_the_same_for_all_hidden_weights_but_for_the_answer() {
    for (at, front, garbling, holders) in [
        ("cut", 1, Garbling::Bmr, Holders::AllServers),
        ("cut", 1, Garbling::Single, Holders::Remotes),
        (INPUT, 0, Garbling::Bmr, Holders::Remotes),
    ] {
        let mut model = planned(at, front, garbling, holders);
        assert_eq!(model.whole.weights[1][0], WeightId(front as u32));
        let one = view(&model, 11);
        other(&mut model.weights.tensors, front);
        let two = view(&model, 11);
        assert!(one.messages == two.messages);
        assert!(one.messages.values().map(Vec::len).sum::<usize>() >= 3 * INFERENCES);
        assert_eq!(one.masks, two.masks);
        for at in 0..INFERENCES {
            assert_ne!(one.masked[at], two.masked[at]);
            let [before, negated] = [&one.answers[at][1], &two.answers[at][1]];
            let pairs = before.values.iter().zip(&negated.values);
            pairs.for_each(|(a, b)| assert!((a + b).abs() < 1e-3, "{a} {b}"));
        }
        // The same program finds weights of the front half, and other randomness.
        assert!(view(&model, 12).messages != two.messages);
        if front == 1 {
            model.weights.tensors[0].values.reverse();
            assert!(view(&model, 11).messages != two.messages);
        }
    }
}
