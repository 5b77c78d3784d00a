use subrosa_core::Seed;

/// What one line of one-time material is for. Every party of it names the same parties, model and plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesName {
    /// Fingerprint of this party's certificate.
    pub own: [u8; 32],
    /// Fingerprints of all other parties of the material, in any order.
    pub peers: Vec<[u8; 32]>,
    /// The model's version.
    pub model: [u8; 32],
    /// Hash of what all parties share of the plan.
    pub plan: [u8; 32],
}

/// A series as this party's vault knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub [u8; 32]);

/// What all parties of a series call it.
pub(crate) type Tag = [u8; 16];

impl SeriesName {
    pub fn id(&self) -> SeriesId {
        SeriesId(self.digest("subrosa 2026 vault series", &[self.own]))
    }

    pub(crate) fn tag(&self) -> Tag {
        shortened(self.digest("subrosa 2026 vault series of all parties", &[]))
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

impl SeriesId {
    pub(crate) fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
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

    /// The epoch after `count` of the parties that state `nonces`, in any order.
    pub fn agree(count: u64, tag: &Tag, mut nonces: Vec<[u8; 16]>) -> Self {
        nonces.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 vault epoch");
        hasher.update(tag).update(&count.to_le_bytes());
        for nonce in &nonces {
            hasher.update(nonce);
        }
        Self {
            count,
            mark: shortened(*hasher.finalize().as_bytes()),
        }
    }

    /// What a word of `kind` bears, so that it speaks of this series and epoch alone.
    pub fn stamp(&self, kind: u8, tag: &Tag) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 vault word");
        hasher.update(&[kind]).update(tag);
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
    fn an_epoch_has_a_word_of_every_party() {
        let tag = [7; 16];
        let epoch = Epoch::agree(3, &tag, vec![[1; 16], [2; 16]]);
        assert!(epoch.is_settled() && !Epoch::unsettled(3).is_settled());
        assert_eq!(epoch, Epoch::agree(3, &tag, vec![[2; 16], [1; 16]]));
        assert_ne!(epoch, Epoch::agree(3, &tag, vec![[2; 16], [3; 16]]));
        assert_ne!(epoch.stamp(1, &tag), epoch.stamp(2, &tag));
        assert_ne!(epoch.stamp(1, &tag), epoch.stamp(1, &[8; 16]));
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
