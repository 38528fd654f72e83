"""The proxies: what each is configured with, and how it is checked, started and asked for its version.

A config is a template of conf/ whose @NAMES@ are filled in by the policy (what is limited) and the transport.
Policies: `none`; `limits` are on and never hit; `share` holds every client to 10/s, so that a few offenders are refused
and all others pass; `refuse` grants a client, and all clients together, one request a minute.
"""

import dataclasses
import os
import re

CONF = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conf")
PORT, ORIGIN_PORT = 9001, 9000
# And weir's admin address.
PORTS = (ORIGIN_PORT, PORT, 9002)
POLICIES = ("none", "limits", "share", "refuse")
TRANSPORTS = ("http", "tls", "h2c")


def fill(template, values):
    """`template` with its @NAMES@ filled in; one alone on a line keeps its indent, and goes with its line if empty."""

    def block(match):
        return "".join(f"{match[1]}{line}\n" for line in values[match[2]].splitlines())

    text = re.sub(r"^([ \t]*)@([A-Z0-9]+)@\n", block, template, flags=re.M)
    return re.sub(r"[ ]?@([A-Z0-9]+)@", lambda m: m[0].replace(f"@{m[1]}@", values[m[1]]) if values[m[1]] else "", text)


@dataclasses.dataclass(frozen=True)
class Peer:
    """A proxy. `values(policy, transport, folder)` fills its template."""

    name: str
    title: str
    template: str
    values: object
    command: object
    validate: object
    version: object
    limits: bool = True
    # Said beside the command where it must be one process, to be counted.
    alone: tuple = ()
    # The only rows it is for, if not all.
    rows: tuple = ()

    def config(self, policy, transport, folder):
        """The config's text, or none where everything is said in the command."""
        if not self.template:
            return None
        with open(os.path.join(CONF, self.template)) as f:
            return fill(f.read(), {"DIR": folder} | self.values(policy, transport, folder))


def origin_config(folder):
    with open(os.path.join(CONF, "origin.conf")) as f:
        return fill(f.read(), {"DIR": folder})


# nginx


def _nginx(policy, transport, folder):
    zone = "limit_req_zone $binary_remote_addr zone=clients:256m rate="
    zones = {
        "none": "",
        "limits": zone + "10000r/s;",
        "share": zone + "10r/s;",
        "refuse": zone + "1r/m;\nlimit_req_zone $server_addr zone=all:1m rate=1r/m;",
    }[policy]
    limits = {
        "none": "",
        "limits": "limit_req zone=clients burst=10000 nodelay;",
        "share": "limit_req zone=clients burst=20 nodelay;",
        "refuse": "limit_req zone=clients;\nlimit_req zone=all;",
    }[policy]
    if policy != "none":
        zones += "\nlimit_req_status 429; limit_req_log_level info;\nset_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
    tls = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;"
    listen = {"http": "", "tls": "ssl", "h2c": "http2"}[transport]
    return {"ZONES": zones, "LIMITS": limits, "LISTEN": listen, "TLS": tls if transport == "tls" else ""}


# HAProxy


def _haproxy(policy, transport, folder):
    window, most = {"none": ("", 0), "limits": ("10s", 100000), "share": ("1s", 10), "refuse": ("60s", 1)}[policy]
    limits, tables = [], ""
    if policy != "none":
        limits = [
            f"stick-table type ipv6 size 1m expire 10m store http_req_rate({window})",
            "http-request track-sc0 hdr_ip(x-forwarded-for,-1)",
            f"http-request return status 429 if {{ sc_http_req_rate(0) gt {most} }}",
        ]
    if policy == "refuse":
        limits += [
            "http-request track-sc1 int(1) table all",
            f"http-request return status 429 if {{ sc_http_req_rate(1) gt {most} }}",
        ]
        tables = f"backend all\n  stick-table type integer size 1 expire 10m store http_req_rate({window})"
    bind = {"http": "", "tls": f"ssl crt {folder}/both.pem ssl-min-ver TLSv1.3", "h2c": "proto h2"}[transport]
    return {"BIND": bind, "LIMITS": "\n".join(limits), "TABLES": tables}


# Envoy

_ENVOY_LIMITS = """\
- name: envoy.filters.http.local_ratelimit
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
    stat_prefix: limits
    token_bucket: {max_tokens: @ALL@, tokens_per_fill: @ALL@, fill_interval: 60s}
    filter_enabled: {default_value: {numerator: 100, denominator: HUNDRED}}
    filter_enforced: {default_value: {numerator: 100, denominator: HUNDRED}}
    max_dynamic_descriptors: 2000000
    always_consume_default_token_bucket: @BOTH@
    rate_limits:
    - actions: [{remote_address: {}}]
    descriptors:
    - entries: [{key: remote_address}]
      token_bucket: @BUCKET@"""
