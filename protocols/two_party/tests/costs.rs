//! The table of costs in the README is what the layouts say.

use subrosa_core::{Bytes, Wire, Words};
use subrosa_hybrid::gc::Offer;
use subrosa_hybrid::ot::layout::Material;
use subrosa_hybrid::step::{Kind, Shape};
use subrosa_ring::BitMatrix;
use subrosa_share::select::Lift;

/// So many values that no message has padding bits.
const LANES: usize = 64;
/// The first key of a garbling's hash.
const START: Bytes = Bytes(16);

fn each(bytes: u64) -> f64 {
    bytes as f64 / LANES as f64
}

/// The row of a ReLU from n to k bits.
fn row(narrow: u32, wide: u32) -> String {
    let kind = Kind::Positive(Lift { narrow, wide });
    let shape = Shape { lanes: LANES, kind };
    let tree = shape.tree().unwrap();
    let levels: Vec<usize> = tree.levels().collect();
    let opened: u64 = levels
        .iter()
        .map(|nodes| 2 * BitMatrix::size(&shape.level(*nodes)).0)
        .sum();
    let ot = BitMatrix::size(&shape.shifts(&tree)).0
        + BitMatrix::size(&shape.answers(&tree)).0
        + opened
        + BitMatrix::size(&shape.sign()).0
        + Material::size(&shape.choices()).0
        + Words::size(&shape.result()).0;
    let offer = Offer::size(&shape.offer()).0 - START.0;
    let garbled = BitMatrix::size(&shape.corrected_bits()).0 + offer;
    let labels = shape.active();
    let labels = labels.iter().map(|l| 16 * (l.wires * l.lanes) as u64);
    let gc = labels.sum::<u64>() + BitMatrix::size(&shape.found()).0;
    format!(
        "| {narrow}, {wide} | {} | {:.1} | {:.1} | {} | {} | {} | {:.1} | {:.1} | 2 |",
        shape.client_ots() + shape.owner_ots(),
        each(Material::size(&shape.correction()).0),
        each(ot),
        5 + levels.len(),
        shape.label_ots(),
        shape.gates(),
        each(garbled),
        each(gc),
    )
}

#[test]
fn the_readme_has_the_costs_of_the_layouts() {
    let readme = include_str!("../README.md");
    for (narrow, wide) in [
        (16, 40),
        (20, 40),
        (24, 40),
        (28, 40),
        (32, 40),
        (28, 48),
        (32, 64),
        (64, 64),
    ] {
        let row = row(narrow, wide);
        assert!(readme.contains(&row), "the README lacks {row}");
    }
}
