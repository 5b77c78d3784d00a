//! `demo`: everything at once, on one screen.

use super::compare::{Answer, Comparison, argmax};
use super::curious::{Seen, Uniformity, uniformity, watch};
use super::pictures::pictures;
use super::prepare::{cores, named, settings};
use super::scene::scene;
use super::{bundled, prepare};
use crate::args::Demo;
use crate::fault::{Fault, of_model};
use crate::parties::{Measured, measure};
use crate::report::{self, paint};
use std::path::Path;
use subrosa::{Oracle, Planned, Tensor, Terms};

pub fn demo(options: &Demo) -> Result<(), Fault> {
    let (name, model) = match options.protocol.divides() {
        // Its circuits are made on the spot.
        true => bundled::mlp()?,
        false => bundled::lenet()?,
    };
    let path = Path::new(name);
    let (digits, labels) = bundled::digits()?;
    let count = labels.len();
    let input = [Tensor {
        shape: vec![count, 1, 28, 28],
        values: digits.values.iter().map(|byte| byte / 255.0).collect(),
    }];
    let prepared = prepare::prepare(path, &model, count, &[[0.0, 1.0]], None)?;
    let terms = Terms {
        network: options.place.network,
        ..Terms::default()
    };
    let planned = prepared
        .plan(options.protocol, &terms)
        .map_err(of_model(path))?;
    let settings = settings(path, &options.place, &planned, None)?;
    let weights = report::count(model.parameters() as u64);
    report::print(&format!("{}\n", opening(&planned, name, &weights, count)))?;
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
    if options.protocol.divides() {
        report::print(&format!("\n{}", scene(&planned, &measured)))?;
    }
    report::print(&format!(
        "\n{}",
        results(&measured, &beside, &float, right, count)
    ))?;
    let seen = watch(&planned, &prepared.weights, &input, settings.timeout);
    if let Some(seen) = seen.map_err(of_model(path))? {
        report::print(&sight(&seen, &digits))?;
    }
    report::print(&format!(
        "\nnext: subrosa explain {0}\n      subrosa run MODEL.onnx --protocol {0} --input X.npy\n",
        options.protocol.name(),
    ))?;
    if measured.overcharged().is_empty() {
        return Ok(());
    }
    Err(Fault::Overcharged("see the demo".to_owned()))
}

/// Who takes part, and who learns what.
fn opening(planned: &Planned, name: &str, weights: &str, count: usize) -> String {
    let paint = paint();
    let card = &planned.protocol.card;
    let seats = planned.seats();
    let owner = seats.iter().find(|seat| seat.kind.brings_weights());
    let held = match owner {
        Some(seat) => format!(
            "The {} holds a model, {name} with {weights} weights;",
            seat.name
        ),
        None => format!("A model, {name} with {weights} weights, is divided among the servers;"),
    };
    let client = seats.iter().find(|seat| seat.kind.brings_input());
    let held = format!(
        "{held} the {} holds {count} digits; {} processes on this machine talk TLS 1.3. Who learns what:",
        client.map_or("client", |seat| seat.name),
        seats.len(),
    );
    let mut text = format!(
        "{}\n\n{}\n",
        report::wrap(
            &format!("{}: {}", paint.bold(&named(planned)), card.title),
            ""
        ),
        report::wrap(&held, ""),
    );
    let widest = card.learns.iter().map(|line| line.who.len()).max();
    let indent = " ".repeat(2 + widest.unwrap_or(0) + 2);
    for line in card.learns {
        let wrapped = report::wrap(line.learns, &indent);
        let rest = wrapped.get(indent.len()..).unwrap_or_default();
        text += &format!("  {:<1$}  {rest}\n", line.who, widest.unwrap_or(0));
    }
    text
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
        "answers  {verdict}, {right} of {count} right; logits within {error} of float\n\
         time     setup {}, offline {}, online {} for all {count}\n\
         sent     setup {}, offline {}, online {} by all; {} rounds online\n\
         price    reckoned before any byte moved; {equal}\n",
        report::seconds(measured.setup),
        report::seconds(measured.offline),
        paint.bold(&report::seconds(measured.online)),
        report::bytes(bill.setup.bytes.0),
        report::bytes(bill.offline.bytes.0),
        report::bytes(bill.online.bytes.0),
        bill.online.rounds.0,
    )
}

/// A numbered party's name stands for itself.
fn with_article(name: &str) -> String {
    if name.ends_with(|last: char| last.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("the {name}")
    }
}

/// What the first server saw, beside what the client holds.
fn sight(seen: &Seen, digits: &Tensor) -> String {
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
    let chance = |chance: f64| {
        if chance < 1e-6 {
            "p < 0.000001".to_owned()
        } else {
            format!("p = {chance:.2}")
        }
    };
    let verdict = |chance: f64| {
        if chance < 1e-6 {
            paint.bad("it sees more than noise")
        } else {
            paint.good("it sees noise")
        }
    };
    let line = |what: &str, found: &Uniformity, verdict: &str| {
        let (statistic, chance) = (found.statistic, chance(found.chance));
        format!("    {what:<26}{statistic:>8.0}, {chance}{verdict}\n")
    };
    let received = |who: &str, bytes: &[u8]| {
        let found = uniformity(bytes);
        let what = format!(
            "{}, {}",
            with_article(who),
            report::bytes(bytes.len() as u64)
        );
        line(&what, &found, &format!(": {}", verdict(found.chance)))
    };
    let mut text = format!(
        "\nWhat {} saw (the same run once more in memory, each message recorded)\n\
         \x20 a row of the first digit  {}\n\
         \x20 received in its place     {}\n\
         \x20 evenness of byte values, chi-squared, 255 +- 23 where they are uniform:\n",
        paint.bold(&with_article(seen.seat.name)),
        part(&pixels, pixel),
        part(&seen.input, place),
    );
    text += &line("the digits themselves", &uniformity(&pixels), "");
    for (seat, all) in &seen.all {
        text += &received(seat.name, all);
    }
    if let Some((seat, all)) = &seen.client {
        text += &received(seat.name, all);
    }
    text
}
