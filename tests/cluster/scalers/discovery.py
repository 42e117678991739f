"""Answers Prometheus (http_sd) with the pods that have a port `ops`. It runs in a pod,
without our packages."""

import json
import ssl
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

_NAMESPACE = "product-catalogue"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PODS = f"https://kubernetes.default.svc/api/v1/namespaces/{_NAMESPACE}/pods"


def targets() -> list[dict[str, object]]:
    """One for each pod that has an address."""
    caller = {"Authorization": f"Bearer {(_ACCOUNT / 'token').read_text()}"}
    trusted = ssl.create_default_context(cafile=_ACCOUNT / "ca.crt")
    request = urllib.request.Request(_PODS, headers=caller)
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
        pods = json.load(answer)["items"]
    found: list[dict[str, object]] = []
    for pod in pods:
        address = pod["status"].get("podIP")
        ports = pod["spec"]["containers"][0].get("ports", [])
        for port in ports if address and pod["status"]["phase"] == "Running" else []:
            if port.get("name") == "ops":
                labels = {"namespace": _NAMESPACE, "pod": pod["metadata"]["name"]}
                found.append({"targets": [f"{address}:{port['containerPort']}"], "labels": labels})
    return found


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(targets()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 9091), _Answer).serve_forever()
