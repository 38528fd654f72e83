//! The Controller's API: logs in, reads groups and writes one.

use super::status::Tally;
use crate::config::settings::{SecretPlace, SmartGroup};
use crate::sink::https::{Answer, Https};
use crate::sink::secret;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The longest excerpt of an answer that is told.
const EXCERPT: usize = 200;

/// The longest id of a group.
const MAX_ID: usize = 64;

/// Why it did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The Controller does not take what was sent.
    #[error("refused: {0}")]
    Refused(String),
    /// All else: it is tried again.
    #[error("{0}")]
    Failed(String),
}

/// A group, as the Controller shows it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Group {
    #[serde(default)]
    pub(super) uuid: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) selector: Value,
}

impl Group {
    /// Its expressions.
    pub(super) fn any(&self) -> Result<&Vec<Value>, Fault> {
        let whole = self.selector.as_object().filter(|o| o.len() == 1);
        let any = whole.and_then(|o| o.get("any")).and_then(Value::as_array);
        any.ok_or_else(|| {
            Fault::Failed("the group's selector has a form that weir does not know; it is left alone".into())
        })
    }
}

/// A session with the Controller.
pub(super) struct Controller {
    https: Https,
    base: String,
    user: String,
    password_file: Option<SecretPlace>,
    tally: Arc<Tally>,
    /// The session's id, once there is one.
    cid: Option<HeaderValue>,
}

impl Controller {
    pub(super) fn new(group: &SmartGroup, patience: Duration, tally: Arc<Tally>) -> Result<Self, String> {
        Ok(Self {
            https: Https::new(group.ca_file.as_deref(), patience)?,
            base: group.controller.trim_end_matches('/').to_owned(),
            user: group.user.clone(),
            password_file: group.password_file.clone(),
            tally,
            cid: None,
        })
    }

    /// All groups.
    pub(super) async fn groups(&mut self) -> Result<Vec<Group>, Fault> {
        #[derive(Deserialize)]
        struct Groups {
            app_domains: Vec<Group>,
        }
        let answer = self.call(Method::GET, "app-domains", None).await?;
        let groups: Groups =
            serde_json::from_slice(&answer.body).map_err(|_| strange("the list of groups", &answer))?;
        Ok(groups.app_domains)
    }

    pub(super) async fn create(&mut self, name: &str, any: &[Value]) -> Result<(), Fault> {
        let body = json!({"name": name, "selector": {"any": any}});
        self.call(Method::POST, "app-domains", Some(&body)).await.map(drop)
    }

    pub(super) async fn update(&mut self, group: &Group, any: &[Value]) -> Result<(), Fault> {
        let id = &group.uuid;
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Fault::Failed("the group has no id of a form that weir knows".into()));
        }
        let body = json!({"name": group.name, "selector": {"any": any}});
        self.call(Method::PUT, &format!("app-domains/{id}"), Some(&body)).await.map(drop)
    }

    /// One call; where the session is over, once more in a new one.
    async fn call(&mut self, method: Method, endpoint: &str, body: Option<&Value>) -> Result<Answer, Fault> {
        let url = format!("{}/v2.5/api/{endpoint}", self.base);
        let body = body.map_or(String::new(), |body| format!("body={}", form(&body.to_string())));
        for _ in 0..2 {
            let cid = match &self.cid {
                Some(cid) => cid.clone(),
                None => self.login().await?,
            };
            let mut headers = form_headers();
            headers.insert(AUTHORIZATION, cid);
            let sent = self.https.send(method.clone(), &url, headers, Bytes::from(body.clone()));
            let answer = sent.await.map_err(Fault::Failed)?;
            if !is_over(&answer) {
                return checked(answer, endpoint);
            }
            self.cid = None;
        }
        Err(Fault::Failed("the Controller ends every session at once".into()))
    }

    async fn login(&mut self) -> Result<HeaderValue, Fault> {
        #[derive(Deserialize)]
        struct Login {
            #[serde(rename = "return", default)]
            done: bool,
            #[serde(rename = "CID", default)]
            cid: String,
            #[serde(default)]
            reason: String,
        }
        let failed = |what: &str| Fault::Failed(format!("login: {what}"));
        let token = self.token().await?;
        let password = self.password().await.map_err(|e| failed(&e))?;
        let url = format!("{}/v2/api", self.base);
        let body = format!("action=login&username={}&password={}", form(&self.user), form(&password));
        let mut headers = form_headers();
        if let Some(token) = token {
            headers.insert("x-access-key", token);
        }
        let answer = self.https.send(Method::POST, &url, headers, body.into()).await.map_err(|e| failed(&e))?;
        let login: Login = serde_json::from_slice(&answer.body).map_err(|_| failed(&answer.status.to_string()))?;
        if !login.done || login.cid.is_empty() {
            let reason: String = login.reason.replace(&password, "…").chars().take(EXCERPT).collect();
            return Err(failed(&format!("the Controller says no: {reason}")));
        }
        let mut cid =
            HeaderValue::try_from(format!("cid {}", login.cid)).map_err(|_| failed("its id makes no sense"))?;
        cid.set_sensitive(true);
        self.cid = Some(cid.clone());
        self.tally.change(|s| s.logins += 1);
        Ok(cid)
    }

    /// What a login has to show; none of a Controller that is too old to ask for it.
    async fn token(&self) -> Result<Option<HeaderValue>, Fault> {
        #[derive(Deserialize)]
        struct Told {
            results: Token,
        }
        #[derive(Deserialize)]
        struct Token {
            api_token: String,
        }
        let failed = |what: &str| Fault::Failed(format!("login: get_api_token: {what}"));
        let url = format!("{}/v2/api?action=get_api_token", self.base);
        let sent = self.https.send(Method::GET, &url, HeaderMap::new(), Bytes::new()).await;
        let answer = sent.map_err(|e| failed(&e))?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let told: Told = serde_json::from_slice(&answer.body).map_err(|_| failed(&answer.status.to_string()))?;
        let mut token = HeaderValue::try_from(told.results.api_token).map_err(|_| failed("it makes no sense"))?;
        token.set_sensitive(true);
        Ok(Some(token))
    }

    /// Read at every login, so that it can be changed while weir runs.
    async fn password(&self) -> Result<String, String> {
        let Some(place) = &self.password_file else { return Err("no password_file".into()) };
        match secret::read("password_file", place).await? {
            empty if empty.is_empty() => Err(format!("password_file {place} is empty")),
            password => Ok(password),
        }
    }
}

