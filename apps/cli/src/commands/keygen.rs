//! `keygen`: a node's, an owner's or a client's key, or a store's.

use crate::args::Keygen;
use crate::fault::Fault;
use crate::keys::{
    Date, KeyFault, Validity, load_identity, of_key, today, write_identity, write_store_key,
};
use crate::report::{self, print_json};
use serde::Serialize;
use subrosa::Identity;

#[derive(Serialize)]
struct Json {
    file: String,
    /// Nothing of a store's key can be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Shown>,
}

#[derive(Serialize)]
struct Shown {
    fingerprint: String,
    /// Days, as 2026-11-21, the second one's beginning in UTC.
    valid_from: String,
    valid_until: String,
    expired: bool,
}

pub fn keygen(options: &Keygen) -> Result<(), Fault> {
    let path = options.path.as_path();
    let identity = if options.store {
        write_store_key(path)?;
        None
    } else if options.show {
        Some(load_identity(path)?)
    } else {
        let until = Date::after_epoch(today().map_err(of_key(path))? + options.days + 1);
        let made = Identity::generate_until((until.year, until.month, until.day));
        let identity = made.map_err(|_| of_key(path)(KeyFault::Certificate))?;
        write_identity(path, &identity)?;
        Some(identity)
    };
    let json = Json {
        file: path.display().to_string(),
        identity: identity
            .map(|one| show(&one))
            .transpose()
            .map_err(of_key(path))?,
    };
    match options.json {
        true => print_json(&json),
        false => report::print(&text(&json)),
    }
}

fn show(identity: &Identity) -> Result<Shown, KeyFault> {
    let validity = Validity::of(identity.to_der().0).ok_or(KeyFault::Certificate)?;
    Ok(Shown {
        fingerprint: identity.fingerprint().to_string(),
        valid_from: validity.from.to_string(),
        valid_until: validity.until.to_string(),
        expired: validity.until <= Date::after_epoch(today()?),
    })
}

fn text(json: &Json) -> String {
    let Some(shown) = &json.identity else {
        return format!("{}: a store's key, for its owner alone\n", json.file);
    };
    let over = if shown.expired { ", expired" } else { "" };
    format!(
        "fingerprint {}\nvalid from {} until {}{over}\n",
        shown.fingerprint, shown.valid_from, shown.valid_until
    )
}
