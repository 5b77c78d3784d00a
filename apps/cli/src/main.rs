//! The `subrosa` program: every party a process of its own.

mod args;
mod commands;
mod fault;
mod input;
mod keys;
mod nodes;
mod output;
mod parties;
mod report;
mod settings;

use args::{Cli, Command};
use clap::Parser;
use fault::{Fault, Usage};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) if !asked.use_stderr() => {
            return end(report::print(&asked.render().to_string()));
        }
        Err(error) => {
            return end(Err(Usage::CommandLine(args::one_line(&error)).into()));
        }
    };
    end(match cli.command {
        Command::Party { .. } => return parties::run_child(),
        Command::Demo(options) => commands::demo(&options),
        Command::Inspect(options) => commands::inspect(&options),
        Command::Explain(options) => commands::explain(&options),
        Command::Run(options) => commands::run(&options),
        Command::Split(options) => commands::split(&options),
        Command::Eval(options) => commands::eval(&options),
        Command::Bench(options) => commands::bench(&options),
        Command::Keygen(options) => commands::keygen(&options),
        Command::Node(options) => commands::node(&options),
        Command::Deploy(options) => commands::deploy(&options),
        Command::Predict(options) => commands::predict(&options),
        Command::Pool(options) => commands::pool(&options),
        Command::Status(options) => commands::status(&options),
    })
}

fn end(result: Result<(), Fault>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            if !matches!(fault, Fault::Closed) {
                report::complain(&fault);
            }
            ExitCode::from(fault.exit_status())
        }
    }
}
