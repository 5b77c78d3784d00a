//! `explain`: a protocol's card.

use crate::args::Explain;
use crate::fault::Fault;
use crate::report::{self, paint, print_json, wrap};
use subrosa::Card;

pub fn explain(options: &Explain) -> Result<(), Fault> {
    let card = &options.protocol.card;
    if options.json {
        print_json(card)
    } else {
        report::print(&text(card))
    }
}

fn text(card: &Card) -> String {
    let paint = paint();
    let mut text = format!("{}\n{}\n", paint.bold(card.name), wrap(card.title, ""));
    text += &format!(
        "\n{}\n{}",
        paint.bold("Adversary"),
        paragraph(card.adversary)
    );
    text += &format!("\n{}\n", paint.bold("Who learns what"));
    for line in card.learns {
        text += &format!("  {}\n", line.who);
        text += &wrap(&format!("holds {}", line.holds), "    ");
        text += "\n";
        text += &wrap(&format!("learns {}", line.learns), "    ");
        text += "\n";
    }
    for (title, lines) in [
        ("Public", card.public),
        ("Not protected", card.not_protected),
        ("Not done", card.not_done),
    ] {
        text += &format!("\n{}\n", paint.bold(title));
        lines.iter().for_each(|line| text += &item(line));
    }
    text += &format!("\n{}\n{}", paint.bold("Cost"), paragraph(card.cost));
    text += &format!("\n{}\n", paint.bold("Sources"));
    for source in card.sources {
        text += &item(&format!("[{}] {}", source.key, source.work));
    }
    text
}

fn paragraph(text: &str) -> String {
    wrap(text, "  ") + "\n"
}

fn item(text: &str) -> String {
    let wrapped = wrap(text, "    ");
    format!("  - {}\n", wrapped.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_fit_a_terminal() {
        for entry in subrosa::protocols() {
            let text = text(&entry.card);
            assert!(text.contains("Not protected"));
            assert!(
                text.lines().all(|line| line.chars().count() <= 80),
                "{text}"
            );
        }
    }
}
