//! A client's part in a visit.

use crate::ask::Progress;
use crate::enrolments::{Enrolled, Enrolment, Enrolments, KeptKeys};
use crate::message::Id;
use crate::visit::Guest;
use std::collections::VecDeque;
use subrosa::{LocalFault, RunError, SeriesName, Tensor, store_fault};

/// Its keys, its inputs, and what came of them.
pub struct Asking<'a> {
    enrolments: &'a Enrolments,
    whose: Enrolled,
    /// Of a new enrolment.
    pub id: Id,
    pub enrolment: Option<Enrolment>,
    pub inputs: VecDeque<Vec<Tensor>>,
    pub outputs: Vec<Vec<Tensor>>,
    /// How many were done before, and whom to tell.
    pub progress: Option<(usize, Progress<'a>)>,
}

impl<'a> Asking<'a> {
    pub fn new(enrolments: &'a Enrolments, whose: Enrolled) -> Self {
        Self {
            enrolments,
            whose,
            id: whose.client,
            enrolment: enrolments.get(&whose).ok().flatten(),
            inputs: VecDeque::new(),
            outputs: Vec::new(),
            progress: None,
        }
    }

    fn keep(&mut self, enrolment: Enrolment) -> Result<(), RunError> {
        let kept = self.enrolments.put(&self.whose, &enrolment);
        kept.map_err(|fault| store_fault(&fault))?;
        let old = self.enrolment.replace(enrolment);
        let pool = self.enrolment.as_ref().and_then(|new| new.pool.clone());
        if let Some(old) = old.filter(|old| old.pool != pool) {
            self.enrolments.forget_pool(&old);
        }
        Ok(())
    }

    fn step(&mut self) {
        if let Some((done, progress)) = &mut self.progress {
            *done += 1;
            progress(*done);
        }
    }
}

impl Guest for Asking<'_> {
    fn enrolled(&mut self, keys: &[u8]) -> Result<(), RunError> {
        self.keep(Enrolment {
            id: self.id,
            keys: KeptKeys(keys.to_vec()),
            pool: None,
        })
    }

    fn pooling(&mut self, name: &SeriesName) -> Result<(), RunError> {
        let enrolment = self.enrolment.clone().ok_or(LocalFault::Invariant)?;
        self.keep(Enrolment {
            pool: Some(name.clone()),
            ..enrolment
        })
    }

    fn inputs(&mut self) -> Option<Vec<Tensor>> {
        self.inputs.pop_front()
    }

    fn answered(&mut self, outputs: Option<Vec<Tensor>>) {
        self.outputs.push(outputs.unwrap_or_default());
        self.step();
    }

    fn filled(&mut self) {
        self.step();
    }
}
