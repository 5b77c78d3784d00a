//! A process with several parties in it is killed at random moments. No item is used twice, and the parties agree.

use crate::parties::*;
use crate::table::{Table, linked};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use subrosa_core::{Prg, Seed, Shelf, Wire};
use subrosa_vault::{Claim, Number, Pool, VaultFault};

/// Names the folder in which the process that is to be killed plays.
const STAGE: &str = "SUBROSA_VAULT_STAGE";
/// The process is killed within this many steps of each party.
const STEPS: u64 = 30;
const LENGTH: usize = 150_000;

/// The second party is the hub of the others.
const HUB: Table = Table {
    parties: 4,
    hub: Some(1),
};

/// Why a party leaves a session.
enum Left {
    Alone,
    Mood,
    Fault(VaultFault),
}

impl From<VaultFault> for Left {
    fn from(fault: VaultFault) -> Self {
        Self::Fault(fault)
    }
}

/// To one party, and from it.
type End = (Sender<Vec<u8>>, Receiver<Vec<u8>>);

struct Player {
    table: Table,
    party: u8,
    /// Drawn for each session, the same at all parties.
    session: u64,
    moods: Prg,
    folder: PathBuf,
    log: File,
    /// To those that this party hears.
    ends: Vec<End>,
}

impl Player {
    /// The hub, or the first of two.
    fn leads(&self) -> bool {
        self.party == self.table.hub.unwrap_or(0)
    }

    fn tell<T: Wire>(&self, words: &[T]) -> Result<(), Left> {
        for (end, word) in self.ends.iter().zip(words) {
            let mut bytes = Vec::new();
            word.encode(&mut bytes);
            end.0.send(bytes).map_err(|_| Left::Alone)?;
        }
        Ok(())
    }

    fn hear<T: Wire<Layout = ()>>(&self) -> Result<Vec<T>, Left> {
        let bytes = self.ends.iter().map(|end| end.1.recv());
        bytes
            .map(|bytes| Ok(T::decode(&(), &bytes.map_err(|_| Left::Alone)?).unwrap()))
            .collect()
    }

    /// What this party hears, once it has told `own`; the hub tells each what all say.
    fn words<T: Wire<Layout = ()> + Clone>(
        &self,
        own: &T,
        combine: impl FnOnce(&[T]) -> Result<Vec<T>, VaultFault>,
    ) -> Result<Vec<T>, Left> {
        if self.table.hub == Some(self.party) {
            let heard = self.hear()?;
            self.tell(&combine(&heard)?)?;
            return Ok(heard);
        }
        self.tell(std::slice::from_ref(own))?;
        self.hear()
    }

    /// A step, of which the other process hears. Now and then a party goes away in the middle.
    fn step(&mut self) -> Result<(), Left> {
        std::io::stderr().write_all(b".").unwrap();
        match self.moods.words(32, 1)[0] % 50 {
            0 => Err(Left::Mood),
            _ => Ok(()),
        }
    }

    /// One line, in one write to the end of the file.
    fn note(&mut self, what: &str, number: Number, run: u64) {
        let line = format!("{what} {number} {run}\n");
        self.log.write_all(line.as_bytes()).unwrap();
    }

    fn session(mut self) -> Result<(), Left> {
        let vault = open(&self.folder, self.party)?;
        let series = vault.series(&self.table.name(self.party))?;
        let own = series.standing()?;
        let words = self.words(&own, |peers| series.combined(&own, peers))?;
        let pool = series.settle(&own, &words)?;
        for _ in 0..3 {
            self.make(&pool)?;
            self.take(&pool)?;
            self.take(&pool)?;
        }
        Ok(())
    }

    fn make(&mut self, pool: &Pool) -> Result<(), Left> {
        let lot = pool.fresh()..pool.fresh() + 3;
        for number in lot.clone() {
            let run = self.session.wrapping_add(number);
            let mut slot = pool.begin(number)?;
            for part in content(run, self.party, LENGTH).0.chunks(60_000) {
                self.step()?;
                slot.put(Blob(part.to_vec())).unwrap();
            }
            slot.made()?;
        }
        self.step()?;
        let own = pool.made(lot)?;
        let all = self.words(&own, |peers| {
            Ok(vec![pool.combined(&own, peers)?; peers.len()])
        })?;
        pool.committed(&all)?;
        Ok(())
    }

    /// One party leases, the others follow.
    fn take(&mut self, pool: &Pool) -> Result<(), Left> {
        self.step()?;
        let claimed = match self.leads() {
            true => {
                let claimed = pool.lease(2)?;
                self.tell(&vec![claimed.claim().clone(); self.ends.len()])?;
                claimed
            }
            false => pool.follow(&self.hear::<Claim>()?[0])?,
        };
        self.step()?;
        let all = self.words(claimed.claim(), |peers| {
            Ok(vec![claimed.combined(peers)?; peers.len()])
        })?;
        self.step()?;
        let lease = claimed.agreed(&all)?;
        for item in lease {
            self.step()?;
            let number = item.number();
            self.note("use", number, 0);
            let piece = only(item)?;
            let run = u64::from_le_bytes(*piece.0.first_chunk().unwrap());
            assert_eq!(piece, content(run, self.party, LENGTH));
            self.note("used", number, run);
        }
        Ok(())
    }
}

