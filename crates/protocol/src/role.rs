use crate::{Card, Holding, Plan, PlanError, Terms, WholePlan};
use subrosa_core::{PartyId, Shelf, Stock, Wire};
use subrosa_ir::{RangedGraph, Tensor};
use subrosa_net::{RunError, Session};

pub trait Protocol: 'static {
    const CARD: Card;
    /// Whether it follows [`Division`](crate::Division).
    const DIVIDES: bool = false;
    /// The plan of all parties. Its maker may know everything.
    type Whole: WholePlan;
    /// Lowers for itself: ring width and headroom are the protocol's.
    fn plan(graph: &RangedGraph, terms: &Terms) -> Result<Self::Whole, PlanError>;
}

/// One implementation for each role: server, client, vendor.
pub trait Role: Sized + Send + Sync + 'static {
    type Of: Protocol;
    type Plan: Plan + 'static;
    /// For a set of parties. Read-only, and kept from one session to the next: fresh streams come from [`Session::pair_id`].
    type Keys: Wire<Layout: 'static> + Sync;
    /// Of the model: weights, a share of them, or nothing.
    type Part: Send + Sync + 'static;
    /// One-time, for one step of the plan.
    type Piece: Wire<Layout: 'static>;
    /// What is left of the stock, and shares of the inputs.
    type Running;
    type Outcome;

    /// Neighbours to whom no third party may be named: see [`crate::Party::untold`].
    fn untold(&self) -> Vec<PartyId> {
        Vec::new()
    }
    fn view(&self, whole: &<Self::Of as Protocol>::Whole) -> Self::Plan;
    /// Layout of the keys.
    fn keys(&self, plan: &Self::Plan) -> <Self::Keys as Wire>::Layout;
    /// Layouts of one inference's pieces, in the order in which they are taken.
    fn pieces(&self, _plan: &Self::Plan) -> Vec<<Self::Piece as Wire>::Layout> {
        Vec::new()
    }
    fn setup(&self, plan: &Self::Plan, s: &mut Session) -> Result<Self::Keys, RunError>;
    /// What the party computes with, of what it was given of the model.
    fn part(&self, plan: &Self::Plan, holding: &Holding) -> Result<Self::Part, RunError>;
    /// Puts the pieces on the shelf.
    fn offline(
        &self,
        _plan: &Self::Plan,
        _keys: &Self::Keys,
        _part: &Self::Part,
        _shelf: &mut dyn Shelf<Self::Piece>,
        _s: &mut Session,
    ) -> Result<(), RunError> {
        Ok(())
    }
    fn share(
        &self,
        plan: &Self::Plan,
        keys: &Self::Keys,
        stock: Stock<Self::Piece>,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Self::Running, RunError>;
    fn online(
        &self,
        plan: &Self::Plan,
        keys: &Self::Keys,
        part: &Self::Part,
        running: Self::Running,
        s: &mut Session,
    ) -> Result<Self::Outcome, RunError>;
    /// The answer, at a client.
    fn reveal(
        &self,
        _plan: &Self::Plan,
        _keys: &Self::Keys,
        _outcome: Self::Outcome,
        _s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        Ok(None)
    }
}
