use crate::OnnxError;
use crate::node::{name, operator};
use std::collections::{HashMap, HashSet};
use tract_onnx::pb::GraphProto;

/// The nodes that the outputs depend on, each after what it reads.
///
/// `known` holds the inputs and the initialisers.
pub(crate) fn live_order(
    graph: &GraphProto,
    known: &HashSet<&str>,
) -> Result<Vec<usize>, OnnxError> {
    let makers = makers(graph, known)?;
    let mut marks = vec![Mark::New; graph.node.len()];
    let mut order = Vec::new();
    // Nodes on the way down; the number counts how many of a node's inputs have been followed.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for output in &graph.output {
        match makers.get(output.name.as_str()) {
            Some(maker) => enter(*maker, &mut marks, &mut path),
            None if known.contains(output.name.as_str()) => {}
            None => {
                return Err(OnnxError::UnknownOutput {
                    name: output.name.clone(),
                });
            }
        }
        while let Some((at, followed)) = path.pop() {
            let Some(node) = graph.node.get(at) else {
                continue;
            };
            let Some(input) = node.input.get(followed) else {
                if let Some(mark) = marks.get_mut(at) {
                    *mark = Mark::Done;
                }
                order.push(at);
                continue;
            };
            path.push((at, followed + 1));
            if input.is_empty() || known.contains(input.as_str()) {
                continue;
            }
            let Some(maker) = makers.get(input.as_str()) else {
                return Err(OnnxError::UnknownValue {
                    operator: operator(node),
                    node: name(node).to_owned(),
                    value: input.clone(),
                });
            };
            if marks.get(*maker) == Some(&Mark::Open) {
                return Err(OnnxError::Cycle {
                    operator: operator(node),
                    node: name(node).to_owned(),
                });
            }
            enter(*maker, &mut marks, &mut path);
        }
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

fn enter(at: usize, marks: &mut [Mark], path: &mut Vec<(usize, usize)>) {
    if let Some(mark) = marks.get_mut(at).filter(|mark| **mark == Mark::New) {
        *mark = Mark::Open;
        path.push((at, 0));
    }
}

/// Which node makes which value.
fn makers<'a>(
    graph: &'a GraphProto,
    known: &HashSet<&str>,
) -> Result<HashMap<&'a str, usize>, OnnxError> {
    let mut makers = HashMap::new();
    for (at, node) in graph.node.iter().enumerate() {
        for value in node.output.iter().filter(|value| !value.is_empty()) {
            if known.contains(value.as_str()) || makers.insert(value.as_str(), at).is_some() {
                return Err(OnnxError::DefinedTwice {
                    value: value.clone(),
                });
            }
        }
    }
    Ok(makers)
}
