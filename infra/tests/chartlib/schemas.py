"""Validates objects against the schemas of Kubernetes and of the custom resources."""

import functools
import json

import jsonschema
import kubernetes_validate

from . import INFRA
from .objects import title

# The oldest that the charts say they run on, one in the middle, the newest there is a schema of.
VERSIONS = ("1.27", "1.34", "1.37")


@functools.cache
def _custom(kind):
    path = INFRA / "tests" / "schemas" / f"{kind.lower()}.json"
    if not path.exists():
        return None
    return jsonschema.Draft7Validator(json.loads(path.read_text()))


def problems(item, versions=VERSIONS):
    """Unknown fields, wrong types and missing ones, one sentence each."""
    if item["apiVersion"].startswith("monitoring.coreos.com/"):
        validator = _custom(item["kind"])
        if validator is None:
            return [f"{title(item)}: there is no schema of {item['kind']} in infra/tests/schemas"]
        return [f"{title(item)}: {error.json_path}: {error.message}" for error in validator.iter_errors(item)]
    found = []
    for version in versions:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{title(item)}: {'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError:
            found.append(f"{title(item)}: there is no {item['apiVersion']} {item['kind']} (Kubernetes {version})")
    return found
