use crate::ahead::read_ahead;
use crate::{Fingerprint, Holding, Plan, Protocol, Role, Seat, fingerprint_of};
use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::vec::IntoIter;
use subrosa_core::{
    Bytes, Encoded, Malformed, PartyId, Secret, Seed, Shelf, Stock, StockFault, Wire,
};
use subrosa_ir::{FixedGraph, Tensor, Weights};
use subrosa_net::{Bill, LocalFault, Network, Phase, RunError, Session};

/// A party with its keys, its part and its stocks: the erased face of every [`Role`].
pub trait Party: Send {
    fn price(&self) -> Bill;
    fn fingerprint(&self, peer: PartyId) -> Fingerprint;
    /// Neighbours to whom no third party may be named where a session fails: they do not know of any.
    fn untold(&self) -> Vec<PartyId> {
        Vec::new()
    }
    /// Makes keys with the other parties, and this party's part of the model from what it was given of it.
    fn setup(&mut self, holding: &Holding, s: &mut Session) -> Result<(), RunError>;
    /// The keys of the last setup as bytes, for this party's own disk; none before. They belong to this party and its
    /// plan, and fit those that the others have of the same setup.
    fn keys(&self) -> Option<Secret<Vec<u8>>>;
    /// In place of a setup, with what [`Party::keys`] gave: nothing is sent.
    ///
    /// # Errors
    /// [`LocalFault::Keys`] where they are another party's, of another plan, or none.
    fn restore(&mut self, keys: &[u8], holding: &Holding) -> Result<(), RunError>;
    /// This party's part of the model, once it has one, for others of the same seat and plan.
    fn part(&self) -> Option<SharedPart> {
        None
    }
    /// Takes a part that another party of this seat and plan has made, so that what it is given of the model is not
    /// read again. One of another plan is left alone.
    fn adopt(&mut self, _part: &SharedPart) {}
    /// The part that was adopted last.
    fn adopted(&self) -> Option<SharedPart> {
        None
    }
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

    /// Bytes of each piece of one inference's material, in the order in which they are made and taken. None at a
    /// party that has nothing to keep from one phase to the next.
    fn pieces(&self) -> Vec<Bytes> {
        Vec::new()
    }
    /// [`Party::offline`] with each piece put on `shelf` as it is made.
    fn offline_to(
        &mut self,
        _shelf: &mut dyn Shelf<Encoded>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        self.offline(s)
    }
    /// Gets to hand what [`Party::offline_to`] has put on a shelf: the next inference takes it. A thread beside reads
    /// and decodes the pieces.
    fn load(&mut self, _stock: Stock<Encoded>) -> Result<(), RunError> {
        Ok(())
    }
}

/// The plan of all parties, erased.
pub trait WholePlan: Send + Sync {
    /// The parties, in the order of their numbers.
    fn seats(&self) -> Vec<Seat>;
    /// Pairs that talk to each other.
    fn links(&self) -> Vec<(PartyId, PartyId)>;
    /// The clear reading of this graph is what the protocol is held to.
    fn oracle(&self) -> &FixedGraph;
    /// How activations are computed, where a protocol has more than one way.
    fn reading(&self) -> Option<&'static str> {
        None
    }
    /// Where the network is cut, in a protocol that divides it.
    fn cut(&self) -> Option<String> {
        None
    }
    /// How long one inference is reckoned to take on `network` with its offline phase, for a choice between
    /// readings: without what all of them have in common.
    fn predicted(&self, _network: &Network) -> Option<Duration> {
        None
    }
    /// By how many units of its last place a product with a weight may be off the oracle.
    fn product_error(&self) -> u64 {
        0
    }
    /// What `party` is given of the model before setup. Parts that are drawn from one seed fit together.
    fn holding(
        &self,
        party: PartyId,
        weights: &Weights,
        _seed: &Seed,
    ) -> Result<Holding, LocalFault> {
        let seat = self.seats().into_iter().find(|seat| seat.party == party);
        let kind = seat.map(|seat| seat.kind).ok_or(LocalFault::Invariant)?;
        Ok(Holding::of(kind, weights))
    }
    /// The bytes that are published to one party; nothing to a party that is not of the plan.
    fn view(&self, party: PartyId) -> Option<Vec<u8>>;
}

/// A part of a model in memory, which any number of parties of one seat and plan can have at once.
#[derive(Clone)]
pub struct SharedPart {
    plan: Fingerprint,
    part: Arc<dyn Any + Send + Sync>,
}

/// A [`Role`] seated at a session's table.
pub struct Member<R: Role> {
    role: R,
    plan: R::Plan,
    adopted: Option<Arc<R::Part>>,
    standing: Option<(R::Keys, Arc<R::Part>)>,
    stocks: VecDeque<Stock<R::Piece>>,
}

impl<R: Role> Member<R> {
    pub fn new(role: R, plan: R::Plan) -> Self {
        Self {
            role,
            plan,
            adopted: None,
            standing: None,
            stocks: VecDeque::new(),
        }
    }

    /// From a published plan.
    pub fn parse(role: R, plan: &[u8]) -> Result<Self, Malformed> {
        Ok(Self::new(role, R::Plan::parse(plan)?))
    }

    /// What keys begin with: the hash of the plan as this party sees it.
    fn mark(&self) -> Fingerprint {
        let view = [&b"keys"[..], &self.plan.encode()].concat();
        fingerprint_of(<R::Of as Protocol>::CARD.name, &view)
    }

