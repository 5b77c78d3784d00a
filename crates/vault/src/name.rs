use serde::{Deserialize, Serialize};
use subrosa_core::{Bytes, Malformed, Seed, Wire};

/// What one line of one-time material is for. Parties that know all others name the same parties, model and plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesName {
    /// Fingerprint of this party's certificate.
    pub own: [u8; 32],
    /// Fingerprints of all whose words this party hears, in any order: all other parties of the material, or the hub.
    pub peers: Vec<[u8; 32]>,
    /// The model's version.
    pub model: [u8; 32],
    /// Hash of what all parties share of the plan; at a party that hears the hub alone, of what it shares with the hub.
    pub plan: [u8; 32],
    /// What all parties call the series, at one that hears the hub alone and has been told so by it. `None` where the
    /// fields above say it.
    pub told: Option<SeriesTag>,
}

/// A series as this party's vault knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub [u8; 32]);

/// What all parties of a series call it. It travels as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesTag(pub [u8; 16]);

impl SeriesName {
    pub fn id(&self) -> SeriesId {
        let own = SeriesId(self.digest("subrosa 2026 vault series", &[self.own]));
        match self.told {
            None => own,
            Some(tag) => {
                let context = "subrosa 2026 vault series as told";
                let words = [&own.0[..], &tag.0].concat();
                SeriesId(blake3::derive_key(context, &words))
            }
        }
    }

    pub fn tag(&self) -> SeriesTag {
        let named = || self.digest("subrosa 2026 vault series of all parties", &[]);
        self.told.unwrap_or_else(|| SeriesTag(shortened(named())))
    }

    fn digest(&self, context: &str, viewpoint: &[[u8; 32]]) -> [u8; 32] {
        let mut parties = self.peers.clone();
        parties.push(self.own);
        parties.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&(parties.len() as u64).to_le_bytes());
        let parts = parties.iter().chain(viewpoint);
        for part in parts.chain([&self.model, &self.plan]) {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

impl Wire for SeriesTag {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(16)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        let tag = bytes.try_into().map(Self);
        tag.map_err(|_| Malformed::Length {
            expected: 16,
            found: bytes.len() as u64,
        })
    }
}

/// When a party's material was begun: equal at two parties only if they settled on it together.
///
/// The count alone would come again in a vault that was lost; the mark has randomness of every party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub count: u64,
    pub mark: [u8; 16],
}

impl Epoch {
    /// The epoch in which nothing can be made, before parties have settled on one.
    pub const fn unsettled(count: u64) -> Self {
        Self {
            count,
            mark: [0; 16],
        }
    }

    pub fn is_settled(&self) -> bool {
        self.mark != [0; 16]
    }

    /// The epoch that follows on `count`. `nonces`: the sum of what each party states.
    pub fn agree(count: u64, tag: &SeriesTag, nonces: u128) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 vault epoch");
        hasher.update(&tag.0).update(&count.to_le_bytes());
        hasher.update(&nonces.to_le_bytes());
        Self {
            count,
            mark: shortened(*hasher.finalize().as_bytes()),
        }
    }

    /// What a word of `kind` bears, so that it speaks of this series and epoch alone.
    pub fn stamp(&self, kind: u8, tag: &SeriesTag) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 vault word");
        hasher.update(&[kind]).update(&tag.0);
        hasher.update(&self.count.to_le_bytes()).update(&self.mark);
        shortened(*hasher.finalize().as_bytes())
    }

    /// The key of one item's file. `salt` is drawn for each making and lies in the ledger alone.
    pub fn item_key(&self, root: &Seed, id: &SeriesId, number: u64, salt: &Seed) -> Seed {
        let count = self.count.to_le_bytes();
        let number = number.to_le_bytes();
        let context = [&id.0[..], &count, &self.mark, &number].concat();
        root.derive("item", &context).derive("salt", salt.reveal())
    }
}

fn shortened(digest: [u8; 32]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(own: u8, peers: &[u8], model: u8, plan: u8) -> SeriesName {
        SeriesName {
            own: [own; 32],
            peers: peers.iter().map(|p| [*p; 32]).collect(),
            model: [model; 32],
            plan: [plan; 32],
            told: None,
        }
    }

    #[test]
    fn parties_share_the_tag_and_not_the_id() {
        let (a, b) = (name(1, &[2, 3], 4, 5), name(2, &[3, 1], 4, 5));
        assert_eq!(a.tag(), b.tag());
        assert_ne!(a.id(), b.id());
        assert_eq!(a.id(), name(1, &[3, 2], 4, 5).id());
        let others = [
            name(1, &[2], 3, 5),
            name(1, &[2, 3], 5, 4),
            name(1, &[2, 4], 4, 5),
            name(1, &[2, 3], 4, 6),
        ];
        for other in others {
            assert_ne!(a.id(), other.id());
            assert_ne!(a.tag(), other.tag());
        }
    }

    #[test]
    fn a_party_of_the_hub_calls_a_series_as_it_was_told() {
        let hub = name(1, &[2, 3], 4, 5);
        let told = |tag| SeriesName {
            told: Some(tag),
            ..name(2, &[1], 4, 6)
        };
        let one = told(hub.tag());
        assert_eq!(one.tag(), hub.tag());
        let others = [told(SeriesTag([9; 16])).id(), name(2, &[1], 4, 6).id()];
        assert!(!others.contains(&one.id()));
        let mut bytes = Vec::new();
        hub.tag().encode(&mut bytes);
        assert_eq!(SeriesTag::decode(&(), &bytes), Ok(hub.tag()));
        let short = SeriesTag::decode(&(), &bytes[1..]);
        assert!(matches!(short, Err(Malformed::Length { found: 15, .. })));
    }

    #[test]
    fn an_epoch_has_a_word_of_every_party() {
        let tag = SeriesTag([7; 16]);
        let epoch = Epoch::agree(3, &tag, 5);
        assert!(epoch.is_settled() && !Epoch::unsettled(3).is_settled());
        assert_ne!(epoch.mark, Epoch::agree(3, &tag, 6).mark);
        assert_ne!(epoch.mark, Epoch::agree(4, &tag, 5).mark);
        assert_ne!(epoch.mark, Epoch::agree(3, &SeriesTag([8; 16]), 5).mark);
        assert_ne!(epoch.stamp(1, &tag), epoch.stamp(2, &tag));
        assert_ne!(epoch.stamp(1, &tag), epoch.stamp(1, &SeriesTag([8; 16])));
    }

    #[test]
    fn every_making_has_a_key_of_its_own() {
        let (root, salt) = (Seed::insecure_seeded(1), Seed::insecure_seeded(2));
        let (epoch, id) = (Epoch::unsettled(3), SeriesId([4; 32]));
        let marked = Epoch {
            mark: [1; 16],
            ..epoch
        };
        let keys = [
            epoch.item_key(&root, &id, 5, &salt),
            epoch.item_key(&root, &id, 6, &salt),
            epoch.item_key(&root, &SeriesId([5; 32]), 5, &salt),
            epoch.item_key(&root, &id, 5, &root),
            epoch.item_key(&salt, &id, 5, &salt),
            marked.item_key(&root, &id, 5, &salt),
            Epoch::unsettled(4).item_key(&root, &id, 5, &salt),
        ];
        let apart: std::collections::HashSet<_> = keys.iter().map(|k| *k.reveal()).collect();
        assert_eq!(apart.len(), keys.len());
    }
}
