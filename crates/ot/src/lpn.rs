//! Learning parity with noise over bits: sizes of silent lots, what attacks on them cost, and the code.
//!
//! A silent lot's outputs are `A x + e`: `x` of `dimension` uniform bits, `A` a public matrix with ten ones in each row
//! (the local linear code of YWLZW20), `e` regular noise, one error in each of `blocks` blocks of `2^depth`.
//! The receiver's choice bits are hidden from the sender for as long as these outputs look uniform.
//!
//! Cost of the best known attacks, as binary logarithms of bit operations, memory free of charge; `tests/ot/security.rs`
//! recomputes them. Every attack may use that each block's errors sum to one, which saves `blocks` unknowns.
//!
//! | size | outputs | dimension | blocks | pooled Gauss | regular Gauss | regular ISD | algebraic |
//! |---|---|---|---|---|---|---|---|
//! | small | 327,680 | 40,960 | 640 | 158 | 164 | 140 | 151 |
//! | medium | 1,048,576 | 77,824 | 1,024 | 155 | 157 | 134 | 142 |
//! | large | 4,194,304 | 282,624 | 1,024 | 150 | 153 | 131 | 141 |
//!
//! - Pooled Gauss (LWYY22): `dimension` outputs without error are guessed and solved for; an elimination of `k` unknowns
//!   is charged `k^2.8`.
//! - Regular Gauss (ES24, permutation): the guess takes equally many outputs of every block.
//! - Regular ISD (ES24, enumeration): `p` errors among the guessed are allowed and found by a collision of two lists,
//!   64 operations for each entry. The paper charges an elimination far more.
//! - Algebraic (BO23, as improved in ePrint 2025/1284): errors of a block multiply to zero; part is guessed, some blocks'
//!   errors are enumerated, and the quadratic equations are solved as linear ones. Eliminations before that are free.
//!
//! `2^20` outputs of dimension `2^16` with 1,024 blocks come to 117 by the same reckoning, and are not used.
//!
//! - YWLZW20: Yang, Weng, Lan, Zhang, Wang, "Ferret", CCS 2020, ePrint 2020/924.
//! - LWYY22: Liu, Wang, Yang, Yu, "The hardness of LPN over any integer ring and field", ePrint 2022/712.
//! - ES24: Esser, Santini, "Not just regular decoding", Crypto 2024, ePrint 2023/1568.
//! - BO23: Briaud, Øygarden, "A new algebraic approach to the regular syndrome decoding problem", Eurocrypt 2023.

/// How large a silent lot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SilentSize {
    /// 327,680 outputs.
    Small,
    /// 2^20 outputs.
    Medium,
    /// 2^22 outputs.
    Large,
}

/// An instance of the problem. See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LpnParameters {
    /// Bits of the secret.
    pub dimension: u32,
    /// Blocks of the noise, with one error each.
    pub blocks: u32,
    /// A block is `2^depth` long.
    pub depth: u32,
}

impl SilentSize {
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    pub fn parameters(self) -> LpnParameters {
        let (dimension, blocks, depth) = match self {
            Self::Small => (40_960, 640, 9),
            Self::Medium => (77_824, 1024, 10),
            Self::Large => (282_624, 1024, 12),
        };
        LpnParameters {
            dimension,
            blocks,
            depth,
        }
    }

    /// Correlated OTs that a lot makes.
    pub fn outputs(self) -> u64 {
        let parameters = self.parameters();
        u64::from(parameters.blocks) << parameters.depth
    }

    /// Correlated OTs that a lot uses up.
    pub fn inputs(self) -> u64 {
        let parameters = self.parameters();
        u64::from(parameters.dimension) + u64::from(parameters.blocks * parameters.depth)
    }

    /// Bytes that the sender sends: a block for each level of each tree but its first.
    pub fn message_len(self) -> u64 {
        let parameters = self.parameters();
        16 * u64::from(parameters.blocks * (parameters.depth - 1))
    }
}
