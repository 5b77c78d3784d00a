//! Keys of several servers, s = s_1 + .. + s_n, of which nobody holds s. [MTBH20] Mouchet, Troncoso-Pastoriza, Bossuat,
//! Hubaux, PETS 2021, eprint 2020/304, without evaluation keys: ciphertexts meet plain weights only.
//!
//! | step | [MTBH20] | here |
//! |---|---|---|
//! | each: a share of the key from a common seed | EncKeyGen | [`SecretKey::key_share`] -> [`KeyShare`] |
//! | all: the key | EncKeyGen | [`CollectiveKey::new`] |
//! | each: what leaves its maker, re-randomised | | [`Ciphertext::contribute`] -> [`Contribution`] |
//! | the receiver: adds, and asks for shares | | [`Contribution::add`], [`Contribution::request`] |
//! | each: a masked share, and its share of the message | Enc2Share | [`SecretKey::mask`] -> [`DecryptionShare`] |
//! | or: a smudged share | ColKeySwitch to 0 | [`SecretKey::smudge`] |
//! | the receiver, itself a server: its share, or the message | | [`SecretKey::combine`] |
//! | or, each: a share under a user's key | PubColKeySwitch | [`SecretKey::mask_for`], [`SecretKey::smudge_for`] |
//! | anyone: the sum under the user's key | PubColKeySwitch | [`Contribution::switch`] |
//!
//! Semi-honest: all but one of the servers learn nothing of what the key protects but what they are to open. They agree
//! on the common seed before, open a sum once only, and follow the protocol in what they ask to be opened; a masked
//! share alone is uniform whatever was asked. Coefficients that are not opened stay with their makers.
//!
//! ```
//! use subrosa_core::{Prg, Seed};
//! use subrosa_rlwe::{CollectiveKey, ParametersLiteral, SecretKey};
//!
//! let p = ParametersLiteral { degree: 4096, prime_bits: vec![50, 50] }.check()?;
//! let mut rng = Prg::new(&Seed::insecure_seeded(1));
//! let servers = [(); 3].map(|()| SecretKey::random(&p, &mut rng));
//! let common = [7; 32];
//! let shares = servers.each_ref().map(|key| key.key_share(&p, &common, &mut rng));
//! let key = CollectiveKey::new(&p, common, &shares)?;
//! let sum = key.encrypt(&p, p.scale(40, &[3, 5]), &mut rng).contribute(&p, &key, &[1], &mut rng);
//! // Two servers mask, the third receives.
//! let request = sum.request();
//! let (b, of_b) = servers[1].mask(&p, 40, &request, &[1], &mut rng);
//! let (c, of_c) = servers[2].mask(&p, 40, &request, &[1], &mut rng);
//! let of_a = servers[0].combine(&p, 40, &sum, &[1], &[b, c]);
//! let message = (of_a[0] + of_b[0] + of_c[0]) % (1 << 40);
//! assert!((4..=6).contains(&message));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contribution;
mod decryption;
mod key;
mod switching;

pub use contribution::{Contribution, PositionsLayout, Request};
pub use decryption::{DecryptionShare, Smudging};
pub use key::{CollectiveKey, KeyShare, MOST_SERVERS, ServersFault};
pub use switching::SwitchShare;

#[cfg(doc)]
use crate::{Ciphertext, SecretKey};
