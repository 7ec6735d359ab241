"""Every check can fail: each row puts one fault into the objects of the chart `api`, and the check
that is there for it must name it."""

import copy
import unittest

from chartlib import INFRA, checks, helm, relabel, servicemonitor
from chartlib.objects import one

VALUES = {"ingress": {"enabled": True}, "database": {"url": "postgres://a@b/c"}, "autoscaling": {"enabled": True}}


def pod(objects):
    return one(objects, "Deployment", "api")["spec"]["template"]


def container(objects):
    return pod(objects)["spec"]["containers"][0]


def service(objects):
    return one(objects, "Service", "api")


def monitor(objects):
    return one(objects, "ServiceMonitor", "api")["spec"]


def annotations(objects):
    return one(objects, "Pod", "api-test")["metadata"]["annotations"]


POLICY = "helm.sh/hook-delete-policy"
FAULTS = (
    (checks.schema, lambda o: service(o)["spec"].update(port=1), "Service api: spec: Additional properties"),
    (checks.schema, lambda o: container(o).update(image=3), "Deployment api: .*3 is not of type"),
    (checks.schema, lambda o: monitor(o).update(selectors={}), r"ServiceMonitor api: .*'selectors' was unexpected"),
    (checks.schema, lambda o: monitor(o)["endpoints"][0].update(interval="15 s"), "ServiceMonitor api: .*interval"),
    (checks.schema, lambda o: one(o, "Deployment", "api").update(kind="Deploiment"), "there is no apps/v1 Deploiment"),
    (checks.identity, lambda o: o.append(service(o)), "Service api is there twice"),
    (checks.identity, lambda o: service(o)["metadata"].pop("namespace"), "Service api names no namespace"),
    (checks.identity, lambda o: service(o)["metadata"].pop("labels"), "Service api lacks the labels"),
    (checks.limits, lambda o: container(o).pop("resources"), "Deployment api: api has no limits.memory"),
    (checks.limits, lambda o: container(o)["resources"]["requests"].pop("cpu"), "api has no requests.cpu"),
    (checks.hardening, lambda o: pod(o)["spec"].pop("securityContext"), "api may run as root"),
    (checks.hardening, lambda o: container(o)["securityContext"].pop("readOnlyRootFilesystem"), "root file system"),
    (checks.hardening, lambda o: container(o)["securityContext"].pop("capabilities"), "keeps capabilities"),
    (checks.hardening, lambda o: pod(o)["spec"].update(hostNetwork=True), "has hostNetwork"),
    (checks.hardening, lambda o: pod(o)["spec"].update(volumes=[{"hostPath": {"path": "/"}}]), "mounts / of its node"),
    (checks.selectors, lambda o: service(o)["spec"]["selector"].update(app="apl"), "Service api selects no pod"),
    (checks.selectors, lambda o: pod(o)["metadata"]["labels"].pop("app"), "Deployment api does not select its own"),
    (checks.selectors, lambda o: container(o)["ports"].pop(), "Service api: no container has the port metrics"),
    (checks.selectors, lambda o: container(o)["ports"].pop(), "NetworkPolicy api allows the port metrics, which no"),
    (checks.selectors, lambda o: service(o)["metadata"]["labels"].pop("app"), "ServiceMonitor api selects no Service"),
    (
        checks.selectors,
        lambda o: monitor(o)["endpoints"][0].update(port="9464"),
        "0 selected Services have a port 9464",
    ),
    (checks.selectors, lambda o: monitor(o)["namespaceSelector"].update(matchNames=["x"]), "selects no Service"),
    (checks.references, lambda o: pod(o)["spec"].update(serviceAccountName="apl"), "names ServiceAccount apl"),
    (checks.references, lambda o: o.remove(one(o, "Secret", "api-database")), "names Secret api-database"),
    (
        checks.references,
        lambda o: o.remove(one(o, "Deployment", "api")),
        "HorizontalPodAutoscaler api names Deployment",
    ),
    (checks.references, lambda o: service(o)["spec"]["ports"].pop(0), "Ingress api routes to a port"),
    (checks.references, lambda o: container(o).update(volumeMounts=[{"name": "x", "mountPath": "/x"}]), "mounts x"),
    (checks.hooks, lambda o: annotations(o).update({POLICY: "hook-succeeded"}), "Pod api-test is deleted at hook-succ"),
)


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = helm.objects(INFRA / "charts" / "api", VALUES, "api", "devops-demo")

    def test_without_a_fault_nothing_is_found(self):
        for check in checks.EVERY:
            self.assertEqual(check(self.objects), [], check.__name__)

    def test_every_fault_is_found(self):
        for check, fault, sentence in FAULTS:
            objects = copy.deepcopy(self.objects)
            fault(objects)
            with self.subTest(check=check.__name__, sentence=sentence):
                self.assertRegex("\n".join(check(objects)), sentence)

    def test_a_monitor_that_misses_has_no_target(self):
        for fault in (
            lambda o: service(o)["metadata"]["labels"].update(app="apl"),
            lambda o: service(o)["spec"]["ports"][1].update(name="metric"),
            lambda o: service(o)["spec"]["selector"].update(app="apl"),
            lambda o: monitor(o)["namespaceSelector"].update(matchNames=["elsewhere"]),
        ):
            objects = copy.deepcopy(self.objects)
            self.assertEqual(len(servicemonitor.targets(objects, "api")), 1)
            fault(objects)
            self.assertEqual(servicemonitor.targets(objects, "api"), [])


class Relabelling(unittest.TestCase):
    def test_rows(self):
        def f(rule, labels, want):
            self.assertEqual(relabel.apply([rule], labels), want, rule)

        f({"source_labels": ["a", "b"], "target_label": "c"}, {"a": "1", "b": "2"}, {"a": "1", "b": "2", "c": "1;2"})
        f({"source_labels": ["a"], "regex": "x(.+)", "target_label": "c"}, {"a": "1"}, {"a": "1"})
        f(
            {"source_labels": ["a"], "regex": "(.)(.)", "replacement": "${2}$1", "target_label": "a"},
            {"a": "xy"},
            {"a": "yx"},
        )
        # The whole value must match, and an empty result removes the label.
        f({"source_labels": ["a"], "regex": "x", "target_label": "c", "replacement": "y"}, {"a": "xx"}, {"a": "xx"})
        f({"source_labels": ["b"], "target_label": "a"}, {"a": "1"}, {})
        f({"source_labels": ["a"], "regex": "1", "action": "keep"}, {"a": "1"}, {"a": "1"})
        f({"source_labels": ["a"], "regex": "1", "action": "keep"}, {"a": "2"}, None)
        f({"source_labels": ["a"], "regex": "1", "action": "drop"}, {"a": "1"}, None)
        f({"regex": "a|b", "action": "labeldrop"}, {"a": "1", "c": "2"}, {"c": "2"})
        f({"regex": "__x_(.+)", "action": "labelmap"}, {"__x_a": "1"}, {"__x_a": "1", "a": "1"})


if __name__ == "__main__":
    unittest.main()