    fn shared(&self, part: &Arc<R::Part>) -> SharedPart {
        SharedPart {
            plan: self.mark(),
            part: part.clone(),
        }
    }

    fn own_part(&self, holding: &Holding) -> Result<Arc<R::Part>, RunError> {
        match &self.adopted {
            Some(part) => Ok(part.clone()),
            None => Ok(Arc::new(self.role.part(&self.plan, holding)?)),
        }
    }

    fn make(&self, shelf: &mut dyn Shelf<R::Piece>, s: &mut Session) -> Result<(), RunError> {
        s.enter(Phase::Offline);
        let (keys, part) = self.standing.as_ref().ok_or(LocalFault::Invariant)?;
        self.role.offline(&self.plan, keys, part, shelf, s)
    }

    fn take(
        &self,
        stock: Stock<R::Piece>,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        s.enter(Phase::Online);
        let (keys, part) = self.standing.as_ref().ok_or(LocalFault::Invariant)?;
        let running = self.role.share(&self.plan, keys, stock, inputs, s)?;
        let outcome = self.role.online(&self.plan, keys, part, running, s)?;
        self.role.reveal(&self.plan, keys, outcome, s)
    }
}

impl<R: Role> Party for Member<R> {
    fn price(&self) -> Bill {
        self.plan.price()
    }

    fn fingerprint(&self, peer: PartyId) -> Fingerprint {
        self.plan.fingerprint(peer)
    }

    fn untold(&self) -> Vec<PartyId> {
        self.role.untold()
    }

    fn setup(&mut self, holding: &Holding, s: &mut Session) -> Result<(), RunError> {
        s.enter(Phase::Setup);
        let part = self.own_part(holding)?;
        let keys = self.role.setup(&self.plan, s)?;
        self.standing = Some((keys, part));
        Ok(())
    }

    fn keys(&self) -> Option<Secret<Vec<u8>>> {
        let (keys, _) = self.standing.as_ref()?;
        let mark = self.mark();
        let length = R::Keys::size(&self.role.keys(&self.plan)).0;
        // At once as long as it will be: what is moved to a larger place is not wiped.
        let mut bytes = Vec::with_capacity(mark.len() + usize::try_from(length).unwrap_or(0));
        bytes.extend(mark);
        keys.encode(&mut bytes);
        Some(Secret::new(bytes))
    }

    fn restore(&mut self, keys: &[u8], holding: &Holding) -> Result<(), RunError> {
        let keys = keys.strip_prefix(&self.mark()).ok_or(LocalFault::Keys)?;
        let keys = R::Keys::decode(&self.role.keys(&self.plan), keys);
        let keys = keys.map_err(|_| LocalFault::Keys)?;
        let part = self.own_part(holding)?;
        self.standing = Some((keys, part));
        Ok(())
    }

    fn part(&self) -> Option<SharedPart> {
        let (_, part) = self.standing.as_ref()?;
        Some(self.shared(part))
    }

    fn adopted(&self) -> Option<SharedPart> {
        self.adopted.as_ref().map(|part| self.shared(part))
    }

    fn adopt(&mut self, part: &SharedPart) {
        if part.plan == self.mark() {
            self.adopted = part.part.clone().downcast().ok();
        }
    }

    fn offline(&mut self, s: &mut Session) -> Result<(), RunError> {
        let mut shelf = Vec::new();
        self.make(&mut shelf, s)?;
        self.stocks.push_back(Stock::from(shelf));
        Ok(())
    }

    fn infer(
        &mut self,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let stock = self.stocks.pop_front();
        self.take(stock.ok_or(StockFault::Exhausted)?, inputs, s)
    }

    fn stocked(&self) -> usize {
        self.stocks.len()
    }

    fn pieces(&self) -> Vec<Bytes> {
        let layouts = self.role.pieces(&self.plan);
        layouts.iter().map(R::Piece::size).collect()
    }

    fn offline_to(
        &mut self,
        shelf: &mut dyn Shelf<Encoded>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let layouts = self.role.pieces(&self.plan).into_iter();
        let mut encoding = Encoding::<R::Piece> { shelf, layouts };
        self.make(&mut encoding, s)?;
        match encoding.layouts.next() {
            None => Ok(()),
            Some(_) => Err(LocalFault::Invariant.into()),
        }
    }

    fn load(&mut self, mut stock: Stock<Encoded>) -> Result<(), RunError> {
        let layouts = self.role.pieces(&self.plan);
        let lengths = layouts.iter().map(R::Piece::size).collect();
        let pieces = layouts.into_iter().map(move |layout| {
            let piece = stock.take()?.value(&layout);
            piece.map_err(|_| StockFault::Malformed)
        });
        let ready = read_ahead(Stock::new(pieces), lengths)?;
        self.stocks.push_front(ready);
        Ok(())
    }
}

/// A shelf that encodes what it is given, and takes what the plan says alone.
struct Encoding<'a, T: Wire> {
    shelf: &'a mut dyn Shelf<Encoded>,
    layouts: IntoIter<T::Layout>,
}

impl<T: Wire> Shelf<T> for Encoding<'_, T> {
    fn put(&mut self, piece: T) -> Result<(), StockFault> {
        let layout = self.layouts.next().ok_or(StockFault::Malformed)?;
        let encoded = Encoded::of(&piece, &layout);
        if encoded.length() != T::size(&layout) {
            return Err(StockFault::Malformed);
        }
        self.shelf.put(encoded)
    }
}
