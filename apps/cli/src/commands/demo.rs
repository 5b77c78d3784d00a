//! `demo`: everything at once, on one screen.

use super::compare::{Answer, Comparison, argmax};
use super::curious::{Seen, uniformity, watch};
use super::pictures::pictures;
use super::prepare::{cores, settings};
use super::{bundled, prepare};
use crate::args::Demo;
use crate::fault::{Fault, of_model};
use crate::parties::{Measured, measure};
use crate::report::{self, paint};
use std::path::Path;
use subrosa::{Oracle, PartyKind, Planned, Tensor, Terms, protocols};

pub fn demo(options: &Demo) -> Result<(), Fault> {
    let (name, model) = bundled::lenet()?;
    let path = Path::new(name);
    let (digits, labels) = bundled::digits()?;
    let count = labels.len();
    let input = [Tensor {
        shape: vec![count, 1, 28, 28],
        values: digits.values.iter().map(|byte| byte / 255.0).collect(),
    }];
    let prepared = prepare::prepare(path, &model, count, &[[0.0, 1.0]], None)?;
    let planned = prepared
        .plan(options.protocol, &Terms::default())
        .map_err(of_model(path))?;
    let settings = settings(&options.place, &planned);
    let paint = paint();
    report::print(&format!(
        "{}\n\n  the owner holds the model ({name}, {} weights), the client holds {count} digits;\n  \
         {}: {}\n  {} processes on this machine, TLS 1.3 between them, network {}\n\n",
        paint.bold("Subrosa: a model answers, and nobody sees both the question and the model."),
        report::count(model.parameters() as u64),
        options.protocol.name(),
        options.protocol.card.title,
        planned.seats().len(),
        settings.network,
    ))?;
    let measured = measure(&planned, &prepared.weights, &input, &settings, 1, |_| ())?;
    let oracle = Oracle::new(planned.graph(), &prepared.weights, cores());
    let clear = oracle
        .and_then(|oracle| oracle.infer(&input))
        .map_err(of_model(path))?;
    let mut beside = Comparison::default();
    beside.add(&[Answer::Values], &measured.outputs, &clear.outputs);
    let float = Comparison::once(&model, count, &input, &[Answer::Values], &measured.outputs);
    let answers = classes(&measured.outputs, count);
    report::print(&drawn(&digits, &answers, count))?;
    let right = answers
        .iter()
        .zip(&labels)
        .filter(|(answer, label)| answer == label)
        .count();
    report::print(&format!(
        "\n{}",
        results(&measured, &beside, &float, right, count)
    ))?;
    let seen = watch(&planned, &prepared.weights, &input, settings.timeout);
    if let Some(seen) = seen.map_err(of_model(path))? {
        report::print(&sight(&seen, &digits, &planned))?;
    }
    let others: Vec<&str> = protocols().iter().map(|entry| entry.name()).collect();
    report::print(&format!(
        "\n  next: subrosa explain {}    subrosa run YOUR.onnx --protocol {} --input X.npy\n",
        options.protocol.name(),
        others.join("|"),
    ))?;
    if measured.overcharged().is_empty() {
        return Ok(());
    }
    Err(Fault::Overcharged("see the demo".to_owned()))
}

fn classes(outputs: &[Tensor], count: usize) -> Vec<usize> {
    let values = outputs
        .first()
        .map(|tensor| tensor.values.as_slice())
        .unwrap_or_default();
    values
        .chunks((values.len() / count).max(1))
        .filter_map(argmax)
        .collect()
}

fn drawn(digits: &Tensor, answers: &[usize], count: usize) -> String {
    let size = digits.values.len() / count;
    let images: Vec<&[f32]> = digits.values.chunks(size).collect();
    let captions: Vec<String> = answers.iter().map(|answer| format!("a {answer}")).collect();
    let rows = images.chunks(6).zip(captions.chunks(6));
    rows.map(|(images, captions)| pictures(images, captions))
        .collect()
}

fn results(
    measured: &Measured,
    clear: &Comparison,
    float: &Comparison,
    right: usize,
    count: usize,
) -> String {
    let paint = paint();
    let agreeing = clear.rows().map_or(0, |(agreeing, _)| agreeing);
    let error = float
        .max_abs_error()
        .map_or_else(|reason| reason, |error| format!("{error:.1e}"));
    let (bill, price) = (measured.bill(), measured.price());
    let equal = if bill == price {
        paint.good("the bill is the same to the byte")
    } else {
        paint.bad("THE BILL DIFFERS")
    };
    let verdict = format!("{agreeing} of {count} as in the clear");
    let verdict = if agreeing == count {
        paint.good(&verdict)
    } else {
        paint.bad(&verdict)
    };
    format!(
        "  answers  {verdict}, {right} of {count} right; logits within {error} of the float model\n\
         \x20 time     setup {}, offline {}, online {} for all {count}\n\
         \x20 sent     setup {}, offline {}, online {} by all parties; {} rounds online\n\
         \x20 price    reckoned before any byte moved; {equal}\n",
        report::seconds(measured.setup),
        report::seconds(measured.offline),
        paint.bold(&report::seconds(measured.online)),
        report::bytes(bill.setup.bytes.0),
        report::bytes(bill.offline.bytes.0),
        report::bytes(bill.online.bytes.0),
        bill.online.rounds.0,
    )
}

/// What the first server saw, beside what the client holds.
fn sight(seen: &Seen, digits: &Tensor, planned: &Planned) -> String {
    const BYTES: usize = 16;
    let paint = paint();
    let pixels: Vec<u8> = digits.values.iter().map(|value| *value as u8).collect();
    // A row through the middle of the first digit, and the same place in the message.
    let pixel = 14 * 28 + 6;
    let place = pixel * seen.input.len() / pixels.len().max(1);
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let part = |bytes: &[u8], at: usize| {
        hex(bytes
            .get(at..)
            .unwrap_or_default()
            .get(..BYTES)
            .unwrap_or_default())
    };
    let (all, own) = (uniformity(&seen.all), uniformity(&pixels));
    let chance = |chance: f64| {
        if chance < 1e-6 {
            "p < 0.000001".to_owned()
        } else {
            format!("p = {chance:.2}")
        }
    };
    let verdict = if all.chance < 1e-6 {
        paint.bad("this server sees more than noise")
    } else {
        paint.good("no more than noise")
    };
    let honest = match planned
        .seats()
        .iter()
        .filter(|s| s.kind == PartyKind::Server)
        .count()
    {
        1 => "it computes in the clear",
        _ => "as a curious server would read it",
    };
    format!(
        "\n  What {} saw, {honest} (the same once more in memory, every message written down)\n\
         \x20   a row of the first digit      {}\n\
         \x20   received in its place         {}\n\
         \x20   byte values of all {} received: chi-squared {:.0} (uniform: 255 +- 23), {}\n\
         \x20   of the digits themselves: {:.0}, {}; {verdict}\n",
        paint.bold(seen.seat.name),
        part(&pixels, pixel),
        part(&seen.input, place),
        report::bytes(seen.all.len() as u64),
        all.statistic,
        chance(all.chance),
        own.statistic,
        chance(own.chance),
    )
}
