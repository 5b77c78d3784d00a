//! Deployments of one node, in its store.

use crate::enrolments::Enrolments;
use crate::message::{Appointment, Id, Refusal, Standing};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subrosa::{Holding, SharedPart, VaultFault};
use subrosa_vault::{BlobId, Store};
use zeroize::Zeroizing;

const ACTIVE: &str = "active";
const STAGED: &str = "staged";

/// A model as this node has it.
pub struct Model {
    pub appointment: Appointment,
    /// Of the holdings, in the order of the lots.
    blobs: Vec<BlobId>,
    /// Of the lots that were asked for.
    parts: Mutex<HashMap<usize, SharedPart>>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    appointment: Appointment,
    blobs: Vec<BlobId>,
}

#[derive(Default)]
struct Known {
    active: HashMap<String, Arc<Model>>,
    staged: HashMap<String, Arc<Model>>,
}

/// All models of a node.
pub struct Models {
    pub enrolments: Enrolments,
    known: Mutex<Known>,
}

impl From<VaultFault> for Refusal {
    fn from(fault: VaultFault) -> Self {
        Self::Store(fault.to_string())
    }
}

impl Models {
    pub fn load(enrolments: Enrolments) -> Result<Self, VaultFault> {
        let read = |kind| -> Result<HashMap<String, Arc<Model>>, VaultFault> {
            let mut models = HashMap::new();
            for (_, value) in enrolments.store.all(kind)? {
                // What another version wrote is not a model of this one.
                let Ok(record) = postcard::from_bytes::<Record>(&value) else {
                    continue;
                };
                let model = Model::new(record.appointment, record.blobs);
                models.insert(model.appointment.model.clone(), Arc::new(model));
            }
            Ok(models)
        };
        let known = Known {
            active: read(ACTIVE)?,
            staged: read(STAGED)?,
        };
        Ok(Self {
            enrolments,
            known: Mutex::new(known),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn store(&self) -> &Store {
        &self.enrolments.store
    }

    /// Every model, by name.
    pub fn all(&self) -> Vec<Arc<Model>> {
        let mut all: Vec<_> = self.known().active.values().cloned().collect();
        all.sort_by(|a, b| a.appointment.model.cmp(&b.appointment.model));
        all
    }

    /// Models that are staged, by name.
    pub fn staged(&self) -> Vec<Arc<Model>> {
        self.known().staged.values().cloned().collect()
    }

    pub fn named(&self, model: &str) -> Result<Arc<Model>, Refusal> {
        let found = self.known().active.get(model).cloned();
        found.ok_or_else(|| Refusal::NoModel {
            model: model.to_owned(),
        })
    }

    /// The model of that name, if it is this deployment.
    pub fn deployed(&self, model: &str, deployment: Id) -> Result<Arc<Model>, Refusal> {
        let found = self.named(model)?;
        match found.appointment.deployment {
            same if same == deployment => Ok(found),
            other => Err(Refusal::OtherDeployment {
                model: model.to_owned(),
                expected: deployment,
                found: other,
            }),
        }
    }

    pub fn standing(&self, model: &str, deployment: Id) -> Standing {
        let known = self.known();
        let is = |models: &HashMap<String, Arc<Model>>| {
            let found = models.get(model);
            found.is_some_and(|found| found.appointment.deployment == deployment)
        };
        if is(&known.active) {
            Standing::Active
        } else if is(&known.staged) {
            Standing::Staged
        } else {
            Standing::Unknown
        }
    }

    /// Keeps a deployment that is whole, without use for now. One that was staged before under its name goes.
    pub fn stage(&self, appointment: Appointment, blobs: Vec<BlobId>) -> Result<(), Refusal> {
        let name = appointment.model.clone();
        let model = Model::new(appointment, blobs);
        let mut known = self.known();
        self.store()
            .change(|change| change.put(STAGED, name.as_bytes(), &model.record(), &model.blobs))?;
        known.staged.insert(name, Arc::new(model));
        Ok(())
    }

    /// Makes what is staged the model of its name. What the older one had goes with it. Doing so twice is the same as
    /// once.
    pub fn activate(&self, model: &str, deployment: Id) -> Result<(), Refusal> {
        let mut known = self.known();
        let staged = known.staged.get(model).cloned();
        let fits = |found: &Arc<Model>| found.appointment.deployment == deployment;
        let Some(staged) = staged.filter(fits) else {
            return match known.active.get(model).is_some_and(fits) {
                true => Ok(()),
                false => Err(Refusal::Incomplete { deployment }),
            };
        };
        let old = known.active.get(model).cloned();
        let gone = match &old {
            Some(old) => self.enrolments.of(old.appointment.deployment)?,
            None => Vec::new(),
        };
        self.store().change(|change| {
            let name = model.as_bytes();
            change.put(ACTIVE, name, &staged.record(), &staged.blobs)?;
            change.delete(STAGED, name)?;
            Enrolments::delete(change, &gone)?;
            Ok(())
        })?;
        known.staged.remove(model);
        known.active.insert(model.to_owned(), staged);
        drop(known);
        self.enrolments.forget(&gone);
        Ok(())
    }

    pub fn remove(&self, model: &str) -> Result<(), Refusal> {
        let mut known = self.known();
        let old = known.active.get(model).cloned();
        if old.is_none() && !known.staged.contains_key(model) {
            return Err(Refusal::NoModel {
                model: model.to_owned(),
            });
        }
        let gone = match &old {
            Some(old) => self.enrolments.of(old.appointment.deployment)?,
            None => Vec::new(),
        };
        self.store().change(|change| {
            change.delete(ACTIVE, model.as_bytes())?;
            change.delete(STAGED, model.as_bytes())?;
            Enrolments::delete(change, &gone)?;
            Ok(())
        })?;
        known.active.remove(model);
        known.staged.remove(model);
        drop(known);
        self.enrolments.forget(&gone);
        Ok(())
    }

    /// Drops what is staged under a name and will not be activated.
    pub fn unstage(&self, model: &str, deployment: Id) -> Result<(), Refusal> {
        let mut known = self.known();
        let staged = known.staged.get(model);
        if staged.is_some_and(|staged| staged.appointment.deployment == deployment) {
            let name = model.as_bytes();
            self.store().change(|change| change.delete(STAGED, name))?;
            known.staged.remove(model);
        }
        Ok(())
    }
}

impl Model {
    fn new(appointment: Appointment, blobs: Vec<BlobId>) -> Self {
        Self {
            appointment,
            blobs,
            parts: Mutex::default(),
        }
    }

    fn record(&self) -> Zeroizing<Vec<u8>> {
        let record = Record {
            appointment: self.appointment.clone(),
            blobs: self.blobs.clone(),
        };
        // Only a length that the format cannot hold fails, and a value in memory has none.
        Zeroizing::new(postcard::to_allocvec(&record).unwrap_or_default())
    }

    /// The lot for a batch size, by its place.
    pub fn lot(&self, batch: u32) -> Result<usize, Refusal> {
        let mut lots = self.appointment.lots.iter();
        let found = lots.position(|lot| lot.batch == batch);
        found.ok_or(Refusal::NoBatch { batch })
    }

    /// This party's part of the model in a lot, if a visit has read it since the node started. It stays in memory as
    /// long as the deployment does.
    pub fn part(&self, lot: usize) -> Option<SharedPart> {
        self.parts().get(&lot).cloned()
    }

    pub fn keep_part(&self, lot: usize, part: SharedPart) {
        self.parts().entry(lot).or_insert(part);
    }

    fn parts(&self) -> MutexGuard<'_, HashMap<usize, SharedPart>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this party was given of the model for a lot.
    pub fn holding(&self, store: &Store, lot: usize) -> Result<Holding, Refusal> {
        let blob = self.blobs.get(lot).ok_or(Refusal::Fault)?;
        let bytes = store.read(blob)?;
        postcard::from_bytes(&bytes).map_err(|_| Refusal::BadPart)
    }
}
