//! The table of what criterion measured last.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The function of a group that the others are compared with.
const BASELINE: &str = "mutex-and-map";

/// What criterion measured last, in groups.
#[derive(Debug, Default)]
pub struct Table {
    groups: BTreeMap<String, Vec<Row>>,
}

#[derive(Debug)]
struct Row {
    function: String,
    /// Nanoseconds for one of what was counted.
    each: f64,
    /// How far apart the ends of the 95 % confidence interval are, as a part of it.
    spread: f64,
}

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Throughput {
    elements: Option<f64>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

impl Table {
    /// Reads what criterion left in a folder, such as `target/criterion`.
    ///
    /// # Errors
    /// A folder or file that cannot be read or understood.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut table = Self::default();
        for file in files(folder, "benchmark.json")? {
            if file.parent().and_then(Path::file_name).is_none_or(|name| name != "new") {
                continue;
            }
            let benchmark: Benchmark = serde_json::from_slice(&fs::read(&file)?)?;
            let estimates: Estimates = serde_json::from_slice(&fs::read(file.with_file_name("estimates.json"))?)?;
            let elements = benchmark.throughput.and_then(|throughput| throughput.elements).unwrap_or(1.0);
            let median = estimates.median;
            let interval = median.confidence_interval;
            table.groups.entry(benchmark.group_id).or_default().push(Row {
                function: benchmark.function_id.unwrap_or_default(),
                each: median.point_estimate / elements,
                spread: (interval.upper_bound - interval.lower_bound) / median.point_estimate,
            });
        }
        Ok(table)
    }
}

fn files(folder: &Path, name: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, name)?);
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl fmt::Display for Table {
    /// As a Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| benchmark | ns each | each second | ± | time of the baseline |")?;
        writeln!(f, "|---|--:|--:|--:|--:|")?;
        for (group, rows) in &self.groups {
            let baseline = rows.iter().find(|row| row.function == BASELINE).map(|row| row.each);
            for row in rows {
                let Row { function, each, spread } = row;
                let ratio = baseline.map_or_else(String::new, |baseline| format!("{:.2} ×", each / baseline));
                let (rate, percent) = (1e9 / each, spread * 50.0);
                writeln!(f, "| {group}/{function} | {each:.0} | {rate:.0} | {percent:.0} % | {ratio} |")?;
            }
        }
        Ok(())
    }
}
