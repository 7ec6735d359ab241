"""Reads the Helmfile as Helmfile does: environments first, then the rest as a Go template over their
values. The template is rendered by Helm's engine, which has the same functions but two: `env` is
Helmfile's own, and is replaced by a look-up in the variables that the test gives.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from . import INFRA, helm

FILE = INFRA / "helmfile.yaml.gotmpl"


@dataclass
class Release:
    name: str
    namespace: str
    chart: str
    version: str
    installed: bool
    needs: list
    values: dict
    raw: dict = field(repr=False)

    @property
    def id(self):
        return f"{self.namespace}/{self.name}"

    @property
    def is_ours(self):
        return self.chart.startswith("./")

    @property
    def path(self):
        """The folder of a chart of this repository; paths are relative to the Helmfile."""
        return INFRA / self.chart

    def objects(self, anew=False):
        return helm.objects(self.path, self.values, self.name, self.namespace, anew)


def environments():
    return yaml.safe_load(_parts()[0])["environments"]


def document(environment, variables=None, overrides=None):
    """The rendered second document."""
    values = {}
    for file in environments()[environment]["values"]:
        merge(values, yaml.safe_load((INFRA / file).read_text()) or {})
    merge(values, overrides or {})
    values["testVariables"] = variables or {}
    text = re.sub(r'\benv "(\w+)"', r'get .Values.testVariables "\1"', _parts()[1])
    (rendered,) = helm.parse(helm.template_text(text, values))
    return rendered


def releases(environment, variables=None, overrides=None):
    """Every release that is installed, with its merged values, by name."""
    found = {}
    for raw in document(environment, variables, overrides)["releases"]:
        values = {}
        for entry in raw.get("values") or []:
            merge(values, yaml.safe_load((INFRA / entry).read_text()) or {} if isinstance(entry, str) else entry)
        release = Release(
            name=raw["name"],
            namespace=raw["namespace"],
            chart=raw["chart"],
            version=raw.get("version", ""),
            installed=raw.get("installed", True),
            needs=raw.get("needs") or [],
            values=values,
            raw=raw,
        )
        if release.name in found:
            raise ValueError(f"release {release.name} is there twice")
        found[release.name] = release
    return {name: release for name, release in found.items() if release.installed}


def merge(into, more):
    """Maps are merged, everything else is replaced, as Helm merges values."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
    return into


def _parts():
    first, second = Path(FILE).read_text().split("\n---\n", 1)
    return first, second
