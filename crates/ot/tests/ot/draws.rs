//! Random OTs of every kind are what they must be, at the price that was named.

use crate::pair::*;
use subrosa_core::{ReceiverOts, SenderOts};
use subrosa_net::{Cost, Phase, Turns};
use subrosa_ot::*;

type Drawn<T> = (Vec<T>, Cost);

/// Draws `shapes` at both ends; also what the session billed.
fn draw(
    (sender, receiver): &(SenderKeys, ReceiverKeys),
    extension: &Extension,
    shapes: &[(usize, usize)],
) -> (Drawn<SenderOts>, Drawn<ReceiverOts>) {
    let (sent, received) = run(
        None,
        |s, turns| {
            s.enter(Phase::Offline);
            let mut ots = Sender::new(sender, extension, RECEIVER, s)?;
            let drawn = shapes
                .iter()
                .map(|(p, l)| ots.draw(*p, *l, turns, s))
                .collect::<Result<_, _>>()?;
            Ok((drawn, s.bill().offline))
        },
        |s, turns: &mut Turns| {
            s.enter(Phase::Offline);
            let mut ots = Receiver::new(receiver, extension, SENDER, s)?;
            let drawn = shapes
                .iter()
                .map(|(p, l)| ots.draw(*p, *l, turns, s))
                .collect::<Result<_, _>>()?;
            Ok((drawn, s.bill().offline))
        },
    );
    (sent.unwrap(), received.unwrap())
}

/// All of `total` drawn in awkward shapes is right, balanced, without repetition, and costs what was said.
fn check_extension(total: u64, extension: Extension) {
    let keys = keys();
    let mut shapes = vec![(1, 1), (3, 0), (5, 70), (2, 64), (1, 9)];
    let rest = total as usize - shapes.iter().map(|(p, l)| p * l).sum::<usize>();
    shapes.extend([(3, rest / 3), (1, rest % 3)]);
    let ((sent, sent_cost), (received, received_cost)) = draw(&keys, &extension, &shapes);
    let mut seen = std::collections::HashSet::new();
    let (mut ones, mut all) = (0, 0);
    for (sent, received) in sent.iter().zip(&received) {
        check(sent, received);
        assert!(sent.keys.iter().flatten().all(|key| seen.insert(*key)));
        ones += received
            .choices
            .words()
            .iter()
            .map(|word| word.count_ones())
            .sum::<u32>();
        all += received.keys.len() as u32;
    }
    let deviation = (f64::from(ones) - f64::from(all) / 2.0).abs();
    assert!(
        deviation < 6.0 * (f64::from(all) / 4.0).sqrt(),
        "{ones} of {all}"
    );
    assert_eq!(sent_cost, extension.sender_cost(), "{:?}", extension.lots());
    assert_eq!(
        received_cost,
        extension.receiver_cost(),
        "{:?}",
        extension.lots()
    );
}

#[test]
fn softspoken_of_every_width() {
    for (k, total) in [
        (1, 1_000),
        (2, 30_000),
        (3, 9_000),
        (4, 300_000),
        (5, 9_000),
        (8, 8_193),
        (11, 700),
    ] {
        check_extension(total, Extension::insist(total, Method::SoftSpoken { k }));
    }
}

#[test]
fn silent_lots_feed_each_other() {
    let total = 2 * SilentSize::Small.outputs() - 1000;
    check_extension(
        total,
        Extension::insist(total, Method::Silent(SilentSize::Small)),
    );
}

#[test]
fn plans_of_every_kind() {
    let mut kinds = std::collections::BTreeSet::new();
    for total in [500, 30_000, 150_000, 330_000, 1_300_000] {
        let plan = Extension::plan(total);
        kinds.extend(
            plan.lots()
                .iter()
                .map(|lot| format!("{:.6}", format!("{lot:?}"))),
        );
        check_extension(total, plan);
    }
    assert_eq!(kinds.len(), 2);
}

#[test]
fn two_sessions_with_the_same_keys_share_nothing() {
    let keys = keys();
    let extension = Extension::insist(1000, Method::SoftSpoken { k: 4 });
    let ((first, _), (first_received, _)) = draw(&keys, &extension, &[(1, 1000)]);
    let ((second, _), (second_received, _)) = draw(&keys, &extension, &[(1, 1000)]);
    let pairs = first[0].keys.iter().zip(&second[0].keys);
    assert!(pairs.clone().all(|(a, b)| a[0] != b[0] && a[1] != b[1]));
    assert!(pairs.clone().all(|(a, b)| a[0] ^ a[1] != b[0] ^ b[1]));
    assert_ne!(first_received[0].choices, second_received[0].choices);
}

#[test]
fn two_directions_in_one_session() {
    let (forth, back) = (keys(), keys());
    let extension = Extension::insist(3000, Method::SoftSpoken { k: 5 });
    let ((sent, received_back), (received, sent_back)) = {
        let (first, second) = run(
            None,
            |s, turns| {
                let mut sender = Sender::new(&forth.0, &extension, RECEIVER, s)?;
                let mut receiver = Receiver::new(&back.1, &extension, RECEIVER, s)?;
                let sent = sender.draw(3, 1000, turns, s)?;
                Ok((sent, receiver.draw(30, 100, turns, s)?))
            },
            |s, turns| {
                let mut receiver = Receiver::new(&forth.1, &extension, SENDER, s)?;
                let mut sender = Sender::new(&back.0, &extension, SENDER, s)?;
                let received = receiver.draw(3, 1000, turns, s)?;
                Ok((received, sender.draw(30, 100, turns, s)?))
            },
        );
        (first.unwrap(), second.unwrap())
    };
    check(&sent, &received);
    check(&sent_back, &received_back);
}

/// Random and correlated draws from one stock, in turn: q ^ t is the offset where the choice is one, bit 0 of t is the
/// choice, and nothing is drawn twice.
#[test]
fn correlated_draws_are_of_one_offset() {
    let (sender, receiver) = keys();
    for method in [
        Method::SoftSpoken { k: 3 },
        Method::Silent(SilentSize::Small),
    ] {
        let extension = Extension::insist(4000, method);
        let (sent, received) = run(
            None,
            |s, turns| {
                let mut ots = Sender::new(&sender, &extension, RECEIVER, s)?;
                let first = ots.draw_correlated(3, 700, turns, s)?;
                let between = ots.draw(1, 50, turns, s)?;
                let last = ots.draw_correlated(1, 900, turns, s)?;
                Ok(([first, last], between, *ots.offset().reveal()))
            },
            |s, turns: &mut Turns| {
                let mut ots = Receiver::new(&receiver, &extension, SENDER, s)?;
                let first = ots.draw_correlated(3, 700, turns, s)?;
                let between = ots.draw(1, 50, turns, s)?;
                Ok(([first, ots.draw_correlated(1, 900, turns, s)?], between))
            },
        );
        let ((sent, sent_between, offset), (received, between)) =
            (sent.unwrap(), received.unwrap());
        check(&sent_between, &between);
        assert_eq!(offset & 1, 1);
        let mut seen = std::collections::HashSet::new();
        for (sent, received) in sent.iter().zip(&received) {
            for plane in 0..sent.planes {
                let pairs = sent.plane(plane).iter().zip(received.plane(plane));
                for (lane, (q, t)) in pairs.enumerate() {
                    let choice = received.choices.row(plane)[lane / 64] >> (lane % 64) & 1;
                    assert_eq!(q ^ t, offset * u128::from(choice));
                    assert_eq!((q & 1, t & 1), (0, u128::from(choice)));
                    assert!(seen.insert(*q));
                }
            }
        }
    }
}