fn log(stage: &Path, party: u8) -> PathBuf {
    stage.join(format!("log-{party}"))
}

/// For each party its ends to those that it hears.
fn ends(table: Table) -> Vec<Vec<End>> {
    let mut ends: Vec<Vec<End>> = (0..table.parties).map(|_| Vec::new()).collect();
    let hub = table.hub.unwrap_or(0);
    for party in (0..table.parties).filter(|party| *party != hub) {
        let ((to, at_party), (back, at_hub)) = (channel(), channel());
        ends[usize::from(party)].push((back, at_party));
        ends[usize::from(hub)].push((to, at_hub));
    }
    ends
}

/// The process that is killed: session after session, for ever.
fn play(table: Table) {
    let Some(stage) = std::env::var_os(STAGE).map(PathBuf::from) else {
        return;
    };
    loop {
        let mut draws = Prg::new(&Seed::random().unwrap());
        let session = draws.words(60, 1)[0];
        let left: Vec<_> = thread::scope(|scope| {
            let mut players = Vec::new();
            for (ends, party) in ends(table).into_iter().zip(0..) {
                let append = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(log(&stage, party));
                let player = Player {
                    table,
                    party,
                    session,
                    moods: Prg::new(&draws.seed()),
                    folder: stage.join(format!("party-{party}")),
                    log: append.unwrap(),
                    ends,
                };
                players.push(scope.spawn(|| player.session()));
            }
            players.into_iter().map(|p| p.join().unwrap()).collect()
        });
        for left in left {
            if let Err(Left::Fault(fault)) = left {
                assert_eq!(fault, VaultFault::Exhausted);
            }
        }
    }
}

#[test]
fn play_of_two() {
    play(linked(2));
}

#[test]
fn play_over_a_hub() {
    play(HUB);
}

/// The runs of all items that a party has read, and the numbers of all that it began to use.
fn used(stage: &Path, party: u8) -> (HashMap<Number, u64>, HashSet<Number>) {
    let (mut runs, mut begun) = (HashMap::new(), HashSet::new());
    let text = fs::read_to_string(log(stage, party)).unwrap();
    for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number: Number = words[1].parse().unwrap();
        if words[0] == "use" {
            assert!(begun.insert(number), "party {party} used {number} twice");
        } else {
            runs.insert(number, words[2].parse().unwrap());
        }
    }
    (runs, begun)
}

/// What a process says that ends by itself.
fn rest(mut all: Vec<u8>, mut more: impl Read) -> String {
    more.read_to_end(&mut all).unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// `played`: the test that plays for ever.
fn kill(table: Table, played: &str, kills: usize) {
    let scratch = Scratch::new();
    // From here on no epoch ends: none of the parties loses its vault.
    drop(table.settle(&table.all_series(&scratch)));
    let mut draws = Prg::new(&Seed::random().unwrap());
    let most = STEPS * u64::from(table.parties);
    for _ in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([played, "--exact", "--nocapture"])
            .env(STAGE, scratch.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let [steps, more] = [most, 1000].map(|most| draws.words(32, 1)[0] % most);
        let mut heard = child.stderr.take().unwrap();
        let mut said = Vec::new();
        heard.by_ref().take(steps).read_to_end(&mut said).unwrap();
        let lives = said.len() as u64 == steps && said.iter().all(|b| *b == b'.');
        assert!(lives, "{}", rest(said, heard));
        thread::sleep(Duration::from_micros(more));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    check(table, &scratch);
}

/// No item was used twice, what a number named was of one run wherever it was used, and all have the same left.
fn check(table: Table, scratch: &Scratch) {
    let used: Vec<_> = (0..table.parties)
        .map(|p| used(scratch.path(), p))
        .collect();
    let (first, _) = &used[0];
    let in_all = |n: &&Number| used.iter().all(|(runs, _)| runs.contains_key(n));
    let all = first.keys().filter(in_all).count();
    let begun: Vec<usize> = used.iter().map(|(_, begun)| begun.len()).collect();
    println!("items begun {begun:?}, read by all {all}");
    assert!(all > 20, "{all}");
    for (runs, _) in &used[1..] {
        for (number, run) in runs {
            assert!(first.get(number).is_none_or(|other| other == run));
        }
    }

    let series = table.all_series(scratch);
    let pools = table.settle(&series);
    assert_eq!(series[0].standing().unwrap().epoch(), 1);
    assert!(pools.iter().all(|p| p.usable() == pools[0].usable()));
    table.make(&pools, 1, LENGTH);
    let mut runs: HashMap<Number, u64> = HashMap::new();
    let mut left = 0;
    for lease in table.lease(&pools, usize::MAX) {
        left += 1;
        for item in lease {
            let number = item.number();
            assert!(used.iter().all(|(_, begun)| !begun.contains(&number)));
            let run = u64::from_le_bytes(*only(item).unwrap().0.first_chunk().unwrap());
            assert_eq!(*runs.entry(number).or_insert(run), run);
        }
    }
    assert!(left == table.parties && !runs.is_empty());
}

#[test]
fn nothing_is_used_twice_by_parties_that_are_killed() {
    kill(linked(2), "kill::play_of_two", 200);
}

#[test]
fn nothing_is_used_twice_by_parties_of_a_hub_that_are_killed() {
    kill(HUB, "kill::play_over_a_hub", 150);
}
