//! What is read is what was written.

use super::reference::Reference;
use super::{Records, put};
use crate::conformance::support::{limit, look_alikes, sku};
use crate::conformance::{CatalogBackend, CustomerBackend, Harness, Violation};
use crate::engine::record::Expected;
use crate::model::{Component, Currency, Customer, Money, Product, Quantity, Scale};

/// Texts that get lost where somebody forgot to quote, to escape or to choose the character set.
const TEXTS: [&str; 5] =
    ["Zo\u{eb} \u{1fad6}", "it's \"quoted\", 100% \\ _; --", "cafe\u{301}", "  two  blanks ", "line\nline\ttab"];

pub(in crate::conformance) async fn every_product_field_is_kept(
    harness: &dyn Harness<CatalogBackend>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<CatalogBackend>::new();
    let plain = Product::new(sku("PLAIN")?, "Cup", Money::new(0, Currency::EUR));
    let full = Product {
        scale: Scale::new(9)?,
        tracked: false,
        components: vec![
            Component { sku: sku("z")?, quantity: Quantity::MAX },
            Component { sku: sku("A ")?, quantity: Quantity::ONE },
        ],
        purchase_limit: Some(Quantity::MAX),
        low_stock_at: Some(Quantity::ZERO),
        active: false,
        ..Product::new(sku("FULL")?, "x".repeat(1_024), Money::new(i64::MAX, Currency::EUR))
    };
    let bounded = Product { purchase_limit: Some(Quantity::ZERO), low_stock_at: Some(Quantity::MAX), ..plain.clone() };
    let mut batch = vec![put(plain, Expected::Any, now), put(full.clone(), Expected::New, now)];
    for (index, text) in TEXTS.iter().enumerate() {
        batch.push(put(Product { name: (*text).to_owned(), ..CatalogBackend::record(0, "")? }, Expected::Any, now));
        let record = Product { sku: sku(format!("TEXT-{index}"))?, name: (*text).to_owned(), ..full.clone() };
        batch.push(put(record, Expected::Any, now));
    }
    batch.push(put(bounded, Expected::Any, now));
    reference.both(&backend, &batch).await?;
    reference.agrees(&backend).await
}

pub(in crate::conformance) async fn every_customer_field_is_kept(
    harness: &dyn Harness<CustomerBackend>,
) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<CustomerBackend>::new();
    let mut batch = Vec::new();
    for (number, text) in (1..).zip(TEXTS) {
        let record = CustomerBackend::record(number, "")?;
        batch.push(put(Customer { name: text.to_owned(), ..record.clone() }, Expected::Any, now));
        let long = format!("{}@example.org", "x".repeat(300));
        let full = Customer { active: false, email: Some(long), ..CustomerBackend::record(number + 100, text)? };
        batch.push(put(full.clone(), Expected::Any, now));
        if number % 2 == 0 {
            batch.push(put(Customer { email: None, ..full }, Expected::Any, now));
        }
    }
    batch.push(put(
        CustomerBackend::record(200, &"x".repeat(1_000))?.with_email("zo\u{eb}@example.org"),
        Expected::Any,
        now,
    ));
    reference.both(&backend, &batch).await?;
    reference.agrees(&backend).await
}

pub(in crate::conformance) async fn skus_are_bytes(harness: &dyn Harness<CatalogBackend>) -> Result<(), Violation> {
    let (backend, now) = (harness.open().await?, harness.now());
    let mut reference = Reference::<CatalogBackend>::new();
    let mut skus = look_alikes()?;
    for (index, sku) in skus.iter().enumerate() {
        let product = Product::new(sku.clone(), format!("product {index}"), Money::new(1, Currency::EUR));
        reference.both(&backend, &[put(product, Expected::New, now)]).await?;
    }
    reference.agrees(&backend).await?;
    skus.sort();
    let mut found = Vec::new();
    let mut after = None;
    while found.len() <= skus.len() {
        let page = backend.list(after, limit(7)).await?;
        found.extend(page.items.into_iter().map(|product| product.sku));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    ensure_eq!(found, skus, "the SKUs of all products, seven to a page");
    Ok(())
}
