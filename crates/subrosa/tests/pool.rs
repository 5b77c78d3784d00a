//! Material made ahead, all parties in this process, each with a vault on disk.

use std::path::{Path, PathBuf};
use std::time::Duration;
use subrosa::{
    Bill, Bytes, Error, Fingerprint, InMemory, LinkFault, LocalFault, MaterialSource, Model,
    Network, Nonlinear, Participant, PartyId, Planned, PoolTerms, Prepared, RunError, StoreFault,
    Tensor, Terms, find, run_in_memory,
};
use subrosa_net::memory_mesh;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("subrosa-pool-test-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    /// Files of items.
    fn items(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().unwrap().len() == 16 {
                    found.push(path);
                }
            }
        }
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn prepared() -> Prepared {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let model = Model::read(&models.join("mnist-mlp.onnx")).unwrap();
    Prepared::new(&model, 1, &[[0.0, 1.0]], None).unwrap()
}

fn input() -> [Tensor; 1] {
    let values = (0..784).map(|i| (i as u32).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32);
    [Tensor {
        shape: vec![1, 1, 28, 28],
        values: values.collect(),
    }]
}

fn planned(prepared: &Prepared, protocol: &str, nonlinear: Nonlinear) -> Planned {
    let terms = Terms {
        nonlinear,
        ..Terms::default()
    };
    prepared.plan(find(protocol).unwrap(), &terms).unwrap()
}

fn begun(planned: &Planned, prepared: &Prepared, folder: &Folder) -> InMemory {
    let mut run = InMemory::new(planned, Network::LOOPBACK, 1, TIMEOUT, None).unwrap();
    run.setup(planned, &prepared.weights).unwrap();
    run.join(planned, &folder.0).unwrap();
    run
}

fn close(a: &[Tensor], b: &[Tensor]) -> bool {
    let pairs = a[0].values.iter().zip(&b[0].values);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 4e-3
}

#[test]
fn a_pool_gives_each_item_once_and_costs_what_the_plan_says() {
    let prepared = prepared();
    let keepers = [
        ("two-party", Nonlinear::Ot, 2),
        ("two-party", Nonlinear::Gc, 2),
        ("replicated3", Nonlinear::Auto, 3),
        ("clear", Nonlinear::Auto, 0),
        ("seco", Nonlinear::Auto, 4),
    ];
    for (protocol, nonlinear, keepers) in keepers {
        let folder = Folder::new(&format!("{protocol}-{nonlinear:?}"));
        std::fs::create_dir_all(&folder.0).unwrap();
        let planned = planned(&prepared, protocol, nonlinear);
        assert_eq!(planned.keepers().unwrap().len(), keepers, "{protocol}");
        let expected = run_in_memory(&planned, &prepared.weights, &input(), TIMEOUT).unwrap();
        let mut run = begun(&planned, &prepared, &folder);
        run.fill(2).unwrap();
        assert_eq!(folder.items().len(), 2 * keepers, "{protocol}");
        let mut made = 2;
        for turn in 0..3 {
            let source = run.ready().unwrap();
            let pooled = keepers > 0 && turn < 2;
            assert_eq!(source == MaterialSource::Pool, pooled, "{protocol} {turn}");
            made += u64::from(source == MaterialSource::Fresh);
            let answer = run.infer(&input()).unwrap();
            assert!(close(&answer, &expected.outputs), "{protocol} {turn}");
        }
        assert_eq!(folder.items().len(), 0, "{protocol}");
        for (party, bill) in planned.parties().iter().zip(run.bills()) {
            let price = &party.price;
            let mut sum = Bill {
                setup: price.setup,
                ..Bill::default()
            };
            (0..made).for_each(|_| sum.offline += price.offline);
            (0..3).for_each(|_| sum.online += price.online);
            assert_eq!(sum, *bill, "{protocol} {}", party.seat.name);
        }
    }
}

