//! The rules of a [`CatalogStore`](crate::port::CatalogStore).

use super::backend::CatalogBackend;
use super::records::{crashes, fields, histories, puts, reads};

rules! {
    $
    /// Makes a test of every rule of a `CatalogStore`, for a harness of
    /// [`CatalogBackend`](crate::conformance::CatalogBackend)s.
    catalog_store_conformance => catalog_store: CatalogBackend;
    /// Outcomes are aligned with the batch, products with the SKUs that are read; what does not exist is `None`.
    puts::answers_are_aligned,
    /// An empty batch answers nothing and changes nothing, and so does reading nothing.
    puts::an_empty_batch_changes_nothing,
    /// Puts of one batch are decided in its order, and each sees what those before it did.
    puts::a_batch_is_decided_in_order,
    /// A batch of 2,000 products is stored as a whole.
    puts::a_large_batch_is_stored,
    /// A put that comes again gets its first answer, refusals included, and changes nothing.
    puts::a_known_command_gets_its_first_answer,
    /// A put that is twice in one batch is decided once.
    puts::a_command_twice_in_a_batch_is_decided_once,
    /// An id that was used for something else is refused as a conflict, and the first answer stays.
    puts::another_command_of_a_known_id_is_a_conflict,
    /// Putting what is there already counts no version and tells nobody.
    puts::what_is_the_same_is_not_stored_again,
    /// Everything that a product carries is read as it was written.
    fields::every_product_field_is_kept,
    /// SKUs that differ in a byte are different, and are listed in the order of their bytes.
    fields::skus_are_bytes,
    /// A page holds `limit` products at most; the next begins where it ended; the last says so, also when it is full.
    reads::records_are_paged,
    /// Who reads page after page while others write sees every product that was there before, once.
    reads::pages_skip_nothing_while_others_write,
    /// The outbox holds the events of what was stored, all of them and no others, in order for each SKU.
    puts::events_are_written_with_the_decision,
    /// Random histories get the engine's answers, and leave what the engine leaves.
    histories::random_histories_agree_with_the_engine,
    /// Of many who change one version of a product at once, one does, and the others are told that it is stale.
    histories::one_of_many_changes_a_version,
    /// A call that is dropped half-way is committed as a whole or not at all, and the store goes on.
    crashes::a_dropped_call_splits_nothing,
    /// After a restart everything is there: products, events, and the outcomes of known commands.
    crashes::everything_survives_a_restart,
}
