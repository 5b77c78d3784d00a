//! Bristol Fashion texts: read, written, and refused with the line.

use proptest::prelude::*;
use subrosa_core::{Prg, Seed};
use subrosa_garble::bristol::{
    BristolError, BristolFault, MOST_GATES, MOST_INPUT_BITS, parse, write,
};
use subrosa_garble::{Owner, neural};

/// AND gates, inputs and outputs.
type Example<'a> = (usize, &'a [bool], &'a [bool]);

fn check(text: &str, expected: Result<Example, (usize, BristolFault)>) {
    let found = parse(text);
    match expected {
        Ok((ands, inputs, outputs)) => {
            let circuit = found.unwrap();
            assert_eq!(
                (circuit.ands(), circuit.evaluate(inputs)),
                (ands, outputs.to_vec())
            );
        }
        Err((line, fault)) => assert_eq!(found.err(), Some(BristolError { line, fault }), "{text}"),
    }
}

const T: bool = true;
const F: bool = false;

#[test]
fn every_kind_of_gate() {
    check("1 3\n2 1 1\n1 1\n\n2 1 0 1 2 XOR\n", Ok((0, &[T, F], &[T])));
    check("1 3\n2 1 1\n1 1\n2 1 0 1 2 AND", Ok((1, &[T, T], &[T])));
    check(
        "\r\n 1 2\r\n1 1\r\n1 1\r\n\r\n1 1 0 1 INV\r\n",
        Ok((0, &[T], &[F])),
    );
    check(
        "3 4\n1 1\n1 3\n1 1 1 1 EQ\n1 1 0 2 EQ\n1 1 0 3 EQW\n",
        Ok((0, &[T], &[T, F, T])),
    );
    check(
        "1 6\n2 2 2\n1 2\n4 2 0 1 2 3 4 5 MAND\n",
        Ok((2, &[T, T, F, T], &[F, T])),
    );
    check("0 2\n1 2\n1 1\n", Ok((0, &[F, T], &[T])));
    check("0 0\n0\n0\n", Ok((0, &[], &[])));
}

#[test]
fn inputs_have_names_and_owners() {
    let circuit = parse("0 5\n2 2 3\n2 1 2\n").unwrap();
    let inputs = circuit
        .inputs()
        .iter()
        .map(|i| (i.name.as_str(), i.owner, i.bits.clone()));
    let expected = [
        ("in0", Owner::Garbler, 0..2),
        ("in1", Owner::Evaluator, 2..5),
    ];
    assert_eq!(inputs.collect::<Vec<_>>(), expected);
    assert_eq!(
        (circuit.output("out0"), circuit.output("out1")),
        (Some(0..1), Some(1..3))
    );
}

