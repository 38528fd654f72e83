"""The same things as the older provider says them: words that changed, and S3's settings, which were blocks of the bucket.

What is said anew here is applied for real; what has no older saying is cut by downgrade.py, and told."""
import re

WORDS = [
    (r"data\.aws_region\.this\.region\b", "data.aws_region.this.name"),
    (r'domain(\s*)= "vpc"', r"vpc\1   = true"),
    (r"(aws_sqs_queue\.\w+)\.url\b", r"\1.id"),
    (r'"python3\.13"', '"python3.8"'),
    (r'"BLOCK", "COUNT", "CHALLENGE", "CAPTCHA"', '"BLOCK", "COUNT"'),
    (r"(aws_route53_health_check\.\w+)\.arn\b", r'"arn:aws:route53:::healthcheck/${\1.id}"'),
    # ElastiCache: Valkey is younger, and so are its users.
    (r"(replication_group_id .*\n)  description ", r"\1  replication_group_description "), (r"\bnoncurrent_days\b", "days"),
    (r"\bnum_cache_clusters\b", "number_cache_clusters"),
    (r'= "valkey"', '= "redis"'), (r'= "valkey8"', '= "redis6.x"'), (r"= var\.engine_version", '= "6.x"'),
    (r"aws_elasticache_user\.weir\.user_name", '"weir"'),
    # A budget's filter was a map, and it began on a day that had to be said.
    (r'cost_filter \{\s*name\s*= "(\w+)"\s*values = (.*)\s*\}', r'time_period_start = "2024-01-01_00:00"\n  cost_filters = { \1 = one(\2) }'),
    (r'(\n  task_type +=)', r'\n  max_concurrency = "1"\n  max_errors = "1"\1'),
    # It has no AppConfig; staging takes its config from Parameter Store.
    (r"\bin aws_appconfig_\w+\.\w+", "in []"), (r"aws_appconfig_\w+\.\w+\[0\]\.\w+", '""'),
]
SPLIT = re.compile(r'^resource "aws_s3_bucket_(versioning|server_side_encryption_configuration|object_lock_configuration|lifecycle_configuration)" "(\w+)" \{\n(.*?)^\}\n', re.M | re.S)


def say(text):
    """One file's text, said the older way."""
    for old, new in WORDS:
        text = re.sub(old, new, text)
    return buckets(write_only(text))


def end(lines, at):
    """The line after the argument or block that begins at this one: where its brackets close."""
    depth = 0
    while True:
        code = re.sub(r'"(?:\\.|[^"\\])*"', '""', lines[at].split(" #")[0])
        depth += sum(map(code.count, "{[(")) - sum(map(code.count, "}])"))
        at += 1
        if depth <= 0:
            return at


def write_only(text):
    """Write-only arguments are younger. The real value may not reach a state, so another one stands in."""
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if re.match(r" *secret_string_wo *=", line):
            lines[at:end(lines, at)] = ['  secret_string = "stands in for a write-only value"\n']
    return "".join(lines)


def buckets(text):
    """Puts each split setting of a bucket back into the bucket."""
    for kind, name, body in SPLIT.findall(text):
        head = f'resource "aws_s3_bucket" "{name}" {{\n'
        if head not in text:
            continue
        rules = re.search(r"^  rule \{\n.*^  \}\n", body, re.M | re.S)
        text = text.replace(head, head + block(kind, rules and rules.group()))
    text = SPLIT.sub("", text)
    return re.sub(r"^  object_lock_enabled = true\n", "", text, flags=re.M)


def block(kind, rules):
    if kind == "versioning":
        return "  versioning {\n    enabled = true\n  }\n"
    if kind == "object_lock_configuration":
        return f'  object_lock_configuration {{\n    object_lock_enabled = "Enabled"\n{rules}  }}\n'
    if kind == "server_side_encryption_configuration":
        return f"  server_side_encryption_configuration {{\n{rules}  }}\n"
    rules = re.sub(r"abort_incomplete_multipart_upload \{\s*days_after_initiation = (\d+)\s*\}", r"abort_incomplete_multipart_upload_days = \1", rules)
    rules = re.sub(r'status( *)= "Enabled"', r"enabled\1= true", rules).replace("filter {}\n", "")
    return rules.replace("  rule {", "  lifecycle_rule {").replace("GLACIER_IR", "GLACIER")
