//! Whether bytes look uniform.

use subrosa_core::{Prg, Seed};

/// The largest deviation from uniform, in standard deviations: of the counts of byte values, and of the ones at each of
/// the 128 bits of a label.
fn deviation(bytes: &[u8]) -> f64 {
    let mut values = [0f64; 256];
    let mut ones = [0f64; 128];
    for (i, byte) in bytes.iter().enumerate() {
        values[*byte as usize] += 1.0;
        for bit in 0..8 {
            ones[i % 16 * 8 + bit] += f64::from(byte >> bit & 1);
        }
    }
    let mean = bytes.len() as f64 / 256.0;
    let labels = bytes.len() as f64 / 16.0;
    let of_values = values.iter().map(|n| (n - mean).abs() / mean.sqrt());
    let of_bits = ones
        .iter()
        .map(|n| (2.0 * n - labels).abs() / labels.sqrt());
    of_values.chain(of_bits).fold(0.0, f64::max)
}

pub fn uniform(bytes: &[u8]) {
    assert!(bytes.len() > 1 << 14);
    assert!(deviation(bytes) < 6.0);
}

pub fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

#[test]
fn a_test_of_uniformity_that_can_fail() {
    let mut bytes = vec![0; 1 << 17];
    Prg::new(&Seed::insecure_seeded(1)).fill(&mut bytes);
    uniform(&bytes);
    bytes.iter_mut().step_by(16).for_each(|byte| *byte &= 0xfe);
    assert!(deviation(&bytes) > 6.0);
}
