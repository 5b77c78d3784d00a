//! Counts for a Prometheus on the same machine.

use crate::fault::Fault;
use std::net::SocketAddr;
use subrosa_node::Handle;
use tiny_http::{Header, Method, Request, Response, Server};

const PATH: &str = "/metrics";
const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers `GET /metrics` on `address`, of the loopback, in a thread that ends with the program.
pub fn serve_metrics(address: SocketAddr, node: Handle) -> Result<(), Fault> {
    let fault = |error: String| Fault::Metrics { address, error };
    let server = Server::http(address).map_err(|error| fault(error.to_string()))?;
    let thread = std::thread::Builder::new().name("metrics".to_owned());
    let spawned = thread.spawn(move || {
        for request in server.incoming_requests() {
            if let Err(error) = answer(request, &node) {
                tracing::debug!(%error, "metrics were not read to the end");
            }
        }
    });
    spawned.map(drop).map_err(|error| fault(error.to_string()))
}

fn answer(request: Request, node: &Handle) -> std::io::Result<()> {
    let path = request.url().split('?').next();
    if path != Some(PATH) {
        return request.respond(Response::from_string("not found\n").with_status_code(404));
    }
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::from_string("not allowed\n").with_status_code(405));
    }
    let metrics = Response::from_string(node.status().metrics());
    match Header::from_bytes("Content-Type", TYPE) {
        Ok(header) => request.respond(metrics.with_header(header)),
        Err(()) => request.respond(metrics),
    }
}
