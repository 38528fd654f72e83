"""Faults around Terraform: StackSets, workflows, the image, scripts."""
from lib.faults import Fault

W = ".github/workflows"
FAULTS = [
    Fault("a property that CloudFormation lacks", "stacksets/trail.yaml", "EnableLogFileValidation:", "EnableLogValidation:", "cfn-lint", short=True),
    Fault("a parameter that is not there", "stacksets/guardduty.yaml", "!Ref Prefix", "!Ref Prefixes", "cfn-lint"),
    Fault("an action that AWS does not have", "stacksets/roles.yaml", "ecr:PutImage", "ecr:PutImages", "cfn-lint"),
    Fault("a feature of GuardDuty that is none", "stacksets/guardduty.yaml", "FindingPublishingFrequency: FIFTEEN_MINUTES", "FindingPublishingFrequency: 15m", "cfn-lint"),
    Fault("an action by its tag", f"{W}/drift.yml", "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "actions/checkout@v6", "pinned", short=True),
    Fault("an action of a commit that nobody listed", f"{W}/drift.yml", "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd",
          "actions/checkout@0000000000000000000000000000000000000000", "pinned"),
    Fault("permissions for all", f"{W}/drift.yml", "\npermissions: {}", "\npermissions: write-all", "zizmor"),
    Fault("credentials that stay on the disk", f"{W}/drift.yml", "persist-credentials: false", "persist-credentials: true", "zizmor"),
    Fault("a title that becomes code", f"{W}/drift.yml", 'title="Drift in $NAME"', 'title="Drift in ${{ github.event.issue.title }}"', "zizmor"),
    Fault("a context that does not exist", f"{W}/drift.yml", "${{ vars.AWS_REGION }}", "${{ var.AWS_REGION }}", "actionlint"),
    Fault("a job without a machine", f"{W}/compliance.yml", "runs-on: ubuntu-24.04", "", "check-jsonschema"),
    Fault("an ecosystem that dependabot lacks", ".github/dependabot.yml", "package-ecosystem: cargo", "package-ecosystem: crates", "check-jsonschema"),
    Fault("root in the image's build", "image/Dockerfile", "USER 65532:65532", "USER root", "hadolint"),
    Fault("a base without a version", "image/Dockerfile", "FROM scratch", "FROM debian", "hadolint"),
    Fault("a variable without its quotes", "image/build.sh", '"$', "$", "shellcheck"),
    Fault("a name that nobody defines", "bin/compliance", "def main(", "def mains(", "ruff"),
]
