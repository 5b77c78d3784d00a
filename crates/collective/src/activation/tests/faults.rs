use super::{GARBLINGS, Inputs, keys, kinds, masked, party, samples, seeded, serve, together};
use crate::activation::{Garbling, Piece, Shape, evaluate, prepare};
use crate::{Mesh, OtPlan, Ots, Place};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use subrosa_core::{Malformed, PartyId};
use subrosa_net::{HEADER_LEN, LocalFault, Misdeed, RunError, Tap, is_data};
use subrosa_ring::BitMatrix;

type Direction = (PartyId, PartyId);

/// Counts data frames, and changes one.
struct Changing {
    counts: Mutex<BTreeMap<Direction, usize>>,
    at: Option<(Direction, usize)>,
    change: fn(&mut Vec<u8>),
}

impl Tap for Changing {
    fn frame(&self, from: PartyId, to: PartyId, _: u64, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if is_data(&bytes) {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry((from, to)).or_default();
            if self.at == Some(((from, to), *count)) {
                (self.change)(&mut bytes);
            }
            *count += 1;
        }
        vec![bytes]
    }
}

fn cut(bytes: &mut Vec<u8>) {
    bytes.pop();
}

fn fill(bytes: &mut [u8]) {
    bytes.iter_mut().skip(HEADER_LEN).for_each(|b| *b = 0xff);
}

struct Case {
    shape: Shape,
    garbling: Garbling,
    inputs: Inputs,
    remotes: usize,
}

impl Case {
    fn run(
        &self,
        at: Option<(Direction, usize)>,
        change: fn(&mut Vec<u8>),
    ) -> (Vec<Result<(), RunError>>, BTreeMap<Direction, usize>) {
        let tap = Arc::new(Changing {
            counts: Mutex::default(),
            at,
            change,
        });
        let keys = keys(self.remotes);
        let ends = together(self.remotes, Some(tap.clone()), |servers, s| {
            serve(&self.shape, self.garbling, &self.inputs, &keys, servers, s).map(|_| ())
        });
        let counts = tap.counts.lock().unwrap().clone();
        (ends, counts)
    }

    /// Every message of the step: its direction, and its number among the data frames there. Messages are of one frame each, and
    /// those of base and extended OTs come before.
    fn messages(&self) -> Vec<(Direction, usize)> {
        let (ends, counts) = self.run(None, cut);
        assert!(ends.iter().all(Result::is_ok));
        let mut own: BTreeMap<Direction, usize> = BTreeMap::new();
        let offline = self.shape.offline(self.garbling, self.remotes);
        let online = self.shape.online(self.garbling, self.remotes);
        for message in offline.iter().chain(&online).flat_map(|m| &m.0) {
            let of = |place| party(place, self.remotes);
            *own.entry((of(message.from), of(message.to))).or_default() += 1;
        }
        let each = |(direction, own)| {
            (counts[&direction] - own..counts[&direction]).map(move |i| (direction, i))
        };
        own.into_iter().flat_map(each).collect()
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for garbling in GARBLINGS {
        let shape = Shape {
            lanes: 5,
            kind: kinds(6, 8)[2],
        };
        let (remotes, mut prg) = (2, seeded(8));
        let columns = samples(&shape, &mut prg);
        cases.push(Case {
            shape,
            garbling,
            inputs: masked(&shape, &columns, remotes, &mut prg),
            remotes,
        });
    }
    cases
}

#[test]
fn short_messages_end_the_step_and_name_their_sender() {
    for case in cases() {
        for (direction, at) in case.messages() {
            let (ends, _) = case.run(Some((direction, at)), cut);
            let receiver =
                (0..=case.remotes).position(|i| party(Place(i), case.remotes) == direction.1);
            let found = ends[receiver.unwrap()].as_ref().unwrap_err();
            assert!(
                matches!(found, RunError::Peer { peer, misdeed: Misdeed::Truncated } if *peer == direction.0),
                "{direction:?} {at}: {found:?}"
            );
        }
    }
}

/// Ones everywhere, padding included: refused or a wrong result, and in no case a panic. Who refuses padding names the sender; the
/// evaluator of `Bmr` finds that garblers disagree, and names nobody.
#[test]
fn changed_messages_name_their_sender_or_nobody() {
    for case in cases() {
        let (mut padding, mut disagreements) = (0, 0);
        for (direction, at) in case.messages() {
            let (ends, _) = case.run(Some((direction, at)), |bytes| fill(bytes));
            let at_a_loss = ends
                .iter()
                .position(|end| matches!(end, Err(RunError::Local(_))));
            disagreements += usize::from(at_a_loss.is_some());
            let at_a_loss = at_a_loss.map(|at| party(Place(at), case.remotes));
            for error in ends.iter().filter_map(|end| end.as_ref().err()) {
                match error {
                    RunError::Peer { peer, misdeed } => {
                        assert_eq!(*peer, direction.0);
                        assert_eq!(*misdeed, Misdeed::Malformed(Malformed::Padding));
                        padding += 1;
                    }
                    RunError::Local(fault) => assert_eq!(*fault, LocalFault::Invariant),
                    RunError::Aborted { culprit, .. } => {
                        assert!(*culprit == direction.0 || Some(*culprit) == at_a_loss);
                    }
                    RunError::Link { .. } => panic!("{error:?}"),
                }
            }
        }
        assert!(padding > 0);
        assert_eq!(disagreements > 0, case.garbling == Garbling::Bmr);
    }
}

#[test]
fn bits_of_another_shape_and_pieces_of_another_place_are_refused() {
    for Case {
        shape,
        garbling,
        inputs,
        remotes,
    } in cases()
    {
        let keys = keys(remotes);
        let refused = together(remotes, None, |servers, s| {
            let mut ots = Ots::new(&keys[servers.me.0], &OtPlan::default(), servers, s)?;
            let mut mesh = Mesh::new(servers, s);
            let (few, mut prg) = (BitMatrix::new(1, shape.lanes), seeded(1));
            let prepared = prepare(&shape, garbling, &few, &mut ots, &mut prg, &mut mesh);
            let mut ends = vec![prepared.err()];
            ends.push(evaluate(&shape, garbling, Piece::Nothing, &few, &mut mesh).err());
            if garbling == Garbling::Bmr || servers.me < Place(2) {
                let c = &inputs.public;
                ends.push(evaluate(&shape, garbling, Piece::Nothing, c, &mut mesh).err());
            }
            Ok(ends)
        });
        let invariant = Some(RunError::Local(LocalFault::Invariant));
        for ends in refused {
            assert!(ends.unwrap().iter().all(|end| *end == invariant));
        }
    }
}
