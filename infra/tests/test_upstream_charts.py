"""The charts of others with our values, rendered where the charts can be had (chartlib/upstream.py)."""

import unittest

import yaml

from chartlib import checks, helmfile, schemas, upstream
from chartlib.collectors import promtail_rules
from chartlib.objects import containers, of_kind, one


class Rendered(unittest.TestCase):
    def objects(self, name, environment="upstream", **overrides):
        try:
            return upstream.objects(helmfile.releases(environment, overrides=overrides)[name])
        except upstream.Missing as missing:
            self.skipTest(str(missing))

    def check(self, objects):
        # Custom resources that we never write have no schema here. Others' charts need not fit
        # the oldest Kubernetes that ours fit.
        found = [p for item in objects for p in schemas.problems(item, ("1.34", "1.37"))]
        self.assertEqual([p for p in found if "there is no schema of" not in p], [])
        # Jobs run once and are gone.
        lasting = of_kind(objects, "Deployment", "StatefulSet", "DaemonSet")
        self.assertEqual(checks.limits(lasting), [])

    def port(self, objects, service):
        return [port["port"] for port in one(objects, "Service", service)["spec"]["ports"]]

    def test_kube_prometheus_stack(self):
        objects = self.objects("kube-prometheus-stack")
        self.check(objects)
        self.assertEqual(self.port(objects, "prometheus"), [9090])
        self.assertEqual(self.port(objects, "grafana"), [3000])
        (prometheus,) = of_kind(objects, "Prometheus")
        for what in ("serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"):
            self.assertEqual(prometheus["spec"][f"{what}Selector"], {}, what)
            self.assertEqual(prometheus["spec"][f"{what}NamespaceSelector"], {}, what)
        alias = one(objects, "Service", "prometheus")["spec"]["selector"]
        self.assertEqual(alias["operator.prometheus.io/name"], prometheus["metadata"]["name"])
        maps = of_kind(objects, "ConfigMap")
        shown = [m for m in maps if (m["metadata"].get("labels") or {}).get("grafana_dashboard") == "1"]
        self.assertGreaterEqual(len(shown), 20)
        sources = [
            s
            for m in maps
            if (m["metadata"].get("labels") or {}).get("grafana_datasource") == "1"
            for text in m["data"].values()
            for s in yaml.safe_load(text)["datasources"]
        ]
        self.assertLessEqual({"prometheus", "loki"}, {source["uid"] for source in sources})
        self.assertEqual([s["uid"] for s in sources if s.get("isDefault")], ["prometheus"])

    def test_loki(self):
        objects = self.objects("loki")
        self.check(objects)
        self.assertIn(3100, self.port(objects, "loki"))
        (text,) = (
            m["data"]["config.yaml"] for m in of_kind(objects, "ConfigMap") if "config.yaml" in (m.get("data") or {})
        )
        config = yaml.safe_load(text)
        self.assertEqual(config["limits_config"]["retention_period"], "168h")
        self.assertIs(config["compactor"]["retention_enabled"], True)
        self.assertEqual(len(of_kind(objects, "Deployment", "StatefulSet", "DaemonSet")), 1)

    def test_promtail_relabels_as_recorded(self):
        objects = self.objects("promtail")
        self.check(objects)
        (secret,) = (s for s in of_kind(objects, "Secret") if "promtail.yaml" in (s.get("stringData") or {}))
        (job,) = yaml.safe_load(secret["stringData"]["promtail.yaml"])["scrape_configs"]
        rules = [
            {key: value for key, value in rule.items() if key != "action" or value != "replace"}
            for rule in job["relabel_configs"]
        ]
        self.assertEqual(rules, promtail_rules())

    def test_alloy(self):
        objects = self.objects("alloy", collector="alloy")
        self.check(objects)
        (daemon,) = of_kind(objects, "DaemonSet")
        mounts = {m["mountPath"] for c in containers(daemon["spec"]["template"]["spec"]) for m in c["volumeMounts"]}
        self.assertLessEqual({"/var/log", "/var/lib/alloy/data"}, mounts)

    def test_prometheus_operator_crds(self):
        names = {o["metadata"]["name"] for o in self.objects("prometheus-operator-crds", "masthead")}
        self.assertLessEqual(
            {
                f"{kind}.monitoring.coreos.com"
                for kind in ("servicemonitors", "podmonitors", "probes", "scrapeconfigs", "prometheusrules")
            },
            names,
        )

    def test_kube_state_metrics(self):
        objects = self.objects("kube-state-metrics", "masthead")
        self.check(objects)
        (monitor,) = of_kind(objects, "ServiceMonitor")
        self.assertEqual([endpoint.get("honorLabels") for endpoint in monitor["spec"]["endpoints"]], [True])


if __name__ == "__main__":
    unittest.main()
