//! What TLS is allowed to be: version 1.3, both sides authenticated by pinned certificates, the hybrid
//! X25519MLKEM768 as the only key exchange, no resumption, no early data. A certificate is accepted within its
//! validity only, by the clock that the TLS library reads.

use crate::error::{HandshakeFault, LocalFault};
use crate::identity::{Fingerprint, Identity};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    PeerIncompatible, ServerConfig, SignatureScheme,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use webpki::KeyUsage;

/// The name in every certificate. Nobody is known by it.
pub(crate) const NAME: &str = "subrosa";

/// The cipher is as strong as the streams that mask what it carries.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![kx_group::X25519MLKEM768],
        cipher_suites: vec![cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..default_provider()
    })
}

/// The dialling side, which accepts one peer only.
pub(crate) fn client(
    identity: &Identity,
    peer: Fingerprint,
) -> Result<Arc<ClientConfig>, LocalFault> {
    let (provider, pins) = pinned(HashSet::from([peer]));
    let (certificate, key) = identity.to_der();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| LocalFault::Identity)?
        .dangerous()
        .with_custom_certificate_verifier(pins)
        .with_client_auth_cert(
            vec![CertificateDer::from(certificate.to_vec())],
            PrivatePkcs8KeyDer::from(key.reveal().clone()).into(),
        )
        .map_err(|_| LocalFault::Identity)?;
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// The listening side, which accepts `peers`.
pub(crate) fn server(
    identity: &Identity,
    peers: HashSet<Fingerprint>,
) -> Result<Arc<ServerConfig>, LocalFault> {
    let (provider, pins) = pinned(peers);
    let (certificate, key) = identity.to_der();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| LocalFault::Identity)?
        .with_client_cert_verifier(pins)
        .with_single_cert(
            vec![CertificateDer::from(certificate.to_vec())],
            PrivatePkcs8KeyDer::from(key.reveal().clone()).into(),
        )
        .map_err(|_| LocalFault::Identity)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Which handshake fault an error of the library is.
pub(crate) fn fault(error: &Error) -> HandshakeFault {
    match error {
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
            HandshakeFault::UnknownFingerprint
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::NotValidYet) => {
            HandshakeFault::Expired
        }
        Error::AlertReceived(_) => HandshakeFault::Rejected,
        _ => HandshakeFault::Tls,
    }
}

fn pinned(accepted: HashSet<Fingerprint>) -> (Arc<CryptoProvider>, Arc<Pins>) {
    let provider = provider();
    let pins = Pins {
        accepted,
        provider: provider.clone(),
    };
    (provider, Arc::new(pins))
}

/// Whether a certificate, by what it says of itself, could ever be accepted from either side.
pub(crate) fn is_usable(certificate: &[u8]) -> bool {
    let certificate = CertificateDer::from(certificate);
    [KeyUsage::client_auth(), KeyUsage::server_auth()]
        .into_iter()
        .all(|usage| {
            let at = |time| valid(&certificate, time, usage);
            match at(UnixTime::since_unix_epoch(Duration::ZERO)) {
                Err(webpki::Error::CertNotValidYet { not_before, .. }) => at(not_before).is_ok(),
                Err(webpki::Error::CertExpired { not_after, .. }) => at(not_after).is_ok(),
                verdict => verdict.is_ok(),
            }
        })
}

/// Holds a certificate to what it says of itself: it has signed itself, for this usage, for this time.
fn valid(
    certificate: &CertificateDer<'_>,
    time: UnixTime,
    usage: KeyUsage,
) -> Result<(), webpki::Error> {
    let algorithms = default_provider().signature_verification_algorithms.all;
    let anchors = [webpki::anchor_from_trusted_cert(certificate)?];
    let end = webpki::EndEntityCert::try_from(certificate)?;
    end.verify_for_usage(algorithms, &anchors, &[], time, usage, None, None)?;
    Ok(())
}

/// Accepts a certificate by its fingerprint and its validity, and holds its owner to a signature by its key.
#[derive(Debug)]
struct Pins {
    accepted: HashSet<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl Pins {
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        time: UnixTime,
        usage: KeyUsage,
    ) -> Result<(), Error> {
        if !self.accepted.contains(&Fingerprint::of(certificate)) {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        let verdict = valid(certificate, time, usage);
        verdict.map_err(|error| Error::InvalidCertificate(certificate_error(&error)))
    }

    fn check_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn certificate_error(error: &webpki::Error) -> CertificateError {
    match error {
        webpki::Error::CertExpired { .. } => CertificateError::Expired,
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet,
        _ => CertificateError::BadEncoding,
    }
}

fn no_tls12() -> Error {
    PeerIncompatible::Tls12NotOffered.into()
}

impl ServerCertVerifier for Pins {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        time: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(certificate, time, KeyUsage::server_auth())
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Pins {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        time: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(certificate, time, KeyUsage::client_auth())
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}
