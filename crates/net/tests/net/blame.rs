//! Who is named when a party dies, stalls, fails or is in another step.

use crate::mesh::{self, Mesh, P, run, terms};
use std::thread::sleep;
use std::time::{Duration, Instant};
use subrosa_core::{PartyId, StockFault, Words};
use subrosa_net::*;

type Transport = fn(Network) -> Mesh;
const TRANSPORTS: [Transport; 2] = [mesh::memory, mesh::tls];

/// P2 waits for P0, P0 waits for P1, and P1 does as `culprit` says. Returns what each reports.
fn chain(
    transport: Transport,
    culprit: impl Fn(Session) -> Result<(), RunError> + Sync,
) -> Vec<Result<(), RunError>> {
    chain_of(transport, &[], culprit)
}

/// With those whom P0 tells of nobody else.
fn chain_of(
    transport: Transport,
    untold: &[PartyId],
    culprit: impl Fn(Session) -> Result<(), RunError> + Sync,
) -> Vec<Result<(), RunError>> {
    run(transport(Network::LOOPBACK), |me, links| {
        let mut terms = terms(me, 600);
        terms.untold = untold.to_vec();
        let mut session = Session::open(links, terms)?;
        match me.0 {
            0 => {
                session.receive::<()>(Step(1), P[1], ())?;
                session.send(Step(2), P[2], ())
            }
            1 => culprit(session),
            _ => session.receive::<()>(Step(2), P[0], ()),
        }
    })
}

#[test]
fn the_dead_are_named_by_everybody() {
    for transport in TRANSPORTS {
        let ends = chain(transport, |session| {
            drop(session);
            Ok(())
        });
        let closed = RunError::Link {
            peer: P[1],
            fault: LinkFault::Closed,
        };
        assert_eq!(ends[0], Err(closed));
        assert_eq!(
            ends[2],
            Err(RunError::Aborted {
                by: P[0],
                culprit: P[1]
            })
        );
    }
}

#[test]
fn the_silent_are_named_by_everybody_in_time() {
    for transport in TRANSPORTS {
        let start = Instant::now();
        let ends = chain(transport, |session| {
            sleep(Duration::from_millis(1500));
            drop(session);
            Ok(())
        });
        assert!(start.elapsed() < Duration::from_secs(10));
        let timed_out = LinkFault::TimedOut { after_ms: 600 };
        assert_eq!(
            ends[0],
            Err(RunError::Link {
                peer: P[1],
                fault: timed_out
            })
        );
        assert_eq!(
            ends[2],
            Err(RunError::Aborted {
                by: P[0],
                culprit: P[1]
            })
        );
    }
}

#[test]
fn who_gives_up_says_because_of_whom() {
    for transport in TRANSPORTS {
        let ends = chain(transport, |session| {
            let error = RunError::from(StockFault::Exhausted);
            session.fail(&error);
            Err(error)
        });
        assert_eq!(
            ends[0],
            Err(RunError::Aborted {
                by: P[1],
                culprit: P[1]
            })
        );
        assert_eq!(ends[1].as_ref().unwrap_err().culprit(), None);
        assert_eq!(
            ends[2],
            Err(RunError::Aborted {
                by: P[0],
                culprit: P[1]
            })
        );
    }
}

#[test]
fn the_untold_hear_of_nobody_but_who_tells_them() {
    let here = RunError::Aborted {
        by: P[0],
        culprit: P[0],
    };
    for transport in TRANSPORTS {
        let dead = chain_of(transport, &P[2..], |session| {
            drop(session);
            Ok(())
        });
        let silent = chain_of(transport, &P[2..], |session| {
            sleep(Duration::from_millis(1500));
            drop(session);
            Ok(())
        });
        for ends in [dead, silent] {
            assert_eq!(ends[0].as_ref().unwrap_err().culprit(), Some(P[1]));
            assert_eq!(ends[2], Err(here.clone()));
        }
    }
}

#[test]
fn the_untold_hear_of_themselves() {
    for transport in TRANSPORTS {
        let ends = run(transport(Network::LOOPBACK), |me, links| {
            let mut terms = terms(me, 600);
            terms.untold = P.to_vec();
            let mut session = Session::open(links, terms)?;
            match me.0 {
                0 => session.receive::<()>(Step(1), P[2], ()),
                1 => session.receive::<()>(Step(1), P[0], ()),
                _ => {
                    session.send(Step(9), P[0], ())?;
                    session.receive::<()>(Step(10), P[0], ())
                }
            }
        });
        for (end, culprit) in [(1, P[0]), (2, P[2])] {
            let by = P[0];
            assert_eq!(ends[end], Err(RunError::Aborted { by, culprit }));
        }
    }
}

