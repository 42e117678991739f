"""After a trial: each acknowledged write is there, once, and all views agree with the log."""

import json
import urllib.request

from deploy.development_token import token
from tests.cluster.kubectl import cluster_ip, kubectl
from tests.cluster.load import Tally
from tests.eventually import eventually_blocking

_AGREES_SECONDS_MAX = 120


def must_have_lost_nothing(tally: Tally) -> None:
    """Raises AssertionError for a write that is missing or was done twice, and for a view that differs."""
    assert tally.versions, "the load has written nothing"
    caller = {"Authorization": f"Bearer {token('products:read products:read-drafts')}"}
    address = f"http://{cluster_ip('query-api')}/v1/products"

    def version(product_id: str) -> int:
        with urllib.request.urlopen(
            urllib.request.Request(f"{address}/{product_id}", headers=caller), timeout=60
        ) as answer:
            found: int = json.load(answer)["version"]
            return found

    def must_be_there(product_id: str, versions: list[int]) -> None:
        found = version(product_id)
        # A write without an answer may have been done, and is told apart by its key only.
        is_right = found >= max(versions) if tally.failed else found == max(versions)
        assert is_right, f"{product_id} has version {found}; the last acknowledged one is {max(versions)}"

    for product_id, versions in tally.versions.items():
        eventually_blocking(lambda p=product_id, v=versions: must_be_there(p, v), _AGREES_SECONDS_MAX)  # type: ignore[misc]
    kubectl(
        "exec", "--stdin", "deployment/projector", "--container=projector", "--",
        "python", "-m", "projector", "verify", "--token-file", "-",
        given=token("ops:read"), seconds_max=300,
    )  # fmt: skip
