"""The labels that each collector gives to the lines of a pod, from its own configuration."""

import re

import yaml

from . import INFRA, ROOT, relabel


def promtail_rules():
    """What the chart relabels by itself (recorded) and what our values add."""
    recorded = yaml.safe_load((INFRA / "tests" / "recorded" / "promtail-relabel.yaml").read_text())
    values = yaml.safe_load((INFRA / "values" / "promtail.yaml").read_text())
    return recorded["relabel_configs"] + values["config"]["snippets"]["extraRelabelConfigs"]


def alloy_rules():
    """The `rule` blocks of the configuration in Alloy's language."""
    content = yaml.safe_load((INFRA / "values" / "alloy.yaml").read_text())["alloy"]["configMap"]["content"]
    rules = []
    for block in re.findall(r"^  rule \{\n(.*?)^  \}", content, re.MULTILINE | re.DOTALL):
        rule = {}
        for key, value in re.findall(r"^\s*(\w+)\s*= (.+)$", block, re.MULTILINE):
            # Lists and strings are written as in YAML.
            rule[key] = yaml.safe_load(value)
        rules.append(rule)
    return rules


def masthead_rules():
    """Those that are built into `--pods-log-dir`."""
    source = (ROOT / "crates" / "tail" / "src" / "pods.rs").read_text()
    named = {name: re.search(rf'let {name} = "(.+)";', source)[1] for name in ("controller", "first")}
    rules = []
    for sources, regex, target, replacement, separator in re.findall(
        r'rule\(\s*&\[([^\]]+)\],\s*(controller|first|".*?"),\s*"(\w+)",\s*"(.+?)",\s*"(.)",?\s*\),', source
    ):
        names = re.findall(r'&meta\("(\w+)"\)|"(\w+)"', sources)
        rules.append(
            {
                "source_labels": [f"__meta_kubernetes_{meta}" if meta else plain for meta, plain in names],
                "regex": named.get(regex, regex.strip('"')),
                "target_label": target,
                "replacement": replacement,
                "separator": separator,
            }
        )
    return rules


def pod(name, controller, labels, namespace="devops-demo", container="api", node="node-1", annotations=None):
    """What discovery knows of a container."""
    meta = "__meta_kubernetes_"
    found = {
        f"{meta}namespace": namespace,
        f"{meta}pod_name": name,
        f"{meta}pod_uid": "6f1c",
        f"{meta}pod_container_name": container,
        f"{meta}pod_node_name": node,
        f"{meta}pod_controller_name": controller,
    }
    for kind, entries in (("label", labels), ("annotation", annotations or {})):
        for key, value in entries.items():
            clean = re.sub(r"[^a-zA-Z0-9_]", "_", key)
            found[f"{meta}pod_{kind}_{clean}"] = value
            found[f"{meta}pod_{kind}present_{clean}"] = "true"
    return found


def labels_and_path(rules, meta):
    """Labels of the stream, without those of file and line, which all add alike; and the files."""
    result = relabel.apply(rules, meta)
    return relabel.visible(result), result.get("__path__")