#[test]
fn what_is_no_circuit_is_refused_with_its_line() {
    use BristolFault::*;
    let refused = |text: &str, line, fault| check(text, Err((line, fault)));
    let count = |expected, found| WordCount { expected, found };
    refused("", 1, Ended);
    refused("1 3\n\n", 3, Ended);
    refused("1 3\n1 1\n", 3, Ended);
    refused("1\n", 1, count(2, 1));
    refused("1 -3\n", 1, NotANumber);
    refused("1 99999999999999999999\n", 1, NotANumber);
    refused("x 3\n", 1, NotANumber);
    refused("1 3\n2 1\n", 2, count(3, 2));
    refused("1 3\n18446744073709551615 1\n", 2, count(usize::MAX, 2));
    refused(
        "1 2\n2 1 2\n1 1\n",
        3,
        WireCount {
            expected: 3,
            found: 2,
        },
    );
    refused(
        "1 2\n1 1\n1 3\n",
        3,
        WireCount {
            expected: 3,
            found: 2,
        },
    );
    let many = |of, most, found| TooMany { of, most, found };
    refused(
        &format!("{} 3\n", MOST_GATES + 1),
        1,
        many("gates", MOST_GATES, MOST_GATES + 1),
    );
    refused(
        "1 3\n2 1048576 1\n",
        2,
        many("bits", MOST_INPUT_BITS, MOST_INPUT_BITS + 1),
    );
    refused(
        "1 3\n2 18446744073709551615 2\n",
        2,
        many("bits", MOST_INPUT_BITS, usize::MAX),
    );
    refused(
        "1 1000000000000\n1 1\n1 1\n",
        3,
        many("wires", 25, 1_000_000_000_000),
    );
    let head = "1 3\n2 1 1\n1 1\n\n";
    let gate = |line: &str, fault| refused(&format!("{head}{line}\n"), 5, fault);
    gate("2 1 0 1 2 NAND", UnknownGate);
    gate("2 1 0 1 2", UnknownGate);
    gate("XOR", count(5, 1));
    gate("2 1 0 1 XOR", count(6, 5));
    gate("2 1 0 1 2 2 XOR", count(6, 7));
    let arity = |inputs, outputs, found_inputs, found_outputs| Arity {
        inputs,
        outputs,
        found_inputs,
        found_outputs,
    };
    gate("1 1 0 2 XOR", arity(2, 1, 1, 1));
    gate("2 1 0 1 2 INV", arity(1, 1, 2, 1));
    gate("3 1 0 1 0 2 MAND", arity(2, 1, 3, 1));
    gate(
        "18446744073709551615 18446744073709551615 0 MAND",
        count(usize::MAX, 4),
    );
    gate(
        "2 1 0 3 2 XOR",
        NoSuchWire {
            expected: 3,
            found: 3,
        },
    );
    gate(
        "2 1 0 1 3 XOR",
        NoSuchWire {
            expected: 3,
            found: 3,
        },
    );
    gate("2 1 0 2 2 XOR", NoValue { wire: 2 });
    gate("2 1 0 1 1 XOR", SecondValue { wire: 1 });
    gate("1 1 2 2 EQ", NotABit { found: 2 });
    gate("2 1 0 y 2 XOR", NotANumber);
    refused(
        head,
        5,
        GateCount {
            expected: 1,
            found: 0,
        },
    );
    let xor = "2 1 0 1 2 XOR\n";
    refused(
        &format!("{head}{xor}{xor}"),
        6,
        GateCount {
            expected: 1,
            found: 2,
        },
    );
    refused("1 4\n2 1 1\n1 1\n2 1 0 1 2 XOR\n", 5, NoValue { wire: 3 });
    let shown = parse("1 3\nx\n").err().map(|e| e.to_string());
    assert_eq!(shown.as_deref(), Some("line 2: expected a number"));
}

#[test]
fn what_is_written_is_read_back() {
    let circuits = [
        neural::relu_remask(13, 17),
        neural::select_remask(9),
        neural::max_remask(6, 8, 3),
        neural::relu_truncate_remask(6, 5, 8),
    ];
    for circuit in circuits {
        let read = parse(&write(&circuit)).unwrap();
        assert_eq!(read.ands(), circuit.ands());
        let inputs = Prg::new(&Seed::insecure_seeded(1)).bits(circuit.input_bits(), 200);
        assert_eq!(
            read.evaluate_lanes(&inputs),
            circuit.evaluate_lanes(&inputs)
        );
        assert_eq!(
            parse(&write(&read)).unwrap().evaluate_lanes(&inputs),
            read.evaluate_lanes(&inputs)
        );
        let widths = |c: &subrosa_garble::Circuit| {
            c.inputs()
                .iter()
                .map(|i| i.bits.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(widths(&read), widths(&circuit));
    }
}

proptest! {
    /// A text of the right shape with a few bytes changed is read or refused, and never more.
    #[test]
    fn changed_texts_do_not_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut text = write(&neural::relu_remask(4, 5)).into_bytes();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = if byte < 128 { byte } else { b"0123456789 \n"[byte as usize % 12] };
        }
        let text = String::from_utf8(text).unwrap();
        if let Ok(circuit) = parse(&text) {
            let inputs = vec![false; circuit.input_bits()];
            prop_assert_eq!(circuit.evaluate(&inputs).len(), circuit.output_bits());
        }
    }

    #[test]
    fn any_words_do_not_panic(text in "([0-9]{1,20}| |\n|XOR|AND|MAND|INV|EQ|EQW){0,60}") {
        let _ = parse(&text);
    }
}
