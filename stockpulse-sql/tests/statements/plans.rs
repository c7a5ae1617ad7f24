//! How a database goes about a statement: what it reads as a whole.

use serde_json::Value;

use super::recorder::tokens;
use super::tables::{Column, Connection, TRIED, grows, tables};

/// Statements that may read a growing table as a whole.
const WHOLE: &[(&str, &str)] = &[
    ("SELECT pending FROM", "statistics count all that waits: a row for each batch that was not published yet"),
    ("SELECT first_at, settled, body, id FROM", "statistics look for the oldest among the batches that wait"),
    ("SELECT retry_at, happened_at FROM", "statistics count what was set aside, which is little"),
    (
        "SELECT id, shard, event_key, attempts, retry_at, body FROM",
        "all that was set aside may hold up what is claimed",
    ),
    ("SELECT id, attempts, reason, body FROM", "a person asks, for what was set aside"),
    ("FROM bus_dead_letter ORDER BY put_aside_at", "a person asks, for what was put aside"),
];

/// A statement that the database does not go about by keys, and why that is known.
pub(crate) type Whole = Vec<String>;

impl Connection {
    /// What a statement reads as a whole of the tables that grow. `own` has PostgreSQL plan as on the store's connections.
    pub(crate) async fn reads_whole(&mut self, sql: &str, columns: &[Column], own: bool) -> Whole {
        if WHOLE.iter().any(|(text, _)| sql.contains(text)) {
            return Whole::new();
        }
        let words = tokens(sql);
        // A page of rows in the order of an index ends where it is full, unless all are sorted first.
        let limited = words.contains(&"LIMIT");
        let growing: Vec<String> = tables(columns).into_iter().filter(|table| grows(table)).collect();
        let table = |name: &str| {
            let named = |words: &[&str]| growing.iter().find(|table| words[0] == table.as_str() && words[1] == name);
            growing.iter().find(|table| *table == name).or_else(|| {
                words.windows(2).find_map(named).or_else(|| {
                    words.windows(3).find_map(|words| (words[1] == "AS").then(|| named(&[words[0], words[2]]))?)
                })
            })
        };
        let read = match self {
            Self::Postgres(_) => self.postgres(sql, own).await,
            Self::MySql(_) => {
                let sql = self.with_values(&words, columns);
                self.mysql(&sql).await
            }
            Self::Sqlite(_) => self.sqlite(sql).await,
        };
        let Read { whole, in_order, sorts } = read;
        let in_order = in_order.into_iter().filter(|_| sorts || !limited);
        whole.into_iter().chain(in_order).filter_map(|name| table(&name).cloned()).collect()
    }

    async fn postgres(&mut self, sql: &str, own: bool) -> Read {
        let switch = if own { "off" } else { "on" };
        for setting in ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"] {
            self.run(&format!("SET {setting} = {switch}")).await.unwrap();
        }
        // The plan that serves for all values, which is the one that the store has it make.
        self.run("SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL").await.unwrap();
        self.run(&format!("PREPARE tried AS {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let count = tokens(sql).into_iter().filter_map(|word| word.strip_prefix('$')?.parse::<usize>().ok()).max();
        let values = count.map_or(String::new(), |count| format!("({})", vec!["NULL"; count].join(", ")));
        let plan = self.run(&format!("EXPLAIN (FORMAT JSON) EXECUTE tried{values}")).await;
        let plan = plan.unwrap_or_else(|error| panic!("{sql}: {error}")).remove(0).remove(0);
        let mut read = Read::default();
        read.node(&serde_json::from_str(&plan).unwrap());
        read
    }

    async fn mysql(&mut self, sql: &str) -> Read {
        let mut read = Read::default();
        // What is inserted is written down, and not looked for.
        if sql.starts_with("INSERT") {
            return read;
        }
        let rows = self.run(&format!("EXPLAIN {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        for row in rows {
            // MySQL has columns of its own in between; these are the same from either end.
            let (table, extra) = (row[2].clone(), row[row.len() - 1].clone());
            assert!(extra != "Impossible WHERE", "no row can be like this: {sql}");
            read.sorts |= extra.contains("filesort") || extra.contains("temporary");
            match row.iter().skip(3).find(|cell| matches!(cell.as_str(), "ALL" | "index")).map(String::as_str) {
                Some("ALL") => read.whole.push(table),
                Some(_) => read.in_order.push(table),
                None => {}
            }
        }
        read
    }

    async fn sqlite(&mut self, sql: &str) -> Read {
        let rows = self.run(&format!("EXPLAIN QUERY PLAN {sql}")).await;
        let mut read = Read::default();
        for row in rows.unwrap_or_else(|error| panic!("{sql}: {error}")) {
            let words: Vec<&str> = row[3].split(' ').collect();
            read.sorts |= row[3].starts_with("USE TEMP B-TREE");
            // In the order of the row's number, which is the key where there is none else, it names no index.
            if words[0] == "SCAN" {
                read.in_order.push(words[1].to_owned());
            }
        }
        read
    }

    /// A statement with values in the place of what is bound, such that it finds rows.
    fn with_values(&self, words: &[&str], columns: &[Column]) -> String {
        let mut named = None;
        let mut sql = Vec::new();
        for (index, word) in words.iter().enumerate() {
            named =
                columns.iter().find(|column| column.name == *word && words.contains(&column.table.as_str())).or(named);
            sql.push(match (*word, named) {
                ("?", _) if words[index - 1] == "LIMIT" => "10".to_owned(),
                ("?", Some(column)) => {
                    // Above the others: the end of a range is behind its beginning.
                    let above = words[index - 1] == "<" || words[index.saturating_sub(2)] == "<";
                    self.value(column, &(TRIED + u32::from(above) * 100).to_string())
                }
                (word, _) => word.to_owned(),
            });
        }
        // `a.b`, `<=`, `COUNT(*)`: what belongs together.
        let mut text = String::new();
        for part in sql {
            let joins = matches!(part.as_str(), "." | "(" | "=" | ">") || text.ends_with(['.', '@']);
            if !joins {
                text.push(' ');
            }
            text += &part;
        }
        text.trim().to_owned()
    }
}

/// What a plan reads from its beginning to its end.
#[derive(Debug, Default)]
struct Read {
    /// Tables, without an index.
    whole: Vec<String>,
    /// Tables, in the order of an index, and no further than somebody wants to know.
    in_order: Vec<String>,
    /// Whether something is sorted, for which everything is read.
    sorts: bool,
}

impl Read {
    /// Reads a node of a plan of PostgreSQL, and those below it.
    fn node(&mut self, node: &Value) {
        let text = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default();
        let relation = text("Relation Name").to_owned();
        match text("Node Type") {
            "Seq Scan" => self.whole.push(relation),
            "Index Scan" | "Index Only Scan" if node.get("Index Cond").is_none() => self.in_order.push(relation),
            "Sort" => self.sorts = true,
            _ => {}
        }
        match node {
            Value::Array(nodes) => nodes.iter().for_each(|node| self.node(node)),
            Value::Object(fields) => fields.values().for_each(|node| self.node(node)),
            _ => {}
        }
    }
}
