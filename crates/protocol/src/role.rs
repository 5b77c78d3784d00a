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

/// One implementation for each role: server, client, owner.
pub trait Role: Sized + Send + Sync + 'static {
    type Of: Protocol;
    type Plan: Plan + 'static;
    /// For a set of parties, any model. Read-only: fresh streams come from [`Session::pair_id`].
    type Keys: Send + Sync + 'static;
    /// For a deployment: weights, a share of them, or nothing.
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
    /// Layouts of one inference's pieces, in the order in which they are taken.
    fn pieces(&self, plan: &Self::Plan) -> Vec<<Self::Piece as Wire>::Layout>;
    fn setup(&self, plan: &Self::Plan, s: &mut Session) -> Result<Self::Keys, RunError>;
    fn deploy(
        &self,
        plan: &Self::Plan,
        keys: &Self::Keys,
        holding: &Holding,
        s: &mut Session,
    ) -> Result<Self::Part, RunError>;
    fn offline(
        &self,
        plan: &Self::Plan,
        keys: &Self::Keys,
        part: &Self::Part,
        shelf: &mut dyn Shelf<Self::Piece>,
        s: &mut Session,
    ) -> Result<(), RunError>;
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
    fn reveal(
        &self,
        plan: &Self::Plan,
        keys: &Self::Keys,
        outcome: Self::Outcome,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError>;
}
