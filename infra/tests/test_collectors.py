"""Promtail, Alloy and Masthead give a line the same labels, so that the collector can be changed."""

import unittest

import yaml

from chartlib import INFRA, helm
from chartlib.collectors import alloy_rules, labels_and_path, masthead_rules, pod, promtail_rules
from chartlib.objects import one

PODS = {
    "no labels": pod("api-7d9c5b7f6d-x2v4k", "api-7d9c5b7f6d", {}),
    "label app": pod("api-7d9c5b7f6d-x2v4k", "api-7d9c5b7f6d", {"app": "shop"}),
    "label app.kubernetes.io/name": pod("api-7d9c5b7f6d-x2v4k", "api-7d9c5b7f6d", {"app.kubernetes.io/name": "shop"}),
    "both": pod("api-7d9c5b7f6d-x2v4k", "api-7d9c5b7f6d", {"app.kubernetes.io/name": "shop", "app": "store"}),
    "all labels": pod(
        "api-7d9c5b7f6d-x2v4k",
        "api-7d9c5b7f6d",
        {"app.kubernetes.io/instance": "a", "app.kubernetes.io/component": "b", "instance": "c", "component": "d"},
    ),
    "stateful set": pod("postgres-0", "postgres", {}, "db", "pg"),
    "daemon set": pod("kube-proxy-8wxzk", "kube-proxy", {}, "kube-system", "kube-proxy"),
    "without a controller": pod("single", "single", {}, "default", "main"),
    "static pod": pod("etcd-node-1", "", {}, "kube-system", "etcd", annotations={"kubernetes.io/config.hash": "c0ff"}),
}
WANTED = {"app", "namespace", "pod", "container", "node_name", "job"}


class SameLabels(unittest.TestCase):
    def test_of_all_three_for_every_pod(self):
        for name, meta in PODS.items():
            with self.subTest(pod=name):
                promtail, alloy = (labels_and_path(rules, meta) for rules in (promtail_rules(), alloy_rules()))
                self.assertEqual(promtail, alloy)
                self.assertEqual(set(promtail[0]), WANTED)
                # Its files are those of the directory in which it found the container.
                self.assertEqual(labels_and_path(masthead_rules(), meta)[0], promtail[0])

    def test_an_explicit_label_app_wins(self):
        for rules in (promtail_rules(), alloy_rules(), masthead_rules()):
            for name, want in (("label app", "shop"), ("label app.kubernetes.io/name", "shop"), ("both", "store")):
                labels, _ = labels_and_path(rules, PODS[name])
                self.assertEqual((labels["app"], labels["job"]), (want, f"devops-demo/{want}"))

    def test_static_pods_are_found_by_the_hash_of_their_configuration(self):
        for rules in (promtail_rules(), alloy_rules()):
            self.assertEqual(labels_and_path(rules, PODS["static pod"])[1], "/var/log/pods/*c0ff/etcd/*.log")
            self.assertEqual(labels_and_path(rules, PODS["no labels"])[1], "/var/log/pods/*6f1c/api/*.log")

    def test_of_the_api_from_all_three(self):
        deployment = one(helm.objects(INFRA / "charts" / "api", {}, "api", "devops-demo"), "Deployment", "api")
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        meta = pod("api-7d9c5b7f6d-x2v4k", "api-7d9c5b7f6d", labels)
        want = {
            "app": "api",
            "namespace": "devops-demo",
            "pod": "api-7d9c5b7f6d-x2v4k",
            "container": "api",
            "node_name": "node-1",
            "job": "devops-demo/api",
        }
        for rules in (promtail_rules(), alloy_rules(), masthead_rules()):
            self.assertEqual(labels_and_path(rules, meta)[0], want)

    def test_each_comparison_can_fail(self):
        for rules, at in ((promtail_rules(), -3), (alloy_rules(), 2), (masthead_rules(), 0)):
            meta = PODS["both"] if at != 0 else PODS["no labels"]
            whole = labels_and_path(rules, meta)
            del rules[at]
            self.assertNotEqual(labels_and_path(rules, meta), whole)


class Destination(unittest.TestCase):
    def test_all_push_to_the_service_loki(self):
        want = "http://loki.monitoring.svc.cluster.local:3100/loki/api/v1/push"
        promtail, alloy, masthead = (
            yaml.safe_load((INFRA / "values" / f"{name}.yaml").read_text())
            for name in ("promtail", "alloy", "masthead-collector")
        )
        self.assertEqual([client["url"] for client in promtail["config"]["clients"]], [want])
        self.assertIn(f'url = "{want}"', alloy["alloy"]["configMap"]["content"])
        self.assertEqual(masthead["collector"]["lokiUrl"], want)


if __name__ == "__main__":
    unittest.main()
