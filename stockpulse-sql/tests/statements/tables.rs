//! Tables that are full, made by the migrations and filled with whatever fits.

use stockpulse_sql::Context;

use crate::support::{Kind, Place};

/// Rows of each table that grows, more than any database reads as a whole when it has an index to read few of them.
const ROWS: u32 = 5_000;

/// The row whose values statements are tried with.
pub(crate) const TRIED: u32 = ROWS / 2;

/// What does not grow with the orders that come in, and may be read as a whole.
pub(crate) const SMALL: &[(&str, &str)] = &[
    ("_outbox_lease", "a row for each of the sixteen shards"),
    ("bus_partition", "a row for each partition, of which there are sixteen"),
    ("bus_group", "a row for each group"),
    ("bus_member", "a row for each running process of a group"),
    ("bus_place", "a row for each group and partition"),
];

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) table: String,
    pub(crate) name: String,
    data_type: String,
}

/// A connection of the test's own, of whichever kind.
#[derive(Debug)]
pub(crate) enum Connection {
    Postgres(sqlx::PgConnection),
    MySql(sqlx::MySqlConnection),
    Sqlite(sqlx::SqliteConnection),
}

macro_rules! each {
    ($connection:expr, $inner:ident => $done:expr) => {
        match $connection {
            Connection::Postgres($inner) => $done,
            Connection::MySql($inner) => $done,
            Connection::Sqlite($inner) => $done,
        }
    };
}

impl Connection {
    pub(crate) async fn open(kind: Kind, place: &Place) -> Self {
        use sqlx::{ConnectOptions, Connection as _};
        match kind {
            Kind::Postgres => {
                let options: sqlx::postgres::PgConnectOptions = place.url().parse().unwrap();
                let options = options.options([("search_path", place.name())]);
                Self::Postgres(options.connect().await.unwrap())
            }
            Kind::MySql => Self::MySql(sqlx::MySqlConnection::connect(place.url()).await.unwrap()),
            Kind::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.name());
                Self::Sqlite(options.connect().await.unwrap())
            }
        }
    }

    /// Runs a text, and answers the rows, each cell as text.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<Vec<Vec<String>>, sqlx::Error> {
        use sqlx::Row;
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        each!(self, connection => {
            let rows = sqlx::raw_sql(sql).fetch_all(connection).await?;
            let cell = |row: &_, index| {
                let text: Option<String> = Row::try_get_unchecked(row, index).unwrap();
                text.unwrap_or_default()
            };
            Ok(rows.iter().map(|row| (0..row.columns().len()).map(|index| cell(row, index)).collect()).collect())
        })
    }

    /// Has the server prepare a statement.
    pub(crate) async fn prepare(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        use sqlx::{Executor, SqlSafeStr};
        let sql = sqlx::AssertSqlSafe(sql.to_owned()).into_sql_str();
        each!(self, connection => connection.prepare(sql).await.map(drop))
    }

    /// The columns of all tables but those of the migrations themselves.
    pub(crate) async fn columns(&mut self) -> Vec<Column> {
        let sql = match self {
            Self::Postgres(_) => {
                "SELECT table_name::text, column_name::text, CASE is_identity WHEN 'YES' THEN '' ELSE data_type::text END \
                 FROM information_schema.columns WHERE table_schema = current_schema ORDER BY table_name, ordinal_position"
            }
            Self::MySql(_) => {
                "SELECT table_name, column_name, data_type FROM information_schema.columns \
                 WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
            }
            Self::Sqlite(_) => {
                "SELECT m.name, c.name, lower(c.type) FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
            }
        };
        let rows = self.run(sql).await.unwrap().into_iter();
        let columns = rows.map(|row| {
            let [table, name, data_type] = row.try_into().unwrap();
            Column { table, name, data_type }
        });
        columns.filter(|column| !column.table.starts_with('_')).collect()
    }

    /// Fills every table that grows, and has the database look at what is there.
    pub(crate) async fn fill(&mut self, columns: &[Column]) {
        let digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL \
                      SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
        let numbers = format!(
            "(SELECT 1 + p.d + 10 * q.d + 100 * r.d + 1000 * s.d AS n \
             FROM {digits} p CROSS JOIN {digits} q CROSS JOIN {digits} r CROSS JOIN {digits} s) numbers WHERE n <= {ROWS}"
        );
        for table in tables(columns).into_iter().filter(|table| grows(table)) {
            let filled: Vec<&Column> =
                columns.iter().filter(|column| column.table == table && !column.data_type.is_empty()).collect();
            let names: Vec<&str> = filled.iter().map(|column| column.name.as_str()).collect();
            let values: Vec<String> = filled.iter().map(|column| self.value(column, "n")).collect();
            let (names, values) = (names.join(", "), values.join(", "));
            self.run(&format!("DELETE FROM {table}")).await.unwrap();
            let sql = format!("INSERT INTO {table} ({names}) SELECT {values} FROM {numbers}");
            self.run(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let analyze = if matches!(self, Self::MySql(_)) { "ANALYZE TABLE" } else { "ANALYZE" };
            self.run(&format!("{analyze} {table}")).await.unwrap();
        }
    }

    /// What the n-th row has in a column.
    pub(crate) fn value(&self, column: &Column, n: &str) -> String {
        let of = |postgres: String, mysql: String, sqlite: String| match self {
            Self::Postgres(_) => postgres,
            Self::MySql(_) => mysql,
            Self::Sqlite(_) => sqlite,
        };
        match (column.name.as_str(), column.data_type.as_str()) {
            ("partition_no", _) => format!("{n} % 16"),
            ("state" | "status" | "kind", "smallint" | "integer") => format!("1 + {n} % 3"),
            ("tracked" | "retired" | "active", _) => of("true".into(), "1".into(), "1".into()),
            // A constraint says which notifications have a reason.
            ("reason", _) if column.table == "notification" => format!("CASE {n} % 3 WHEN 2 THEN 'x' END"),
            (_, "uuid" | "binary" | "blob") => of(
                format!("lpad(to_hex({n}), 32, '0')::uuid"),
                format!("UNHEX(LPAD(HEX({n}), 32, '0'))"),
                format!("CAST(printf('%016d', {n}) AS blob)"),
            ),
            (_, "bytea" | "longblob") => of(r"'\x00'::bytea".into(), "x'00'".into(), String::new()),
            (_, "text" | "varbinary" | "longtext") => {
                of(format!("'x' || {n}"), format!("CONCAT('x', {n})"), format!("'x' || {n}"))
            }
            _ => n.to_owned(),
        }
    }
}

/// The names of the tables, each once.
pub(crate) fn tables(columns: &[Column]) -> Vec<String> {
    let mut tables: Vec<String> = columns.iter().map(|column| column.table.clone()).collect();
    tables.dedup();
    tables
}

pub(crate) fn grows(table: &str) -> bool {
    !SMALL.iter().any(|(name, _)| table.ends_with(name))
}

/// A place with all tables.
pub(crate) async fn place(kind: Kind) -> Place {
    let place = Place::new(kind).await.unwrap();
    drop(place.connect(Context::ALL).await.unwrap());
    place
}
