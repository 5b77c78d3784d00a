use super::{BristolError, BristolFault};
use crate::builder::Builder;
use crate::circuit::{Bit, Circuit, Owner};

/// Gates that a file may declare.
pub const MOST_GATES: usize = 1 << 24;
/// Wires that a file may declare.
pub const MOST_WIRES: usize = 1 << 26;
/// Bits of all inputs, and of all outputs, that a file may declare.
pub const MOST_INPUT_BITS: usize = 1 << 20;

/// Reads a circuit. Input values are named `in0`, `in1`, .., output values `out0`, ..; the first input is the garbler's, the others
/// are the evaluator's. Memory is in proportion to the text and to [`MOST_INPUT_BITS`], whatever the text says.
pub fn parse(text: &str) -> Result<Circuit, BristolError> {
    let mut reader = Reader { line: 0 };
    let circuit = reader.circuit(text);
    circuit.map_err(|fault| BristolError {
        line: reader.line,
        fault,
    })
}

struct Reader {
    line: usize,
}

type Parsed<T> = Result<T, BristolFault>;

impl Reader {
    fn circuit(&mut self, text: &str) -> Parsed<Circuit> {
        let mut lines = text.lines();
        let sizes = self.next(&mut lines)?.ok_or(BristolFault::Ended)?;
        let [gates, wires] = numbers(&sizes)?;
        at_most("gates", MOST_GATES, gates)?;
        let inputs = widths(&self.next(&mut lines)?.ok_or(BristolFault::Ended)?)?;
        let outputs = widths(&self.next(&mut lines)?.ok_or(BristolFault::Ended)?)?;
        let (input_bits, output_bits) = (inputs.iter().sum::<usize>(), outputs.iter().sum());
        let least = input_bits.max(output_bits);
        if wires < least {
            return Err(BristolFault::WireCount {
                expected: least,
                found: wires,
            });
        }
        // Every other wire is named by a gate, with a digit and a space at least.
        at_most("wires", MOST_WIRES.min(input_bits + text.len()), wires)?;
        let mut wiring = Wiring {
            builder: Builder::new(),
            bits: Vec::with_capacity(wires),
        };
        for (i, width) in inputs.iter().enumerate() {
            let owner = if i == 0 {
                Owner::Garbler
            } else {
                Owner::Evaluator
            };
            let input = wiring.builder.input(&format!("in{i}"), owner, *width);
            wiring.bits.extend(input.into_iter().map(Some));
        }
        wiring.bits.resize(wires, None);
        let mut found = 0;
        while let Some(words) = self.next(&mut lines)? {
            found += 1;
            if found > gates {
                break;
            }
            wiring.gate(&words)?;
        }
        if found != gates {
            return Err(BristolFault::GateCount {
                expected: gates,
                found,
            });
        }
        wiring.finish(&outputs, wires - output_bits)
    }

    /// The words of the next line that has any.
    fn next<'a>(&mut self, lines: &mut std::str::Lines<'a>) -> Parsed<Option<Vec<&'a str>>> {
        loop {
            self.line += 1;
            let Some(line) = lines.next() else {
                return Ok(None);
            };
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            if !words.is_empty() {
                return Ok(Some(words));
            }
        }
    }
}

struct Wiring {
    builder: Builder,
    /// What is known of each wire.
    bits: Vec<Option<Bit>>,
}

impl Wiring {
    fn gate(&mut self, words: &[&str]) -> Parsed<()> {
        let (kind, counts) = words.split_last().ok_or(BristolFault::Ended)?;
        let (&[inputs, outputs], wires) = counts.split_first_chunk().ok_or(word_count(5, words))?;
        let (inputs, outputs) = (number(inputs)?, number(outputs)?);
        let expected = match *kind {
            "XOR" | "AND" => (2, 1),
            "INV" | "EQ" | "EQW" => (1, 1),
            "MAND" => (outputs.saturating_mul(2), outputs),
            _ => return Err(BristolFault::UnknownGate),
        };
        if (inputs, outputs) != expected {
            return Err(BristolFault::Arity {
                inputs: expected.0,
                outputs: expected.1,
                found_inputs: inputs,
                found_outputs: outputs,
            });
        }
        if inputs.saturating_add(outputs) != wires.len() {
            return Err(word_count(
                inputs.saturating_add(outputs).saturating_add(3),
                words,
            ));
        }
        let wires = wires.iter().map(|word| number(word));
        let wires = wires.collect::<Parsed<Vec<usize>>>()?;
        let bit = match (*kind, wires.as_slice()) {
            ("XOR", &[a, b, _]) => {
                let (a, b) = (self.bit(a)?, self.bit(b)?);
                self.builder.xor(a, b)
            }
            ("AND", &[a, b, _]) => {
                let (a, b) = (self.bit(a)?, self.bit(b)?);
                self.builder.and(a, b)
            }
            ("INV", &[a, _]) => !self.bit(a)?,
            ("EQW", &[a, _]) => self.bit(a)?,
            ("EQ", &[value @ (0 | 1), _]) => Bit::constant(value == 1),
            ("EQ", &[found, _]) => return Err(BristolFault::NotABit { found }),
            (_, all) => return self.many_ands(all, outputs),
        };
        match wires.last() {
            Some(out) => self.set(*out, bit),
            None => Ok(()),
        }
    }