#[test]
fn another_step_is_named_on_both_sides_of_it() {
    for transport in TRANSPORTS {
        let ends = chain(transport, |mut session| {
            session.send(Step(9), P[0], ())?;
            session.receive::<()>(Step(10), P[0], ())
        });
        let misdeed = Misdeed::WrongStep {
            expected: 1,
            found: 9,
        };
        assert_eq!(
            ends[0],
            Err(RunError::Peer {
                peer: P[1],
                misdeed
            })
        );
        assert_eq!(
            ends[1],
            Err(RunError::Aborted {
                by: P[0],
                culprit: P[1]
            })
        );
        assert_eq!(
            ends[2],
            Err(RunError::Aborted {
                by: P[0],
                culprit: P[1]
            })
        );
    }
}

#[test]
fn a_panic_is_told() {
    let ends = run(mesh::memory(Network::LOOPBACK), |me, links| {
        let mut session = Session::open(links, terms(me, 5_000)).unwrap();
        if me == P[1] {
            let panic = std::panic::AssertUnwindSafe(move || {
                let _session = session;
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(std::panic::catch_unwind(panic).is_err());
            return Ok(());
        }
        session.receive::<()>(Step(1), P[1], ())
    });
    for end in [&ends[0], &ends[2]] {
        assert_eq!(
            *end,
            Err(RunError::Aborted {
                by: P[1],
                culprit: P[1]
            })
        );
    }
}

/// P1 and P2 talk for longer than the timeout, while P0 waits for P1's answer.
#[test]
fn those_at_work_are_waited_for() {
    for transport in TRANSPORTS {
        let ends = run(transport(Network::LOOPBACK), |me, links| {
            let mut session = Session::open(links, terms(me, 1_000))?;
            if me == P[0] {
                return session.receive::<()>(Step(99), P[1], ());
            }
            let other = if me == P[1] { P[2] } else { P[1] };
            for step in 0..20 {
                sleep(Duration::from_millis(80));
                session.exchange::<(), ()>(Step(step), vec![(other, ())], &[(other, ())])?;
            }
            if me == P[1] {
                session.send(Step(99), P[0], ())
            } else {
                Ok(())
            }
        });
        assert_eq!(ends, [Ok(()), Ok(()), Ok(())]);
    }
}

#[test]
fn a_failed_session_stays_failed_and_the_next_works() {
    let ends = run(mesh::memory(Network::LOOPBACK), |me, links| {
        let mut session = Session::open(links, terms(me, 5_000)).unwrap();
        let stranger = PartyId(7);
        if me == P[0] {
            let error = RunError::Local(LocalFault::UnknownPeer(stranger));
            assert_eq!(session.send(Step(0), stranger, ()), Err(error.clone()));
            assert_eq!(session.send(Step(0), P[1], ()), Err(error));
        } else {
            let end = session.receive::<()>(Step(0), P[0], ());
            assert_eq!(
                end,
                Err(RunError::Aborted {
                    by: P[0],
                    culprit: P[0]
                })
            );
        }
        session.close().peers()
    });
    assert!(ends.iter().all(Vec::is_empty));
    let ends = chain(mesh::memory, |mut session| session.send(Step(1), P[0], ()));
    assert_eq!(ends, [Ok(()), Ok(()), Ok(())]);
}

/// Two sends that each wait for the other end to take them are no exchange; they end all the same.
#[test]
fn sends_that_cross_end_in_time() {
    for transport in TRANSPORTS {
        let ends = run(transport(Network::LOOPBACK), |me, links| {
            let mut session = Session::open(links, terms(me, 600))?;
            let words = Words {
                bits: 64,
                values: vec![0; 8 << 20],
            };
            match me.0 {
                0 => session.send(Step(1), P[1], words),
                1 => session.send(Step(1), P[0], words),
                _ => Ok(()),
            }
        });
        assert_eq!(ends[0].as_ref().unwrap_err().culprit(), Some(P[1]));
        assert!(ends[1].is_err());
    }
}
