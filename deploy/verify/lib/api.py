"""AWS's API as moto answers it: what Terraform says it made is asked for here."""
import functools

from . import terraform as tf


class Api:
    """Clients of one Region, and a count of what they were asked."""

    def __init__(self, endpoint, region):
        self.endpoint, self.region, self.held = endpoint, region, 0
        self.client = functools.lru_cache(maxsize=None)(self._client)

    def environment(self):
        """What leads AWS's own tools, and deploy/bin, to the same place."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region,
                "AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto"}

    def _client(self, service):
        import boto3
        return boto3.client(service, endpoint_url=self.endpoint, region_name=self.region, aws_access_key_id="moto", aws_secret_access_key="moto")

    def holds(self, truth, what):
        """Counts what is so, and ends the step with what is not."""
        if not truth:
            raise tf.Failed(f"the API says otherwise: {what}")
        self.held += 1
