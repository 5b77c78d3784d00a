//! The bytes of every message of collective keys, which the first byte chooses among: refused, or the only encoding of what they
//! decode to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use subrosa_core::Wire;
use subrosa_rlwe::{
    CollectiveQuery, CollectiveQueryLayout, Contribution, DecryptionShare, KeyShare, Parameters,
    ParametersLiteral, PositionsLayout, Request, SwitchShare,
};

static PARAMETERS: LazyLock<Option<Parameters>> = LazyLock::new(|| {
    let literal = ParametersLiteral {
        degree: 8,
        prime_bits: vec![21, 37],
    };
    literal.insecure_check().ok()
});

fn only_encoding<T: Wire>(layout: &T::Layout, bytes: &[u8]) {
    if let Ok(message) = T::decode(layout, bytes) {
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(again, bytes);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (Some(p), Some((which, bytes))) = (&*PARAMETERS, bytes.split_first()) else {
        return;
    };
    let count = usize::from(which >> 4);
    let positions = PositionsLayout {
        parameters: p.clone(),
        positions: count,
    };
    match which & 7 {
        0 => only_encoding::<KeyShare>(p, bytes),
        1 => only_encoding::<Request>(p, bytes),
        2 => only_encoding::<Contribution>(&positions, bytes),
        3 => only_encoding::<DecryptionShare>(&positions, bytes),
        4 => only_encoding::<SwitchShare>(&positions, bytes),
        _ => {
            let layout = CollectiveQueryLayout {
                parameters: p.clone(),
                ciphertexts: count,
            };
            only_encoding::<CollectiveQuery>(&layout, bytes);
        }
    }
});
