//! The suite passes a sound toy protocol and fails each of its broken variants.

mod toy;

use subrosa_conformance::*;
use subrosa_core::PartyId;
use subrosa_ir::FloatOp;
use toy::{CLIENT, Flaw, HOLDER, OTHER, subject};

/// y = x + 1/2 for 64 or, with padding bits, 13 values.
fn sum(values: usize) -> Case {
    let shape: &[usize] = &[1, values];
    Case::single("sum", FloatOp::Offset(0.5), &[shape], shape, [-2.0, 2.0])
}

fn even() -> [Case; 1] {
    [sum(64)]
}

/// What is wrong, without where it was found.
fn inner(result: Result<(), Failure>) -> Option<Failure> {
    match result {
        Ok(()) => None,
        Err(Failure::Case { failure, .. } | Failure::Under { failure, .. }) => inner(Err(*failure)),
        Err(failure) => Some(failure),
    }
}

#[test]
fn the_sound_one_passes() {
    let sound = subject::<{ Flaw::None as u8 }>();
    assert_eq!(inner(agrees(&sound, &even())), None);
    assert_eq!(inner(plans_are_parsed(&sound, &even())), None);
    assert_eq!(inner(lengths_are_public(&sound, &even())), None);
    assert_eq!(inner(sessions_are_fresh(&sound, &even())), None);
    for randomness in [Randomness::Fixed(3), Randomness::Fresh] {
        assert_eq!(inner(views_are_uniform(&sound, &even(), randomness)), None);
        assert_eq!(
            inner(masks_are_used_once(&sound, &even(), randomness)),
            None
        );
    }
    let other = Case {
        name: "other sum",
        ..sum(13)
    };
    assert_eq!(inner(keys_are_restored(&sound, &[sum(64), other])), None);
    assert_eq!(inner(faults_are_noticed(&sound, &sum(13))), None);
    assert_eq!(inner(deaths_are_noticed(&sound, &sum(13))), None);
}

#[test]
fn a_leaked_bit_is_caught() {
    let leaks = subject::<{ Flaw::TopBit as u8 }>();
    let found = inner(views_are_uniform(&leaks, &even(), Randomness::Fixed(3)));
    let Some(Failure::NotUniform { deviation, .. }) = found else {
        panic!("{found:?}");
    };
    assert!(
        matches!(deviation.test, Test::Period { .. }),
        "{deviation:?}"
    );
}

#[test]
fn an_opened_value_is_caught() {
    let opens = subject::<{ Flaw::Opened as u8 }>();
    let found = inner(views_are_uniform(&opens, &even(), Randomness::Fixed(3)));
    let Some(Failure::NotUniform { reading, .. }) = found else {
        panic!("{found:?}");
    };
    assert_ne!(reading, Reading::Received);
}

#[test]
fn a_mask_used_twice_is_caught() {
    let reuses = subject::<{ Flaw::SameMask as u8 }>();
    let found = inner(masks_are_used_once(&reuses, &even(), Randomness::Fixed(3)));
    assert!(
        matches!(found, Some(Failure::Dependent { .. })),
        "{found:?}"
    );
    let found = inner(sessions_are_fresh(&reuses, &even()));
    assert!(matches!(found, Some(Failure::Repeated { .. })), "{found:?}");
    // One message alone tells nothing.
    let counts = subject::<{ Flaw::KeptCounter as u8 }>();
    assert_eq!(
        inner(views_are_uniform(&counts, &even(), Randomness::Fixed(3))),
        None
    );
}

#[test]
fn a_counter_in_a_restored_backup_is_caught() {
    let counts = subject::<{ Flaw::KeptCounter as u8 }>();
    let found = inner(sessions_are_fresh(&counts, &even()));
    assert!(matches!(found, Some(Failure::Repeated { .. })), "{found:?}");
    let found = inner(masks_are_used_once(&counts, &even(), Randomness::Fresh));
    assert!(
        matches!(found, Some(Failure::Dependent { .. })),
        "{found:?}"
    );
}

#[test]
fn keys_that_change_on_the_disk_are_caught() {
    let loses = subject::<{ Flaw::LostKeys as u8 }>();
    let found = inner(keys_are_restored(&loses, &even()));
    assert!(matches!(found, Some(Failure::Restored { .. })), "{found:?}");
}

#[test]
fn keys_of_another_party_that_are_taken_are_caught() {
    let any = subject::<{ Flaw::AnyKeys as u8 }>();
    let found = inner(keys_are_restored(&any, &even()));
    assert!(matches!(found, Some(Failure::Keys { .. })), "{found:?}");
}

