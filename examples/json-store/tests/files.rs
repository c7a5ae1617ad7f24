//! What the suite cannot know: damaged files, a second process, crashes.

#[cfg(test)]
mod files {
    use std::fs;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::num::NonZeroUsize;
    use std::path::Path;
    use std::process::{Child, Command as Process, Stdio};

    use stockpulse_core::engine::Engine;
    use stockpulse_core::engine::stock::{StockAction, StockCommand};
    use stockpulse_core::model::{Actor, Cause, CommandId, Quantity, StockKey, StockQuantity, Timestamp};
    use stockpulse_core::port::{InventoryStore as _, Outbox as _};
    use stockpulse_core::{Error, ErrorKind, Result};
    use stockpulse_json_store::{JsonInventoryStore, JsonOrderStore, StoreOptions};
    use tempfile::TempDir;

    /// Says to a child where the store is.
    const PLACE: &str = "JSON_STORE_OF_A_CHILD";

    fn open(path: &Path) -> Result<JsonInventoryStore> {
        JsonInventoryStore::open(path, StoreOptions::default())
    }

    fn key() -> StockKey {
        StockKey::main("TEA".parse().unwrap())
    }

    /// Takes one unit in, as the command of this number.
    async fn receive(store: &JsonInventoryStore, number: u128) -> Result<()> {
        let command = StockCommand {
            id: CommandId::from_u128(number),
            at: Timestamp::from_secs(1),
            actor: Actor::System,
            cause: Cause::Request,
            trace: None,
            action: StockAction::Receive {
                lines: [StockQuantity { key: key(), quantity: Quantity::ONE }].into_iter().collect(),
            },
        };
        let outcomes = store.execute(&Engine::new(), vec![command]).await?;
        assert_eq!(outcomes.len(), 1);
        Ok(())
    }

    async fn on_hand(store: &JsonInventoryStore) -> i64 {
        store.levels(&[key()]).await.unwrap()[0].as_ref().map_or(0, |level| level.on_hand.get())
    }

