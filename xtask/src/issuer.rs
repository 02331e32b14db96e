//! `cargo xtask issuer`: an issuer for local use, with keys of its own.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use getrandom::SysRng;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{process, workspace};

/// Publish the keys that `cargo xtask token --alg` signs with, as an issuer does
///
/// The keys are made when they are first needed, and kept in `.errand/issuer`. The variables that make errand trust them
/// are printed; put them into `.env`. Ctrl-C stops it.
#[derive(Args)]
pub(crate) struct Issuer {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3100")]
    listen: SocketAddr,
    /// The algorithms to publish a key for
    #[arg(long = "alg", value_enum, value_delimiter = ',', default_values = ["RS256", "ES256", "EdDSA"])]
    algorithms: Vec<Alg>,
}

/// As many as the keys of most issuers have.
const RSA_BITS: usize = 2048;

/// The algorithms of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum Alg {
    HS256,
    RS256,
    PS256,
    ES256,
    ES384,
    EdDSA,
}

impl Alg {
    pub(crate) fn algorithm(self) -> Algorithm {
        match self {
            Self::HS256 => Algorithm::HS256,
            Self::RS256 => Algorithm::RS256,
            Self::PS256 => Algorithm::PS256,
            Self::ES256 => Algorithm::ES256,
            Self::ES384 => Algorithm::ES384,
            Self::EdDSA => Algorithm::EdDSA,
        }
    }

    /// The name of this checkout's key for the algorithm.
    pub(crate) fn kid(self) -> String {
        format!("local-{}", format!("{self:?}").to_lowercase())
    }

    /// This checkout's private key for the algorithm, made if there is none.
    pub(crate) fn key(self) -> Result<EncodingKey> {
        let path = folder()?.join(format!("{}.der", self.kid()));
        let der = match fs::read(&path) {
            Ok(der) => der,
            Err(_) => {
                let der = self.make()?;
                let mut options = OpenOptions::new();
                let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all(&der)?;
                der
            }
        };
        Ok(match self {
            Self::RS256 | Self::PS256 => EncodingKey::from_rsa_der(&der),
            Self::ES256 | Self::ES384 => EncodingKey::from_ec_der(&der),
            Self::EdDSA => EncodingKey::from_ed_der(&der),
            Self::HS256 => EncodingKey::from_secret(&der)?,
        })
    }

    fn make(self) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        let failed = |_| anyhow::anyhow!("no key could be made");
        Ok(match self {
            Self::RS256 | Self::PS256 => {
                eprintln!("errand: making an RSA key, once");
                rsa::PrivateKey::new(&mut SysRng, RSA_BITS)?.to_pkcs1_der()?.as_bytes().to_owned()
            }
            Self::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map_err(failed)?
                .as_ref()
                .to_owned(),
            Self::ES384 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)
                .map_err(failed)?
                .as_ref()
                .to_owned(),
            // RFC 8410, version 1: the private key alone, after what always stands before it.
            Self::EdDSA | Self::HS256 => {
                let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
                let mut seed = [0; 32];
                random.fill(&mut seed).map_err(failed)?;
                der.extend_from_slice(&seed);
                der
            }
        })
    }

    fn jwk(self) -> Result<Jwk> {
        let mut jwk = Jwk::from_encoding_key(&self.key()?, self.algorithm())?;
        jwk.common.key_id = Some(self.kid());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(jwk)
    }
}

impl Issuer {
    pub(crate) async fn run(self) -> Result<()> {
        let keys = self.algorithms.iter().filter(|alg| **alg != Alg::HS256).map(|alg| alg.jwk());
        let keys = json!({"keys": keys.collect::<Result<Vec<_>>>()?}).to_string();
        let listener =
            TcpListener::bind(self.listen).await.with_context(|| format!("cannot listen on {}", self.listen))?;
        let origin = format!("http://{}", listener.local_addr()?);
        let url = format!("{origin}/.well-known/jwks.json");
        let about = json!({"issuer": origin, "jwks_uri": url}).to_string();
        println!(
            "SPIN_VARIABLE_JWT_ISSUER={origin}\nSPIN_VARIABLE_JWT_JWKS_URL={url}\nSPIN_VARIABLE_JWKS_ORIGIN={origin}\n"
        );
        println!("With these in .env, `cargo xtask token <user> --alg ES256` prints tokens that errand takes.");
        let serve = async {
            loop {
                let (stream, _) = listener.accept().await?;
                let (keys, about) = (keys.clone(), about.clone());
                // A client that goes away is no event.
                tokio::spawn(async move { timeout(Duration::from_secs(10), answer(stream, &keys, &about)).await });
            }
        };
        tokio::select! {
            result = serve => result,
            signal = process::interrupted() => signal,
        }
    }
}

async fn answer(mut stream: TcpStream, keys: &str, about: &str) -> Result<()> {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).await?;
    let request = String::from_utf8_lossy(request.get(..length).unwrap_or_default()).into_owned();
    let (status, body) = match request.split(' ').nth(1) {
        Some("/.well-known/jwks.json") => ("200 OK", keys),
        Some("/.well-known/openid-configuration") => ("200 OK", about),
        _ => ("404 Not Found", "{}"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    Ok(())
}

/// Where the private keys are.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = workspace::root()?.join(".errand/issuer");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
