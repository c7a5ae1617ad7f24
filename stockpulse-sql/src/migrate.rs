//! The tables, brought up to date.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use stockpulse_core::{Error, ErrorKind};

use crate::context::Context;

/// The migrations of a context: files of one database's folder, in order.
macro_rules! migrations {
    ($context:expr, $folder:literal) => {
        match $context {
            Context::Inventory => {
                vec![("tables", include_str!(concat!("../migrations/", $folder, "/inventory_1.sql")))]
            }
            Context::Orders => vec![("tables", include_str!(concat!("../migrations/", $folder, "/orders_1.sql")))],
            Context::Catalog => vec![("tables", include_str!(concat!("../migrations/", $folder, "/catalog_1.sql")))],
            Context::Customers => {
                vec![("tables", include_str!(concat!("../migrations/", $folder, "/customers_1.sql")))]
            }
            Context::Notifications => {
                vec![("tables", include_str!(concat!("../migrations/", $folder, "/notifications_1.sql")))]
            }
            Context::Bus => vec![("tables", include_str!(concat!("../migrations/", $folder, "/bus_1.sql")))],
        }
    };
}

#[cfg(feature = "postgres")]
pub(crate) fn postgres(context: Context) -> Migrator {
    migrator(context, migrations!(context, "postgres"))
}

/// MySQL commits each table by itself, so a migration that was interrupted left some behind. Its files may be run again.
#[cfg(feature = "mysql")]
pub(crate) async fn mysql(context: Context, pool: &sqlx::MySqlPool) -> Result<(), MigrateError> {
    let migrator = migrator(context, migrations!(context, "mysql"));
    match migrator.run(pool).await {
        Err(MigrateError::Dirty(_)) => {
            let forget = format!("DELETE FROM {} WHERE NOT success", applied(context));
            sqlx::raw_sql(sqlx::AssertSqlSafe(forget)).execute(pool).await?;
            migrator.run(pool).await
        }
        ended => ended,
    }
}

#[cfg(feature = "sqlite")]
pub(crate) fn sqlite(context: Context) -> Migrator {
    migrator(context, migrations!(context, "sqlite"))
}

/// A context has a table of its own for what was applied, so that each can be installed by itself.
fn migrator(context: Context, files: Vec<(&'static str, &'static str)>) -> Migrator {
    let migration = |(version, (name, sql)): (i64, (&'static str, &'static str))| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations((1..).zip(files).map(migration).collect());
    migrator.dangerous_set_table_name(applied(context));
    migrator
}

/// The table of what was applied.
fn applied(context: Context) -> &'static str {
    match context {
        Context::Inventory => "_stockpulse_inventory",
        Context::Orders => "_stockpulse_orders",
        Context::Catalog => "_stockpulse_catalog",
        Context::Customers => "_stockpulse_customers",
        Context::Notifications => "_stockpulse_notifications",
        Context::Bus => "_stockpulse_bus",
    }
}

pub(crate) fn failed(context: Context, error: MigrateError) -> Error {
    Error::new(ErrorKind::Config, format!("the tables of {context:?} cannot be made: {error}")).with_source(error)
}