    /// Writes a file, opens it, and looks whether it is as it was written afterwards.
    fn refused(content: &[u8]) -> Error {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stock.json");
        fs::write(&path, content).unwrap();
        let error = open(&path).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error} does not name the file");
        assert_eq!(fs::read(&path).unwrap(), content, "the file was changed");
        error
    }

    /// A file with one commit in it.
    async fn good_file() -> String {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stock.json");
        receive(&open(&path).unwrap(), 1).await.unwrap();
        fs::read_to_string(path).unwrap()
    }

    #[tokio::test]
    async fn a_damaged_file_is_refused() {
        let good = good_file().await;
        let cut = refused(&good.as_bytes()[..good.len() - 10]);
        assert_eq!(cut.kind(), ErrorKind::Corrupt);
        assert!(cut.to_string().contains("EOF"), "{cut}");
        assert_eq!(refused(b"").kind(), ErrorKind::Corrupt);

        let negative = refused(good.replace("\"on_hand\":1", "\"on_hand\":-1").as_bytes());
        assert_eq!(negative.kind(), ErrorKind::Corrupt);
        let unknown = refused(good.replace("\"queues\"", "\"heaps\"").as_bytes());
        assert!(unknown.to_string().contains("heaps"), "{unknown}");
    }

    #[tokio::test]
    async fn a_row_that_is_there_twice_is_refused() {
        let good = good_file().await;
        let start = good.find("\"levels\":[").unwrap() + "\"levels\":[".len();
        let end = start + good[start..].find(']').unwrap();
        let row = &good[start..end];
        let twice = refused(format!("{}{row},{row}{}", &good[..start], &good[end..]).as_bytes());
        assert_eq!(twice.kind(), ErrorKind::Corrupt);
        assert!(twice.to_string().contains("two rows"), "{twice}");
    }

    #[tokio::test]
    async fn a_foreign_file_is_refused() {
        assert_eq!(refused(br#"{"name": "something else"}"#).kind(), ErrorKind::Corrupt);
        let good = good_file().await;
        let foreign = refused(good.replace("stockpulse-json-store", "shop").as_bytes());
        assert!(foreign.to_string().contains("shop"), "{foreign}");

        let folder = TempDir::new().unwrap();
        let path = folder.path().join("orders.json");
        drop(JsonOrderStore::open(&path, StoreOptions::default()).unwrap());
        let error = open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("\"orders\""), "{error}");
    }

    #[tokio::test]
    async fn another_version_is_refused() {
        let good = good_file().await;
        let error = refused(good.replace("\"version\":1}", "\"version\":7}").as_bytes());
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("version 7"), "{error}");
    }

    #[tokio::test]
    async fn a_second_opening_is_kept_out_until_the_last_handle_goes() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stock.json");
        let store = open(&path).unwrap();
        let outbox = store.outbox();
        assert_eq!(open(&path).unwrap_err().kind(), ErrorKind::Contention);
        // The lock outlives the file that it was taken beside.
        receive(&store, 1).await.unwrap();
        drop(store);
        assert_eq!(open(&path).unwrap_err().kind(), ErrorKind::Contention);
        drop(outbox);
        assert_eq!(on_hand(&open(&path).unwrap()).await, 1);
    }

    #[tokio::test]
    async fn a_crash_before_the_rename_leaves_the_old_content() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stock.json");
        let store = open(&path).unwrap();
        receive(&store, 1).await.unwrap();
        let old = fs::read(&path).unwrap();
        receive(&store, 2).await.unwrap();
        drop(store);
        // The next content lies beside the old one, whole or in part, as it does before the rename.
        let new = fs::read(&path).unwrap();
        for written in [new.len(), new.len() / 2, 0] {
            fs::write(&path, &old).unwrap();
            fs::write(path.with_added_extension("tmp"), &new[..written]).unwrap();
            let store = open(&path).unwrap();
            assert_eq!(on_hand(&store).await, 1);
            receive(&store, 2).await.unwrap();
            assert_eq!(on_hand(&store).await, 2);
            drop(store);
            assert_eq!(on_hand(&open(&path).unwrap()).await, 2);
        }
    }

    #[tokio::test]
    async fn a_commit_that_fails_changes_nothing() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stock.json");
        let beside = path.with_added_extension("tmp");
        let store = open(&path).unwrap();
        receive(&store, 1).await.unwrap();
        let waiting = store.outbox().stats().await.unwrap();
        fs::create_dir(&beside).unwrap();
        assert_eq!(receive(&store, 2).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(on_hand(&store).await, 1);
        assert_eq!(store.outbox().stats().await.unwrap(), waiting);
        fs::remove_dir(&beside).unwrap();
        receive(&store, 2).await.unwrap();
        assert_eq!(on_hand(&store).await, 2);
    }

    /// Not a test of its own: what the process does that `a_killed_process_loses_no_commit` starts and kills.
    #[tokio::test]
    async fn child() {
        let Some(path) = std::env::var_os(PLACE) else { return };
        let store = open(Path::new(&path)).unwrap();
        let first = u128::try_from(on_hand(&store).await).unwrap() + 1;
        for number in first.. {
            receive(&store, number).await.unwrap();
            writeln!(std::io::stdout(), "\ncommitted {number}").unwrap();
        }
    }

    /// Starts a process that commits until it is killed, and waits until it has committed `commits` times.
    fn start(path: &Path, commits: usize) -> (Child, u128) {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "files::child", "--nocapture"])
            .env(PLACE, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers = said.filter_map(|line| line.unwrap().strip_prefix("committed ")?.parse().ok());
        let last = numbers.take(commits).last().unwrap();
        (child, last)
    }

    #[tokio::test]
    async fn a_killed_process_loses_no_commit() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stock.json");
        for commits in 1..8 {
            let (mut child, last) = start(&path, commits);
            // It has the store; nobody else gets it.
            let locked = open(&path).map(|_| ()).map_err(|error| error.kind());
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(locked, Err(ErrorKind::Contention));

            let store = open(&path).unwrap();
            let on_hand = on_hand(&store).await;
            assert!(u128::try_from(on_hand).unwrap() >= last, "{last} were committed, and {on_hand} are there");
            let audit = store.audit(None, NonZeroUsize::MIN).await.unwrap();
            assert_eq!(audit.items[0].ledger, audit.items[0].level.counters());
        }
    }
}
