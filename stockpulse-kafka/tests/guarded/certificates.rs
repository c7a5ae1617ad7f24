//! Certificates of a test's own. The program that makes them comes with the Java that runs the broker.

use std::io::Error;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::skip;

/// What the key stores are locked with. It may not be shorter.
pub(crate) const PASSWORD: &str = "keystore";

/// A broker's certificate, which vouches for itself, and one that has nothing to do with it.
#[derive(Debug)]
pub(crate) struct Certificates {
    java: PathBuf,
    folder: TempDir,
}

impl Certificates {
    /// New ones, for a broker at 127.0.0.1; `None`, after saying so, where there is no Java.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let Some(java) = std::env::var_os("STOCKPULSE_KAFKA_JAVA").map(PathBuf::from) else {
            skip(test, "STOCKPULSE_KAFKA_JAVA names no Java that could make certificates");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("stockpulse-certificates.").tempdir().unwrap();
        // The broker runs as somebody else.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let made = Self { java, folder };
        std::thread::scope(|scope| {
            for name in ["broker", "stranger"] {
                scope.spawn(|| made.make(name));
            }
        });
        Some(made)
    }

    /// The broker's key and certificate, as Java reads them.
    pub(crate) fn key_store(&self) -> PathBuf {
        self.folder.path().join("broker.p12")
    }

    /// What trusts the broker.
    pub(crate) fn right(&self) -> PathBuf {
        self.folder.path().join("broker.pem")
    }

    /// What trusts somebody else.
    pub(crate) fn wrong(&self) -> PathBuf {
        self.folder.path().join("stranger.pem")
    }

    fn make(&self, name: &str) {
        let store = self.folder.path().join(name).with_extension("p12");
        let subject = format!("CN={name}");
        let key = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12", "-validity", "2"];
        self.keytool(&store, &[&key[..], &["-dname", &subject, "-ext", "san=ip:127.0.0.1"]].concat()).unwrap();
        let certificate = store.with_extension("pem");
        self.keytool(&store, &["-exportcert", "-rfc", "-file", certificate.to_str().unwrap()]).unwrap();
        for file in [store, certificate] {
            std::fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
        }
    }

    /// Java's `keytool` by its class: where there is Java, there is that.
    fn keytool(&self, store: &Path, arguments: &[&str]) -> Result<(), Error> {
        let mut command = Command::new(&self.java);
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "sun.security.tools.keytool.Main"]);
        command.args(arguments).args(["-alias", "key", "-storepass", PASSWORD, "-keystore"]).arg(store);
        let output = command.output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Error::other(String::from_utf8_lossy(&output.stdout).into_owned())),
        }
    }
}
