//! From floats to integers: a number of fraction bits and a bound for every wire.

mod emit;
mod layer;
mod reveal;
mod targets;

use crate::{FixedGraph, GraphFault, RangedGraph};
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
    lower_once(ranged, options)
        .map(|lowered| lowered.graph)
        .map_err(|error| match error {
            LowerError::TooWide(mut fault) => {
                let fits = RINGS
                    .iter()
                    .copied()
                    .filter(|ring| *ring > options.ring)
                    .find(|ring| {
                        lower_once(
                            ranged,
                            &LowerOptions {
                                ring: *ring,
                                ..*options
                            },
                        )
                        .is_ok()
                    });
                fault.fits = fits;
                LowerError::TooWide(fault)
            }
            other => other,
        })
}

/// As [`lower`], in the narrowest ring that costs no precision: 40 bits where every bound is proven, then 48 to 64.
pub fn lower_auto(
    ranged: &RangedGraph,
    frac: u32,
    reveal: Reveal,
) -> Result<FixedGraph, LowerError> {
    for ring in [40, 48, 56] {
        let options = LowerOptions { ring, frac, reveal };
        match lower_once(ranged, &options) {
            Ok(lowered) => {
                let proven = lowered.graph.wires.iter().all(|w| w.proven);
                if lowered.shortage <= MAX_SHORTAGE && (proven || ring > 40) {
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

struct Lowered {
    graph: FixedGraph,
    /// Most bits by which a layer falls short of the precision that it should have.
    shortage: u32,
}

fn lower_once(ranged: &RangedGraph, options: &LowerOptions) -> Result<Lowered, LowerError> {
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
    let targets = targets::targets(ranged, options)?;
    let mut lowered = emit::emit(ranged, options, &targets)?;
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