_ENVOY_TLS = """\
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
    common_tls_context:
      tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3}
      tls_certificates:
      - certificate_chain: {filename: @DIR@/cert.pem}
        private_key: {filename: @DIR@/key.pem}"""


def _envoy(policy, transport, folder):
    bucket = {
        "none": "",
        "limits": "{max_tokens: 100000, tokens_per_fill: 100000, fill_interval: 1s}",
        "share": "{max_tokens: 20, tokens_per_fill: 10, fill_interval: 1s}",
        "refuse": "{max_tokens: 1, tokens_per_fill: 1, fill_interval: 60s}",
    }[policy]
    limit = {
        "ALL": "1" if policy == "refuse" else "4000000000",
        "BOTH": str(policy == "refuse").lower(),
        "BUCKET": bucket,
    }
    return {
        "CODEC": "HTTP2" if transport == "h2c" else "HTTP1",
        "LIMITS": fill(_ENVOY_LIMITS, limit) if bucket else "",
        "TLS": fill(_ENVOY_TLS, {"DIR": folder}) if transport == "tls" else "",
    }


# weir


def _weir(policy, transport, folder):
    limits = {
        "none": [],
        "limits": [
            'name = "client"\nkey = "client"\nrate = "10000/s"\nburst = 10000',
            'name = "prefix"\nkey = "prefix"\nrate = "50000/s"\nburst = 50000',
            'name = "route"\nkey = "route"\nmatch = { path = "/*" }\nrate = "100000/s"\nburst = 100000',
        ],
        "share": ['name = "client"\nkey = "client"\nrate = "10/s"\nburst = 20'],
        "refuse": [
            'name = "client"\nkey = "client"\nrate = "1/m"\nburst = 1',
            'name = "all"\nkey = "route"\nrate = "1/m"\nburst = 1',
        ],
    }[policy]
    tls = f'[listen.tls]\naddress = ["127.0.0.1:{PORT}"]\ncertificate = "{folder}/cert.pem"\nkey = "{folder}/key.pem"'
    return {
        "HTTP": "" if transport == "tls" else f'"127.0.0.1:{PORT}"',
        "H2C": "true" if transport == "h2c" else "false",
        "TLS": tls if transport == "tls" else "",
        "LIMITS": "".join(f"\n[[limit]]\n{limit}\n" for limit in limits),
    }


def _bare(binary, transport, folder):
    more = {"http": [], "tls": ["tls", f"{folder}/cert.pem", f"{folder}/key.pem"], "h2c": ["h2c"]}[transport]
    return [binary, f"127.0.0.1:{PORT}", f"127.0.0.1:{ORIGIN_PORT}", *more]


def _weir_peer(name, title):
    return Peer(
        name,
        title,
        "weir.toml",
        _weir,
        command=lambda binary, path, *_: [binary, "serve", "--config", path],
        validate=lambda binary, path: [binary, "check", path],
        version=["--version"],
    )


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "nginx",
            "nginx",
            "nginx.conf",
            _nginx,
            command=lambda binary, path, *_: [binary, "-c", path],
            validate=lambda binary, path: [binary, "-t", "-q", "-c", path],
            version=["-v"],
            alone=("-g", "master_process off;"),
        ),
        Peer(
            "haproxy",
            "HAProxy",
            "haproxy.cfg",
            _haproxy,
            command=lambda binary, path, *_: [binary, "-db", "-f", path],
            validate=lambda binary, path: [binary, "-c", "-q", "-f", path],
            version=["-v"],
        ),
        Peer(
            "envoy",
            "Envoy",
            "envoy.yaml",
            _envoy,
            command=lambda binary, path, *_: [
                binary,
                "-c",
                path,
                "--concurrency",
                "1",
                "--log-level",
                "error",
                "--disable-hot-restart",
            ],
            validate=lambda binary, path: [binary, "--mode", "validate", "-c", path, "--log-level", "error"],
            version=["--version"],
        ),
        Peer(
            "bare",
            "bare Pingora",
            "",
            None,
            command=lambda binary, _, transport, folder: _bare(binary, transport, folder),
            validate=None,
            version=None,
            limits=False,
        ),
        _weir_peer("weir", "weir"),
        _weir_peer("weir-pgo", "weir, built with PGO"),
        Peer(
            "floor",
            "floor: receive and send",
            "",
            None,
            command=lambda binary, *_: [binary, f"127.0.0.1:{PORT}"],
            validate=None,
            version=None,
            rows=("refuse",),
        ),
    )
}
