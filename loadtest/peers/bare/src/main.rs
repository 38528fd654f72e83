//! Pingora that passes every request on, with weir's allocator and one worker: `bare LISTEN ORIGIN`, with `h2c` behind
//! them for HTTP/2 without TLS, or `tls CERTIFICATE KEY`.

use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::apps::HttpServerOptions;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};
use std::net::SocketAddr;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Pass {
    origin: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Pass {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.origin, false, String::new())))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [listen, origin, transport @ ..] = &args[..] else { usage() };
    let Ok(origin) = origin.parse() else { usage() };
    let conf = ServerConf {
        threads: 1,
        upstream_keepalive_pool_size: 512,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Pass { origin });
    match transport {
        [] => service.add_tcp(listen),
        ["h2c"] => {
            let mut options = HttpServerOptions::default();
            options.h2c = true;
            if let Some(proxy) = service.app_logic_mut() {
                proxy.server_options = Some(options);
            }
            service.add_tcp(listen);
        }
        ["tls", certificate, key] => {
            if let Err(e) = service.add_tls(listen, certificate, key) {
                eprintln!("bare: {e}");
                std::process::exit(66);
            }
        }
        _ => usage(),
    }
    server.add_service(service);
    server.run_forever();
}

fn usage() -> ! {
    eprintln!("usage: bare LISTEN ORIGIN [h2c | tls CERTIFICATE KEY]");
    std::process::exit(64);
}