    /// wires: `count` left inputs, right inputs, outputs. All inputs are read before an output is set.
    fn many_ands(&mut self, wires: &[usize], count: usize) -> Parsed<()> {
        at_most("outputs", self.bits.len(), count)?;
        let (left, rest) = wires.split_at_checked(count).ok_or(BristolFault::Ended)?;
        let (right, out) = rest.split_at_checked(count).ok_or(BristolFault::Ended)?;
        let mut products = Vec::with_capacity(count);
        for (a, b) in left.iter().zip(right) {
            let (a, b) = (self.bit(*a)?, self.bit(*b)?);
            products.push(self.builder.and(a, b));
        }
        let mut outputs = out.iter().zip(products);
        outputs.try_for_each(|(out, product)| self.set(*out, product))
    }

    fn bit(&self, wire: usize) -> Parsed<Bit> {
        let bit = self.bits.get(wire).ok_or(BristolFault::NoSuchWire {
            expected: self.bits.len(),
            found: wire,
        })?;
        bit.ok_or(BristolFault::NoValue { wire })
    }

    fn set(&mut self, wire: usize, bit: Bit) -> Parsed<()> {
        let expected = self.bits.len();
        let place = self.bits.get_mut(wire).ok_or(BristolFault::NoSuchWire {
            expected,
            found: wire,
        })?;
        if place.replace(bit).is_some() {
            return Err(BristolFault::SecondValue { wire });
        }
        Ok(())
    }

    fn finish(mut self, outputs: &[usize], first: usize) -> Parsed<Circuit> {
        let mut at = first;
        for (i, width) in outputs.iter().enumerate() {
            let wires = at..at + width;
            let bits = wires.map(|wire| self.bit(wire));
            let bits = bits.collect::<Parsed<Vec<Bit>>>()?;
            self.builder.output(&format!("out{i}"), &bits);
            at += width;
        }
        Ok(self.builder.finish())
    }
}

fn number(word: &str) -> Parsed<usize> {
    word.parse().map_err(|_| BristolFault::NotANumber)
}

fn numbers<const N: usize>(words: &[&str]) -> Parsed<[usize; N]> {
    let words: [&str; N] = words.try_into().map_err(|_| word_count(N, words))?;
    let mut out = [0; N];
    for (to, word) in out.iter_mut().zip(words) {
        *to = number(word)?;
    }
    Ok(out)
}

/// A count, then as many widths.
fn widths(words: &[&str]) -> Parsed<Vec<usize>> {
    let (count, widths) = words.split_first().ok_or(BristolFault::Ended)?;
    let count = number(count)?;
    if widths.len() != count {
        return Err(word_count(count.saturating_add(1), words));
    }
    let widths = widths.iter().map(|word| number(word));
    let widths = widths.collect::<Parsed<Vec<usize>>>()?;
    let sum = widths
        .iter()
        .fold(0usize, |sum, width| sum.saturating_add(*width));
    at_most("bits", MOST_INPUT_BITS, sum)?;
    Ok(widths)
}

fn at_most(of: &'static str, most: usize, found: usize) -> Parsed<()> {
    if found <= most {
        return Ok(());
    }
    Err(BristolFault::TooMany { of, most, found })
}

fn word_count(expected: usize, words: &[&str]) -> BristolFault {
    BristolFault::WordCount {
        expected,
        found: words.len(),
    }
}
