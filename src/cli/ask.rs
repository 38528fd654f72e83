//! Asking a running weir by its admin address.

use super::exit::{Code, Failure};
use crate::admin::Token;
use crate::config::settings::SecretPlace;
use http::Request;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// For the whole answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer read.
const MAX_ANSWER: u64 = 16 << 20;

/// Where the running weir is, and the way in.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// Admin address of the running weir
    #[arg(long, value_name = "URL", env = "WEIR_ADMIN", default_value = "http://127.0.0.1:9901")]
    pub admin: String,
    /// File with the admin token, where the running weir asks for one; env:NAME is an environment variable
    #[arg(long, value_name = "FILE", env = "WEIR_TOKEN_FILE", value_parser = SecretPlace::parse)]
    pub token_file: Option<SecretPlace>,
}

impl Target {
    /// The text of one answer.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        self.send(Request::get(path), ())
    }

    /// The text of the answer to `body`, which is JSON.
    pub fn post(&self, path: &str, body: String) -> anyhow::Result<String> {
        self.send(Request::post(path).header("Content-Type", "application/json"), body)
    }

    /// The text of the answer to a deletion.
    pub fn delete(&self, path: &str) -> anyhow::Result<String> {
        self.send(Request::delete(path), ())
    }

    fn send(&self, request: http::request::Builder, body: impl ureq::AsSendBody) -> anyhow::Result<String> {
        let base = self.admin.trim_end_matches('/');
        if !base.starts_with("http://") {
            let why = format!("--admin: {base:?} has to be a URL such as http://127.0.0.1:9901");
            return Err(Failure::new(Code::Usage, why).into());
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .into();
        let path = request.uri_ref().map(ToString::to_string).unwrap_or_default();
        let mut request = request.uri(format!("{base}{path}"));
        if let Some(place) = &self.token_file {
            let token = Token::read(place).map_err(|e| Failure::new(Code::NoInput, e))?;
            request = request.header("Authorization", token.bearer());
        }
        let unavailable = |e| Failure::new(Code::Unavailable, format!("no weir answers at {base}: {e}"));
        let request = request.body(body).map_err(|e| Failure::new(Code::Usage, format!("{base}{path}: {e}")))?;
        let mut response = agent.run(request).map_err(unavailable)?;
        let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().map_err(unavailable)?;
        match response.status().as_u16() {
            200 => Ok(text),
            401 => {
                let hint = "name the file that holds it by --token-file or WEIR_TOKEN_FILE";
                Err(Failure::new(Code::NoPermission, format!("{base} asks for its admin token: {hint}")).into())
            }
            // What was asked for can't be done; the answer says why.
            404 | 422 if !text.trim().is_empty() => {
                Err(Failure::new(Code::Data, super::table::harmless(text.trim()).to_string()).into())
            }
            status => {
                let why = super::table::harmless(text.trim());
                Err(Failure::new(Code::Unavailable, format!("{base}{path} answered {status}: {why}")).into())
            }
        }
    }

    /// One answer, read.
    pub fn get_json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.read(&self.get(path)?, path)
    }

    /// An answer to `path`, read.
    pub fn read<T: DeserializeOwned>(&self, text: &str, path: &str) -> anyhow::Result<T> {
        serde_json::from_str(text).map_err(|e| {
            let why = format!("{}{path} is not what this version of weir expects: {e}", self.admin);
            Failure::new(Code::Data, why).into()
        })
    }
}
