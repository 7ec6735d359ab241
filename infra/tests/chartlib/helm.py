"""Renders a chart with real Helm: the program on PATH, else the SDK as a library.

Both are the same engine (text/template, sprig, values.schema.json). `HELM=sdk` takes the library
even where a program is, `HELM=/path/to/helm` a certain program.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

# libyaml where it is there: a tenth of the time.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# "=" is a YAML 1.1 scalar type that CRDs contain and PyYAML has no constructor for.
Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


class RenderError(Exception):
    """Helm refused the chart or its values; the text is Helm's."""


# Older ones complain about values in other words.
OLDEST = (3, 18)


@functools.cache
def program():
    """The helm program to use, or None for the library."""
    wanted = os.environ.get("HELM", "")
    if wanted == "sdk":
        return None
    found = wanted or shutil.which("helm")
    if found and not wanted:
        command = [found, "version", "--template", "{{.Version}}"]
        said = subprocess.run(command, capture_output=True, text=True).stdout
        number = re.match(r"v(\d+)\.(\d+)", said)
        if not number or tuple(map(int, number.groups())) < OLDEST:
            return None
    return found


def version():
    if program():
        done = subprocess.run([program(), "version", "--short"], capture_output=True, text=True, check=True)
        return f"{program()} {done.stdout.strip()}"
    import helm_python

    return f"Helm SDK {helm_python.helm_sdk_version()}"


def files(chart, values=None, release="test", namespace="default", anew=False):
    """The rendered text of each template, by its path inside the chart. What was rendered before is
    not rendered again, except `anew`: random values are then others."""
    if anew:
        _files.cache_clear()
    return _files(str(chart), json.dumps(values or {}, sort_keys=True), release, namespace)


@functools.cache
def _files(chart, values, release, namespace):
    values = json.loads(values)
    if not program():
        return _files_of_library(chart, values, release, namespace)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        command = [program(), "template", release, str(chart), "--namespace", namespace, "--values", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RenderError(done.stderr)
    rendered = {}
    for part in done.stdout.split("\n---\n"):
        lines = [line for line in part.splitlines() if line.startswith("# Source: ")]
        if lines:
            path = lines[0].removeprefix("# Source: ").split("/", 1)[1]
            rendered[path] = rendered.get(path, "") + "\n---\n" + part
    return rendered


def _files_of_library(chart, values, release, namespace):
    import helm_python

    try:
        loaded = helm_python.Chart.load(str(chart))
        rendered = loaded.render(values, name=release, namespace=namespace)
    except helm_python.HelmError as error:
        raise RenderError(str(error)) from error
    return {path.split("/", 1)[1]: text for path, text in rendered.items()}


def objects(chart, values=None, release="test", namespace="default", anew=False):
    """Every object of the rendered chart, hooks included."""
    found = []
    for path, text in files(chart, values, release, namespace, anew).items():
        if path.endswith((".yaml", ".yml")):
            found += parse(text)
    return found


def parse(text):
    return [document for document in yaml.load_all(text, Loader) if document]


def lint(chart, values=None):
    """Helm's own complaints, warnings included; "icon is recommended" is not one."""
    if not program():
        import helm_python

        report = helm_python.lint(str(chart), values or {}, strict=True)
        return [message["error"] for message in report["messages"] if message["severity"] >= 2] + report["errors"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        done = subprocess.run(
            [program(), "lint", "--strict", str(chart), "--values", file.name], capture_output=True, text=True
        )
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def template_text(text, values):
    """Renders a Go template with Helm's engine, in a chart made for it; see helmfile.py."""
    return _template_text(text, json.dumps(values, sort_keys=True))


@functools.cache
def _template_text(text, values):
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "text"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: text\nversion: 0.0.0\n")
        (chart / "templates" / "text.yaml").write_text(text)
        return files(chart, json.loads(values))["templates/text.yaml"]
