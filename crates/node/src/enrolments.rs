//! Keys and names of pools that a party keeps of its sets of parties.

use crate::message::Id;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use subrosa::{Seed, SeriesName, Vault, VaultFault};
use subrosa_vault::{Change, Store, stretch};
use zeroize::{Zeroize, Zeroizing};

const KIND: &str = "enrolment";

/// What a party keeps of an enrolment.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolment {
    pub id: Id,
    pub keys: KeptKeys,
    /// At a keeper that has joined a pool.
    pub pool: Option<SeriesName>,
}

/// A party's keys as bytes, wiped when they are dropped.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct KeptKeys(pub Vec<u8>);

impl Drop for KeptKeys {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Enrolment {
    /// What all parties call the pool.
    pub fn tag(&self) -> Option<[u8; 16]> {
        self.pool.as_ref().map(|name| name.tag().0)
    }
}

/// Whose enrolment: a deployment, a batch size, a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enrolled {
    pub deployment: Id,
    pub batch: u32,
    pub client: Id,
}

impl Enrolled {
    fn name(&self) -> Vec<u8> {
        let Self {
            deployment,
            batch,
            client,
        } = self;
        [&deployment.0[..], &batch.to_le_bytes(), &client.0].concat()
    }
}

/// All enrolments of a node or of a client, with what they stand on.
pub struct Enrolments {
    pub store: Store,
    pub vault: Arc<Vault>,
}

impl Enrolments {
    /// The key that a passphrase stands for, of store and vault in `folder`, which is made if absent.
    pub fn stretched(passphrase: &[u8], folder: &Path) -> Result<Seed, VaultFault> {
        stretch(passphrase, &Store::salt(&folder.join("store"))?)
    }

    /// Opens store and vault in `folder`.
    pub fn open(folder: &Path, key: &Seed) -> Result<Self, VaultFault> {
        Ok(Self {
            store: Store::open(&folder.join("store"), key)?,
            vault: Arc::new(Vault::open(&folder.join("vault"), key)?),
        })
    }

    /// What another version wrote counts as nothing.
    pub fn get(&self, whose: &Enrolled) -> Result<Option<Enrolment>, VaultFault> {
        let value = self.store.get(KIND, &whose.name())?;
        Ok(value.and_then(|value| postcard::from_bytes(&value).ok()))
    }

    pub fn put(&self, whose: &Enrolled, enrolment: &Enrolment) -> Result<(), VaultFault> {
        // Only a length that the format cannot hold fails, and a value in memory has none.
        let value = Zeroizing::new(postcard::to_allocvec(enrolment).unwrap_or_default());
        self.store
            .change(|change| change.put(KIND, &whose.name(), &value, &[]))
    }

    /// All of a deployment, by the names of their rows.
    pub fn of(&self, deployment: Id) -> Result<Vec<(Vec<u8>, Enrolment)>, VaultFault> {
        let all = self.store.all(KIND)?.into_iter();
        let its = all.filter(|(name, _)| name.starts_with(&deployment.0));
        let read = |(name, value): (Vec<u8>, Zeroizing<Vec<u8>>)| {
            let enrolment = postcard::from_bytes(&value).ok()?;
            Some((name, enrolment))
        };
        Ok(its.filter_map(read).collect())
    }

    pub fn delete(
        change: &mut Change<'_>,
        gone: &[(Vec<u8>, Enrolment)],
    ) -> Result<(), VaultFault> {
        for (name, _) in gone {
            change.delete(KIND, name)?;
        }
        Ok(())
    }

    /// Deletes material that nobody will take. A crash before this leaves it where it is, of no use to anybody.
    pub fn forget(&self, gone: &[(Vec<u8>, Enrolment)]) {
        gone.iter()
            .for_each(|(_, enrolment)| self.forget_pool(enrolment));
    }

    pub fn forget_pool(&self, enrolment: &Enrolment) {
        let Some(name) = &enrolment.pool else { return };
        if let Err(fault) = self.vault.forget(name) {
            tracing::warn!(%fault, "material of an enrolment that is no more could not be deleted");
        }
    }

    /// Inferences whose material this party has. 0 without a pool.
    pub fn level(&self, enrolment: &Enrolment) -> Result<u64, VaultFault> {
        match &enrolment.pool {
            Some(name) => self.vault.level(name),
            None => Ok(0),
        }
    }
}
