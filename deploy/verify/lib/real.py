"""A real apply by the genuine provider: staging as it stands, on moto; what Terraform says it made is asked for at the API."""
import json
import shutil
import time

from . import asserted_traffic, asserted_watch, downgrade, drift, inventory, moto, operators, table
from . import terraform as tf
from .api import Api
from .drill import Drill

REGION, PREFIX = "eu-central-1", "weir-stage"
ZONE = "weir.example"


class Real:
    """One run: a copy of the modules, an AWS on loopback, and what leads Terraform there."""

    def __init__(self, terraform, endpoint, mirror, say):
        self.terraform, self.say, self.api = terraform, say, Api(endpoint, REGION)
        self.folder = terraform / "environments/staging"
        self.env = {**downgrade.environment(mirror, terraform), "TF_VAR_endpoint": endpoint}

    def terraform_does(self, *arguments, timeout=300):
        return tf.run(["terraform", *arguments], self.folder, self.env, timeout=timeout)

    def prepare(self):
        """Staging, led to moto; what must be there before: a certificate and a zone."""
        (self.folder / "backend.tf").unlink()
        for path in (tf.VERIFY / "genuine").glob("*.tf"):
            shutil.copy(path, self.folder)
        downgrade.prepare(self.terraform)
        zone = self.api.client("route53").create_hosted_zone(Name=ZONE, CallerReference="verify")["HostedZone"]["Id"].rsplit("/", 1)[-1]
        (self.folder / "genuine.auto.tfvars.json").write_text(json.dumps({
            "certificate_arn": self.api.client("acm").request_certificate(DomainName=f"www.{ZONE}")["CertificateArn"],
            "shield_advanced": True,
            "dns": {"zone_id": zone, "name": f"www.{ZONE}", "secondary": {"dns_name": f"standby.{ZONE}", "zone_id": zone}}}))

    def fit(self):
        """What the old provider lacks and what moto lacks."""
        cut, faults = downgrade.fit(self.folder, self.env)
        if faults:
            raise tf.Failed("\n".join(f"{d['summary']} {d.get('detail', '')}" for d in faults))
        self.say(f"staging is valid on {downgrade.PROVIDER}, but for {len(cut)} newer arguments and resources, which the schema holds")
        self.terraform_does("plan", "-input=false", "-no-color", "-out=whole")
        whole = json.loads(self.terraform_does("show", "-json", "whole").stdout)["resource_changes"]
        self.packs = [one["change"]["after"]["template_body"] for one in whole if one["type"] == "aws_config_conformance_pack"]
        dropped = downgrade.drop(self.terraform)
        for kind in sorted({kind for _, kind in dropped}):
            self.say(f"valid and not applied: {kind}: {downgrade.NOT_HELD[kind]}")
        return cut, dropped

    def apply(self):
        self.terraform_does("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30", timeout=500)
        state = self.terraform_does("state", "list").stdout.split()
        return [address for address in state if not address.startswith("data.") and ".data." not in address]

    def outputs(self):
        return {name: one["value"] for name, one in json.loads(self.terraform_does("output", "-json").stdout).items()}

    def unchanged(self, after):
        for address, kind, name in drift.unchanged(self.folder, self.env, after):
            self.say(f"allowed after {after}: {address}: {name}: {drift.ALLOWED[kind, name]}")

    def release(self, target):
        """Releases and their ways back, each followed by a plan that must find nothing."""
        drill = Drill(self.api, target, self.terraform, self.say)
        drill.good()
        self.unchanged("a release")
        back = drill.back()
        self.unchanged("a rollback")
        turned = drill.bad()
        drill.clear()
        self.unchanged("a release that turned itself back")
        self.say(f"rollout drill: 5, 25, 50, 100 %, rollback in {back:.1f} s; a bad release turned back {turned:.1f} s after its alarm")

    def bans(self):
        """What weir does: it writes into its sets."""
        waf = self.api.client("wafv2")
        for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]:
            of = {"Name": one["Name"], "Id": one["Id"], "Scope": "REGIONAL"}
            found = waf.get_ip_set(**of)
            address = "192.0.2.7/32" if found["IPSet"]["IPAddressVersion"] == "IPV4" else "2001:db8::7/128"
            waf.update_ip_set(**of, Addresses=[address], Description=found["IPSet"]["Description"], LockToken=found["LockToken"])

    def destroy(self, before):
        """Takes it all away: the account must be as it was."""
        standing = inventory.grown(before, inventory.take(self.api))
        self.api.holds(len(standing) > 25, f"the inventory sees what stands: {sorted(standing)}")
        self.terraform_does("destroy", "-auto-approve", "-input=false", "-no-color", "-parallelism=30", timeout=500)
        left = inventory.grown(before, inventory.take(self.api))
        self.api.holds(not left, f"what outlived the destroy: {left}")
        return sum(len(names) for names in standing.values())


def apply_and_destroy(mirror, say):
    """All of it, in order; where the time goes is said at the end."""
    clock, took = time.monotonic, []

    def timed(name, act, *arguments):
        begun = clock()
        done = act(*arguments)
        took.append(f"{name} {clock() - begun:.0f} s")
        return done

    with tf.copy() as terraform, moto.server() as endpoint:
        real = Real(terraform, endpoint, mirror, say)
        real.prepare()
        cut, dropped = timed("fit", real.fit)
        before = inventory.take(real.api)
        addresses = timed("apply", real.apply)
        say(f"applied: {len(addresses)} resources")
        outputs = real.outputs()
        timed("plan", real.unchanged, "the apply")
        for part in (asserted_traffic, asserted_watch):
            part.check(real.api, PREFIX, outputs)
        asserted_watch.pack(real.api, real.packs)
        say(f"the API agrees on {real.api.held} points")
        timed("releases", real.release, outputs["rollout"])
        documents = timed("documents", operators.run, real.api, PREFIX)
        say(f"operators' documents, run for real: {', '.join(documents)}")
        real.bans()
        timed("plan", real.unchanged, "bans of weir's and operators' documents")
        say("no change is planned: after the apply, each release, weir's bans, and the documents")
        gone = timed("destroy", real.destroy, before)
        say(f"destroyed: of {gone} listed things nothing is left; {real.api.held} points held in all")
    say(", ".join(took))
    print(table.text(table.rows(addresses, cut, dropped)), flush=True)
