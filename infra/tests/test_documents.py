"""Figures and commands in the documents about clusters are those of the charts."""

import re
import unittest

import yaml

from chartlib import INFRA, ROOT, helmfile
from chartlib.objects import containers, of_kind, one, pods

HOW_TO = ROOT / "docs" / "how-to"


def mebibytes(text):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()
    return int(number) * {"Mi": 1, "Gi": 1024}[unit]


def of_values(values, *parts):
    """Requests and limits of parts that a chart of somebody else's makes pods of."""
    found = []
    for part in parts:
        node = values
        for key in part.split("."):
            node = node[key]
        found.append(node["resources"])
    return found


def of_ours(objects, kind):
    return [c["resources"] for _, _, spec in pods(of_kind(objects, kind)) for c in containers(spec)]


def sums(resources):
    return tuple(sum(mebibytes(entry[part]["memory"]) for entry in resources) for part in ("requests", "limits"))


def sizes(environment, collector):
    """Memory in MiB: requests once and on each node, limits once and on each node."""
    found = helmfile.releases(environment, overrides={"collector": collector})
    if environment == "masthead":
        objects = found["masthead"].objects()
        once = of_ours(objects, "StatefulSet") + [found["kube-state-metrics"].values["resources"]]
        node = of_ours(objects, "DaemonSet")
    else:
        stack = found["kube-prometheus-stack"].values
        once = of_values(
            stack,
            "prometheusOperator",
            # It runs beside Prometheus.
            "prometheusOperator.prometheusConfigReloader",
            "prometheus.prometheusSpec",
            "kube-state-metrics",
            "grafana",
            # One for dashboards, one for data sources.
            "grafana.sidecar",
            "grafana.sidecar",
        ) + of_values(found["loki"].values, "singleBinary")
        node = of_values(stack, "prometheus-node-exporter")
        if collector == "masthead":
            node += of_ours(found["masthead-collector"].objects(), "DaemonSet")
        else:
            values = found[collector].values
            node += of_values(values, "alloy", "configReloader") if collector == "alloy" else [values["resources"]]
    (requests, limits), (requests_node, limits_node) = sums(once), sums(node)
    return requests, requests_node, limits, limits_node


class Sizes(unittest.TestCase):
    def test_the_table_is_the_sum_of_the_values(self):
        text = (HOW_TO / "choose-an-environment.md").read_text()
        for row, environment, collector in (
            ("`upstream` with Promtail", "upstream", "promtail"),
            ("`upstream` with Alloy", "upstream", "alloy"),
            ("`upstream` with Masthead's collector", "upstream", "masthead"),
            ("`masthead`", "masthead", "masthead"),
        ):
            numbers = " | ".join(str(number) for number in sizes(environment, collector))
            self.assertIn(f"\n| {row} | {numbers} |\n", text)


class Commands(unittest.TestCase):
    def test_port_forwards_name_services_and_ports_that_are_there(self):
        objects = [o for r in ("masthead", "api") for o in helmfile.releases("masthead")[r].objects()]
        seen = set()
        for path in [*HOW_TO.glob("*.md"), INFRA / "README.md", INFRA / "charts" / "masthead" / "README.md"]:
            for namespace, name, port in re.findall(r"-n ([\w-]+) port-forward svc/([\w-]+) (\d+)", path.read_text()):
                service = one(objects, "Service", name)
                self.assertEqual(service["metadata"]["namespace"], namespace)
                self.assertIn(int(port), [p["port"] for p in service["spec"]["ports"]])
                seen.add(name)
        self.assertEqual(seen, {"prometheus", "grafana", "loki", "api"})

    def test_secrets_and_keys_that_are_named_are_there(self):
        objects = helmfile.releases("masthead")["masthead"].objects()
        for path in HOW_TO.glob("*.md"):
            for name, key in re.findall(r"get secret ([\w-]+) -o jsonpath='\{\.data\.([\w-]+)\}'", path.read_text()):
                secret = one(objects, "Secret", name)
                self.assertIn(key, secret.get("data", {}) | secret.get("stringData", {}))

    def test_the_servicemonitor_that_is_shown_is_the_charts(self):
        text = (HOW_TO / "debug-a-servicemonitor.md").read_text()
        shown = yaml.safe_load(re.search(r"```yaml[^\n]*\n(.*?)```", text, re.DOTALL)[1])
        real = one(helmfile.releases("upstream")["api"].objects(), "ServiceMonitor", "api")
        labels = real["spec"]["selector"]["matchLabels"]
        self.assertLessEqual(shown["spec"]["selector"]["matchLabels"].items(), labels.items())
        for key in ("namespaceSelector", "targetLabels", "endpoints"):
            self.assertEqual(shown["spec"][key], real["spec"][key])

    def test_values_that_are_shown_are_yaml(self):
        for path in HOW_TO.glob("*.md"):
            for block in re.findall(r"```yaml[^\n]*\n(.*?)```", path.read_text(), re.DOTALL):
                self.assertIsInstance(yaml.safe_load(block), dict, path.name)


if __name__ == "__main__":
    unittest.main()
