"""The Jobs that an operator makes as the pages say: made of the CronJobs of the cluster, and done."""

import re
import subprocess

import pytest

from deploy.development_token import token
from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.kubectl import cluster_ip, kubectl
from tests.cluster.requests import must_be, new_product, send
from tests.deploy.operator_jobs import Typed, typed

pytestmark = pytest.mark.prove
# The drill verifies databases that CloudNativePG has restored.
_LINES = [one for one in typed() if one.cron_job != "verify"]
_SAYS = {
    "pause-inventory": "inventory: pause requested",
    "rebuild-product-view": "equal to the live view before",
    "replay-prices": "events, confirmed up to position",
}


@pytest.fixture(scope="module")
def with_a_price(installed: Installation) -> None:
    """There is something to rebuild and to replay."""
    commands = f"http://{cluster_ip('command-api')}/v1/products"
    product = new_product()
    made = send("POST", commands, product)
    must_be(201, made)
    (variant,) = product["variants"]
    price = f"{commands}/{made.json['id']}/variants/{variant['sku']}/price"
    must_be(200, send("PUT", price, {"amount": "2.00", "currency": "USD"}))


@pytest.mark.parametrize("one", _LINES, ids=lambda one: one.job)
def test_a_command_as_a_job_does_what_its_page_says(with_a_price: None, record: Record, one: Typed) -> None:
    job = f"job/{one.job}"
    kubectl("delete", "--ignore-not-found", job)
    made = kubectl(
        "create", "job", one.job, f"--from=cronjob/{one.cron_job}", "--dry-run=client", "--output=json"
    )
    patched = subprocess.run(
        ["bash", "-c", one.patch], input=made, capture_output=True, text=True, check=True
    ).stdout
    kubectl("create", "--filename=-", given=patched)
    try:
        kubectl("wait", job, "--for=condition=complete", "--timeout=180s")
        said = kubectl("logs", job)
        assert _SAYS[one.job] in said
        assert not re.search(r"\b0 (rows|events)\b", said)
        record("a command as a Job", job=one.job, said=said.splitlines()[-1])
    finally:
        print(kubectl("logs", "--ignore-errors", job))
        kubectl("delete", job)
        if one.job == "pause-inventory":
            kubectl(
                "exec", "--stdin", "deployment/projector", "--container=projector", "--", "python", "-m",
                "projector", "resume", "--token-file", "-", "--reason", "trial", "inventory",
                given=token("ops:read ops:write"),
            )  # fmt: skip
