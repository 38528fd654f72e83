//! What is known of one client, and what the state does to it now. Charges nothing.

use super::Looks;
use super::offenders::owner;
use crate::client::key::ClientKey;
use crate::flood::judge::is_shed;
use crate::flood::rank::Rank;
use crate::flood::state::FloodState;
use crate::flood::view::View;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is known of one client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StandingView {
    /// Its rank, without a cookie.
    pub rank: Cow<'static, str>,
    /// What that means.
    pub meaning: Cow<'static, str>,
    /// Its standing rests on what was seen within a day only.
    pub young: bool,
    /// The flood's state.
    pub state: Cow<'static, str>,
    /// What that does to it now.
    pub effect: String,
    /// Requests a second from its /24 (IPv6: /56), or less.
    pub net24_rate: f64,
    /// Requests a second from its /16 (IPv6: /48), or less.
    pub net16_rate: f64,
    /// The owner of its network, where a database says.
    pub owner: String,
}

impl StandingView {
    /// What is known of `client` now.
    pub fn read(looks: &Looks<'_>, client: ClientKey) -> Self {
        let flood = &looks.state.flood;
        let view = flood.view();
        let known = flood.history.known(flood.history.locate(client), view.onset.unwrap_or(looks.now));
        let rank = Rank::from(known.standing);
        let (net24_rate, net16_rate) = flood.offenders.network_rates(client);
        Self {
            rank: rank.name().into(),
            meaning: rank.meaning().into(),
            young: known.young,
            state: view.state.name().into(),
            effect: if looks.policy.settings.flood.enabled {
                effect(&view, client, rank)
            } else {
                "floods are not looked for: flood.enabled is false".into()
            },
            net24_rate,
            net16_rate,
            owner: owner(looks, client),
        }
    }
}

fn effect(view: &View, client: ClientKey, rank: Rank) -> String {
    let proof = if view.challenge { "is asked for proof at a page load" } else { "can't be asked for proof" };
    match (view.state, rank) {
        (FloodState::Normal, _) => "nothing is asked of it; ranks count only where the origin's line is full".into(),
        (FloodState::Elevated, Rank::Net16 | Rank::Unknown) => {
            "nothing is refused; it may be asked for a cookie, and passes without it".into()
        }
        (FloodState::Elevated, _) => "nothing is refused or asked".into(),
        (FloodState::Overload, rank) if is_shed(view, client, rank) => format!(
            "refused: {:.0} % of the clients not known are admitted, and it is not among them; it {proof}",
            view.admitted * 100.0
        ),
        (FloodState::Overload, Rank::Credited | Rank::Seen) => "admitted: it is known".into(),
        (FloodState::Overload, _) => {
            format!("admitted: it is among the {:.0} % of the clients not known that are", view.admitted * 100.0)
        }
        (FloodState::Attack, Rank::Credited) => "comes first; no limit of the attack is its".into(),
        (FloodState::Attack, Rank::Seen | Rank::Proven) => {
            format!("may send 2/s, 60 at once, and load {:.1} pages/s", view.page_rate)
        }
        (FloodState::Attack, Rank::Net24) => {
            format!("may send 2/s, 60 at once, within the budget of known networks; {:.1} pages/s", view.page_rate)
        }
        (FloodState::Attack, Rank::Net16 | Rank::Unknown) => {
            format!("{proof}; what else it sends is 2/s, 60 at once, within small budgets that clients not known share")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;

    #[test]
    fn every_state_and_rank_has_its_words() {
        let client = ClientKey::new([192, 0, 2, 7].into(), 64);
        for state in FloodState::ALL {
            let view = View { state, admitted: 0.0, challenge: true, ..View::quiet(Time::default(), 100.0) };
            let texts = Rank::ALL.map(|rank| effect(&view, client, rank));
            assert!(
                texts
                    .iter()
                    .all(|text| !text.is_empty() && !text.contains("refused:") || state == FloodState::Overload)
            );
            let differs = texts[0] != texts[Rank::Unknown as usize];
            assert_eq!(differs, state != FloodState::Normal, "{texts:?}");
        }
    }
}
