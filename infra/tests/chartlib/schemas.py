"""Validates objects against the schemas of Kubernetes and of the custom resources.

The package kubernetes-validate has the schemas; it reads megabytes of definitions for each object,
so what is read is kept here, and what was found too.
"""

import functools
import json
import re
from pathlib import Path

import jsonschema
import kubernetes_validate
from referencing import Registry, Resource

from . import INFRA
from .objects import title

# The oldest that the charts say they run on, one in the middle, the newest there is a schema of.
VERSIONS = ("1.27", "1.34", "1.37")
_SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"


def problems(item, versions=VERSIONS):
    """Unknown fields, wrong types and missing ones, one sentence each."""
    return list(_problems(json.dumps(item, sort_keys=True), versions))


@functools.cache
def _problems(text, versions):
    item = json.loads(text)
    if item["apiVersion"].startswith("monitoring.coreos.com/"):
        validator = _custom(item["kind"])
        if validator is None:
            return (f"{title(item)}: there is no schema of {item['kind']} in infra/tests/schemas",)
        return tuple(f"{title(item)}: {error.json_path}: {error.message}" for error in validator.iter_errors(item))
    found = []
    for version in versions:
        validator = _of_kubernetes(version, item["apiVersion"], item["kind"])
        if validator is None:
            found.append(f"{title(item)}: there is no {item['apiVersion']} {item['kind']} (Kubernetes {version})")
            continue
        for error in validator.iter_errors(item):
            path = ".".join(map(str, error.path))
            found.append(f"{title(item)}: {path}: {error.message} (Kubernetes {version})")
    return tuple(found)


@functools.cache
def _custom(kind):
    path = INFRA / "tests" / "schemas" / f"{kind.lower()}.json"
    return jsonschema.Draft7Validator(json.loads(path.read_text())) if path.exists() else None


@functools.cache
def _of_kubernetes(version, api_version, kind):
    # networking.k8s.io/v1 is in files called …-networking-v1.json.
    group = re.sub(r"^([^./]*)(?:[.][^/]*)?/", r"\1-", api_version)
    name = f"{kind.lower()}-{group}.json"
    path = _SCHEMAS / f"v{version}.0-local-strict" / name
    if not path.exists():
        return None
    return jsonschema.Draft202012Validator(json.loads(path.read_text()), registry=_definitions(version))


@functools.cache
def _definitions(version):
    definitions = json.loads((_SCHEMAS / f"v{version}.0-local-strict" / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()
