//! `node`: one server, for as long as nobody stops it.

use crate::args::Node as Options;
use crate::fault::Fault;
use crate::keys::{load_identity, load_store_secret};
use crate::nodes::{Stop, serve_metrics, store_key};
use crate::report;
use crate::settings::{load_node_config, of_settings};
use std::io::stderr;
use std::time::Duration;
use subrosa_node::{Node, NodeFault};

/// Time for running visits to end.
const GRACE: Duration = Duration::from_secs(10);

pub fn node(options: &Options) -> Result<(), Fault> {
    let path = options.config.as_path();
    let config = load_node_config(path)?;
    let identity = load_identity(&config.identity)?;
    let me = identity.fingerprint();
    let own = config.check_self(&me);
    own.map_err(|fault| of_settings(path, fault))?;
    let secret = load_store_secret(&config.key, path)?;
    let name = config.name.clone();
    if options.check {
        return report::print(&format!("sound {name} {} {me}\n", config.listen));
    }
    tracing_subscriber::fmt()
        .with_max_level(options.log)
        .with_writer(stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
    let stop = Stop::on_signals()?;
    let of_node = |fault: NodeFault| Fault::Node {
        path: path.to_owned(),
        fault: Box::new(fault),
    };
    let key = store_key(secret, |phrase| Node::key(phrase, &config.data));
    let key = key.map_err(|fault| of_node(fault.into()))?;
    let metrics = config.metrics;
    let node = Node::open(config, identity, &key).map_err(of_node)?;
    drop(key);
    let handle = node.handle();
    if let Some(address) = metrics {
        serve_metrics(address, handle.clone())?;
    }
    let address = node.address();
    tracing::info!(name, %address, fingerprint = %me, "ready");
    match report::print(&format!("ready {name} {address} {me}\n")) {
        // It serves whether or not anybody hears that it does.
        Ok(()) | Err(Fault::Closed) => {}
        Err(fault) => return Err(fault),
    }
    std::thread::spawn(move || {
        stop.wait();
        tracing::info!("stopping");
        handle.stop();
    });
    match node.serve(GRACE) {
        true => tracing::info!("stopped"),
        false => tracing::warn!("stopped, and visits that still ran were cut off"),
    }
    Ok(())
}
