//! A ciphertext's bytes: refused, or the only encoding of what they decode to, which can be used.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use subrosa_core::Wire;
use subrosa_rlwe::{Ciphertext, Fresh, Parameters, ParametersLiteral};

static PARAMETERS: LazyLock<Option<Parameters>> = LazyLock::new(|| {
    let literal = ParametersLiteral {
        degree: 8,
        prime_bits: vec![21, 37],
    };
    literal.insecure_check().ok()
});

fuzz_target!(|bytes: &[u8]| {
    let Some(p) = &*PARAMETERS else { return };
    if let Ok(fresh) = Fresh::decode(p, bytes) {
        let mut again = Vec::new();
        fresh.encode(&mut again);
        assert_eq!(again, bytes);
        let w = p.lift(&[1, -1]).into_eval(p);
        Ciphertext::zero(p).multiply_add(p, &fresh.expand(p), &w);
    }
});
