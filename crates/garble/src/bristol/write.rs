use crate::circuit::{Bit, Circuit, Gate};
use std::fmt::Write;

/// The circuit as text. Names and owners are lost; negations become `INV` gates, and each output is a gate of its own.
pub fn write(circuit: &Circuit) -> String {
    let mut writer = Writer {
        body: String::new(),
        gates: 0,
        wires: circuit.input_bits(),
        number: (0..=circuit.input_bits())
            .map(|i| i.wrapping_sub(1))
            .collect(),
        negated: vec![None; 1 + circuit.input_bits() + circuit.gates().len()],
    };
    for gate in circuit.gates() {
        let (kind, a, b) = match *gate {
            Gate::Xor(a, b) => ("XOR", Bit::new(a, false), Bit::new(b, false)),
            Gate::And(a, b) => ("AND", a, b),
        };
        let (a, b) = (writer.literal(a), writer.literal(b));
        let out = writer.push(&[a, b], kind);
        writer.number.push(out);
    }
    for &bit in &circuit.output_bits {
        let wire = writer.number[bit.wire() as usize];
        match bit.known() {
            Some(value) => writer.push(&[usize::from(value)], "EQ"),
            None if bit.is_negated() => writer.push(&[wire], "INV"),
            None => writer.push(&[wire], "EQW"),
        };
    }
    let inputs: Vec<usize> = circuit.inputs().iter().map(|v| v.bits.len()).collect();
    let outputs: Vec<usize> = circuit.outputs().iter().map(|v| v.bits.len()).collect();
    let mut text = format!("{} {}\n", writer.gates, writer.wires);
    for widths in [inputs, outputs] {
        text.push_str(&widths.len().to_string());
        for width in widths {
            text.push_str(&format!(" {width}"));
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&writer.body);
    text
}

struct Writer {
    body: String,
    gates: usize,
    wires: usize,
    /// The number of each wire in the text.
    number: Vec<usize>,
    negated: Vec<Option<usize>>,
}

impl Writer {
    fn literal(&mut self, bit: Bit) -> usize {
        let wire = bit.wire() as usize;
        if !bit.is_negated() {
            return self.number[wire];
        }
        let known = self.negated[wire];
        known.unwrap_or_else(|| {
            let out = self.push(&[self.number[wire]], "INV");
            self.negated[wire] = Some(out);
            out
        })
    }

    fn push(&mut self, inputs: &[usize], kind: &str) -> usize {
        let out = self.wires;
        self.wires += 1;
        self.gates += 1;
        let inputs_text: Vec<String> = inputs.iter().map(usize::to_string).collect();
        // Writing into a string cannot fail.
        let _ = writeln!(
            self.body,
            "{} 1 {} {out} {kind}",
            inputs.len(),
            inputs_text.join(" ")
        );
        out
    }
}
