"""Puts a network into an IP set that the web ACL blocks, or takes it out: read, merge, write, with the token of the read."""
import ipaddress
import time

import boto3

# Nobody blocks a continent, or a network of our own, by a slip of the finger.
WIDEST = {4: 16, 6: 32}
OURS = [ipaddress.ip_network(one) for one in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
    "fc00::/7", "fe80::/10", "::1/128")]


def check(text):
    """The network, or an error that says what to write."""
    network = ipaddress.ip_network(text, strict=False)
    if network.prefixlen < WIDEST[network.version]:
        raise ValueError(f"Network: {network} is too wide; write a /{WIDEST[network.version]} or narrower")
    if any(network.version == ours.version and network.overlaps(ours) for ours in OURS):
        raise ValueError(f"Network: {network} is not an address of the internet, as clients have")
    return network


def find(waf, name):
    """The set's id; its name is all that people know."""
    asked = {"Scope": "REGIONAL", "Limit": 100}
    while True:
        page = waf.list_ip_sets(**asked)
        for one in page["IPSets"]:
            if one["Name"] == name:
                return one["Id"]
        if not page.get("NextMarker") or not page["IPSets"]:
            raise ValueError(f"there is no IP set {name} in this Region")
        asked["NextMarker"] = page["NextMarker"]


def run(events, context):
    network = check(events["network"])
    name = events[f"ipv{network.version}"]
    waf = boto3.client("wafv2")
    of = {"Name": name, "Id": find(waf, name), "Scope": "REGIONAL"}
    for turn in range(8):
        found = waf.get_ip_set(**of)
        held = found["IPSet"]["Addresses"]
        # AWS WAF may write an IPv6 network in another way than we do.
        known = {str(ipaddress.ip_network(one, strict=False)): one for one in held}
        if (str(network) in known) == (events["do"] == "block"):
            return {"changed": False, "set": name, "entries": len(held)}
        if events["do"] == "block":
            wanted = [*held, str(network)]
        else:
            wanted = [one for one in held if one != known[str(network)]]
        if len(wanted) > 10000:
            raise RuntimeError(f"the set {name} is full (10,000): take something out, or block a wider network")
        try:
            change = {**of, "Addresses": wanted, "LockToken": found["LockToken"]}
            if found["IPSet"].get("Description"):  # left out, it would be gone
                change["Description"] = found["IPSet"]["Description"]
            waf.update_ip_set(**change)
            return {"changed": True, "set": name, "entries": len(wanted)}
        except waf.exceptions.WAFOptimisticLockException:
            time.sleep(1 + turn)  # weir was faster: read and merge again
    raise RuntimeError("others kept writing to the set; try again")
