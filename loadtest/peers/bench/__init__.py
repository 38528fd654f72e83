"""Measures weir beside its peers: nginx, HAProxy, Envoy and bare Pingora, all in one run. `python3 -m bench --help`."""