#[test]
fn a_message_that_depends_on_data_is_caught() {
    let found = inner(lengths_are_public(
        &subject::<{ Flaw::ExtraMessage as u8 }>(),
        &even(),
    ));
    assert!(matches!(found, Some(Failure::Length { .. })), "{found:?}");
}

#[test]
fn wrong_prices_and_answers_are_caught() {
    let found = inner(agrees(&subject::<{ Flaw::Price as u8 }>(), &even()));
    assert!(matches!(found, Some(Failure::Price { .. })), "{found:?}");
    let found = inner(agrees(&subject::<{ Flaw::Answer as u8 }>(), &even()));
    assert!(matches!(found, Some(Failure::Value { .. })), "{found:?}");
}

#[test]
fn mishandled_faults_are_caught() {
    let odd = sum(13);
    let found = inner(faults_are_noticed(
        &subject::<{ Flaw::Answers as u8 }>(),
        &odd,
    ));
    assert_eq!(found, Some(Failure::Answered));
    let found = inner(faults_are_noticed(
        &subject::<{ Flaw::Unwraps as u8 }>(),
        &odd,
    ));
    assert!(matches!(found, Some(Failure::Panicked { .. })), "{found:?}");
    let found = inner(faults_are_noticed(
        &subject::<{ Flaw::Blames as u8 }>(),
        &odd,
    ));
    assert!(matches!(found, Some(Failure::Blame { .. })), "{found:?}");
    let found = inner(deaths_are_noticed(
        &subject::<{ Flaw::Blames as u8 }>(),
        &odd,
    ));
    assert!(matches!(found, Some(Failure::Blame { .. })), "{found:?}");
    let found = inner(deaths_are_noticed(
        &subject::<{ Flaw::Waits as u8 }>(),
        &odd,
    ));
    assert!(matches!(found, Some(Failure::Hung { .. })), "{found:?}");
}

#[test]
fn a_parser_that_panics_is_caught() {
    let found = inner(plans_are_parsed(
        &subject::<{ Flaw::Plan as u8 }>(),
        &even(),
    ));
    assert!(
        matches!(found, Some(Failure::PlanPanic { .. })),
        "{found:?}"
    );
}

#[test]
fn what_a_client_sees_is_tested_where_it_is_asked_for() {
    let even_shares = subject::<{ Flaw::EvenShare as u8 }>();
    let of = |subject: &Subject| inner(views_are_uniform(subject, &even(), Randomness::Fixed(3)));
    assert_eq!(of(&even_shares), None);
    let found = of(&even_shares.watching(Watched::All));
    assert!(
        matches!(found, Some(Failure::NotUniform { to, .. }) if to == CLIENT),
        "{found:?}"
    );
    let sound = subject::<{ Flaw::None as u8 }>().watching(Watched::All);
    assert_eq!(of(&sound), None);
    // The shares of the answer sum to it.
    let found = inner(masks_are_used_once(&sound, &even(), Randomness::Fixed(3)));
    assert!(
        matches!(found, Some(Failure::Dependent { .. })),
        "{found:?}"
    );
}

const SEEDS: &[Exempt] = &[
    exempt(HOLDER, Stage::Setup, 0),
    exempt(CLIENT, Stage::Setup, 0),
];
const NOWHERE: &[Exempt] = &[exempt(HOLDER, Stage::Setup, 1)];
const INPUT: &[Exempt] = &[exempt(CLIENT, Stage::Online(0), 0)];

/// A message of `from`: to the other end at setup, to server 1 online.
const fn exempt(from: PartyId, stage: Stage, place: usize) -> Exempt {
    let to = match stage {
        Stage::Setup if from.0 == HOLDER.0 => CLIENT,
        Stage::Setup => HOLDER,
        _ => OTHER,
    };
    Exempt {
        from,
        to,
        stage,
        place,
        seeded: true,
        why: "the test says so",
    }
}

#[test]
fn exempt_messages_are_there_and_tell_nothing_of_the_data() {
    let of = |subject: &Subject| inner(views_are_uniform(subject, &even(), Randomness::Fixed(3)));
    let halves = subject::<{ Flaw::HalfSeed as u8 }>();
    let found = of(&halves);
    assert!(
        matches!(
            found,
            Some(Failure::NotUniform {
                stage: Stage::Setup,
                ..
            })
        ),
        "{found:?}"
    );
    assert_eq!(of(&halves.exempting(SEEDS)), None);
    let found = of(&halves.exempting(NOWHERE));
    assert!(
        matches!(found, Some(Failure::NotExempt { .. })),
        "{found:?}"
    );
    let leaks = subject::<{ Flaw::TopBit as u8 }>();
    let found = of(&leaks.exempting(INPUT));
    assert!(
        matches!(found, Some(Failure::NotConstant { .. })),
        "{found:?}"
    );
}
