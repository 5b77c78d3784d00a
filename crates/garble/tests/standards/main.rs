//! AES-128 and the SHA-256 compression function as circuits: built, written as Bristol Fashion, read back, garbled, and
//! held to the standards' examples.

mod aes;
mod sha256;

use subrosa_core::{Prg, Seed};
use subrosa_garble::bristol::{parse, write};
use subrosa_garble::{Circuit, Evaluator, Garbler};
use subrosa_ring::BitMatrix;

/// One lane for each list of bits.
fn lanes(bits: &[Vec<bool>]) -> BitMatrix {
    let mut matrix = BitMatrix::new(bits[0].len(), bits.len());
    for (lane, bits) in bits.iter().enumerate() {
        for (plane, bit) in bits.iter().enumerate() {
            matrix.row_mut(plane)[lane / 64] |= u64::from(*bit) << (lane % 64);
        }
    }
    matrix
}

/// In the clear, read back from its own text, and garbled.
fn check(circuit: &Circuit, inputs: &[Vec<bool>], expected: &[Vec<bool>]) {
    let (inputs, expected) = (lanes(inputs), lanes(expected));
    assert_eq!(circuit.evaluate_lanes(&inputs), expected);
    let read = parse(&write(circuit)).unwrap();
    assert_eq!(read.ands(), circuit.ands());
    assert_eq!(read.evaluate_lanes(&inputs), expected);
    check_garbled(&read, &inputs, &expected);
}

fn check_garbled(circuit: &Circuit, inputs: &BitMatrix, expected: &BitMatrix) {
    let mut garbler = Garbler::new(Prg::new(&Seed::insecure_seeded(1)));
    let mut garbled = garbler.garble(circuit, inputs.lanes());
    let zeros = garbled.inputs.take(0..circuit.input_bits()).unwrap();
    let labels = zeros.choose(inputs).unwrap();
    let found = Evaluator::new().evaluate(circuit, garbled.tables, labels);
    let colours = found.unwrap().colours();
    assert_eq!(&garbled.colours.decode(&colours).unwrap(), expected);
}

/// Bytes of a hexadecimal text.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// Bits of bytes, the least of each byte first.
fn bits(bytes: &[u8]) -> Vec<bool> {
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1));
    bits.collect()
}
