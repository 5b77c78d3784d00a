//! Sound files with a few fields changed at random: every graph that comes out is sound, and nothing panics.

mod support;

use prost::Message;
use subrosa_ir::eval_float;
use subrosa_onnx::Model;
use support::{formula, models};
use tract_onnx::pb::ModelProto;

const TRIALS: usize = 400;
const INTEGERS: [i64; 14] = [
    i64::MIN,
    -(1 << 40),
    -3,
    -2,
    -1,
    0,
    1,
    2,
    3,
    5,
    9,
    1 << 31,
    1 << 40,
    i64::MAX,
];
const FLOATS: [f32; 6] = [
    0.0,
    -1.0,
    f32::MAX,
    f32::MIN_POSITIVE,
    f32::NAN,
    f32::INFINITY,
];

/// A fixed stream of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count.max(1)
    }

    fn of<'a, T>(&mut self, list: &'a mut [T]) -> Option<&'a mut T> {
        let at = self.below(list.len());
        list.get_mut(at)
    }

    fn integer(&mut self) -> i64 {
        INTEGERS[self.below(INTEGERS.len())]
    }

    fn change(&mut self, net: &mut ModelProto) -> Option<()> {
        let graph = net.graph.as_mut()?;
        let names: Vec<String> = graph
            .node
            .iter()
            .flat_map(|n| n.input.iter().chain(&n.output))
            .cloned()
            .collect();
        let operators = subrosa_onnx::supported_operators();
        match self.below(11) {
            0 => {
                let node = self.of(&mut graph.node)?;
                let name = names[self.below(names.len())].clone();
                *self.of(&mut node.input)? = name;
            }
            1 => {
                let node = self.of(&mut graph.node)?;
                let name = &names[self.below(names.len())];
                node.input.push(name.clone());
            }
            2 => {
                self.of(&mut graph.node)?.input.pop();
            }
            3 => {
                let node = self.of(&mut graph.node)?;
                let attribute = self.of(&mut node.attribute)?;
                attribute.i = self.integer();
                if let Some(slot) = self.of(&mut attribute.ints) {
                    *slot = self.integer();
                }
            }
            4 => {
                let node = self.of(&mut graph.node)?;
                let attribute = self.of(&mut node.attribute)?;
                let value = self.integer();
                attribute.ints.push(value);
            }
            5 => {
                self.of(&mut graph.node)?.attribute.pop();
            }
            6 => {
                let tensor = self.of(&mut graph.initializer)?;
                let extent = self.integer();
                *self.of(&mut tensor.dims)? = extent;
            }
            7 => {
                let tensor = self.of(&mut graph.initializer)?;
                if tensor.data_type == 7 {
                    let at = self.below(tensor.raw_data.len() / 8) * 8;
                    let bytes = self.integer().to_le_bytes();
                    tensor.raw_data.get_mut(at..at + 8)?.copy_from_slice(&bytes);
                } else {
                    let at = self.below(tensor.raw_data.len() / 4) * 4;
                    let float = FLOATS[self.below(FLOATS.len())];
                    tensor
                        .raw_data
                        .get_mut(at..at + 4)?
                        .copy_from_slice(&float.to_le_bytes());
                }
            }
            8 => net.opset_import[0].version = 7 + self.below(20) as i64,
            9 => {
                self.of(&mut graph.node)?.op_type =
                    operators[self.below(operators.len())].name.to_owned()
            }
            _ => {
                let tensor = self.of(&mut graph.initializer)?;
                tensor.dims.pop();
            }
        }
        Some(())
    }
}

#[test]
fn nothing_that_is_read_is_unsound() {
    let mut read = 0;
    let mut paths: Vec<_> = std::fs::read_dir(models().join("operators"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    paths.sort();
    for path in paths {
        let sound = ModelProto::decode(std::fs::read(&path).unwrap().as_slice()).unwrap();
        let mut choices = Choices(7);
        for _ in 0..TRIALS {
            let mut net = sound.clone();
            for _ in 0..=choices.below(3) {
                choices.change(&mut net);
            }
            let Ok(model) = Model::parse(&net.encode_to_vec()) else {
                continue;
            };
            let batch = model.fixed_batch().unwrap_or(2);
            let Ok((graph, weights)) = model.graph(batch) else {
                continue;
            };
            let elements: usize = graph
                .wires
                .iter()
                .map(|wire| wire.shape.iter().product::<usize>())
                .sum();
            if elements > 1 << 20 {
                continue;
            }
            let inputs: Vec<_> = model
                .inputs()
                .iter()
                .map(|input| formula(&input.shape(batch)))
                .collect();
            let opened = eval_float(&graph, &weights, &inputs).unwrap();
            graph.tail.eval(&opened).unwrap();
            read += 1;
        }
    }
    assert!(read > 1000, "{read} of the changed files are read");
}
