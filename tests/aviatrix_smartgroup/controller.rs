//! A double of the Controller: login by token and password, sessions that end, and `app-domains` of the API v2.5.

use crate::common::tls;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

pub(crate) const PASSWORD: &str = "s3cret & more=100%+é";

/// How the next call of the API v2.5 goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// As the API v2.5 says it.
    Expired,
    /// As older versions say it.
    ExpiredOld,
    Status(u16),
    /// No answer.
    Slow,
    /// It is done, but nobody hears of it.
    SlowButDone,
    Rubbish,
}

#[derive(Default)]
struct State {
    groups: Vec<Value>,
    sessions: Vec<String>,
    logins: u64,
    faults: VecDeque<Fault>,
    calls: Vec<String>,
    no_ipv6: bool,
}

pub(crate) struct Double {
    address: SocketAddr,
    pub(crate) certificate: String,
    state: Arc<Mutex<State>>,
    _runtime: tokio::runtime::Runtime,
}

impl Double {
    pub(crate) fn start(groups: Value) -> Self {
        let pair = tls::pair_for("127.0.0.1");
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![pair.der], key).unwrap()));
        let groups = groups.as_array().unwrap().clone();
        let state = Arc::new(Mutex::new(State { groups, ..State::default() }));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = state.clone();
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, shared) = (acceptor.clone(), shared.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let service = service_fn(move |request| answer(request, shared.clone()));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, certificate: pair.certificate, state, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/", self.address)
    }

    pub(crate) fn next(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    pub(crate) fn end_sessions(&self) {
        self.state().sessions.clear();
    }

    pub(crate) fn refuse_ipv6(&self) {
        self.state().no_ipv6 = true;
    }

    /// How many calls began like this.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.state().calls.iter().filter(|call| call.starts_with(start)).count()
    }

    pub(crate) fn group(&self, name: &str) -> Value {
        self.state().groups.iter().find(|g| g["name"] == name).cloned().unwrap_or_default()
    }

    /// The networks of a group, `?` for other expressions.
    pub(crate) fn networks(&self, name: &str) -> Vec<String> {
        let group = self.group(name);
        let any = group["selector"]["any"].as_array().cloned().unwrap_or_default();
        any.iter().map(|e| e["all"]["cidr"].as_str().unwrap_or("?").to_owned()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

type Reply = Response<Full<Bytes>>;

fn reply(status: u16, body: &Value) -> Reply {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).body(Full::from(body.to_string())).unwrap()
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let fields = form(&body);
    let header = |name: &str| head.headers.get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
    let path = head.uri.path();
    let Some(endpoint) = path.strip_prefix("/v2.5/api/") else {
        state.lock().unwrap().calls.push(format!("{} {path}", head.method));
        assert_eq!(path, "/v2/api");
        return Ok(match head.uri.query() {
            Some("action=get_api_token") => reply(200, &json!({"return": true, "results": {"api_token": "token-1"}})),
            _ => login(&fields, &header("x-access-key"), &state),
        });
    };
    let fault = {
        let mut state = state.lock().unwrap();
        state.calls.push(format!("{} {endpoint}", head.method));
        let session = header("authorization").strip_prefix("cid ").map(str::to_owned);
        let fault = state.faults.pop_front().unwrap_or(Fault::None);
        if matches!(fault, Fault::Expired | Fault::ExpiredOld) {
            state.sessions.clear();
        }
        match session.is_some_and(|s| state.sessions.contains(&s)) {
            false if fault == Fault::ExpiredOld => {
                return Ok(reply(200, &json!({"return": false, "reason": "CID is invalid or expired"})));
            }
            false => return Ok(reply(403, &json!({"message": "Invalid CID"}))),
            true => fault,
        }
    };
    match fault {
        Fault::Status(status) => return Ok(reply(status, &json!({"message": "as told"}))),
        Fault::Rubbish => return Ok(reply(200, &json!(["what"]))),
        Fault::Slow => std::future::pending().await,
        _ => {}
    }
    let done = app_domains(&head.method, endpoint, &fields, &mut state.lock().unwrap());
    if fault == Fault::SlowButDone {
        std::future::pending::<()>().await;
    }
    Ok(done)
}

fn login(fields: &HashMap<String, String>, token: &str, state: &Mutex<State>) -> Reply {
    let right = fields["action"] == "login" && fields["password"] == PASSWORD && token == "token-1";
    if !right {
        return reply(
            200,
            &json!({"return": false, "reason": format!("no user {} with {}", fields["username"], fields["password"])}),
        );
    }
    let mut state = state.lock().unwrap();
    state.logins += 1;
    let session = format!("session-{}", state.logins);
    state.sessions.push(session.clone());
    reply(200, &json!({"return": true, "results": "authorized", "CID": session}))
}

fn app_domains(method: &Method, endpoint: &str, fields: &HashMap<String, String>, state: &mut State) -> Reply {
    if method == Method::GET {
        return reply(200, &json!({"app_domains": state.groups}));
    }
    let mut group: Value = serde_json::from_str(&fields["body"]).unwrap();
    let any = group["selector"]["any"].as_array().unwrap();
    if any.is_empty() || state.no_ipv6 && any.iter().any(|e| e["all"]["cidr"].as_str().is_some_and(|c| c.contains(':')))
    {
        return reply(400, &json!({"message": "bad selector"}));
    }
    match (method.as_str(), endpoint.split_once('/')) {
        ("POST", None) => {
            group["uuid"] = json!(format!("made-{}", state.groups.len()));
            state.groups.push(group.clone());
            reply(200, &json!({"uuid": group["uuid"]}))
        }
        ("PUT", Some(("app-domains", id))) => {
            let Some(old) = state.groups.iter_mut().find(|g| g["uuid"] == id) else {
                return reply(404, &json!({"message": "no such group"}));
            };
            group["uuid"] = json!(id);
            *old = group;
            reply(200, &json!({}))
        }
        other => panic!("nobody documents {other:?}"),
    }
}

/// The fields of a form, decoded as forms are.
fn form(body: &[u8]) -> HashMap<String, String> {
    let decoded = |text: &str| {
        let (mut out, mut bytes) = (Vec::new(), text.bytes());
        while let Some(b) = bytes.next() {
            out.push(match b {
                b'+' => b' ',
                b'%' => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                b => b,
            });
        }
        String::from_utf8(out).unwrap()
    };
    let text = String::from_utf8(body.to_vec()).unwrap();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}
