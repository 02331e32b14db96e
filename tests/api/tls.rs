//! TLS to PostgreSQL. The test starts a server with certificates of its own certificate authority.

use std::path::Path;
use std::time::{Duration, SystemTime};

use errand_postgres::address::Address;
use errand_postgres::cluster::Cluster;
use errand_postgres::connect::create_database;
use errand_postgres::{migrate, role};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::{RUNTIME, SECRET, Session, Target, migrations};

const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");
const PASSWORD: &str = "errand_app over TLS";

/// A server, and its certificate authority.
struct Server {
    cluster: Cluster,
    admin: Address,
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let cluster = Cluster::ephemeral(Path::new(CHECKOUT)).unwrap();
        let admin = RUNTIME.block_on(async {
            let admin = create_database(&cluster.address("postgres").unwrap(), "errand_tls").await.unwrap();
            migrate::migrate(&admin, &migrations()).await.unwrap();
            role::ensure_app_login(&admin, PASSWORD).await.unwrap();
            admin
        });
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate for self-signed if its subject and its issuer have the same name.
        parameters.distinguished_name.push(DnType::CommonName, "errand test CA");
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        Self { cluster, admin, authority, folder }
    }

    /// Gives the server a certificate for `localhost` that ends so far from now, and TLS with it.
    fn certify(&self, name: &str, ends: SystemTime) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_before = (SystemTime::now() - Duration::from_secs(172_800)).into();
        parameters.not_after = ends.into();
        let certificate = parameters.signed_by(&key, &self.authority).unwrap();
        let session = Session::open(&self.admin);
        // The server writes them itself, because a key must be its user's alone.
        for (kind, pem) in [("certificate", certificate.pem()), ("key", key.serialize_pem())] {
            session.rows(&format!(
                "copy (select regexp_split_to_table('{}', E'\\n')) to program 'umask 077; cat > {name}.{kind}'",
                pem.trim()
            ));
        }
        for setting in [
            format!("ssl_cert_file = '{name}.certificate'"),
            format!("ssl_key_file = '{name}.key'"),
            "ssl = on".to_owned(),
        ] {
            session.rows(&format!("alter system set {setting}"));
        }
        self.reload(&session, "on");
    }

    fn reload(&self, session: &Session, ssl: &str) {
        session.rows("select pg_reload_conf()");
        while session.rows("show ssl") != [ssl] {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The status of readiness if errand connects to this host name, with or without the authority.
    fn told(&self, host: &str, trusting: bool) -> u16 {
        let url = self
            .admin
            .app_url(role::APP_ROLE, PASSWORD)
            .replace("@127.0.0.1:", &format!("@{host}:"))
            .replace("sslmode=disable", "sslmode=require");
        let endpoint = format!("{host}:{}", self.cluster.port());
        let variables = [("database_url", url.as_str()), ("database_host", &endpoint), ("jwt_secret", SECRET)];
        let authority = self.folder.path().join("authority.pem");
        let errand = Target::start_trusting(&variables, trusting.then_some(authority.as_path()));
        errand.raw("GET", "/health/ready", &[]).status
    }
}

fn in_a_day() -> SystemTime {
    SystemTime::now() + Duration::from_secs(86_400)
}

#[test]
fn a_server_that_the_authority_vouches_for_is_reached_over_tls() {
    let server = Server::start();
    server.certify("good", in_a_day());
    assert_eq!(server.told("localhost", true), 200);
    assert_eq!(server.told("localhost", false), 503, "the authority is unknown");
    assert_eq!(server.told("127.0.0.1", true), 503, "the certificate is of another name");
    server.certify("expired", SystemTime::now() - Duration::from_secs(86_400));
    assert_eq!(server.told("localhost", true), 503, "the certificate has expired");
    let session = Session::open(&server.admin);
    session.rows("alter system set ssl = off");
    server.reload(&session, "off");
    assert_eq!(server.told("localhost", true), 503, "it does not speak TLS");
    server.certify("good-again", in_a_day());
    assert_eq!(server.told("localhost", true), 200);
}
