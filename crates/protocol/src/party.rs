use crate::{Fingerprint, Plan, Role, Seat};
use std::collections::VecDeque;
use subrosa_core::{Malformed, PartyId, Stock, StockFault};
use subrosa_ir::{FixedGraph, Tensor, Weights};
use subrosa_net::{Bill, LocalFault, Phase, RunError, Session};

/// A party with its keys, its part and its stocks: the erased face of every [`Role`].
pub trait Party: Send {
    fn price(&self) -> Bill;
    fn fingerprint(&self, peer: PartyId) -> Fingerprint;
    /// Setup and deployment; billed as setup.
    fn setup(&mut self, weights: Option<&Weights>, s: &mut Session) -> Result<(), RunError>;
    /// Makes the material of one inference and keeps it.
    fn offline(&mut self, s: &mut Session) -> Result<(), RunError>;
    /// Takes one inference's material and answers. Only a client brings inputs and gets outputs.
    fn infer(
        &mut self,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError>;
    /// Inferences whose material is ready.
    fn stocked(&self) -> usize;
}

/// The plan of all parties, erased.
pub trait WholePlan: Send + Sync {
    /// The parties, in the order of their numbers.
    fn seats(&self) -> Vec<Seat>;
    /// Pairs that talk to each other.
    fn links(&self) -> Vec<(PartyId, PartyId)>;
    /// The clear reading of this graph is what the protocol is held to.
    fn oracle(&self) -> &FixedGraph;
    /// By how many units of its last place a product with a weight may be off the oracle.
    fn product_error(&self) -> u64 {
        0
    }
    /// The bytes that are published to one party; nothing to a party that is not of the plan.
    fn view(&self, party: PartyId) -> Option<Vec<u8>>;
}

/// A [`Role`] seated at a session's table.
pub struct Member<R: Role> {
    role: R,
    plan: R::Plan,
    standing: Option<(R::Keys, R::Part)>,
    stocks: VecDeque<Vec<R::Piece>>,
}

impl<R: Role> Member<R> {
    pub fn new(role: R, plan: R::Plan) -> Self {
        Self {
            role,
            plan,
            standing: None,
            stocks: VecDeque::new(),
        }
    }

    /// From a published plan.
    pub fn parse(role: R, plan: &[u8]) -> Result<Self, Malformed> {
        Ok(Self::new(role, R::Plan::parse(plan)?))
    }
}

impl<R: Role> Party for Member<R> {
    fn price(&self) -> Bill {
        self.plan.price()
    }

    fn fingerprint(&self, peer: PartyId) -> Fingerprint {
        self.plan.fingerprint(peer)
    }

    fn setup(&mut self, weights: Option<&Weights>, s: &mut Session) -> Result<(), RunError> {
        s.enter(Phase::Setup);
        let keys = self.role.setup(&self.plan, s)?;
        let part = self.role.deploy(&self.plan, &keys, weights, s)?;
        self.standing = Some((keys, part));
        Ok(())
    }

    fn offline(&mut self, s: &mut Session) -> Result<(), RunError> {
        s.enter(Phase::Offline);
        let (keys, part) = self.standing.as_ref().ok_or(LocalFault::Invariant)?;
        let mut shelf = Vec::new();
        self.role.offline(&self.plan, keys, part, &mut shelf, s)?;
        self.stocks.push_back(shelf);
        Ok(())
    }

    fn infer(
        &mut self,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        s.enter(Phase::Online);
        let (keys, part) = self.standing.as_ref().ok_or(LocalFault::Invariant)?;
        let pieces = self
            .stocks
            .pop_front()
            .ok_or(LocalFault::Stock(StockFault::Exhausted))?;
        let running = self
            .role
            .share(&self.plan, keys, Stock::from(pieces), inputs, s)?;
        let outcome = self.role.online(&self.plan, keys, part, running, s)?;
        self.role.reveal(&self.plan, keys, outcome, s)
    }

    fn stocked(&self) -> usize {
        self.stocks.len()
    }
}