#[test]
fn pools_are_filled_again_and_end_with_their_setup() {
    let prepared = prepared();
    let planned = planned(&prepared, "replicated3", Nonlinear::Auto);
    let folder = Folder::new("again");
    let mut run = begun(&planned, &prepared, &folder);
    // More than one lease.
    for _ in 0..2 {
        run.fill(20).unwrap();
    }
    for _ in 0..40 {
        assert_eq!(run.ready().unwrap(), MaterialSource::Pool);
        run.infer(&input()).unwrap();
    }
    assert_eq!(run.ready().unwrap(), MaterialSource::Fresh);
    run.infer(&input()).unwrap();
    run.fill(2).unwrap();
    run.setup(&planned, &prepared.weights).unwrap();
    assert_eq!(folder.items().len(), 0);
    assert_eq!(run.ready().unwrap(), MaterialSource::Fresh);
    run.infer(&input()).unwrap();
}

fn blamed(error: Error) -> (&'static str, RunError) {
    let Error::Run(blame) = error else {
        panic!("{error}")
    };
    (blame.culprit, blame.error)
}

#[test]
fn whoever_loses_or_alters_its_item_is_named() {
    let prepared = prepared();
    let planned = planned(&prepared, "two-party", Nonlinear::Ot);
    for gone in [true, false] {
        let folder = Folder::new(&format!("altered-{gone}"));
        let mut run = begun(&planned, &prepared, &folder);
        run.fill(1).unwrap();
        let items = folder.items();
        let of_vendor = |path: &&PathBuf| path.starts_with(folder.0.join("vendor"));
        let item = items.iter().find(of_vendor).unwrap();
        if gone {
            std::fs::remove_file(item).unwrap();
            let (culprit, error) = blamed(run.ready().err().unwrap());
            assert_eq!(culprit, "vendor");
            assert_eq!(error, StoreFault::Missing.into());
        } else {
            let mut bytes = std::fs::read(item).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(item, bytes).unwrap();
            run.ready().unwrap();
            let (culprit, error) = blamed(run.infer(&input()).err().unwrap());
            assert_eq!(culprit, "vendor");
            assert!(matches!(error, RunError::Local(LocalFault::Stock(_))));
        }
    }
}

fn participants(planned: &Planned, timeout: Duration) -> Vec<(PartyId, Participant)> {
    let numbers: Vec<PartyId> = planned.seats().iter().map(|seat| seat.party).collect();
    let mut mesh = memory_mesh(&numbers, &planned.links(), Network::LOOPBACK);
    let seat = |party: &subrosa::PartyPrice| {
        let links = mesh.remove(&party.seat.party).unwrap();
        let view = party.view.clone();
        let seated = Participant::new(planned.protocol, view, 1, links, timeout);
        (party.seat.party, seated.unwrap())
    };
    planned.parties().iter().map(seat).collect()
}

#[test]
fn a_party_that_is_gone_or_silent_in_the_handshake_is_named() {
    let prepared = prepared();
    let planned = planned(&prepared, "two-party", Nonlinear::Ot);
    let prints = vec![
        (PartyId(0), Fingerprint([0; 32])),
        (PartyId(1), Fingerprint([1; 32])),
    ];
    for silent in [false, true] {
        let folder = Folder::new(&format!("gone-{silent}"));
        let mut parties = participants(&planned, Duration::from_millis(300));
        let (_, other) = parties.pop().unwrap();
        let (me, mut party) = parties.pop().unwrap();
        let other = silent.then_some(other);
        let terms = PoolTerms::passing(me, prints.clone(), &folder.0).unwrap();
        let peer = PartyId(1);
        match party.join(terms) {
            Err(RunError::Link { peer: named, fault }) => {
                assert_eq!(named, peer);
                assert_eq!(matches!(fault, LinkFault::TimedOut { .. }), silent);
            }
            other => panic!("{other:?}"),
        }
        // It is done: there is no pool, and no session any more.
        assert!(party.fill(1).is_err() && party.ready().is_err());
        drop(other);
    }
}