fn form_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers
}

/// `text` as a form's value. Only what a form would read otherwise is written otherwise.
fn form(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => out.push('+'),
            '%' | '&' | '+' | '=' | ';' | '#' => out += &format!("%{:02X}", u32::from(c)),
            c if c.is_ascii_graphic() => out.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| out += &format!("%{b:02X}")),
        }
    }
    out
}

/// Whether the answer says that there is no such session any more.
fn is_over(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(4_096)]).to_ascii_lowercase();
    let says_so = ["invalid cid", "cid is invalid", "invalid session"].iter().any(|words| text.contains(words));
    // The older form of a refusal comes with 200 and `"return": false`.
    let refused =
        !answer.status.is_success() || text.contains("\"return\":false") || text.contains("\"return\": false");
    answer.status == StatusCode::UNAUTHORIZED || says_so && refused
}

/// The answer, unless it says that it did not work.
fn checked(answer: Answer, endpoint: &str) -> Result<Answer, Fault> {
    let status = answer.status;
    if status.is_success() {
        return Ok(answer);
    }
    let text = format!("{endpoint}: {status}: {}", excerpt(&answer));
    let temporary =
        [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    match status.is_client_error() && !temporary.contains(&status) {
        true => Err(Fault::Refused(text)),
        false => Err(Fault::Failed(text)),
    }
}

fn strange(what: &str, answer: &Answer) -> Fault {
    Fault::Failed(format!("{what} has a form that weir does not know: {}", excerpt(answer)))
}

/// What it says went wrong, or its beginning.
fn excerpt(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Said {
        #[serde(alias = "Message", alias = "reason")]
        message: String,
    }
    let said = serde_json::from_slice::<Said>(&answer.body).map(|said| said.message);
    let text = said.unwrap_or_else(|_| String::from_utf8_lossy(&answer.body).into_owned());
    text.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn an_end_of_the_session_is_told_from_other_refusals() {
        for (status, body) in [
            (403, r#"{"message": "Invalid CID"}"#),
            (200, r#"{"return":false,"reason":"[AVIATRIX-ERR] CID is invalid or expired."}"#),
            (200, r#"{"return": false, "reason": "Invalid session. Please login again."}"#),
            (401, ""),
        ] {
            assert!(is_over(&answer(status, body)), "{status} {body}");
        }
        for (status, body) in [
            (403, r#"{"message": "no permission"}"#),
            (200, r#"{"app_domains":[{"name":"CID is invalid"}]}"#),
            (500, ""),
        ] {
            assert!(!is_over(&answer(status, body)), "{status} {body}");
        }
    }

    #[test]
    fn refusals_of_what_was_sent_are_told_from_the_rest() {
        let kind = |status| checked(answer(status, r#"{"message":"bad\u001bcidr"}"#), "app-domains");
        assert_eq!(kind(400).unwrap_err(), Fault::Refused("app-domains: 400 Bad Request: bad cidr".into()));
        for status in [302, 403, 404, 429, 500, 503] {
            assert!(matches!(kind(status), Err(Fault::Failed(_))), "{status}");
        }
    }

    #[test]
    fn a_value_comes_through_a_form() {
        assert_eq!(form("a b&c=é%+;#{\"x\":1}"), "a+b%26c%3D%C3%A9%25%2B%3B%23{\"x\":1}");
    }
}
