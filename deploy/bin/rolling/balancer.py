"""The weights between blue and green on the load balancer, and which colour was whole before a release began."""

from .target import COLOURS, Fault, Target

# On the listener, for whoever has to turn a release back without having begun it.
STABLE = "weir-stable"


class Balancer:
    """The listener of one target."""

    def __init__(self, client, target: Target) -> None:
        self.client = client
        self.target = target

    def weights(self) -> dict[str, int]:
        """Shares in percent, as the load balancer has them now."""
        listener = self.client.describe_listeners(ListenerArns=[self.target.listener])["Listeners"][0]
        action = listener["DefaultActions"][0]
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        raw = {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
        unknown = set(raw) - {colour.group for colour in self.target.colours.values()}
        if unknown:
            raise Fault(f"the listener forwards to groups that are not in the target: {', '.join(sorted(unknown))}")
        whole = sum(raw.values()) or 1
        return {name: round(100 * raw.get(self.target.colours[name].group, 0) / whole) for name in COLOURS}

    def shift(self, name: str, share: int) -> None:
        """Gives this colour so many percent of new requests and the other one the rest. One call: both change at once."""
        groups = [{"TargetGroupArn": self.target.colours[name].group, "Weight": share},
                  {"TargetGroupArn": self.target.other(name).group, "Weight": 100 - share}]
        self.client.modify_listener(ListenerArn=self.target.listener, DefaultActions=[
            {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])

    def show_to_testers(self, name: str) -> None:
        """Points the test listener at this colour."""
        self.client.modify_listener(ListenerArn=self.target.test_listener, DefaultActions=[
            {"Type": "forward", "TargetGroupArn": self.target.colours[name].group}])

    def test_url(self) -> str:
        """Where the test listener answers."""
        listener = self.client.describe_listeners(ListenerArns=[self.target.test_listener])["Listeners"][0]
        found = self.client.describe_load_balancers(LoadBalancerArns=[listener["LoadBalancerArn"]])["LoadBalancers"][0]
        return f"{listener['Protocol'].lower()}://{found['DNSName']}:{listener['Port']}"

    def remember(self, name: str) -> None:
        """Writes down which colour a release begins from: where rollback leads, during it and after."""
        self.client.add_tags(ResourceArns=[self.target.listener], Tags=[{"Key": STABLE, "Value": name}])

    def remembered(self) -> str | None:
        """Which colour the last release began from."""
        tags = self.client.describe_tags(ResourceArns=[self.target.listener])["TagDescriptions"][0]["Tags"]
        return next((tag["Value"] for tag in tags if tag["Key"] == STABLE and tag["Value"] in COLOURS), None)

    def health(self, name: str) -> tuple[int, int, int]:
        """How many targets of a colour are healthy, are unhealthy, and are only starting; those that leave don't count."""
        states = [target["TargetHealth"]["State"] for target in self.client.describe_target_health(
            TargetGroupArn=self.target.colours[name].group)["TargetHealthDescriptions"]]
        healthy, unhealthy = states.count("healthy"), states.count("unhealthy")
        return healthy, unhealthy, len(states) - healthy - unhealthy - states.count("draining")
