//! `pool`: one-time material made ahead, for this client and a model.

use super::prepare::cores;
use crate::args::Pool as Options;
use crate::fault::{Fault, Usage};
use crate::nodes::{Spent, Stop, of_client, open_client};
use crate::report::{self, paint};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};
use subrosa_node::message::MOST_FILLED;
use subrosa_node::{Ask, ClientFault, TalkFault};

/// Between two looks at what was taken.
const PAUSE: Duration = Duration::from_secs(3);

/// What a filling came to.
struct Filled {
    batch: u32,
    spent: Spent,
    time: Duration,
    level: u64,
}

pub fn pool(options: &Options) -> Result<(), Fault> {
    let stop = match options.keep {
        true => Some(Stop::on_signals()?),
        false => None,
    };
    if let Some(count) = options.count {
        let room = |ask: &Ask<'_>, level: u64| {
            let (count, most) = (count as u64, u64::from(ask.level));
            match level + count > most {
                true => Err(Usage::Level { most, level, count }),
                false => Ok(count),
            }
        };
        say(options, &fill(options, stop.as_ref(), room)?)?;
    }
    let Some(stop) = stop else {
        return Ok(());
    };
    while !stop.told() {
        let up_to = |ask: &Ask<'_>, level: u64| Ok(u64::from(ask.level).saturating_sub(level));
        match fill(options, Some(&stop), up_to) {
            Ok(filled) if filled.spent.filled > 0 => say(options, &filled)?,
            Ok(_) => {}
            Err(fault) if passes(&fault) => report::complain(&fault),
            Err(fault) => return Err(fault),
        }
        stop.wait_for(PAUSE);
    }
    Ok(())
}

/// Makes as many as `count` says for the model and the present level. The folder of the client's state is free again
/// when this returns.
fn fill(
    options: &Options,
    stop: Option<&Stop>,
    count: impl Fn(&Ask<'_>, u64) -> Result<u64, Usage>,
) -> Result<Filled, Fault> {
    let fault = of_client(&options.at);
    let client = open_client(&options.at)?;
    let mut ask = client.ask(&options.name, None).map_err(&fault)?;
    ask.threads = cores();
    let batch = batch(options, &ask)?;
    let price = ask.price(batch).map_err(&fault)?;
    let (_, level) = ask.standing(batch).map_err(&fault)?;
    let count = count(&ask, level)?;
    let mut filled = Filled {
        batch,
        spent: Spent::default(),
        time: Duration::ZERO,
        level,
    };
    let bar = progress(count);
    let began = Instant::now();
    while filled.spent.filled < count && !stop.is_some_and(Stop::told) {
        // One visit each time, after which others have their turn.
        let done = filled.spent.filled;
        let now = (count - done).min(MOST_FILLED.into()) as u32;
        let step = &mut |made: usize| bar.set_position(done + made as u64);
        let answers = ask.fill(batch, now, step).map_err(|error| {
            bar.finish_and_clear();
            fault(error)
        })?;
        filled.spent.add(&price, &answers.tally);
        filled.level = answers.tally.level;
    }
    filled.time = began.elapsed();
    bar.finish_and_clear();
    filled.spent.check()?;
    Ok(filled)
}

fn batch(options: &Options, ask: &Ask<'_>) -> Result<u32, Usage> {
    let batches = ask.batches();
    let asked = options.batch;
    let found = match asked {
        None => batches.last().copied(),
        Some(asked) => batches.iter().copied().find(|b| *b as usize == asked),
    };
    let sizes: Vec<String> = batches.iter().map(u32::to_string).collect();
    found.ok_or_else(|| Usage::NoBatch {
        expected: sizes.join(", "),
        found: asked.unwrap_or_default(),
    })
}

/// Whether it is worth to try again: a node is away for a while, or has others to serve.
fn passes(fault: &Fault) -> bool {
    let Fault::Client { fault, .. } = fault else {
        return false;
    };
    match &**fault {
        ClientFault::Node { fault, .. } => {
            !matches!(fault, TalkFault::Refused(_)) || fault.passes()
        }
        ClientFault::Session { .. } | ClientFault::Differ { .. } => true,
        _ => false,
    }
}

fn say(options: &Options, filled: &Filled) -> Result<(), Fault> {
    let rate = filled.spent.filled as f64 / filled.time.as_secs_f64().max(1e-9);
    report::print(&format!(
        "{}, batch {}: material of {} inferences made in {}, {rate:.1} a second, {} sent; level {}\n",
        paint().bold(&options.name),
        filled.batch,
        filled.spent.filled,
        report::seconds(filled.time),
        report::bytes(filled.spent.sent()),
        filled.level,
    ))
}

fn progress(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} made ahead, {eta} left");
    ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
