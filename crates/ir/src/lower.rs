//! From floats to integers: a number of fraction bits and a bound for every wire.

mod emit;
mod layer;
mod reveal;
mod targets;

use crate::{FixedGraph, GraphFault, RangedGraph};
use layer::Limits;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Rings that are chosen among, narrowest first.
pub const RINGS: [u32; 5] = [32, 40, 48, 56, 64];

/// How a graph is brought to fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerOptions {
    /// Width of the ring of products.
    pub ring: u32,
    /// Fraction bits of values, where their range allows.
    pub frac: u32,
    pub reveal: Reveal,
}

impl Default for LowerOptions {
    fn default() -> Self {
        Self {
            ring: 64,
            frac: 16,
            reveal: Reveal::All,
        }
    }
}

/// What the receiver learns of each output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reveal {
    #[default]
    All,
    /// The index of the largest along the last axis.
    ArgMax,
    /// The indices of the largest along the last axis.
    TopK(usize),
}

/// Why a graph cannot be brought to fixed point.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LowerError {
    #[error("{}", too_wide(.0))]
    TooWide(Box<TooWide>),
    #[error("ring of {found} bits, expected 16 to 64")]
    Ring { found: u32 },
    #[error("{found} fraction bits, expected 1 to 30")]
    Fraction { found: u32 },
    #[error(
        "output {output}: the largest cannot be found before {operation}, which may change their order"
    )]
    Order {
        output: String,
        operation: &'static str,
    },
    #[error("output {output}: the largest {count} of {extent} are asked for")]
    Count {
        output: String,
        count: usize,
        extent: usize,
    },
    #[error(transparent)]
    Graph(#[from] GraphFault),
}

/// A wire whose range does not fit the ring.
#[derive(Clone, Debug, PartialEq)]
pub struct TooWide {
    pub wire: String,
    /// Proven range.
    pub low: f64,
    pub high: f64,
    /// Largest absolute value over the samples.
    pub calibrated: f64,
    pub ring: u32,
    /// The narrowest ring that would do.
    pub fits: Option<u32>,
}

fn too_wide(fault: &TooWide) -> String {
    let TooWide {
        wire,
        low,
        high,
        calibrated,
        ring,
        fits,
    } = fault;
    let fits = match fits {
        Some(ring) => format!("a ring of {ring} bits would do"),
        None => "no ring would do".to_owned(),
    };
    format!(
        "wire {wire} does not fit a ring of {ring} bits: proven range [{low:.4e}, {high:.4e}], \
         at most {calibrated:.4e} on the samples; {fits}"
    )
}

/// The graph in fixed point for the ring that the options name.
pub fn lower(ranged: &RangedGraph, options: &LowerOptions) -> Result<FixedGraph, LowerError> {
    let error = match lower_best(ranged, options) {
        Ok(lowered) => return Ok(lowered.graph),
        Err(LowerError::TooWide(fault)) => fault,
        Err(other) => return Err(other),
    };
    let wider = RINGS.into_iter().filter(|ring| *ring > options.ring);
    let fits = |ring: &u32| {
        let options = LowerOptions {
            ring: *ring,
            ..*options
        };
        lower_best(ranged, &options).is_ok()
    };
    let fits = wider.into_iter().find(fits);
    Err(LowerError::TooWide(Box::new(TooWide { fits, ..*error })))
}

/// As [`lower`], in the narrowest ring that costs little precision: 40 bits where every bound is proven, then 48 to 64.
pub fn lower_auto(
    ranged: &RangedGraph,
    frac: u32,
    reveal: Reveal,
) -> Result<FixedGraph, LowerError> {
    for ring in [40, 48, 56] {
        match lower_best(ranged, &LowerOptions { ring, frac, reveal }) {
            Ok(lowered) => {
                let precise = lowered.shortage <= MAX_SHORTAGE && ring > 40;
                if precise || lowered.graph.calibrated_wires().is_empty() {
                    return Ok(lowered.graph);
                }
            }
            Err(LowerError::TooWide(_)) => {}
            Err(other) => return Err(other),
        }
    }
    lower(
        ranged,
        &LowerOptions {
            ring: 64,
            frac,
            reveal,
        },
    )
}

/// Bits of precision that the automatic choice may lose in a layer to a narrower ring.
const MAX_SHORTAGE: u32 = 2;
/// Bits of precision in a layer that are given for bounds that are all proven.
const PROOF_WORTH: i32 = 4;

struct Lowered {
    graph: FixedGraph,
    /// Most bits by which a layer falls short of the precision that it should have.
    shortage: u32,
}

/// With every bound proven, at little cost in precision; otherwise each wire for itself.
fn lower_best(ranged: &RangedGraph, options: &LowerOptions) -> Result<Lowered, LowerError> {
    let proven = lower_once(ranged, options, PROOF_WORTH);
    proven
        .ok()
        .filter(|lowered| {
            lowered.shortage <= PROOF_WORTH as u32 && lowered.graph.calibrated_wires().is_empty()
        })
        .map_or_else(|| lower_once(ranged, options, 0), Ok)
}

fn lower_once(
    ranged: &RangedGraph,
    options: &LowerOptions,
    worth: i32,
) -> Result<Lowered, LowerError> {
    if !(16..=64).contains(&options.ring) {
        return Err(LowerError::Ring {
            found: options.ring,
        });
    }
    if !(1..=30).contains(&options.frac) {
        return Err(LowerError::Fraction {
            found: options.frac,
        });
    }
    ranged.graph.check()?;
    let limits = Limits {
        ranged,
        ring: options.ring,
        worth,
    };
    let targets = targets::targets(limits, options)?;
    let mut lowered = emit::emit(limits, options, &targets)?;
    reveal::restrict(&mut lowered.graph, options.reveal)?;
    lowered.graph.check()?;
    Ok(lowered)
}

impl FixedGraph {
    /// Names of the wires whose bounds are only calibrated.
    pub fn calibrated_wires(&self) -> Vec<&str> {
        self.wires
            .iter()
            .filter(|w| !w.proven)
            .map(|w| w.name.as_str())
            .collect()
    }
}
