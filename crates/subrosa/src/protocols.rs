use subrosa_core::Malformed;
use subrosa_ir::RangedGraph;
use subrosa_net::Bill;
use subrosa_protocol::{Card, Party, PlanError, Protocol, Terms, WholePlan};

type MakePlan = fn(&RangedGraph, &Terms) -> Result<Box<dyn WholePlan>, PlanError>;
type TakeSeat = fn(&[u8], usize) -> Result<Box<dyn Party>, Malformed>;

/// A protocol that can be chosen by name.
pub struct Entry {
    pub card: Card,
    pub(crate) plan: MakePlan,
    pub(crate) seat: TakeSeat,
}

impl Entry {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        self.card.name
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

static PROTOCOLS: [Entry; 3] = [
    Entry {
        card: subrosa_clear::CARD,
        plan: plan::<subrosa_clear::Clear>,
        seat: subrosa_clear::seat,
    },
    Entry {
        card: subrosa_replicated3::CARD,
        plan: plan::<subrosa_replicated3::Replicated3>,
        seat: subrosa_replicated3::seat,
    },
    Entry {
        card: subrosa_two_party::CARD,
        plan: plan::<subrosa_two_party::TwoParty>,
        seat: subrosa_two_party::seat,
    },
];

/// All protocols.
pub fn protocols() -> &'static [Entry] {
    &PROTOCOLS
}

/// The protocol of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    PROTOCOLS.iter().find(|entry| entry.name() == name)
}
