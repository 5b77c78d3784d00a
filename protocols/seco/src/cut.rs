//! Where a network is cut in two.

use subrosa_ir::{FixedGraph, Part, SplitFault, WeightId, WireId};

/// The cut before the first node: everything is the remotes'.
pub const INPUT: &str = "input";

/// One way to divide a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The name of the node whose output the front half hands on, or [`INPUT`].
    pub name: String,
    /// `None` where there is no front half.
    pub wire: Option<WireId>,
}

/// Both halves: none, or up to the cut; and from the cut on.
pub struct Halves {
    pub front: Option<Part>,
    pub hidden: Part,
}

/// All ways, from the input on.
pub fn cuts(graph: &FixedGraph) -> Vec<Cut> {
    let input = Cut {
        name: INPUT.to_owned(),
        wire: None,
    };
    let mut all = vec![input];
    for wire in graph.cuts() {
        // Every wire of a cut is a node's output.
        let node = graph.nodes.iter().find(|node| node.output == wire);
        all.extend(node.map(|node| Cut {
            name: node.name.clone(),
            wire: Some(wire),
        }));
    }
    all
}

/// The cut that `at` names: [`INPUT`] or an input of the network, a wire, or a node. A node that became several, as
/// `conv` and `conv (truncate)`, is meant as a whole.
pub fn find<'a>(graph: &FixedGraph, all: &'a [Cut], at: &str) -> Option<&'a Cut> {
    let port = graph.inputs.iter().any(|port| port.name == at);
    let of_wire = |cut: &&Cut| match cut.wire {
        None => port || at == INPUT,
        Some(wire) => graph.wire(wire).name == at,
    };
    let of_node = |cut: &&Cut| cut.wire.is_some() && is_of(&cut.name, at);
    let found = all.iter().find(of_wire);
    found.or_else(|| all.iter().rfind(of_node))
}

/// Whether a node of a fixed graph stems from the one that is called `whole`.
fn is_of(name: &str, whole: &str) -> bool {
    let rest = name.strip_prefix(whole);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

/// Those cuts whose front half is without the node, or wire, `hide`; `None` where there is no such node.
pub fn hiding(graph: &FixedGraph, all: Vec<Cut>, hide: &str) -> Option<Vec<Cut>> {
    let hidden = |node: &&subrosa_ir::FixedNode| {
        is_of(&node.name, hide) || graph.wire(node.output).name == hide
    };
    let first = graph.nodes.iter().find(hidden)?;
    let beyond = |cut: &Cut| match halves(graph, cut) {
        Ok(Halves { front: None, .. }) => true,
        Ok(halves) => halves
            .hidden
            .graph
            .nodes
            .iter()
            .any(|n| n.name == first.name),
        Err(_) => false,
    };
    Some(all.into_iter().filter(beyond).collect())
}

pub fn halves(graph: &FixedGraph, cut: &Cut) -> Result<Halves, SplitFault> {
    let Some(wire) = cut.wire else {
        let weights = (0..graph.weight_layouts().len() as u32).map(WeightId);
        let hidden = Part {
            graph: graph.clone(),
            weights: weights.collect(),
        };
        return Ok(Halves {
            front: None,
            hidden,
        });
    };
    let [front, hidden] = graph.split(wire)?;
    Ok(Halves {
        front: Some(front),
        hidden,
    })
}
