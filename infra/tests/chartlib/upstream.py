"""Charts of others, in the versions that the Helmfile pins.

They are taken from the folder CHARTS_CACHE (`NAME-VERSION.tgz`), else pulled into it from the
Helmfile's repositories. Where neither has them, `Missing` says so and tests are skipped: the values
are then only checked against what is known of these charts.
"""

import os
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import helm_python

from . import helm, helmfile

PULL_ERRORS = (helm_python.HelmError, subprocess.CalledProcessError)


class Missing(Exception):
    """The chart is not here and its repository does not answer."""


def objects(release):
    return helm.objects(archive(release), release.values, release.name, release.namespace)


def archive(release):
    repository, name = release.chart.split("/")
    folder = Path(os.environ.get("CHARTS_CACHE") or "/nonexistent")
    path = folder / f"{name}-{release.version}.tgz"
    if path.exists():
        return path
    (url,) = (e["url"] for e in helmfile.document("upstream")["repositories"] if e["name"] == repository)
    host = urlsplit(url).hostname
    try:
        socket.create_connection((host, 443), timeout=5).close()
    except OSError as error:
        raise Missing(f"{path.name} is not in CHARTS_CACHE, and {host} does not answer") from error
    folder.mkdir(parents=True, exist_ok=True)
    try:
        pull(name, url, release.version, folder)
    except PULL_ERRORS as error:
        raise Missing(f"{path.name} cannot be pulled from {url}: {error}") from error
    return path


def pull(name, url, version, folder):
    if helm.program():
        command = [helm.program(), "pull", name, "--repo", url, "--version", version]
        subprocess.run([*command, "--destination", str(folder)], check=True)
    else:
        helm_python.pull(name, repo_url=url, version=version, destination=str(folder))
