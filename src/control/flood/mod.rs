//! What a running weir tells about floods: for `/api/flood`, `/api/status`, `weir top`, `weir why` and the metrics.

#[cfg(test)]
mod fixture;
mod offenders;
mod standing;
mod view;

pub use offenders::{OffenderView, OwnerView};
pub use standing::StandingView;
pub use view::{
    BudgetView, ChallengeTotals, ChangeCount, ChangeView, ClassView, FloodReport, FloodStatus, HistoryView, RankView,
    SecondView,
};

use super::recent::Recent;
use crate::access::asn::AsnDatabase;
use crate::access::country::CountryDatabase;
use crate::base::clock::Time;
use crate::verdict::{Policy, State};

#[cfg(test)]
pub(crate) use fixture::fixture;

/// Where the answers are read.
#[derive(Clone, Copy)]
pub struct Looks<'a> {
    /// The config in force.
    pub policy: &'a Policy,
    /// What is known.
    pub state: &'a State,
    /// The latest refusals.
    pub recent: &'a Recent,
    /// Who owns which network, if that is known.
    pub asn: Option<&'a AsnDatabase>,
    /// Which country a network is in, if that is known.
    pub country: Option<&'a CountryDatabase>,
    /// When weir started.
    pub started: Time,
    /// Now.
    pub now: Time,
}
