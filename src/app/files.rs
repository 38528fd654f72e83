//! A config with everything that it names, read and found fit: what `weir check` says is good, `weir serve` starts with.

use super::machine;
use crate::access::asn::AsnDatabase;
use crate::access::country::CountryDatabase;
use crate::admin::Token;
use crate::config::settings::Settings;
use crate::control::alert;
use crate::control::reload::{self, Fresh, Unfit};
use crate::control::sight::Sight;
use crate::control::source::Source;
use crate::control::status::FaultView;
use crate::proxy::{CertificateStore, Replies};
use crate::sink::access_log::AccessLog;
use crate::sink::syslog::Syslog;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The files that only upper layers know how to read.
pub(super) struct Files {
    pub(super) certificates: Option<Arc<CertificateStore>>,
    pub(super) replies: Replies,
    pub(super) token: Option<Token>,
    pub(super) asn: Option<Arc<AsnDatabase>>,
    pub(super) country: Option<CountryDatabase>,
}

impl Files {
    /// Every fault of every file, in words that begin with the key.
    pub(super) fn read(settings: &Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut fault = |message: String| faults.push(message);
        let tls = settings.listen.tls.as_ref();
        let certificates = tls.map(|t| CertificateStore::load(&t.certificate, &t.key)).transpose();
        let certificates = certificates.map_err(|e| fault(format!("listen.tls: {e}")));
        let replies = Replies::load(&settings.reply).map_err(|e| fault(format!("reply: {e}")));
        let token = settings.admin.token_file.as_ref().map(Token::read).transpose().map_err(&mut fault);
        let asn = settings.flood.asn_database.as_deref().map(AsnDatabase::open).transpose();
        let asn = asn.map(|found| found.map(Arc::new)).map_err(|e| fault(format!("flood.asn_database: {e}")));
        let country = settings.admin.country_database.as_deref().map(CountryDatabase::open).transpose();
        let country = country.map_err(|e| fault(format!("admin.country_database: {e}")));
        AccessLog::check(&settings.log.access).unwrap_or_else(|e| fault(format!("log.access: {e}")));
        alert::rules::rules(settings).err().into_iter().flatten().for_each(&mut fault);
        if settings.syslog.enabled {
            Syslog::check(&settings.syslog).unwrap_or_else(|e| fault(format!("syslog: {e}")));
        }
        match (certificates, replies, token, asn, country) {
            (Ok(certificates), Ok(replies), Ok(token), Ok(asn), Ok(country)) if faults.is_empty() => {
                Ok(Self { certificates, replies, token, asn, country })
            }
            _ => Err(faults),
        }
    }
}

/// Reads the config of `source` with all that it names.
pub(super) fn read(source: &Source) -> Result<(Fresh, Files), Unfit> {
    let fresh = reload::read(source)?;
    match Files::read(&fresh.loaded.settings) {
        Ok(files) => Ok((fresh, files)),
        Err(faults) => Err(unfit(source, fresh, faults)),
    }
}

/// Whether weir would start with the config of `source`, as far as the config and its files go.
///
/// # Errors
/// Every fault.
pub fn examine(source: &Source) -> Result<Fresh, Unfit> {
    if let Source::Remote(_) = source {
        let fetched = machine::control_runtime().map_err(|e| format!("{e:#}")).and_then(|r| r.block_on(source.fetch()));
        fetched.map_err(|why| nothing_fetched(format!("{}: cannot be fetched: {why}", source.name())))?;
    }
    read(source).map(|(fresh, _)| fresh)
}

/// Reads the first config of `source`: the one that is there, else the last good one.
pub(super) fn begin(source: &Source, runtime: &Runtime) -> Result<(Fresh, Files), Unfit> {
    runtime.block_on(source.begin()).map_err(nothing_fetched)?;
    let read = match read(source) {
        Err(unfit) if runtime.block_on(source.fall_back()) => {
            for fault in &unfit.faults {
                tracing::error!("config: {}", fault.message);
            }
            read(source)
        }
        read => read,
    }?;
    source.accept(read.0.fetched.as_ref());
    Ok(read)
}

fn nothing_fetched(message: String) -> Unfit {
    let faults = vec![FaultView { message, ..FaultView::default() }];
    Unfit { faults, unreadable: true, sight: Sight::default() }
}

fn unfit(source: &Source, fresh: Fresh, faults: Vec<String>) -> Unfit {
    let view = |fault: String| FaultView {
        key: fault.split(':').next().unwrap_or_default().to_owned(),
        message: format!("{}: {fault}", source.name()),
        ..FaultView::default()
    };
    Unfit { faults: faults.into_iter().map(view).collect(), unreadable: false, sight: fresh.sight }
}
