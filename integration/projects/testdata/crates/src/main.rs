use clap::Parser;
use serde::{Deserialize, Serialize};

/// Counts the items of a piece of Rust.
#[derive(Parser)]
struct Options {
    #[arg(long, default_value = "fn a() {} struct B; fn c() {}")]
    source: String,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Report {
    items: usize,
    names: Vec<String>,
}

fn report(source: &str) -> anyhow::Result<Report> {
    let file = syn::parse_file(source)?;
    let names = regex::Regex::new(r"(?:fn|struct)\s+(\w+)")?;
    Ok(Report { items: file.items.len(), names: names.captures_iter(source).map(|c| c[1].to_string()).collect() })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let report = tokio::task::spawn_blocking(move || report(&options.source)).await??;
    let text = serde_json::to_string(&report)?;
    assert_eq!(serde_json::from_str::<Report>(&text)?, report);
    println!("{}", text);
    Ok(())
}

#[test]
fn counts() {
    assert_eq!(report("fn a() {}").unwrap().items, 1);
}
