use subrosa_core::Malformed;
use subrosa_ir::RangedGraph;
use subrosa_net::Bill;
use subrosa_protocol::{Card, Party, PlanError, Protocol, Terms, WholePlan};

type MakePlan = fn(&RangedGraph, &Terms) -> Result<Box<dyn WholePlan>, PlanError>;
type TakeSeat = fn(&[u8], usize) -> Result<Box<dyn Party>, Malformed>;

/// A protocol that can be chosen by name.
pub struct Entry {
    pub card: Card,
    divides: bool,
    pub(crate) plan: MakePlan,
    pub(crate) seat: TakeSeat,
}

impl Entry {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        self.card.name
    }

    /// Whether it divides a network as [`Terms::division`] says.
    pub fn divides(&self) -> bool {
        self.divides
    }

    /// What the party that a published plan is for will send and wait for.
    pub fn price(&self, plan: &[u8]) -> Result<Bill, Malformed> {
        Ok((self.seat)(plan, 1)?.price())
    }
}

fn plan<P>(graph: &RangedGraph, terms: &Terms) -> Result<Box<dyn WholePlan>, PlanError>
where
    P: Protocol<Whole: 'static>,
{
    P::plan(graph, terms).map(|whole| Box::new(whole) as Box<dyn WholePlan>)
}

/// The entry of a protocol.
const fn entry<P>(seat: TakeSeat) -> Entry
where
    P: Protocol<Whole: 'static>,
{
    Entry {
        card: P::CARD,
        divides: P::DIVIDES,
        plan: plan::<P>,
        seat,
    }
}

static PROTOCOLS: [Entry; 4] = [
    entry::<subrosa_clear::Clear>(subrosa_clear::seat),
    entry::<subrosa_replicated3::Replicated3>(subrosa_replicated3::seat),
    entry::<subrosa_two_party::TwoParty>(subrosa_two_party::seat),
    entry::<subrosa_seco::Seco>(subrosa_seco::seat),
];

/// All protocols.
pub fn protocols() -> &'static [Entry] {
    &PROTOCOLS
}

/// The protocol of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PROTOCOLS.iter().find(|entry| entry.name() == name)
}
