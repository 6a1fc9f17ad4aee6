//! Prints flight records: `flight-records --seed 1 --records 20000 [--classic]`.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use flight_records::{CLASSIC, Flights, HEADER};

const HELP: &str = "\
Prints flight records in the CSV of the US DOT's on-time data, one per line.

Usage: flight-records [--seed N] [--records N] [--classic] [--header]

  --seed N      which sequence, 0 to 2^64-1 (default 1); its lines never change
  --records N   how many records, those of --classic included (default: no end)
  --classic     the two flights of the classic example first
  --header      the names of the columns first
  --help        this text
";

/// What the command line asks for.
struct Options {
    seed: u64,
    records: u64,
    classic: bool,
    header: bool,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("flight-records: {error}; --help lists the options");
            return ExitCode::from(2);
        }
    };
    match print(&options) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flight-records: cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None` asks for the help text.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { seed: 1, records: u64::MAX, classic: false, header: false };
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().unwrap_or_default();
            value.parse().map_err(|_| format!("{argument} takes a whole number, not {value:?}"))
        };
        match argument.as_str() {
            "--seed" => options.seed = number()?,
            "--records" => options.records = number()?,
            "--classic" => options.classic = true,
            "--header" => options.header = true,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown option {argument:?}")),
        }
    }
    Ok(Some(options))
}

fn print(options: &Options) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if options.header {
        writeln!(output, "{HEADER}")?;
    }
    let mut left = options.records;
    if options.classic {
        for line in CLASSIC {
            if left > 0 {
                writeln!(output, "{line}")?;
                left -= 1;
            }
        }
    }
    let mut flights = Flights::new(options.seed);
    let mut line = String::new();
    for _ in 0..left {
        flights.write_next(&mut line);
        line.push('\n');
        output.write_all(line.as_bytes())?;
    }
    output.flush()
}