#[test]
fn keepers_are_those_of_the_plan() {
    let prepared = prepared();
    let planned = planned(&prepared, "replicated3", Nonlinear::Auto);
    let folder = Folder::new("keepers");
    let keepers = planned.keepers().unwrap();
    let print = |party: &PartyId| (*party, Fingerprint([party.0; 32]));
    let all: Vec<_> = keepers.iter().map(print).collect();
    let dealer = PartyId(2);
    assert!(!keepers.contains(&dealer));
    let with_dealer: Vec<_> = all.iter().copied().chain([print(&dealer)]).collect();
    let twice: Vec<_> = all.iter().chain(&all).copied().collect();
    let cases = [
        (dealer, with_dealer),
        (keepers[0], all[1..].to_vec()),
        (keepers[0], twice),
    ];
    for (case, (me, keepers)) in cases.into_iter().enumerate() {
        let folder = folder.0.join(case.to_string());
        let mut parties = participants(&planned, TIMEOUT);
        let at = parties.iter().position(|(party, _)| *party == me).unwrap();
        let terms = PoolTerms::passing(me, keepers, &folder).unwrap();
        let refused = parties[at].1.join(terms);
        assert_eq!(refused, Err(StoreFault::Keepers.into()));
    }
}

/// The same answers for the same price, whether material lies in memory or in files.
#[test]
fn material_over_the_limit_lies_in_files_that_are_gone_after_use() {
    let prepared = prepared();
    // One party alone, the others do not notice; or all of them.
    let cases: [(&str, Nonlinear, &[u8]); 4] = [
        ("two-party", Nonlinear::Gc, &[0]),
        ("two-party", Nonlinear::Ot, &[0, 1]),
        ("replicated3", Nonlinear::Auto, &[1]),
        ("seco", Nonlinear::Auto, &[1]),
    ];
    for (protocol, nonlinear, who) in cases {
        let who: Vec<PartyId> = who.iter().map(|party| PartyId(*party)).collect();
        let folder = Folder::new(&format!("spilled-{protocol}-{nonlinear:?}"));
        let planned = planned(&prepared, protocol, nonlinear);
        let expected = run_in_memory(&planned, &prepared.weights, &input(), TIMEOUT).unwrap();
        let run = InMemory::new(&planned, Network::LOOPBACK, 1, TIMEOUT, None).unwrap();
        let mut run = run.spilling(&who, &folder.0, Bytes(1000));
        run.setup(&planned, &prepared.weights).unwrap();
        run.join(&planned, &folder.0).unwrap();
        run.fill(1).unwrap();
        // What was made first is used first, with and without a pool between.
        run.offline().unwrap();
        run.offline().unwrap();
        assert_eq!(run.ready().unwrap(), MaterialSource::Pool);
        for _ in 0..3 {
            let answer = run.infer(&input()).unwrap();
            assert!(close(&answer, &expected.outputs), "{protocol}");
        }
        assert_eq!(run.ready().unwrap(), MaterialSource::Fresh);
        run.infer(&input()).unwrap();
        // Nothing is left to take, and no file.
        assert!(run.infer(&input()).is_err());
        assert_eq!(folder.items().len(), 0, "{protocol}");
        for (party, bill) in planned.parties().iter().zip(run.bills()) {
            let mut sum = party.price.clone();
            (0..3).for_each(|_| sum.offline += party.price.offline);
            (0..3).for_each(|_| sum.online += party.price.online);
            assert_eq!(sum, *bill, "{protocol} {}", party.seat.name);
        }
    }
}

#[test]
fn only_what_is_over_the_limit_needs_the_folder() {
    let prepared = prepared();
    let planned = planned(&prepared, "two-party", Nonlinear::Ot);
    let folder = Folder::new("no-folder");
    std::fs::write(&folder.0, b"a file").unwrap();
    for (limit, spills) in [(Bytes(u64::MAX), false), (Bytes(0), true)] {
        let run = InMemory::new(&planned, Network::LOOPBACK, 1, TIMEOUT, None).unwrap();
        let mut run = run.spilling(&[PartyId(1)], &folder.0, limit);
        run.setup(&planned, &prepared.weights).unwrap();
        match run.offline() {
            Ok(()) => assert!(!spills && run.infer(&input()).is_ok()),
            Err(error) => {
                assert!(spills);
                assert_eq!(blamed(error), ("client", StoreFault::Io.into()));
            }
        }
    }
    std::fs::remove_file(&folder.0).unwrap();
}
