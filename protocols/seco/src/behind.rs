//! What the servers agree on: the hidden half, and how they compute it.

use subrosa_collective::Scheme;
use subrosa_collective::activation::Garbling;
use subrosa_collective::shares::Holders;
use subrosa_core::Malformed;
use subrosa_ir::FixedGraph;
use subrosa_share::flow::top_k_fits;

pub fn encode(scheme: &Scheme) -> Vec<u8> {
    let garbling = match scheme.garbling {
        Garbling::Bmr => 0,
        Garbling::Single => 1,
    };
    let holders = match scheme.holders {
        Holders::AllServers => 0,
        Holders::Remotes => 1,
    };
    let mut bytes = vec![scheme.remotes as u8, garbling, holders];
    bytes.extend(scheme.graph.encode());
    bytes
}

pub fn parse(bytes: &[u8]) -> Result<Scheme, Malformed> {
    let ([remotes, garbling, holders], graph) =
        bytes.split_first_chunk().ok_or(Malformed::Encoding)?;
    let garbling = match garbling {
        0 => Garbling::Bmr,
        1 => Garbling::Single,
        _ => return Err(Malformed::Range),
    };
    let holders = match holders {
        0 => Holders::AllServers,
        1 => Holders::Remotes,
        _ => return Err(Malformed::Range),
    };
    let graph = FixedGraph::parse(graph).map_err(|_| Malformed::Encoding)?;
    top_k_fits(&graph).map_err(|_| Malformed::Range)?;
    Scheme::new(graph, (*remotes).into(), garbling, holders)
}
