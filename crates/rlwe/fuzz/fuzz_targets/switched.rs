//! An answer's bytes, of a layout that the first bytes choose: refused, or the only encoding of an answer that opens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_core::{Prg, Seed, Wire};
use subrosa_rlwe::{GUARD_BITS, ParametersLiteral, SecretKey, Switched, SwitchedLayout};

fuzz_target!(|input: &[u8]| {
    let Some(([bits, positions], bytes)) = input.split_first_chunk() else {
        return;
    };
    let layout = SwitchedLayout {
        degree: 8,
        positions: usize::from(*positions % 9),
        bits: u32::from(*bits),
    };
    let Ok(answer) = Switched::decode(&layout, bytes) else {
        return;
    };
    let mut again = Vec::new();
    answer.encode(&mut again);
    assert_eq!(again, bytes);
    let literal = ParametersLiteral {
        degree: 8,
        prime_bits: vec![30],
    };
    let Ok(p) = literal.insecure_check() else {
        return;
    };
    let key = SecretKey::random(&p, &mut Prg::new(&Seed::insecure_seeded(0)));
    let places: Vec<usize> = (0..layout.positions).collect();
    let opened = key.open(&p, layout.bits - GUARD_BITS, &answer, &places);
    assert_eq!(opened.len(), layout.positions);
});
