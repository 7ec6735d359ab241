"""What the environment `upstream` promises and a chart of somebody else's keeps, read from our values.

The charts themselves come from repositories that not every machine reaches; test_upstream_charts.py
renders them where it does. Here are the values, each beside the promise that it is there for.
"""

import os
import re
import unittest
from pathlib import Path

import yaml

from chartlib import INFRA, helmfile


def upstream(name, **overrides):
    return helmfile.releases("upstream", overrides=overrides)[name].values


class Stack(unittest.TestCase):
    def setUp(self):
        self.values = upstream("kube-prometheus-stack")
        self.spec = self.values["prometheus"]["prometheusSpec"]
        self.grafana = self.values["grafana"]

    def test_service_prometheus_9090(self):
        (service,) = self.values["extraManifests"]
        self.assertEqual((service["kind"], service["metadata"]["name"]), ("Service", "prometheus"))
        self.assertEqual([port["port"] for port in service["spec"]["ports"]], [9090])
        # The operator puts both labels on the pods of its Prometheus.
        self.assertEqual(
            service["spec"]["selector"],
            {
                "app.kubernetes.io/name": "prometheus",
                "operator.prometheus.io/name": '{{ include "kube-prometheus-stack.prometheus.crname" . }}',
            },
        )
        # With one of these the chart's own ServiceMonitor would select it too.
        self.assertFalse({"app", "release", "self-monitor"} & set(service["metadata"]["labels"]))

    def test_service_grafana_3000(self):
        self.assertEqual((self.grafana["fullnameOverride"], self.grafana["service"]["port"]), ("grafana", 3000))
        self.assertEqual(self.grafana["grafana.ini"]["server"]["root_url"], "http://localhost:3000")

    def test_monitors_and_rules_of_every_namespace(self):
        for what in ("serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"):
            self.assertIs(self.spec[f"{what}SelectorNilUsesHelmValues"], False, what)
            self.assertEqual(self.spec[f"{what}NamespaceSelector"], {}, what)
            self.assertFalse(self.spec.get(f"{what}Selector"), what)

    def test_what_a_local_cluster_does_not_expose_is_off_with_its_rules(self):
        for part in ("kubeEtcd", "kubeScheduler", "kubeControllerManager", "kubeProxy"):
            self.assertIs(self.values[part]["enabled"], False, part)
        rules = self.values["defaultRules"]["rules"]
        for group in ("etcd", "kubeControllerManager", "kubeProxy", "kubeSchedulerAlerting", "kubeSchedulerRecording"):
            self.assertIs(rules[group], False, group)

    def test_nodes_pods_and_containers_are_scraped(self):
        for part in ("kubelet", "kubeApiServer", "coreDns"):
            self.assertIs(self.values[part]["enabled"], True, part)
        # On by default, and not switched off.
        for part in ("nodeExporter", "kubeStateMetrics"):
            self.assertIsNot(self.values.get(part, {}).get("enabled"), False)

    def test_prebuilt_dashboards_are_on(self):
        self.assertIs(self.grafana["defaultDashboardsEnabled"], True)

    def test_loki_is_a_data_source_with_a_link_from_request_id(self):
        (loki,) = self.grafana["additionalDataSources"]
        self.assertEqual((loki["uid"], loki["type"], loki["isDefault"]), ("loki", "loki", False))
        release = helmfile.releases("upstream")["loki"]
        self.assertEqual(loki["url"], f"http://{release.name}.{release.namespace}.svc.cluster.local:3100")
        (field,) = loki["jsonData"]["derivedFields"]
        self.assertEqual((field["name"], field["datasourceUid"]), ("request_id", "loki"))
        # A line as docs/reference/log-format.md has it.
        line = '{"timestamp":"2026-08-21T10:00:00Z","level":"INFO","request_id":"my-first-request","status":200}'
        self.assertEqual(re.search(field["matcherRegex"], line)[1], "my-first-request")
        self.assertIn("$${__value.raw}", field["url"])

    def test_it_keeps_what_fits_its_volume(self):
        volume = self.spec["storageSpec"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
        self.assertLess(gigabytes(self.spec["retentionSize"]), gigabytes(volume))


class Loki(unittest.TestCase):
    def setUp(self):
        self.values = upstream("loki")
        self.loki = self.values["loki"]

    def test_one_process_on_a_volume(self):
        self.assertEqual(self.values["deploymentMode"], "Monolithic")
        self.assertEqual(self.values["singleBinary"]["replicas"], 1)
        self.assertIs(self.values["singleBinary"]["persistence"]["enabled"], True)
        for part in ("backend", "read", "write"):
            self.assertEqual(self.values[part]["replicas"], 0)
        self.assertEqual(self.loki["storage"]["type"], "filesystem")
        self.assertEqual(self.loki["commonConfig"]["replication_factor"], 1)
        (schema,) = self.loki["schemaConfig"]["configs"]
        self.assertEqual((schema["store"], schema["object_store"], schema["schema"]), ("tsdb", "filesystem", "v13"))

    def test_seven_days_are_kept_and_the_compactor_deletes(self):
        self.assertEqual(self.loki["limits_config"]["retention_period"], "168h")
        compactor = self.loki["compactor"]
        self.assertIs(compactor["retention_enabled"], True)
        # Loki does not start without it.
        self.assertEqual(compactor["delete_request_store"], "filesystem")
        # Retention works on whole index tables, which must be a day's.
        self.assertEqual(self.loki["schemaConfig"]["configs"][0]["index"]["period"], "24h")

    def test_caches_canary_and_gateway_are_off(self):
        for part in ("chunksCache", "resultsCache", "lokiCanary", "gateway", "test"):
            self.assertIs(self.values[part]["enabled"], False, part)

    def test_nobody_needs_a_tenant(self):
        self.assertIs(self.loki["auth_enabled"], False)

    def test_the_key_that_newer_ones_refuse_is_taken_out(self):
        self.assertIn("boltdb_shipper", self.loki["storage_config"])
        self.assertIsNone(self.loki["storage_config"]["boltdb_shipper"])


class Limits(unittest.TestCase):
    # Each part that runs, and where its resources are.
    PARTS = {
        "kube-prometheus-stack": (
            "prometheusOperator",
            "prometheusOperator.prometheusConfigReloader",
            "prometheus.prometheusSpec",
            "kube-state-metrics",
            "prometheus-node-exporter",
            "grafana",
            "grafana.sidecar",
        ),
        "loki": ("singleBinary",),
        "promtail": ("",),
        "alloy": ("alloy", "configReloader"),
    }

    def test_everything_has_requests_and_a_limit_of_memory(self):
        for name, parts in self.PARTS.items():
            values = upstream(name, collector=name if name in ("promtail", "alloy") else "promtail")
            for part in parts:
                node = values
                for key in filter(None, part.split(".")):
                    node = node[key]
                resources = node["resources"]
                self.assertLessEqual({"cpu", "memory"}, set(resources["requests"]), f"{name} {part}")
                self.assertIn("memory", resources["limits"], f"{name} {part}")

    def test_go_stays_below_the_limit_of_loki(self):
        binary = upstream("loki")["singleBinary"]
        (limit,) = (entry["value"] for entry in binary["extraEnv"] if entry["name"] == "GOMEMLIMIT")
        self.assertLess(gigabytes(limit), gigabytes(binary["resources"]["limits"]["memory"]))


class Collectors(unittest.TestCase):
    def test_they_run_on_every_node_and_keep_their_place(self):
        everywhere = {"operator": "Exists", "effect": "NoSchedule"}
        promtail, alloy = (upstream(name, collector=name) for name in ("promtail", "alloy"))
        self.assertIn(everywhere, promtail["tolerations"])
        self.assertIn(everywhere, alloy["controller"]["tolerations"])
        self.assertEqual(alloy["controller"]["type"], "daemonset")
        # Where positions are kept is a folder of the node.
        run = {mount["name"]: mount["mountPath"] for mount in promtail["defaultVolumeMounts"]}["run"]
        self.assertTrue(promtail["config"]["positions"]["filename"].startswith(f"{run}/"))
        self.assertIn("hostPath", next(v for v in promtail["defaultVolumes"] if v["name"] == "run"))
        (mount,) = alloy["alloy"]["mounts"]["extra"]
        self.assertEqual(alloy["alloy"]["storagePath"], mount["mountPath"])
        self.assertIn("hostPath", alloy["controller"]["volumes"]["extra"][0])

    def test_lines_of_the_container_runtime_are_parsed(self):
        promtail, alloy = (upstream(name, collector=name) for name in ("promtail", "alloy"))
        self.assertEqual(promtail["config"]["snippets"]["pipelineStages"], [{"cri": {}}])
        self.assertIn("stage.cri {}", alloy["alloy"]["configMap"]["content"])


RENDERED = os.environ.get("CHART_VALUES", "")


@unittest.skipUnless(RENDERED, "CHART_VALUES names no folder of values that were rendered with the charts")
class Keys(unittest.TestCase):
    """No chart complains of a key that it does not know: a slip of the pen would have no effect, silently."""

    # Not among those that were rendered; each is in the chart's own values.yaml.
    KNOWN = {
        "kube-prometheus-stack": {
            f"prometheus.prometheusSpec.{kind}NamespaceSelector" for kind in ("probe", "rule", "scrapeConfig")
        },
        "alloy": {
            f"configReloader.resources.{part}"
            for part in ("requests.cpu", "requests.memory", "limits.memory")
        },
    }

    def test_each_is_one_that_the_chart_was_rendered_with(self):
        for name in ("kube-prometheus-stack", "loki", "promtail", "alloy"):
            rendered = set(leaves(yaml.safe_load((Path(RENDERED) / f"{name}.yaml").read_text())))
            ours = set(leaves(yaml.safe_load((INFRA / "values" / f"{name}.yaml").read_text())))
            self.assertEqual(ours - rendered, self.KNOWN.get(name, set()), name)


def leaves(value, path=()):
    """The paths of everything in mappings that is none itself."""
    if not isinstance(value, dict) or not value:
        yield ".".join(path)
        return
    for key, inner in value.items():
        yield from leaves(inner, (*path, key))


def gigabytes(text):
    """4GB, 5Gi, 850MiB; units of 1000 and 1024 alike, which is near enough to compare."""
    number, unit = re.fullmatch(r"([0-9]+)([KMG])i?B?", text).groups()
    return int(number) * {"K": 1e-6, "M": 1e-3, "G": 1}[unit]


class Comments(unittest.TestCase):
    def test_every_file_of_values_says_what_it_is_for(self):
        for path in sorted((INFRA / "values").iterdir()):
            text = path.read_text()
            self.assertTrue(text.startswith("# "), path.name)
            self.assertIsInstance(yaml.safe_load(text), dict, path.name)


if __name__ == "__main__":
    unittest.main()
