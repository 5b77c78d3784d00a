//! A process with two parties in it is killed at random moments. No item is used twice, and the parties agree.

use crate::parties::*;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use subrosa_core::{Prg, Seed, Shelf, Wire};
use subrosa_vault::{Claim, Made, Number, Pool, Standing, VaultFault};

/// Names the folder in which the process that is to be killed plays.
const STAGE: &str = "SUBROSA_VAULT_STAGE";
const KILLS: usize = 200;
/// The process is killed within this many steps of both parties.
const STEPS: u64 = 60;
const LENGTH: usize = 150_000;

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

struct Player {
    party: u8,
    /// Drawn for each session, the same at both parties.
    session: u64,
    moods: Prg,
    folder: PathBuf,
    log: File,
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
}

impl Player {
    fn tell<T: Wire>(&self, word: &T) -> Result<(), Left> {
        let mut bytes = Vec::new();
        word.encode(&mut bytes);
        self.to.send(bytes).map_err(|_| Left::Alone)
    }

    fn hear<T: Wire<Layout = ()>>(&self) -> Result<T, Left> {
        let bytes = self.from.recv().map_err(|_| Left::Alone)?;
        Ok(T::decode(&(), &bytes).unwrap())
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
        let series = vault.series(&name(self.party, 2))?;
        let own = series.standing()?;
        self.tell(&own)?;
        let pool = series.settle(&own, &[self.hear::<Standing>()?])?;
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
        self.tell(&pool.made(lot)?)?;
        pool.committed(&[self.hear::<Made>()?])?;
        Ok(())
    }

    /// The first party leases, the second follows.
    fn take(&mut self, pool: &Pool) -> Result<(), Left> {
        self.step()?;
        let lease = match self.party {
            0 => {
                let claimed = pool.lease(2)?;
                self.tell(claimed.claim())?;
                claimed.agreed(&[self.hear::<Claim>()?])?
            }
            _ => {
                let claim = self.hear::<Claim>()?;
                let claimed = pool.follow(&claim)?;
                self.step()?;
                self.tell(claimed.claim())?;
                claimed.agreed(&[claim])?
            }
        };
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

/// The process that is killed: session after session, for ever.
#[test]
fn play() {
    let Some(stage) = std::env::var_os(STAGE).map(PathBuf::from) else {
        return;
    };
    loop {
        let mut draws = Prg::new(&Seed::random().unwrap());
        let session = draws.words(60, 1)[0];
        let (to_second, at_second) = channel();
        let (to_first, at_first) = channel();
        let ends = [(to_second, at_first), (to_first, at_second)];
        let left: Vec<_> = thread::scope(|scope| {
            let mut players = Vec::new();
            for ((to, from), party) in ends.into_iter().zip(0..) {
                let append = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(log(&stage, party));
                let player = Player {
                    party,
                    session,
                    moods: Prg::new(&draws.seed()),
                    folder: stage.join(format!("party-{party}")),
                    log: append.unwrap(),
                    to,
                    from,
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

#[test]
fn nothing_is_used_twice_by_parties_that_are_killed() {
    let scratch = Scratch::new();
    let mut draws = Prg::new(&Seed::random().unwrap());
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kill::play", "--exact", "--nocapture"])
            .env(STAGE, scratch.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let [steps, more] = [STEPS, 1000].map(|most| draws.words(32, 1)[0] % most);
        let mut heard = child.stderr.take().unwrap();
        let mut said = Vec::new();
        heard.by_ref().take(steps).read_to_end(&mut said).unwrap();
        let lives = said.len() as u64 == steps && said.iter().all(|b| *b == b'.');
        assert!(lives, "{}", rest(said, heard));
        thread::sleep(Duration::from_micros(more));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let [(first, begun), (second, begun_too)] = [0, 1].map(|p| used(scratch.path(), p));
    let both = first.keys().filter(|n| second.contains_key(n)).count();
    println!(
        "items begun {} and {}, read by both {both}",
        begun.len(),
        begun_too.len()
    );
    assert!(both > 20, "{both}");
    for (number, run) in &first {
        assert!(second.get(number).is_none_or(|other| other == run));
    }

    // What is left is the same at both, and none of it was used.
    let series = all_series(&scratch, 2);
    let pools = settle(&series);
    assert_eq!(series[0].standing().unwrap().epoch(), 1);
    assert_eq!(pools[0].usable(), pools[1].usable());
    make(&pools, 1, LENGTH);
    let left = lease(&pools, usize::MAX);
    let [left, left_too] = <[_; 2]>::try_from(left).ok().unwrap();
    for (item, other) in left.zip(left_too) {
        let number = item.number();
        assert_eq!(number, other.number());
        assert!(!begun.contains(&number) && !begun_too.contains(&number));
        let runs = [item, other].map(|i| only(i).unwrap().0[..8].to_vec());
        assert_eq!(runs[0], runs[1]);
    }
}
