"""Salesforce's describe of objects, as the simulated org answers it."""

import json
import urllib.request

VERSION = "62.0"


def describe(org, object_name):
    token = org.control("POST", "sessions", {})["access_token"]
    request = urllib.request.Request(f"{org.url}/services/data/v{VERSION}/sobjects/{object_name}/describe",
                                     headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
