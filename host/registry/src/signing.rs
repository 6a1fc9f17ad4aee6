//! What signing a request to an object store needs: SHA-256 and HMAC, from the crates
//! that check digests here anyway, instead of a cryptographic library for two functions.

use hmac::{Hmac, KeyInit, Mac};
use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use object_store::{Error, Result};
use sha2::{Digest, Sha256};

/// For `object_store`.
#[derive(Debug)]
pub struct Signing;

struct Hashing {
    hash: Sha256,
    digest: [u8; 32],
}

struct Authenticating {
    mac: Hmac<Sha256>,
    code: [u8; 32],
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported { source: format!("{what} is not supported").into() }
}

impl CryptoProvider for Signing {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                Ok(Box::new(Hashing { hash: Sha256::new(), digest: [0; 32] }))
            }
            _ => Err(unsupported("this digest")),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let mac = Hmac::new_from_slice(secret).map_err(|_| unsupported("this key"))?;
                Ok(Box::new(Authenticating { mac, code: [0; 32] }))
            }
            _ => Err(unsupported("this digest")),
        }
    }

    fn sign(&self, _: SigningAlgorithm, _: &[u8]) -> Result<Box<dyn Signer>> {
        Err(unsupported("signing with RSA"))
    }
}

impl DigestContext for Hashing {
    fn update(&mut self, data: &[u8]) {
        self.hash.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.digest = self.hash.finalize_reset().into();
        Ok(&self.digest)
    }
}

impl HmacContext for Authenticating {
    fn update(&mut self, data: &[u8]) {
        self.mac.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.code = self.mac.clone().finalize().into_bytes().into();
        Ok(&self.code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231, test case 2, and the digest of `abc` of FIPS 180-2.
    #[test]
    fn the_published_values_come_out() {
        let mut mac = Signing.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        mac.update(b"what do ya want ");
        mac.update(b"for nothing?");
        assert_eq!(
            hex(mac.finish().unwrap()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let mut hash = Signing.digest(DigestAlgorithm::Sha256).unwrap();
        hash.update(b"abc");
        assert_eq!(
            hex(hash.finish().unwrap()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
