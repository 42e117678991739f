"""Answers of parts of the API for which the tests have no data, in the shapes of its contract."""

from typing import Any

ENDPOINT = "019a0000-0000-7000-8000-00000000000e"
PRODUCT = "019a0000-0000-7000-8000-0000000000aa"
AT = "2026-12-01T04:00:00Z"

ENDPOINTS: dict[str, Any] = {
    "items": [
        {
            "id": ENDPOINT, "url": "https://shop.example.com/hooks?a=b", "description": "The shop",
            "types": None, "signature": "hmac", "status": "enabled", "disabled_reason": None,
            "created_at": AT, "updated_at": AT, "version": 1,
            "delivery": {
                "position": 4711, "waiting": 3, "failing_products": 1, "oldest_waiting_seconds": 12.5,
                "last_success_at": AT, "last_failure_at": AT,
            },
        },
        {
            "id": "019a0000-0000-7000-8000-00000000000f", "url": "https://old.example.com/hooks",
            "description": "", "types": ["product-price-changed"], "signature": "ed25519",
            "status": "disabled",
            "disabled_reason": "410 Gone", "created_at": AT, "updated_at": AT, "version": 4,
            "delivery": {
                "position": 99, "waiting": 0, "failing_products": 0, "oldest_waiting_seconds": None,
                "last_success_at": None, "last_failure_at": AT,
            },
        },
    ],
    "next_cursor": None,
}  # fmt: skip
DELIVERIES: dict[str, Any] = {
    "items": [
        {
            "id": "d-2", "webhook_id": "w-2", "type": "product-created", "product_id": PRODUCT,
            "position": 4711, "time": AT, "state": "failed", "next_attempt_at": AT,
            "attempts": [
                {"at": AT, "status": 500, "milliseconds": 31, "response": "<b>no</b>", "error": None},
                {"at": AT, "status": None, "milliseconds": 5000, "response": None, "error": "timeout"},
            ],
        }
    ],
    "next_cursor": None,
}  # fmt: skip
IMPORT = {
    "import_id": "spring", "file": "spring <2026>.csv", "caller": "importer", "started_at": AT,
    "finished_at": "2026-12-01T04:01:05Z", "products": 1000, "created": 900, "changed": 50, "unchanged": 48,
    "rejected": 2, "events": 1950,
}  # fmt: skip
IMPORTS: dict[str, Any] = {"items": [IMPORT], "next_cursor": None}
ONE_IMPORT: dict[str, Any] = {
    **IMPORT,
    "rejects": [{"lines": "17-19", "key": "linen-shirt", "reason": "the SKU LS-1 is taken"}],
    "rejects_left_out": 1,
}
