//! Parties that are killed at any moment: the program names them and leaves nothing behind.

use super::*;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PARTIES: [&str; 4] = ["user", "gateway", "remote-0", "remote-1"];
/// Runs at a time.
const LANES: u64 = 4;
/// So far, in all tests.
static DEATHS: AtomicU32 = AtomicU32::new(0);

/// Moments all over a span, the same ones each time.
fn moment(turn: u64, span: Duration) -> Duration {
    let part = (turn as u32).wrapping_mul(2_654_435_761);
    span * (part >> 16) / (1 << 16)
}

/// Until there is what is looked for, which must be soon.
fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "nothing happens");
        sleep(Duration::from_millis(20));
    }
}

/// All processes of this run, as soon as there are.
fn parties(run: &Child) -> Vec<(u32, String)> {
    wait(|| {
        let found = children(run.id());
        let there = |name| {
            let called = format!("party {name}");
            found.iter().any(|(_, line)| line.contains(&called))
        };
        PARTIES.into_iter().all(there).then_some(found)
    })
}

/// Kills one party of a run that would take hours. `after`: how long after its parties are there or, with `vaults`,
/// after the first of them keeps material.
fn kill(victim: &str, after: Duration, vaults: bool, more: &[&str]) {
    let name = format!("seco-killed-{}", DEATHS.fetch_add(1, Ordering::Relaxed));
    let (files, temporary) = (folder(&name), folder(&format!("{name}-temporary")));
    let (input, model) = (input(&files, &SMALL_SHAPE), model(SMALL));
    let more = [more, &["--threads", "1"]].concat();
    let mut command = command(&asks(&model, &input, &more));
    let run = command.env("TMPDIR", &temporary).spawn().unwrap();
    let all = parties(&run);
    if vaults {
        wait(|| (!entries(&temporary).is_empty()).then_some(()));
    }
    sleep(after);
    signal("-9", *party(&all, victim));
    let killed = Instant::now();
    let output = finish(run);
    let errors = text(&output.stderr);
    let said = format!("{victim} after {after:?}: {errors}");
    assert!(killed.elapsed() < Duration::from_secs(20), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    let last = errors.lines().last().unwrap_or_default();
    assert!(last.contains(victim) && last.contains("signal 9"), "{said}");
    all_gone(&all);
    assert_eq!(entries(&temporary), Vec::<String>::new(), "{said}");
}

/// `turns` deaths, several at a time; `one` is told its turn.
fn in_lanes(turns: u64, one: impl Fn(u64) + Sync) {
    std::thread::scope(|scope| {
        for lane in 0..LANES {
            let one = &one;
            scope.spawn(move || {
                let own = (0..turns).filter(|turn| turn % LANES == lane);
                own.for_each(one);
            });
        }
    });
}

/// In each turn of the lanes another one.
fn victim(turn: u64) -> &'static str {
    PARTIES[((turn + turn / LANES) % 4) as usize]
}

/// A run begins with two seconds of setups; then offline phases and answers take turns.
#[test]
fn killed_party_is_named_at_any_moment() {
    for (first, more) in [
        (0, &["--at", "input"][..]),
        (8, &["--at", "Add_3", "--garbling", "single"]),
    ] {
        let more = [more, &["--repeat", "1000000"]].concat();
        in_lanes(8, |turn| {
            let after = moment(first + turn, Duration::from_secs(4));
            kill(victim(turn), after, false, &more);
        });
    }
}

/// A hundred deaths: from the start on, while material is made, and once there is none left of what was made.
#[test]
fn vaults_go_with_their_parties_whoever_is_killed() {
    let deaths = |count, vaults, pool, repeat| {
        let more = ["--at", "input", "--pool", pool, "--repeat", repeat];
        in_lanes(count, |turn| {
            let after = moment(turn, Duration::from_millis(600));
            kill(victim(turn), after, vaults, &more);
        });
    };
    deaths(36, false, "1000000", "1");
    deaths(48, true, "1000000", "1");
    deaths(16, true, "1", "1000000");
}
