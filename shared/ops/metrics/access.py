"""All processes, while access control is on."""

from shared.ops.metrics.declare import Label, counter

ACCESS_REFUSALS = counter(
    "access_refusals_total",
    "requests",
    "Requests that were refused because of their token or its scopes, on all ports of the process.",
    Label(
        "reason",
        "the code of the answer's problem",
        (
            "token-required",
            "malformed-authorization",
            "invalid-token",
            "insufficient-scope",
            "keys-unavailable",
        ),
    ),
)
ACCESS_KEY_FETCHES = counter(
    "access_key_fetches_total",
    "fetches",
    "Fetches of the issuer's public keys. While they fail, the keys from before count for a limited time.",
    Label("result", "whether the keys were fetched", ("fetched", "failed")),
)
