//! A public key's bytes: refused, or the only encoding of what they decode to, which can be used.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use subrosa_core::{Prg, Seed, Wire};
use subrosa_rlwe::{Parameters, ParametersLiteral, PublicKey};

static PARAMETERS: LazyLock<Option<Parameters>> = LazyLock::new(|| {
    let literal = ParametersLiteral {
        degree: 8,
        prime_bits: vec![21, 37],
    };
    literal.insecure_check().ok()
});

fuzz_target!(|bytes: &[u8]| {
    let Some(p) = &*PARAMETERS else { return };
    if let Ok(public) = PublicKey::decode(p, bytes) {
        let mut again = Vec::new();
        public.encode(&mut again);
        assert_eq!(again, bytes);
        public.encrypt_zero(p, &mut Prg::new(&Seed::insecure_seeded(0)));
    }
});
